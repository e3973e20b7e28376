import diagnostics from 'node:diagnostics_channel';
import type { FastifyInstance } from 'fastify';
import { sampleCsv } from '../../lists/samples.fixture.ts';
import type { Things } from './victim.fixture.ts';

export type Surface = 'optimaldial' | 'outboundiq' | 'dialnexa' | 'panel' | 'operator' | 'system';

export interface Route {
  readonly method: string;
  readonly url: string;
  readonly surface: Surface;
  /** What openapi.json says of it; undefined for what is not described, such as pages for people. */
  readonly described: Operation | undefined;
}

export interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: unknown; readonly schema: Schema }>> };
}
interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}
export interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** Parameters that name no thing of anybody: words that a route knows, and files that everybody may have. */
const WORDS: Readonly<Record<string, string>> = {
  'download/:file': 'original',
  ':upload_id/:file': 'original',
  'translations/:table': 'anis',
};

/** Watches every Fastify that is made from now on, and gives the routes that were really registered. */
export function watchRoutes(): () => { method: string; url: string }[] {
  const seen: { method: string; url: string }[] = [];
  const watch = (message: unknown) =>
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) if (one !== 'HEAD' && one !== 'OPTIONS') seen.push({ method: one, url });
    });
  diagnostics.subscribe('fastify.initialization', watch);
  return () => {
    diagnostics.unsubscribe('fastify.initialization', watch);
    return seen;
  };
}

export function surfaceOf(url: string): Surface {
  if (url.startsWith('/api/v1')) return 'optimaldial';
  if (url === '/dials' || url.startsWith('/custom/')) return 'outboundiq';
  if (url.startsWith('/v1/')) return 'dialnexa';
  if (url.startsWith('/panel/')) return 'panel';
  return url.startsWith('/operator/') ? 'operator' : 'system';
}

/** The path with its parameters filled in, and whether one of them names a thing beside the organization. Throws for one that is not known. */
export function fill(route: Route, things: Things, slug: string): { readonly path: string; readonly namesThing: boolean } {
  const segments = route.url.split('/');
  let namesThing = false;
  const filled = segments.map((segment, index) => {
    if (segment === '*') return 'x';
    if (!segment.startsWith(':')) return segment;
    const key = `${segments[index - 1]}/${segment}`;
    if (key === 'organizations/:slug') return slug;
    if (WORDS[key] !== undefined) return WORDS[key];
    const id = things.ids[key];
    if (id === undefined) throw new Error(`${route.method} ${route.url}: how is one of "${key}" made? Say so in victim.fixture.ts.`);
    namesThing = true;
    return id;
  });
  const query = (route.described?.parameters ?? []).filter((one) => one.in === 'query' && things.fields[one.name] !== undefined);
  const keys = (route.described?.parameters ?? []).filter(
    ({ in: where, name, required }) => where === 'query' && required && CUSTOM[name] !== undefined,
  );
  const search = new URLSearchParams([
    ...query.map(({ name }) => [name, things.fields[name]!]),
    ...keys.map(({ name }) => [name, CUSTOM[name]!(route.url)]),
  ]);
  return { path: filled.join('/') + (search.size > 0 ? `?${search}` : ''), namesThing };
}

/** Rows that companies name themselves: the examples of the description name those that were made. */
const CUSTOM: Readonly<Record<string, (url: string) => string>> = {
  id: (url) => (url.endsWith('dispos') ? '17' : 'cb-7'),
  number: () => '3125550142',
};

/** A body that is valid: the description's example, with the things that it may name. */
export function bodyOf({ described }: Route, things: Things, description: Description): { body: unknown; names: boolean } {
  const content = described?.requestBody?.content ?? {};
  const media = content['application/json'];
  if (content['multipart/form-data'] !== undefined) {
    const form = new FormData();
    form.append('phone_column', 'phone_number');
    form.append('file', new Blob([sampleCsv(100, 'phone_number')]), 'x.csv');
    return { body: form, names: false };
  }
  if (media === undefined) return { body: undefined, names: false };
  const schema = media.schema.$ref === undefined ? media.schema : description.components.schemas[media.schema.$ref.split('/').at(-1)!]!;
  const example = structuredClone(media.example) as Record<string, unknown>;
  if ('url' in example) example.url = things.url;
  const named = Object.keys(schema.properties ?? {}).filter((name) => things.fields[name] !== undefined);
  for (const name of named) example[name] = things.fields[name];
  return { body: example, names: named.length > 0 };
}
