import type { Lane } from './lane.ts';
import type { SlotKind } from './slots.ts';

const KINDS: readonly SlotKind[] = ['quick', 'slow', 'new', 'failing', 'stalled'];

/** Lanes that want to send, those of each kind in turn: whoever was served goes to the end. */
export class Turns {
  readonly #byKind: Readonly<Record<SlotKind, Set<Lane>>> = {
    quick: new Set(),
    slow: new Set(),
    new: new Set(),
    failing: new Set(),
    stalled: new Set(),
  };
  #size = 0;
  #turn = 0;

  get size(): number {
    return this.#size;
  }

  add(lane: Lane): void {
    const lanes = this.#byKind[lane.kind];
    if (lanes.has(lane)) return;
    lanes.add(lane);
    this.#size += 1;
  }

  has(lane: Lane): boolean {
    return this.#byKind[lane.kind].has(lane);
  }

  delete(lane: Lane): boolean {
    const was = this.#byKind[lane.kind].delete(lane);
    if (was) this.#size -= 1;
    return was;
  }

  /**
   * Takes out the lane whose turn it is: kinds take turns, and so do the lanes of one. Kinds that are not admitted are
   * passed over, and so are lanes that may not go beyond what they have.
   */
  take(admits: (kind: SlotKind) => boolean, mayGo: (lane: Lane) => boolean): Lane | null {
    if (this.#size === 0) return null;
    for (let step = 0; step < KINDS.length; step++) {
      const index = (this.#turn + step) % KINDS.length;
      const lanes = this.#byKind[KINDS[index]!];
      if (lanes.size === 0 || !admits(KINDS[index]!)) continue;
      let looked = lanes.size;
      for (const lane of lanes) {
        lanes.delete(lane);
        if (mayGo(lane)) {
          this.#size -= 1;
          this.#turn = (index + 1) % KINDS.length;
          return lane;
        }
        lanes.add(lane);
        if (--looked === 0) break;
      }
    }
    return null;
  }

  /** The first lane of this kind, taken out. */
  takeFirst(kind: SlotKind): Lane | null {
    for (const lane of this.#byKind[kind]) {
      this.delete(lane);
      return lane;
    }
    return null;
  }
}
