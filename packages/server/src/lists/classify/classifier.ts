import type { Verdicts } from '../worker/protocol.ts';

export interface ClassifyOptions {
  /** The customer asked to leave out look-ups at a third party. */
  readonly skipMobileLookup: boolean;
}

/** Says of numbers whether a person is likely to answer. */
export interface Classifier {
  /** `numbers` are E.164 digits. Null when nothing is known of any of them. Throws when it cannot say. */
  classify(numbers: Float64Array, options: ClassifyOptions): Promise<Verdicts | null>;
}
