/**
 * Group commit: what arrives while a batch is being written forms the next batch. An idle system writes one at a time at once,
 * a busy one writes large batches by itself. Where small batches cost more than waiting does, one that is not full lingers.
 */
export class Batcher<Item> {
  readonly #write: (items: Item[]) => Promise<void>;
  readonly #maxItems: number;
  readonly #concurrency: number;
  readonly #weigh: (item: Item) => number;
  readonly #maxWeight: number;
  readonly #lingerMs: (writing: number) => number;
  #lingering: NodeJS.Timeout | null = null;
  #queue: Item[] = [];
  #writing = 0;
  #idle: (() => void)[] = [];

  /** `write` must not reject: it tells the items themselves what happened. */
  constructor(options: {
    write: (items: Item[]) => Promise<void>;
    maxItems: number;
    concurrency: number;
    weigh?: (item: Item) => number;
    maxWeight?: number;
    /** How long the first item of a batch that is not full waits for others, while so many batches are being written. */
    lingerMs?: (writing: number) => number;
  }) {
    this.#write = options.write;
    this.#maxItems = options.maxItems;
    this.#concurrency = options.concurrency;
    this.#weigh = options.weigh ?? (() => 1);
    this.#maxWeight = options.maxWeight ?? Infinity;
    this.#lingerMs = options.lingerMs ?? (() => 0);
  }

  /** What has waited longest to be written. */
  get oldest(): Item | undefined {
    return this.#queue[0];
  }

  add(item: Item): void {
    this.#queue.push(item);
    if (this.#writing < this.#concurrency) this.#startSoon();
  }

  /** Resolves when nothing is waiting or being written. */
  async drained(): Promise<void> {
    while (this.#queue.length > 0 || this.#writing > 0) {
      if (this.#writing === 0) setImmediate(() => this.#start());
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  #startSoon(): void {
    const lingerMs = this.#queue.length >= this.#maxItems || this.#idle.length > 0 ? 0 : this.#lingerMs(this.#writing);
    // After this turn of the event loop, so that requests that arrived together are written together.
    if (lingerMs === 0) setImmediate(() => this.#start());
    else this.#lingering ??= setTimeout(() => this.#start(), lingerMs);
  }

  #start(): void {
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    this.#lingering = null;
    if (this.#queue.length === 0 || this.#writing >= this.#concurrency) return;
    const batch = this.#take();
    this.#writing += 1;
    void this.#write(batch).finally(() => {
      this.#writing -= 1;
      const idle = this.#idle;
      this.#idle = [];
      for (const wake of idle) wake();
      if (this.#lingerMs(this.#writing) === 0) this.#start();
      else if (this.#queue.length > 0) this.#startSoon();
    });
    if (this.#queue.length > 0) this.#start();
  }

  #take(): Item[] {
    let count = 0;
    let weight = 0;
    while (count < this.#queue.length && count < this.#maxItems) {
      weight += this.#weigh(this.#queue[count]!);
      if (count > 0 && weight > this.#maxWeight) break;
      count += 1;
    }
    if (count === this.#queue.length) {
      const all = this.#queue;
      this.#queue = [];
      return all;
    }
    return this.#queue.splice(0, count);
  }
}
