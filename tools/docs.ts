import { ATTEMPT_ERRORS, LIMITS } from '@dialhook/engine';
import { LIST_LIMITS, PROBLEMS, VARIABLES, WRITE_LIMITS } from '@dialhook/server';

/** Rows that the pages in docs/ must have, made from the code; a test compares, `npm run generate` does not write them. */
export const documented = {
  'docs/errors.md': [...Object.keys(PROBLEMS), ...Object.keys(ATTEMPT_ERRORS)],
  'docs/configuration.md': Object.keys(VARIABLES),
  'docs/limits.md': [...Object.keys(LIMITS), ...Object.keys(LIST_LIMITS), ...Object.keys(WRITE_LIMITS)],
} as const;
