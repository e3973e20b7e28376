import type { Mutation } from './mutations.ts';

/** mulberry32: small, and the same numbers on every machine. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A seeded choice: lines are drawn, each as likely as any other, and one mistake on each. Files with many operators on a line would
 * otherwise be drawn more often than what they do is worth. `isUsable` refuses what is no program.
 */
export function sample(mutations: readonly Mutation[], seed: number, count: number, isUsable: (mutation: Mutation) => boolean): Mutation[] {
  const random = seeded(seed);
  const lines = [...Map.groupBy(mutations, ({ file, line }) => `${file}:${line}`).values()];
  shuffle(lines, random);
  const chosen: Mutation[] = [];
  for (const line of lines) {
    if (chosen.length === count) break;
    shuffle(line, random);
    const usable = line.find(isUsable);
    if (usable) chosen.push(usable);
  }
  return chosen;
}

function shuffle(items: unknown[], random: () => number): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other], items[last]];
  }
}
