import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { Receiver, startTestServer, type TestServer } from '@dialhook/testing';
import { bodies, hostileText, valuesOf, type Known, type Schema } from './fuzz.fixture.ts';

/** Another seed, or more runs: `DIALHOOK_FUZZ_SEED=7 DIALHOOK_FUZZ_RUNS=200`. */
const SEED = Number(process.env.DIALHOOK_FUZZ_SEED ?? 1);
const RUNS = Number(process.env.DIALHOOK_FUZZ_RUNS ?? 6);
/** A busy machine does fewer runs, but never less than one of each route. */
const BUDGET_MS = 15_000;
/** Requests at once. */
const WALKERS = 6;
/** Calls that one key is used for: rate limits are not what is looked for. */
const CALLS_PER_KEY = 50;

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
}
interface Operation {
  readonly tags: readonly [string];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>>;
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | FormData | undefined;
}

/** What is left out of the description on purpose: pages and files for people. */
const UNDESCRIBED = new Set(['/', '/docs', '/openapi.json', '/files/:upload_id/:file', '/favicon.svg', '/assets/*', '/sign-in', '/o/*']);

test('whatever is sent to any route, the answer is one that is described, and never a fault of ours', async (t) => {
  const place = await startTestServer('postgres');
  const receiver = await Receiver.start();
  t.after(async () => {
    await receiver.stop();
    await place.stop();
  });
  const description = (await (await fetch(`${place.url}/openapi.json`)).json()) as Description;
  const described = new Set(Object.keys(description.paths).map((path) => path.replaceAll(/\{(\w+)\}/g, ':$1')));
  const registered = place.server.app.methodTable.urls();
  assert.deepEqual(
    registered.filter((url) => !described.has(url) && !UNDESCRIBED.has(url)),
    [],
  );

  const credentials = new Credentials(place);
  await credentials.begin();
  const known = await things(place, credentials, receiver);
  const ajv = new Ajv2020({ strict: false });
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const faults: string[] = [];
  const statuses = new Map<number, number>();
  const samples = operations.map(({ method, operation, path }, index) => {
    const given = calls(method, path, operation, description, known);
    let made: readonly Call[] | undefined;
    return (run: number) => (made ??= fc.sample(given, { seed: SEED + index, numRuns: RUNS }))[run]!;
  });
  const one = async ({ method, operation }: (typeof operations)[number], call: Call) => {
    const headers = { ...(await credentials.of(operation.tags[0])), ...call.headers };
    const response = await fetch(place.url + call.path, { method, headers, ...(call.body !== undefined && { body: call.body }) });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    const text = isStream ? (await response.body?.cancel(), '') : await response.text();
    const fault = isStream ? null : faultOf(operation, response, text);
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    if (fault !== null)
      faults.push(
        `${method} ${call.path.slice(0, 200)} ${typeof call.body === 'string' ? call.body.slice(0, 300) : ''}\n    ${fault}: ${text.slice(0, 300)}`,
      );
    if (response.status === 401) await credentials.renew(operation.tags[0]);
  };
  const faultOf = (operation: Operation, response: Response, text: string): string | null => {
    const answer = operation.responses[String(response.status)];
    if (response.status >= 500) return `answered ${response.status}`;
    if (answer === undefined) return `answered ${response.status}, which is not described`;
    const [type, media] = Object.entries(answer.content ?? {})[0] ?? [];
    if (media === undefined || !type!.includes('json')) return null;
    const validate = ajv.compile({ ...media.schema, components: description.components });
    return validate(JSON.parse(text)) ? null : `answered ${response.status} in another shape (${ajv.errorsText(validate.errors)})`;
  };
  // Every route once, then once more, and so on, until the time is up.
  const until = performance.now() + (process.env.DIALHOOK_FUZZ_RUNS === undefined ? BUDGET_MS : Infinity);
  const total = operations.length * RUNS;
  let next = 0;
  await Promise.all(
    Array.from({ length: WALKERS }, async () => {
      while (next < total && (next < operations.length || performance.now() < until)) {
        const turn = next++;
        const index = turn % operations.length;
        await one(operations[index]!, samples[index]!(Math.floor(turn / operations.length)));
      }
    }),
  );
  t.diagnostic([...statuses].map(([status, count]) => `${status}: ${count}`).join(', '));
  assert.deepEqual(faults.slice(0, 40).join('\n'), '', `${faults.length} faults with DIALHOOK_FUZZ_SEED=${SEED}`);
  // The requests were not all refused at the door.
  assert.ok((statuses.get(200) ?? 0) > 20 && (statuses.get(404) ?? 0) > 20, JSON.stringify([...statuses]));
});

function calls(method: string, path: string, operation: Operation, { components }: Description, known: Known): fc.Arbitrary<Call> {
  const inPath = operation.parameters.filter((parameter) => parameter.in === 'path');
  const inQuery = operation.parameters.filter((parameter) => parameter.in === 'query');
  const name = (parameter: Parameter) =>
    fc.oneof(
      {
        weight: 6,
        arbitrary: valuesOf(
          parameter.schema,
          components.schemas,
          known,
          parameter.in === 'path' ? pathName(path, parameter.name) : parameter.name,
        ).map(String),
      },
      { weight: 2, arbitrary: hostileText },
    );
  const parameters = fc.record({
    path: fc.record(Object.fromEntries(inPath.map((parameter) => [parameter.name, name(parameter)]))),
    query: fc.record(Object.fromEntries(inQuery.map((parameter) => [parameter.name, name(parameter)])), {
      requiredKeys: inQuery.filter(({ required }) => required).map((parameter) => parameter.name) as never[],
    }),
  });
  return fc.tuple(parameters, bodyOf(operation, components.schemas, known)).map(([given, { body, type }]) => {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, key: string) => escape((given.path as Record<string, string>)[key] || 'x'));
    const query = Object.entries(given.query as Record<string, string>).map(([key, value]) => `${key}=${escape(value)}`);
    return {
      method,
      path: `${filled}${query.length > 0 ? `?${query.join('&')}` : ''}`,
      headers: type === undefined ? {} : { 'content-type': type },
      body,
    };
  });
}

/** Half of a surrogate pair has no encoding: its bytes as somebody might send them. Dots alone would be another path. */
function escape(text: string): string {
  if (/^\.+$/.test(text)) return 'x';
  return text.isWellFormed() ? encodeURIComponent(text) : '%ED%A0%80';
}

/** `/v1/workflows/{id}` names a workflow: what stands before a parameter says what it is. */
function pathName(path: string, name: string): string {
  return name === 'id' ? `${path.split('/{id}')[0]!.split('/').at(-1)} id` : name;
}

function bodyOf(
  operation: Operation,
  components: Readonly<Record<string, Schema>>,
  known: Known,
): fc.Arbitrary<{ body: string | FormData | undefined; type?: string }> {
  const none = fc.constant({ body: undefined });
  if (operation.requestBody === undefined) return none;
  return fc.oneof(
    ...Object.entries(operation.requestBody.content).map(([type, { schema }]) =>
      type === 'multipart/form-data'
        ? form(schema)
        : fc
            .tuple(
              bodies(schema, components, known),
              fc.constantFrom(type, type, type, type, type, type, 'text/plain', 'application/json; charset=utf-16'),
            )
            .map(([body, sent]) => ({ body, type: sent })),
    ),
  );
}

const CONTENTS = [
  'phone_number,name\n+447700900001,Ana\n',
  'phone\n3125550100\n',
  '',
  '\0',
  'a\n"',
  'PK\u0003\u0004',
  '\ufeffphone_number\n1\n',
];

function form(schema: Schema): fc.Arbitrary<{ body: FormData }> {
  const fields = Object.keys(schema.properties ?? {}).filter((name) => name !== 'file');
  const values = fc.record(Object.fromEntries(fields.map((name) => [name, fc.oneof(fc.constantFrom('phone', 'true', 'x'), hostileText)])), {
    requiredKeys: [],
  });
  return fc.tuple(values, fc.constantFrom(...CONTENTS), hostileText).map(([given, content, name]) => {
    const body = new FormData();
    for (const [key, value] of Object.entries(given as Record<string, string>)) body.append(key, value);
    body.append('file', new Blob([content]), name);
    return { body };
  });
}

const KINDS: Readonly<Record<string, string>> = { OptimalDial: 'optimaldial', outboundIQ: 'outboundiq', DialNexa: 'dialnexa' };

/** Keys and sessions of one organization, made anew before limits are reached, and after one was ended by what was sent. */
class Credentials {
  readonly place: TestServer;
  readonly slug = 'fuzzed';
  readonly #headers = new Map<string, { readonly headers: Record<string, string>; left: number }>();

  constructor(place: TestServer) {
    this.place = place;
  }

  async begin(): Promise<void> {
    await this.place.operator.send('POST', '/operator/v1/organizations', { slug: this.slug, credits: 1_000_000 });
  }

  async of(tag: string): Promise<Record<string, string>> {
    const current = this.#headers.get(tag);
    if (current !== undefined && current.left-- > 0) return current.headers;
    return this.renew(tag);
  }

  async renew(tag: string): Promise<Record<string, string>> {
    const headers = await this.#make(tag);
    this.#headers.set(tag, { headers, left: CALLS_PER_KEY });
    return headers;
  }

  async #make(tag: string): Promise<Record<string, string>> {
    const { operator, url } = this.place;
    if (tag === 'Operator' || tag === 'System') return { authorization: 'Bearer operator-token-for-tests' };
    const path = `/operator/v1/organizations/${this.slug}`;
    const kind = KINDS[tag];
    if (kind !== undefined) {
      const { key } = (await operator.send<{ key: string }>('POST', `${path}/api-keys`, { kind })).body;
      return { authorization: `Bearer ${key}` };
    }
    // A request beside this one may sign everybody out, and links with them.
    for (;;) {
      const link = (await operator.send<{ url: string }>('POST', `${path}/sign-in-links`, {})).body.url;
      const response = await fetch(`${url}/panel/links/redeem`, {
        method: 'POST',
        headers: { origin: url, 'content-type': 'application/json' },
        body: JSON.stringify({ token: link.slice(link.indexOf('#') + 1) }),
      });
      const cookie = response.headers.get('set-cookie');
      if (cookie !== null) return { cookie: cookie.split(';')[0]!, origin: url };
      assert.equal(response.status, 410, await response.text());
    }
  }
}

/** One of everything that has an id. */
async function things(place: TestServer, credentials: Credentials, receiver: Receiver): Promise<Known> {
  const { operator } = place;
  const { slug } = credentials;
  const path = `/operator/v1/organizations/${slug}`;
  const url = receiver.url('/x');
  const endpoint = (await operator.send<{ endpoint: { id: string } }>('POST', `${path}/endpoints`, { dialect: 'standard', url })).body
    .endpoint.id;
  const { id: event } = (await operator.send<{ id: string }>('POST', '/operator/v1/events', { organization: slug, type: 'a.b', data: {} }))
    .body;
  await receiver.until(() => receiver.received.length > 0);
  const delivery = (await operator.get<{ data: { id: string }[] }>(`${path}/deliveries`)).body.data[0]!.id;
  const members = (await operator.get<{ data: { user_id: string }[] }>(`${path}/members`)).body.data;
  const key = (await operator.send<{ id: string }>('POST', `${path}/api-keys`, { kind: 'optimaldial' })).body.id;
  const nexa = operator.as((await credentials.of('DialNexa')).authorization!.slice('Bearer '.length));
  const make = async (where: string, body: object) => (await nexa.send<{ id: string }>('POST', where, body)).body.id;
  const campaign = await make('/v1/campaigns', { name: 'a', agent_id: 'a', from_phone_number: '+442079460001' });
  const lead = await make('/v1/campaigns-leads', { campaignId: campaign, phoneNumber: '+447700900001' });
  const call = await make('/v1/calls', { agent_id: 'a', to_phone_number: '+447700900002', from_phone_number: '+442079460001' });
  const workflow = await make('/v1/workflows', { title: 'a' });
  const node = await make(`/v1/workflows/${workflow}/nodes`, { node_type: 'CONVERTED', label: 'a', config: {} });
  const other = await make(`/v1/workflows/${workflow}/nodes`, { node_type: 'TIME', label: 'b', config: { delay_hours: 1 } });
  const edge = await make(`/v1/workflows/${workflow}/edges`, { from_node_id: other, to_node_id: node });
  const webhook = await make('/v1/user-webhooks', { url, events: ['call.completed'], secret: 'long enough a secret' });
  return {
    slug: [slug],
    organization: [slug],
    endpoint: [endpoint],
    endpoint_id: [endpoint, endpoint.toUpperCase()],
    endpoint_ids: [[endpoint]],
    event_id: [event],
    delivery_id: [delivery, delivery.toUpperCase()],
    user_id: [members[0]!.user_id],
    key_id: [key],
    'campaigns id': [campaign],
    'campaign id': [campaign],
    'upload-file id': [campaign],
    'campaigns-leads id': [lead],
    'calls id': [call],
    'call-logs id': [call.replace('call_', 'log_')],
    'workflows id': [workflow, workflow.toUpperCase().replace('WF_', 'wf_')],
    workflow_id: [workflow],
    campaignId: [campaign],
    campaign_id: [campaign],
    call_id: [call],
    node_id: [node, other],
    from_node_id: [other],
    to_node_id: [node],
    edge_id: [edge],
    webhook_id: [webhook],
    dialect: ['standard', 'optimaldial', 'dialnexa'],
    url: [url],
    type: ['a.b', 'Inbound', 'Agent'],
    limit: [1, 10],
    page: [1, 2],
    phoneNumber: ['+447700900003'],
    to_phone_number: ['+447700900004'],
  };
}
