import { AccountError } from './model.ts';
import { SESSION_LIMITS } from './session-limits.ts';

/**
 * Who asks for a hash. `stranger`: nothing is known of them. `proven`: a stranger whose computer has worked for it
 * (proof.ts). `known`: somebody with a session or a valid link.
 */
export type Asker = 'stranger' | 'proven' | 'known';

/**
 * A hash takes a tenth of a second of a core and 32 MB, so a few run at once and the rest waits. Nobody fills the queue
 * for the others: each account and each network address has a share, people with a session wait in a line of their own,
 * and strangers beyond a few must bring a proof of work, which costs each of them about as much as it costs us.
 */
export class HashQueue {
  readonly #atOnce: number;
  #running = 0;
  readonly #pending: Record<Asker, number> = { stranger: 0, proven: 0, known: 0 };
  readonly #bySubject = new Map<string, number>();
  readonly #lines: Record<'known' | 'others', (() => void)[]> = { known: [], others: [] };
  #next: 'known' | 'others' = 'known';

  /** `atOnce`: hashes that run at once. */
  constructor(atOnce: number = SESSION_LIMITS.hashesAtOnce) {
    this.#atOnce = atOnce;
  }

  /**
   * Holds a place for `work`, which hashes with the function that it gets. Throws `proof_needed` when a stranger is one
   * too many, `too_many_attempts` when the others are.
   */
  async admit<T>(
    asker: Asker,
    subjects: readonly string[],
    work: (hash: <H>(run: () => Promise<H>) => Promise<H>) => Promise<T>,
  ): Promise<T> {
    const isShareTaken = subjects.some((subject) => (this.#bySubject.get(subject) ?? 0) >= SESSION_LIMITS.hashesPerSubject);
    if (asker === 'stranger' && (isShareTaken || this.#pending.stranger + this.#pending.proven >= SESSION_LIMITS.hashesOfStrangers))
      throw new AccountError('proof_needed', 'Many people sign in at once: this browser has to do a little work first.');
    if ((asker === 'known' && isShareTaken) || this.#pending[asker] >= SESSION_LIMITS.hashesPending)
      throw new AccountError('too_many_attempts', 'Too many passwords are being checked at once. Try again in a few seconds.');
    this.#pending[asker] += 1;
    for (const subject of subjects) this.#bySubject.set(subject, (this.#bySubject.get(subject) ?? 0) + 1);
    try {
      return await work((run) => this.#inTurn(asker === 'known' ? 'known' : 'others', run));
    } finally {
      this.#pending[asker] -= 1;
      for (const subject of subjects) {
        const left = this.#bySubject.get(subject)! - 1;
        if (left === 0) this.#bySubject.delete(subject);
        else this.#bySubject.set(subject, left);
      }
    }
  }

  async #inTurn<H>(line: 'known' | 'others', run: () => Promise<H>): Promise<H> {
    if (this.#running >= this.#atOnce) await new Promise<void>((resolve) => this.#lines[line].push(resolve));
    else this.#running += 1;
    try {
      return await run();
    } finally {
      // The lines take turns, so that neither waits for all of the other.
      const [first, second] = this.#next === 'known' ? (['known', 'others'] as const) : (['others', 'known'] as const);
      const next = this.#lines[first].shift() ?? this.#lines[second].shift();
      this.#next = second;
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
