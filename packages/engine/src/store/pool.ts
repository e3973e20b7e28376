import type { Session } from './session.ts';
import { DatabaseUnavailable } from './trouble.ts';

export interface PoolOptions {
  readonly open: () => Promise<Session>;
  /** Sessions at most. */
  readonly size: number;
  /** A session that nobody needed for so long is closed; kept when absent. */
  readonly idleMs?: number | undefined;
}

interface Waiter {
  readonly urgency: number;
  readonly resolve: (session: Session) => void;
  readonly reject: (error: Error) => void;
  passedOver: number;
}

/** So often may more urgent work go first; then it is this one's turn. */
const MAX_PASSED_OVER = 8;
/** After a try to connect failed: a database in trouble is not stormed, and callers hear of it at once. */
const REOPEN_MS = 100;
/** For sessions in use when the pool closes. */
const CLOSE_MS = 10_000;

/** A bounded number of sessions, handed out by urgency and then in order of asking. */
export class SessionPool {
  readonly #options: PoolOptions;
  readonly #sessions = new Set<Session>();
  readonly #idle: Session[] = [];
  readonly #suspects = new WeakSet<Session>();
  #waiting: Waiter[] = [];
  #opening = 0;
  #failure: { readonly error: Error; readonly at: number } | null = null;
  #closed: { readonly done: () => void } | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * A session for the caller alone, to be given back. `urgency`: lower goes first. Rejects with `late()` when none is
   * free within `waitMs`, with `DatabaseUnavailable` when the database lets nobody in.
   */
  take(urgency: number, waitMs: number, late: () => Error): Promise<Session> {
    if (this.#closed !== null) return Promise.reject(new DatabaseUnavailable('database_unavailable', 'it is being closed'));
    const { promise, resolve, reject } = Promise.withResolvers<Session>();
    const timer = setTimeout(() => {
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      reject(late());
    }, waitMs);
    const waiter: Waiter = {
      urgency,
      passedOver: 0,
      resolve: (session) => (clearTimeout(timer), resolve(session)),
      reject: (error) => (clearTimeout(timer), reject(error)),
    };
    this.#waiting.push(waiter);
    this.#serve();
    return promise;
  }

  give(session: Session): void {
    if (!session.usable || this.#suspects.has(session) || this.#closed !== null) {
      this.#drop(session);
    } else {
      const { idleMs } = this.#options;
      if (idleMs !== undefined) session.idleTimer = setTimeout(() => this.#drop(session), idleMs);
      this.#idle.push(session);
    }
    this.#serve();
  }

  /** The server went silent on some session: none that was opened before is used again. */
  suspectAll(): void {
    for (const session of this.#sessions) this.#suspects.add(session);
    for (const session of this.#idle.splice(0)) {
      session.destroy();
      this.#sessions.delete(session);
    }
  }

  /** Resolves when every session is closed; those in use have a while to be given back. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = { done: resolve };
    for (const { reject } of this.#waiting.splice(0)) reject(new DatabaseUnavailable('database_unavailable', 'it is being closed'));
    for (const session of this.#idle.splice(0)) this.#drop(session);
    const timer = setTimeout(() => {
      for (const session of this.#sessions) session.destroy();
      resolve();
    }, CLOSE_MS);
    this.#settle();
    await promise;
    clearTimeout(timer);
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const session = this.#idle.pop();
      if (session === undefined) break;
      clearTimeout(session.idleTimer);
      if (session.usable) this.#next().resolve(session);
      else this.#drop(session);
    }
    while (this.#waiting.length > this.#opening && this.#sessions.size + this.#opening < this.#options.size) {
      if (this.#failure !== null && performance.now() - this.#failure.at < REOPEN_MS) {
        this.#refuse(this.#failure.error);
        return;
      }
      this.#opening += 1;
      void this.#open();
    }
  }

  async #open(): Promise<void> {
    try {
      const session = await this.#options.open();
      this.#failure = null;
      this.#opening -= 1;
      this.#sessions.add(session);
      this.give(session);
    } catch (error) {
      this.#opening -= 1;
      this.#failure = { error: error as Error, at: performance.now() };
      this.#refuse(error as Error);
    }
    this.#settle();
  }

  /** Nobody can be let in now. Who waits goes on waiting only where a session is in use and will come back. */
  #refuse(error: Error): void {
    if (this.#sessions.size > 0) return;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** The most urgent waiter, or one that was passed over too often. */
  #next(): Waiter {
    let index = this.#waiting.findIndex(({ passedOver }) => passedOver >= MAX_PASSED_OVER);
    if (index === -1) {
      index = 0;
      for (const [at, { urgency }] of this.#waiting.entries()) if (urgency < this.#waiting[index]!.urgency) index = at;
    }
    for (let at = 0; at < index; at++) this.#waiting[at]!.passedOver += 1;
    return this.#waiting.splice(index, 1)[0]!;
  }

  #drop(session: Session): void {
    const at = this.#idle.indexOf(session);
    if (at !== -1) this.#idle.splice(at, 1);
    void session.close().then(() => {
      this.#sessions.delete(session);
      this.#serve();
      this.#settle();
    });
  }

  #settle(): void {
    if (this.#sessions.size === 0 && this.#opening === 0) this.#closed?.done();
  }
}
