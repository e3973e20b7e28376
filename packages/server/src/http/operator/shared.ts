import { ProblemBody } from './problems.ts';

export type SlugParams = { readonly slug: string };

/** The problem shape for each of these statuses, for a route's response schemas. */
export function problems(...statuses: number[]) {
  return Object.fromEntries(statuses.map((status) => [status, ProblemBody]));
}
