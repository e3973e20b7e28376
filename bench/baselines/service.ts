// The service that a team would write around a queue: the same call, validated, rows in PostgreSQL, signed POSTs. What
// differs between the baselines is the queue.
import { createHmac, createSecretKey, randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import pg from 'pg';
import { Agent, request } from 'undici';
import { SECRET } from '../delivery/workload.ts';

export interface Settings {
  readonly databaseUrl: string;
  readonly redisPort: number;
  /** Endpoints of each organization. */
  readonly urls: readonly string[];
}

export interface Job {
  readonly delivery: string;
  readonly url: string;
  readonly body: string;
}

export const settings = JSON.parse(process.argv[2]!) as Settings;
/** Jobs in work at once, as many as Dialhook keeps in flight for a node in this benchmark. */
export const CONCURRENCY = 128;
export const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: 10 });
pool.on('error', () => {});
pool.on('connect', (client) => client.on('error', () => {}));
const agent = new Agent({ connections: CONCURRENCY, pipelining: 1 });
const key = createSecretKey(SECRET.slice('whsec_'.length), 'base64');

/** Puts the jobs in the queue; inside the transaction when the queue lives in the same database. */
export type Enqueue = (client: pg.PoolClient, jobs: readonly Job[]) => Promise<void>;

/** Sends one job and writes its result. */
export async function deliver({ body, delivery, url }: Job): Promise<void> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', key).update(`${delivery}.${timestamp}.${body}`).digest('base64');
  const answer = await request(url, {
    method: 'POST',
    body,
    dispatcher: agent,
    headers: {
      'content-type': 'application/json',
      'webhook-id': delivery,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    },
  });
  await answer.body.dump();
  if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}`);
  await pool.query(
    `update deliveries set status = 'delivered', attempts = attempts + 1, response_status = 200, finished_at = now() where id = $1`,
    [delivery],
  );
}

const event = {
  type: 'object',
  required: ['organization', 'type', 'data'],
  additionalProperties: false,
  properties: { organization: { type: 'string' }, type: { type: 'string' }, data: {} },
};

interface NewEvent {
  readonly organization: string;
  readonly type: string;
  readonly data: unknown;
}

/** Starts the service and prints its port. `afterCommit`: enqueue when the rows are committed, for a queue elsewhere. */
export async function serve(queue: { readonly inTransaction?: Enqueue; readonly afterCommit?: (jobs: readonly Job[]) => Promise<void> }) {
  await pool.query(`
    create table events (id uuid primary key, organization text not null, type text not null, data jsonb not null, created_at timestamptz not null default now());
    create table deliveries (id uuid primary key, event_id uuid not null references events, url text not null, status text not null default 'pending',
      attempts int not null default 0, response_status int, created_at timestamptz not null default now(), finished_at timestamptz);
    create index on deliveries (event_id);`);
  const app = Fastify();
  app.post<{ Body: NewEvent | NewEvent[] }>(
    '/operator/v1/events',
    { bodyLimit: 16e6, schema: { body: { anyOf: [event, { type: 'array', items: event, maxItems: 1000 }] } } },
    async (incoming, reply) => {
      const events = [incoming.body]
        .flat()
        .map((one) => ({ id: randomUUID(), data: JSON.stringify(one.data), organization: one.organization, type: one.type }));
      const now = new Date().toISOString();
      const jobs = events.flatMap(({ data, id, type }) =>
        settings.urls.map((url) => ({
          delivery: randomUUID(),
          event: id,
          url,
          body: `{"type":"${type}","timestamp":"${now}","data":${data}}`,
        })),
      );
      const client = await pool.connect();
      try {
        await client.query('begin');
        await client.query({
          name: 'events',
          text: 'insert into events (id, organization, type, data) select * from unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[])',
          values: [events.map((e) => e.id), events.map((e) => e.organization), events.map((e) => e.type), events.map((e) => e.data)],
        });
        await client.query({
          name: 'deliveries',
          text: 'insert into deliveries (id, event_id, url) select * from unnest($1::uuid[], $2::uuid[], $3::text[])',
          values: [jobs.map((j) => j.delivery), jobs.map((j) => j.event), jobs.map((j) => j.url)],
        });
        await queue.inTransaction?.(client, jobs);
        await client.query('commit');
      } finally {
        client.release();
      }
      await queue.afterCommit?.(jobs);
      return reply.code(202).send({ ids: events.map((e) => e.id) });
    },
  );
  await app.listen({ host: '127.0.0.1', port: 0 });
  console.log((app.server.address() as { port: number }).port);
}
