import type { FastifyInstance } from 'fastify';
import type { TSchema } from 'typebox';
import { dialects } from '../dialects/index.ts';
import { ProblemBody } from './operator/problems.ts';
import { ErrorBody as DialnexaError } from './dialnexa/schemas.ts';
import { ErrorBody } from './optimaldial/schemas.ts';
import { ErrorBody as OutboundiqError } from './outboundiq/schemas.ts';
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
  { readonly schema: JsonSchema; readonly always: readonly number[]; readonly withBody: readonly number[] } | undefined
> = {
  OptimalDial: { schema: ErrorBody as JsonSchema, always: [500, 503], withBody: [413, 415] },
  outboundIQ: { schema: OutboundiqError as JsonSchema, always: [500], withBody: [413, 415] },
  DialNexa: { schema: DialnexaError as JsonSchema, always: [500], withBody: [413, 415] },
  Operator: { schema: ProblemBody as JsonSchema, always: [500, 503], withBody: [409, 413, 415, 422] },
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
    for (const operation of this.#operations) {
      paths[operation.path] ??= {};
      paths[operation.path]![operation.method] = describe(operation);
    }
    return {
      openapi: '3.1.0',
      info: {
        title: 'Dialhook',
        version,
        description: `Phone lists, dials and calls go in; signed, retried webhooks go out. Dialects: ${dialects.map(({ name }) => name).join(', ')}.`,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: Object.keys(SECURITY).map((name) => ({ name })),
      paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
      webhooks: outgoingWebhooks(),
      components: {
        securitySchemes: {
          optimaldialKey: { type: 'http', scheme: 'bearer', description: 'An OptimalDial API key, `od_live_…`.' },
          outboundiqKey: { type: 'http', scheme: 'bearer', description: 'An outboundIQ key of the universal type, `oiq_…`.' },
          dialnexaKey: { type: 'http', scheme: 'bearer', description: 'A DialNexa key, `<key id>:<secret>`.' },
          operatorToken: { type: 'http', scheme: 'bearer', description: 'The operator token.' },
        },
      },
    };
  }
}

function describe({ method, path, schema, tag }: Operation): object {
  const bodies =
    (schema.requestBodies as Record<string, JsonSchema> | undefined) ??
    (schema.body ? { 'application/json': schema.body as JsonSchema } : undefined);
  return {
    operationId: `${method}${path.replaceAll(/[{}]/g, '').replaceAll(/[/_-]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary: schema.summary,
    ...(schema.description !== undefined && { description: schema.description }),
    tags: [tag],
    security: SECURITY[tag],
    parameters: [
      ...(tag === 'Operator' && method === 'post' ? [IDEMPOTENCY_HEADER] : []),
      ...parameters('path', schema.params as JsonSchema),
      ...parameters('query', schema.querystring as JsonSchema),
    ],
    ...(bodies && {
      requestBody: { required: true, content: Object.fromEntries(Object.entries(bodies).map(([type, body]) => [type, media(body)])) },
    }),
    responses: Object.fromEntries(
      Object.entries(responsesOf(schema.response as Record<string, JsonSchema>, tag, bodies !== undefined)).map(([status, body]) => [
        status,
        {
          description: Number(status) < 400 ? 'Success' : 'Refused',
          ...(status !== '204' && {
            content: { [(schema.responseType as string | undefined) ?? contentType(tag, Number(status))]: media(body) },
          }),
        },
      ]),
    ),
  };
}

function responsesOf(declared: Record<string, JsonSchema>, tag: string, hasBody: boolean): Record<string, JsonSchema> {
  const common = COMMON_ERRORS[tag];
  if (common === undefined) return declared;
  const statuses = hasBody ? [...common.always, ...common.withBody] : common.always;
  return { ...Object.fromEntries(statuses.map((status) => [status, common.schema])), ...declared };
}

function media(schema: JsonSchema): object {
  const [example] = schema.examples ?? [];
  return { schema, ...(example !== undefined && { example }) };
}

function parameters(where: 'path' | 'query', schema: JsonSchema | undefined): object[] {
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => ({
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
  return url.startsWith('/operator/') ? 'Operator' : 'System';
}

function contentType(tag: string, status: number): string {
  return tag === 'Operator' && status >= 400 ? 'application/problem+json' : 'application/json';
}
