import type { FastifyRequest } from 'fastify';
import type { SessionUser } from '../../accounts/store/sessions.ts';
import type { Actor } from '../../accounts/model.ts';
import { ProblemBody } from './problems.ts';

export type SlugParams = { readonly slug: string };

/** The problem shape for each of these statuses, for a route's response schemas. */
export function problems(...statuses: number[]) {
  return Object.fromEntries(statuses.map((status) => [status, ProblemBody]));
}

/** Who asks, on routes that the operator and the panel share. */
export function actorOf(request: FastifyRequest): Actor {
  return (request.user as SessionUser | undefined)?.userId ?? null;
}
