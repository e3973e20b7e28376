import { Lane } from '@dialhook/engine';
import { eventually } from './eventually.ts';

/** Counts what this process asks its databases, a transaction as one, until it is stopped. */
export class StatementCount {
  count = 0;
  #open = 0;
  readonly #query = Lane.prototype.query;
  readonly #transaction = Lane.prototype.transaction;

  constructor() {
    const counted = <Given extends unknown[], Result>(
      original: (this: Lane, ...given: Given) => Promise<Result>,
      counter: (by: number) => void,
    ) =>
      async function count(this: Lane, ...given: Given): Promise<Result> {
        counter(1);
        try {
          return await original.apply(this, given);
        } finally {
          counter(-1);
        }
      };
    const note = (by: number) => {
      this.#open += by;
      if (by > 0) this.count += 1;
    };
    Lane.prototype.query = counted(this.#query, note) as Lane['query'];
    Lane.prototype.transaction = counted(this.#transaction, note) as Lane['transaction'];
  }

  /** Resolves when nothing is under way, and what follows from the last answers was begun. */
  async settled(): Promise<void> {
    await eventually('statements have ended', () => this.#open === 0);
    for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve));
  }

  stop(): void {
    Lane.prototype.query = this.#query;
    Lane.prototype.transaction = this.#transaction;
  }
}
