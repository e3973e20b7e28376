/** Half full at most: a look-up then takes one or two steps. */
const MAX_LOAD = 0.5;
const INITIAL_CAPACITY = 1 << 12;

/**
 * A set of positive numbers in one typed array: 16 bytes a number, where a `Set` takes 40. A list of the greatest size
 * can hold nine million of them.
 */
export class NumberSet {
  #slots = new Float64Array(INITIAL_CAPACITY); // 0 is a free slot
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** False when it was there already. */
  add(value: number): boolean {
    if (!insert(this.#slots, value)) return false;
    this.#size += 1;
    if (this.#size > this.#slots.length * MAX_LOAD) this.#grow();
    return true;
  }

  #grow(): void {
    const grown = new Float64Array(this.#slots.length * 2);
    for (const value of this.#slots) if (value !== 0) insert(grown, value);
    this.#slots = grown;
  }
}

/** Open addressing, linear probing; the capacity is a power of two. */
function insert(slots: Float64Array, value: number): boolean {
  const mask = slots.length - 1;
  // Phone numbers come in runs; Fibonacci hashing spreads them.
  let at = (Math.imul((value % 0x1_0000_0000) | 0, 0x9e37_79b1) >>> 0) & mask;
  for (;;) {
    const there = slots[at]!;
    if (there === value) return false;
    if (there === 0) {
      slots[at] = value;
      return true;
    }
    at = (at + 1) & mask;
  }
}
