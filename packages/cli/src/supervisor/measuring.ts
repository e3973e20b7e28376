import { addUp, lastingPart, type Snapshot } from '@dialhook/server';
import type { Child } from './child.ts';
import { PROCESS_LIMITS } from './limits.ts';
import type { FromProcess } from './protocol.ts';

type Measured = Extract<FromProcess, { type: 'measured' }>;

/** What all processes measure together. Totals never fall: those that ended count on with what they said last. */
export class Measuring {
  /** Of each process that lives. */
  readonly #last = new Map<Child, Snapshot>();
  readonly #asked = new Map<number, (measured: Measured) => void>();
  #departed: Promise<Snapshot> = Promise.resolve([]);
  #nextId = 0;

  /** Asks the processes at once; the first one also for what they have in common. */
  async gather(children: readonly Child[]): Promise<Snapshot[]> {
    const common = await Promise.all(children.map((child, index) => this.#ask(child, index === 0)));
    // Of one moment: what a process counted is in one of both, also when it has just ended.
    const departed = this.#departed;
    const own = children.map((child) => this.#last.get(child) ?? []);
    return [await departed, ...own, ...common];
  }

  heard(child: Child, measured: Measured): void {
    this.#last.set(child, measured.measurements.own);
    if (measured.id !== null) this.#asked.get(measured.id)?.(measured);
  }

  ended(child: Child): void {
    const snapshot = this.#last.get(child);
    this.#last.delete(child);
    if (snapshot === undefined) return;
    this.#departed = this.#departed.then((departed) => addUp([departed, lastingPart(snapshot)]));
  }

  /** Gives what the processes have in common; its own is remembered. One that does not answer in time counts as it did last. */
  async #ask(child: Child, withCommon: boolean): Promise<Snapshot> {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<Measured | null>();
    const timer = setTimeout(() => resolve(null), PROCESS_LIMITS.measureMs);
    this.#asked.set(id, resolve);
    child.tell({ type: 'measure', id, withCommon });
    const measured = await Promise.race([promise, child.ended.then(() => null)]);
    clearTimeout(timer);
    this.#asked.delete(id);
    return measured?.measurements.common ?? [];
  }
}
