import type { FastifyInstance } from 'fastify';
import type { TSchema } from 'typebox';
import { dialects } from '../dialects/index.ts';
import { ProblemBody } from './operator/problems.ts';
import { ErrorBody as DialnexaError } from './dialnexa/schemas.ts';
import { ErrorBody } from './optimaldial/schemas.ts';
import { ErrorBody as OutboundiqError } from './outboundiq/schemas.ts';
import { MAX_DEPTH } from './input.ts';
import { outgoingWebhooks } from './outgoing.ts';

declare module 'fastify' {
  interface FastifySchema {
    summary?: string;
    description?: string;
    /** Bodies that a handler streams and checks itself, by content type. */
    requestBodies?: Record<string, TSchema>;
    /** The answer's content type, where it is not JSON. */
    responseType?: string;
    /** Left out of the description, such as pages for people. */
    hide?: boolean;
  }
}

/** What every call of a surface may be answered with beside what its route declares. */
const COMMON_ERRORS: Record<
  string,
  | {
      readonly schema: JsonSchema;
      readonly always: readonly number[];
      /** Of methods whose body is read, also where none is expected. */
      readonly withBody: readonly number[];
      /** Of calls that may carry an Idempotency-Key. */
      readonly withKey?: readonly number[];
    }
  | undefined
> = {
  OptimalDial: { schema: ErrorBody as JsonSchema, always: [400, 401, 500, 503], withBody: [408, 413, 415] },
  outboundIQ: { schema: OutboundiqError as JsonSchema, always: [400, 401, 500, 503], withBody: [408, 413, 415] },
  DialNexa: { schema: DialnexaError as JsonSchema, always: [400, 401, 429, 500, 503], withBody: [408, 413, 415] },
  Panel: { schema: ProblemBody as JsonSchema, always: [400, 401, 403, 404, 429, 500, 503], withBody: [408, 409, 413, 415] },
  Operator: { schema: ProblemBody as JsonSchema, always: [400, 401, 500, 503], withBody: [408, 413, 415], withKey: [409, 422] },
};

const IDEMPOTENCY_HEADER = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'A repeat with the same key and body gets the first answer and is not done again; kept for 24 hours.',
  schema: { type: 'string', maxLength: 255 },
};

interface Operation {
  readonly path: string;
  readonly method: string;
  readonly tag: string;
  readonly schema: Record<string, unknown>;
}

interface JsonSchema {
  readonly properties?: Record<string, JsonSchema>;
  readonly required?: readonly string[];
  readonly examples?: readonly unknown[];
}

const SECURITY: Record<string, readonly Record<string, readonly string[]>[]> = {
  OptimalDial: [{ optimaldialKey: [] }],
  outboundIQ: [{ outboundiqKey: [] }],
  DialNexa: [{ dialnexaKey: [] }],
  Panel: [{ panelSession: [] }],
  Operator: [{ operatorToken: [] }],
  System: [],
};

/** Collects every route while surfaces are registered; the description is made of the schemas that validate. */
export class OpenApi {
  readonly #operations: Operation[] = [];

  /** Must be called before the routes are added. */
  observe(app: FastifyInstance): void {
    app.addHook('onRoute', (route) => {
      const schema = (route.schema ?? {}) as Record<string, unknown>;
      if (schema.hide) return;
      if (schema.summary === undefined) throw new Error(`The route ${route.url} has no summary: describe it, or hide it.`);
      for (const method of [route.method].flat()) {
        if (method === 'HEAD') continue;
        this.#operations.push({
          path: route.url.replaceAll(/:(\w+)/g, '{$1}'),
          method: method.toLowerCase(),
          tag: tagOf(route.url),
          schema,
        });
      }
    });
  }

  document(version: string): object {
    const paths: Record<string, Record<string, object>> = {};
    const shared = new SharedSchemas(this.#operations);
    for (const operation of this.#operations) {
      paths[operation.path] ??= {};
      paths[operation.path]![operation.method] = describe(operation, shared);
    }
    return {
      openapi: '3.1.0',
      info: {
        title: 'Dialhook',
        version,
        description: `Phone lists, dials and calls go in; signed, retried webhooks go out. Dialects: ${dialects.map(({ name }) => name).join(', ')}. No text may contain U+0000 or half of a surrogate pair, and no JSON may go deeper than ${MAX_DEPTH} levels (400). An address without the method answers 405 with Allow.`,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: Object.keys(SECURITY).map((name) => ({ name })),
      paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
      webhooks: outgoingWebhooks(),
      components: {
        schemas: shared.schemas,
        securitySchemes: {
          optimaldialKey: { type: 'http', scheme: 'bearer', description: 'An OptimalDial API key, `od_live_…`.' },
          outboundiqKey: { type: 'http', scheme: 'bearer', description: 'An outboundIQ key of the universal type, `oiq_…`.' },
          dialnexaKey: { type: 'http', scheme: 'bearer', description: 'A DialNexa key, `<key id>:<secret>`.' },
          panelSession: { type: 'apiKey', in: 'cookie', name: 'dialhook_session', description: 'A session of the panel.' },
          operatorToken: { type: 'http', scheme: 'bearer', description: 'The operator token.' },
        },
      },
    };
  }
}

function describe(operation: Operation, shared: SharedSchemas): object {
  const { method, path, schema, tag } = operation;
  const bodies = bodiesOf(operation);
  return {
    operationId: operationId(operation),
    summary: schema.summary,
    ...(schema.description !== undefined && { description: schema.description }),
    tags: [tag],
    security: SECURITY[tag],
    parameters: [
      ...(tag === 'Operator' && method === 'post' ? [IDEMPOTENCY_HEADER] : []),
      ...parameters('path', schema.params as JsonSchema, path),
      ...parameters('query', schema.querystring as JsonSchema, path),
    ],
    ...(bodies && {
      requestBody: {
        required: true,
        content: Object.fromEntries(Object.entries(bodies).map(([type, body]) => [type, media(body, shared)])),
      },
    }),
    responses: Object.fromEntries(
      Object.entries(responsesOf(operation)).map(([status, body]) => [
        status,
        {
          description: Number(status) < 400 ? 'Success' : 'Refused',
          ...(status !== '204' &&
            status !== '304' && {
              content: { [contentType(operation, Number(status))]: media(body, shared) },
            }),
        },
      ]),
    ),
  };
}

/** `getV1CampaignsId` */
function operationId({ method, path }: Operation): string {
  return `${method}${path.replaceAll(/[{}]/g, '').replaceAll(/[/_-]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`;
}

function bodiesOf({ schema }: Operation): Record<string, JsonSchema> | undefined {
  return (
    (schema.requestBodies as Record<string, JsonSchema> | undefined) ??
    (schema.body ? { 'application/json': schema.body as JsonSchema } : undefined)
  );
}

/** Schemas that stand in more than one place are written once, under the name of the error or of the first operation that has them. */
class SharedSchemas {
  readonly schemas: Record<string, JsonSchema> = {};
  readonly #names = new Map<JsonSchema, string>();

  constructor(operations: readonly Operation[]) {
    const seen = new Map<JsonSchema, string>();
    for (const operation of operations) {
      const errors = COMMON_ERRORS[operation.tag];
      for (const schema of [...Object.values(bodiesOf(operation) ?? {}), ...Object.values(responsesOf(operation))]) {
        const name = seen.get(schema);
        if (name !== undefined) this.#share(schema, name);
        else seen.set(schema, schema === errors?.schema ? `${operation.tag}Error` : pascal(operationId(operation)));
      }
    }
  }

  /** The schema, or a reference to it. */
  refer(schema: JsonSchema): object {
    const name = this.#names.get(schema);
    return name === undefined ? schema : { $ref: `#/components/schemas/${name}` };
  }

  #share(schema: JsonSchema, wanted: string): void {
    if (this.#names.has(schema)) return;
    const taken = Object.keys(this.schemas);
    let name = wanted;
    for (let n = 2; taken.includes(name); n++) name = `${wanted}${n}`;
    this.#names.set(schema, name);
    this.schemas[name] = schema;
  }
}

function pascal(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function responsesOf(operation: Operation): Record<string, JsonSchema> {
  const declared = operation.schema.response as Record<string, JsonSchema>;
  const common = COMMON_ERRORS[operation.tag];
  if (common === undefined) return declared;
  const { always, withBody, withKey = [] } = common;
  const statuses = [...always, ...(operation.method === 'get' ? [] : withBody), ...(operation.method === 'post' ? withKey : [])];
  // The panel has routes of every surface; what they refuse is a problem there, whatever they declare.
  const own =
    operation.tag === 'Panel'
      ? Object.entries(declared).map(([status, schema]) => [status, Number(status) < 400 ? schema : common.schema])
      : null;
  return {
    ...Object.fromEntries(statuses.map((status) => [status, common.schema])),
    ...(own === null ? declared : Object.fromEntries(own)),
  };
}

function media(schema: JsonSchema, shared: SharedSchemas): object {
  const [example] = schema.examples ?? [];
  return { schema: shared.refer(schema), ...(example !== undefined && { example }) };
}

/** Every parameter of the path, also those that only a prefix has, and what the schema says of the query. */
function parameters(where: 'path' | 'query', schema: JsonSchema | undefined, path: string): object[] {
  const described = schema?.properties ?? {};
  const inPath =
    where === 'path' ? [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name!, described[name!] ?? { type: 'string' }] as const) : [];
  return (where === 'path' ? inPath : Object.entries(described)).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || ((schema?.required?.includes(name) ?? false) && !('default' in property)),
    schema: property,
  }));
}

function tagOf(url: string): string {
  if (url.startsWith('/api/v1')) return 'OptimalDial';
  if (url === '/dials' || url.startsWith('/custom/')) return 'outboundIQ';
  if (url.startsWith('/v1/')) return 'DialNexa';
  if (url.startsWith('/panel/')) return 'Panel';
  return url.startsWith('/operator/') ? 'Operator' : 'System';
}

function contentType({ schema, tag }: Operation, status: number): string {
  if (status < 400 && schema.responseType !== undefined) return schema.responseType as string;
  return (tag === 'Operator' || tag === 'Panel') && status >= 400 ? 'application/problem+json' : 'application/json';
}
