import { strict as assert } from 'node:assert';
import type { TestContext } from 'node:test';
import {
  ApiClient,
  eventually,
  freePort,
  freshPlace,
  openAdmin,
  Receiver,
  refusedBySeed,
  ServerProcess,
  type Received,
} from '@dialhook/testing';

const TOKEN = 'operator-token-for-campaigns';
const SECRET = 'whsec_demo_value_1';
export const NODES = 2;
const EVENTS = ['call.completed', 'call.failed', 'call.no_answer', 'campaign.completed', 'campaign.paused', 'workflow.lead.completed'];

/** A lead's phone number. */
export const number = (n: number) => `+4477009${String(n).padStart(5, '0')}`;

/** Two nodes on one PostgreSQL, killed and started again, and an organization with a webhook for everything. */
export class Fleet {
  readonly place: Awaited<ReturnType<typeof freshPlace>>;
  readonly receiver: Receiver;
  readonly #t: TestContext;
  readonly #environments: Record<string, string>[];
  readonly #servers: ServerProcess[];
  readonly operators: ApiClient[];
  /** Resolves when no node is being started. */
  restarting: Promise<void> = Promise.resolve();
  key = '';

  private constructor(
    t: TestContext,
    place: Fleet['place'],
    receiver: Receiver,
    environments: Record<string, string>[],
    servers: ServerProcess[],
    operators: ApiClient[],
  ) {
    this.#t = t;
    this.place = place;
    this.receiver = receiver;
    this.#environments = environments;
    this.#servers = servers;
    this.operators = operators;
  }

  static async start(t: TestContext, env: (receiver: Receiver) => Record<string, string> = () => ({})): Promise<Fleet> {
    const place = await freshPlace('postgres');
    const receiver = await Receiver.start();
    const environments: Record<string, string>[] = [];
    for (let n = 0; n < NODES; n++) {
      environments.push({
        ...place.env,
        PORT: String(await freePort()),
        DIALHOOK_OPERATOR_TOKEN: TOKEN,
        DIALHOOK_ALLOW_PRIVATE_TARGETS: 'true',
        DIALHOOK_LOG_LEVEL: 'error',
        DIALHOOK_RETRY_DELAY_SCALE: '0.0001',
        ...env(receiver),
      });
    }
    const servers = await Promise.all(environments.map((one) => ServerProcess.start(one)));
    const operators = await Promise.all(servers.map(({ url }) => ApiClient.connect(url, TOKEN)));
    const fleet = new Fleet(t, place, receiver, environments, servers, operators);
    t.after(async () => {
      await fleet.restarting;
      for (const server of fleet.#servers) await server.kill();
      await receiver.stop();
      await place.remove();
    });
    await operators[0]!.send('POST', '/operator/v1/organizations', { slug: 'acme' });
    fleet.key = (
      await operators[0]!.send<{ key: string }>('POST', '/operator/v1/organizations/acme/api-keys', { kind: 'dialnexa' })
    ).body.key;
    await fleet.send('POST', '/v1/user-webhooks', { url: receiver.url('/hook'), events: EVENTS, secret: SECRET });
    return fleet;
  }

  /** SIGKILL, and a new start with the same environment, after the one before: never are all nodes away. */
  kill(n: number): void {
    this.restarting = this.restarting.then(async () => {
      await this.#servers[n]!.kill();
      this.#servers[n] = await ServerProcess.start(this.#environments[n]!);
    });
  }

  /** As the customer, on whichever node is there. */
  async send<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.whicheverIsThere((operator) =>
      operator
        .as(this.key)
        .send<T>(method, path, body)
        .then((answer) => answer.body),
    );
  }

  async whicheverIsThere<T>(work: (operator: ApiClient) => Promise<T>): Promise<T> {
    return eventually('a node answers', async () => {
      for (const operator of this.operators) {
        const result = await work(operator).then(
          (value) => ({ value }),
          () => null, // it was killed: the other one is asked
        );
        if (result !== null) return result;
      }
      return null;
    }).then(({ value }) => value);
  }

  upload<T>(path: string, csv: string): Promise<T> {
    const form = new FormData();
    form.append('file', new Blob([csv]), 'leads.csv');
    return this.send<T>('POST', path, form);
  }

  /** What the webhook got, by type: the event ids for each thing that the events are about. */
  async eventIds(idOf: (data: Record<string, { id: string }>) => string): Promise<Map<string, Map<string, Set<string>>>> {
    const hooks = this.receiver.received.filter(({ path }) => path === '/hook');
    const refused = await refusedBySeed(
      SECRET,
      hooks.map((one) => ({ signature: String(one.headers['x-dialnexa-signature']), body: one.body })),
    );
    if (refused === null) this.#t.diagnostic('python3 is not installed here: the vendor’s snippet was not run');
    else assert.equal(refused, 0, 'the vendor’s snippet accepts every delivery');
    const types = new Map<string, Map<string, Set<string>>>();
    for (const { data, event, id } of hooks.map(parse)) {
      const things = types.get(event) ?? new Map<string, Set<string>>();
      types.set(event, things.set(idOf(data), (things.get(idOf(data)) ?? new Set()).add(id)));
    }
    return types;
  }

  /** One statement: of two, a delivery that goes from one state to the other in between would be in neither. */
  async noneWaits(): Promise<void> {
    const database = await openAdmin(this.place);
    const left = { text: 'select count(*) as n from (select from deliveries union all select from batches) d' };
    await eventually('every delivery is finished', async () => (await database.query<{ n: number }>(left))[0]!.n === 0, 60_000);
    await database.close();
  }
}

function parse({ body }: Received) {
  return JSON.parse(body) as { id: string; event: string; data: Record<string, { id: string }> };
}

/** Each thing has one event id, however often its event was sent. */
export const single = (ids: Map<string, Set<string>> | undefined) => [...(ids?.values() ?? [])].every((one) => one.size === 1);
