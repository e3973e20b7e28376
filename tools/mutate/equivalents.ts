import { readFileSync } from 'node:fs';
import type { Mutation } from './mutations.ts';

/** A mistake that changes nothing which anybody could notice, as somebody judged who read the code. */
export interface Equivalent {
  readonly file: string;
  /** The line on which it is made, trimmed: files grow, so that numbers of lines would not last. */
  readonly source: string;
  /** What became of what, as reports have it. */
  readonly change: string;
  readonly reason: string;
}

export function readEquivalents(): Equivalent[] {
  return JSON.parse(readFileSync(new URL('equivalents.json', import.meta.url), 'utf8')) as Equivalent[];
}

export function findEquivalent(equivalents: readonly Equivalent[], mutation: Mutation): Equivalent | undefined {
  return equivalents.find(({ change, file, source }) => file === mutation.file && source === mutation.source && change === mutation.change);
}
