import { LIMITS } from './limits.ts';

export interface StepSizeOptions {
  readonly first: number;
  readonly least: number;
  readonly most: number;
  /** What a step should take. */
  readonly stepMs: number;
}

/** How much the next step of a long read takes on: as much as this database reads in a step's time, as the last one showed. */
export class StepSize {
  readonly #options: StepSizeOptions;
  #size: number;

  constructor(options: StepSizeOptions) {
    this.#options = options;
    this.#size = options.first;
  }

  get size(): number {
    return this.#size;
  }

  /** Notes that a step of this size took so long. The next one is at most twice as large. */
  took(ms: number): void {
    const { least, most, stepMs } = this.#options;
    this.#size = Math.round(Math.min(most, Math.max(least, this.#size * Math.min(2, stepMs / Math.max(1, ms)))));
  }
}

/** A look-up that finds nothing costs as much as so many rows of one that does. */
export const LOOK_UP_ROWS = 8;

/** Rows in a step of a read that may be long. */
export function readStep(): StepSize {
  const { maxReadStepRows: most, minReadStepRows: least, readStepMs: stepMs, readStepRows: first } = LIMITS;
  return new StepSize({ first, least, most, stepMs });
}
