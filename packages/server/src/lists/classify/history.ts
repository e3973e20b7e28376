import type { Queryable } from '@dialhook/engine';
import { CALL_STATUSES } from '../model.ts';
import { prefixOf } from '../phone.ts';
import { findContactHistory, findContactPrefixes } from '../store/contact-history.ts';
import type { Verdicts } from '../worker/protocol.ts';
import type { Classifier } from './classifier.ts';

interface Counts {
  readonly dials: number;
  readonly contacts: number;
}

/** How many imagined dials pull an estimate towards what is expected: few, so that real dials soon count more. */
const PRIOR_WEIGHT = 2;
/** What is expected of a prefix that nobody knows: nothing either way. */
const NEUTRAL_RATE = 0.5;
/** From this rate on somebody is likely to answer. */
const ANSWER_RATE = 0.5;
/** A prefix stands for ten thousand numbers: fewer dials than this say nothing about one of them. */
const MIN_PREFIX_DIALS = 10;

const UNKNOWN = CALL_STATUSES.indexOf('Unknown');
const ANSWER = CALL_STATUSES.indexOf('Likely Answer');
const VOICEMAIL = CALL_STATUSES.indexOf('Likely Voicemail');

/** Judges by the dials that the platform knows: of the number itself, then of its prefix; never by a guess. */
export class HistoryClassifier implements Classifier {
  readonly #db: Queryable;

  constructor(db: Queryable) {
    this.#db = db;
  }

  async classify(numbers: Float64Array): Promise<Verdicts | null> {
    const prefixes = new Map<number, Counts>();
    const distinct = [...new Set(Array.from(numbers, prefixOf))];
    for (const row of await findContactPrefixes(this.#db, distinct)) prefixes.set(row.prefix, row);
    if (prefixes.size === 0) return null;
    // A number can only be known if its prefix is.
    const candidates = Array.from(numbers).filter((number) => prefixes.has(prefixOf(number)));
    const known = new Map<number, Counts>();
    for (const row of await findContactHistory(this.#db, candidates)) known.set(row.number, row);

    const statuses = new Uint8Array(numbers.length);
    const reasons: string[] = [];
    for (const [index, number] of numbers.entries()) {
      const { status, reason } = judge(known.get(number), prefixes.get(prefixOf(number)));
      statuses[index] = status;
      reasons.push(reason);
    }
    return { statuses, reasons, lineTypes: null };
  }
}

/** One number's verdict from its own counts and its prefix's. */
export function judge(own: Counts | undefined, prefix: Counts | undefined): { status: number; reason: string } {
  const prefixKnown = prefix !== undefined && prefix.dials >= MIN_PREFIX_DIALS;
  const expected = prefixKnown ? smoothedRate(prefix, NEUTRAL_RATE) : NEUTRAL_RATE;
  if (own !== undefined && own.dials > 0) {
    return { status: statusOf(smoothedRate(own, expected)), reason: `number: ${own.contacts} of ${own.dials} dials answered` };
  }
  if (prefixKnown) return { status: statusOf(expected), reason: `prefix: ${prefix.contacts} of ${prefix.dials} dials answered` };
  return { status: UNKNOWN, reason: 'no history' };
}

function smoothedRate(counts: Counts, expected: number): number {
  return (counts.contacts + PRIOR_WEIGHT * expected) / (counts.dials + PRIOR_WEIGHT);
}

function statusOf(rate: number): number {
  return rate >= ANSWER_RATE ? ANSWER : VOICEMAIL;
}
