import { isUuid } from '@dialhook/engine';
import type { FastifyRequest } from 'fastify';
import { isFitText, UNFIT_TEXT } from '../text.ts';

/**
 * How deep arrays and objects may stand in one another. Nothing that is described here goes deeper than ten; JSON of some thousand
 * levels exhausts the stack of whatever walks through it next.
 */
export const MAX_DEPTH = 100;

/** Fields of a path that an answer names, and characters of each name. */
const MAX_NAMES = 8;
const MAX_NAME_LENGTH = 100;

/** What is wrong with an input, and where: names and indices from the outside to the inside. */
interface Flaw {
  readonly path: string[];
  readonly message: string;
}

/** Has the form of a schema's errors, so that each surface names the field in its own words. */
export class UnfitInput extends Error {
  override readonly name = 'UnfitInput';
  readonly statusCode = 400;
  readonly validation: readonly { keyword: string; instancePath: string; params: object; message: string }[];
  constructor({ message, path }: Flaw) {
    super(message);
    this.validation = [{ keyword: 'text', instancePath: path.map((name) => `/${name}`).join(''), params: {}, message }];
  }
}

/**
 * Refuses text that cannot be stored and JSON that is too deep, before any schema looks at a request. Throws `UnfitInput`. Streams are
 * for their readers to check.
 */
export function refuseUnfit(request: FastifyRequest): void {
  const { body, query } = request;
  // A query that a route does not declare is not looked at by anybody.
  const isQueried = request.routeOptions.schema?.querystring !== undefined;
  const flaw = (isQueried ? flawOf(query, 0) : null) ?? (isStream(body) ? null : flawOf(body, 0));
  if (flaw !== null) throw new UnfitInput(flaw);
}

/** Stands for a parameter of a path that cannot be stored. Nothing is called so, which each surface says in its own words. */
const NO_NAME = '\ufffd';

/**
 * Makes what a path names fit for look-ups: an id has one spelling from here on, since it is also a key of maps, where upper case would
 * be another id.
 */
export function unifyParams(request: FastifyRequest): void {
  const params = request.params as Record<string, string>;
  for (const name of Object.keys(params)) {
    const given = params[name]!;
    if (isUuid(given)) params[name] = given.toLowerCase();
    else if (!isFitText(given)) params[name] = NO_NAME;
  }
}

function isStream(body: unknown): boolean {
  return body instanceof Uint8Array || typeof (body as { pipe?: unknown } | null | undefined)?.pipe === 'function';
}

function flawOf(value: unknown, depth: number): Flaw | null {
  if (typeof value === 'string') return isFitText(value) ? null : { path: [], message: UNFIT_TEXT };
  if (typeof value !== 'object' || value === null) return null;
  if (depth >= MAX_DEPTH) return { path: [], message: `must not go deeper than ${MAX_DEPTH} levels` };
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const flaw = flawOf(value[index], depth + 1);
      if (flaw !== null) return within(index, flaw, depth);
    }
    return null;
  }
  for (const name of Object.keys(value)) {
    if (!isFitText(name)) return { path: [], message: `${UNFIT_TEXT} in the name of a field` };
    const flaw = flawOf((value as Record<string, unknown>)[name], depth + 1);
    if (flaw !== null) return within(name, flaw, depth);
  }
  return null;
}

/** Names the outermost fields, as far as somebody would read them. */
function within(name: string | number, flaw: Flaw, depth: number): Flaw {
  if (depth < MAX_NAMES) flaw.path.unshift(String(name).slice(0, MAX_NAME_LENGTH));
  return flaw;
}
