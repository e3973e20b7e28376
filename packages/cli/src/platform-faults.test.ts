import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LIMITS } from '@dialhook/engine';
import { eventually, freePort, openAdmin, Receiver, ServerProcess, startPostgres, type PostgresServer } from '@dialhook/testing';

/** What happens to the platform itself: what got a 202 is delivered, whatever is done to the node or its database. */

const TOKEN = 'operator-token-for-platform-faults';
const CALLERS = 8;

describe('platform faults', () => {
  let postgres: PostgresServer;
  let receiver: Receiver;
  let dataDir: string;
  let env: Record<string, string>;
  const running = new Set<ServerProcess>();
  const publishers = new Set<Publisher>();
  before(async () => {
    postgres = await startPostgres({ max_connections: '30', fsync: 'off' });
    receiver = await Receiver.start();
    dataDir = mkdtempSync(join(tmpdir(), 'dialhook-faults-'));
    env = {
      DATABASE_URL: postgres.url,
      DIALHOOK_DATA_DIR: dataDir,
      DIALHOOK_OPERATOR_TOKEN: TOKEN,
      DIALHOOK_ALLOW_PRIVATE_TARGETS: 'true',
      DIALHOOK_RETRY_DELAY_SCALE: '0.01',
      DIALHOOK_LOG_LEVEL: 'error',
    };
  });
  after(async () => {
    for (const publisher of publishers) await publisher.stop(); // of a test that failed
    for (const node of running) await node.kill();
    await receiver.stop();
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function start(): Promise<ServerProcess> {
    const node = await ServerProcess.start({ ...env, PORT: String(await freePort()) });
    running.add(node);
    return node;
  }

  async function stop(node: ServerProcess): Promise<number | null> {
    running.delete(node);
    return node.stop();
  }

  function call(node: ServerProcess, path: string, body: object): Promise<Response> {
    return fetch(`${node.url}/operator/v1${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** Publishes as fast as one node answers until it is stopped; knows what was acknowledged. */
  class Publisher {
    readonly acknowledged = new Set<string>();
    refused = 0;
    #over = false;
    readonly #work: Promise<unknown>;
    constructor(node: () => ServerProcess, organization: string, padding = '') {
      publishers.add(this);
      let next = 0;
      const caller = async () => {
        while (!this.#over) {
          const name = `${organization}-${next++}`;
          const answer = await call(node(), '/events', { organization, type: 'thing.done', data: { name, padding } }).catch(() => null);
          if (answer?.status === 202) this.acknowledged.add(name);
          else {
            this.refused += 1;
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
      };
      this.#work = Promise.all(Array.from({ length: CALLERS }, caller));
    }
    async until(count: number): Promise<void> {
      const goal = this.acknowledged.size + count;
      await eventually(`${count} more are acknowledged`, async () => this.acknowledged.size >= goal, 30_000);
    }
    async stop(): Promise<void> {
      publishers.delete(this);
      this.#over = true;
      await this.#work;
    }
  }

  async function organization(node: ServerProcess, slug: string): Promise<void> {
    assert.equal((await call(node, '/organizations', { slug })).status, 201);
    assert.equal(
      (await call(node, `/organizations/${slug}/endpoints`, { dialect: 'standard', url: receiver.url(`/${slug}`) })).status,
      201,
    );
  }

  /** How often each name has arrived. */
  function arrivals(slug: string): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { body, path } of receiver.received) {
      if (path !== `/${slug}`) continue;
      const { name } = (JSON.parse(body) as { data: { name: string } }).data;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  async function nothingIsLost(slug: string, publisher: Publisher, mostRepeats: number): Promise<void> {
    await eventually(
      'everything that was acknowledged has arrived',
      async () => {
        const arrived = arrivals(slug);
        return [...publisher.acknowledged].every((name) => arrived.has(name));
      },
      60_000,
    );
    const repeats = [...arrivals(slug).values()].reduce((sum, count) => sum + count - 1, 0);
    assert.ok(repeats <= mostRepeats, `${repeats} repeats`);
  }

  test('SIGTERM under load: exit code 0, everything acknowledged is delivered, nothing twice', async () => {
    let node = await start();
    await organization(node, 'sigterm');
    const publisher = new Publisher(() => node, 'sigterm');
    for (let round = 0; round < 3; round++) {
      await publisher.until(200);
      const next = await start();
      const old = node;
      node = next;
      assert.equal(await stop(old), 0, old.output);
    }
    await publisher.stop();
    await nothingIsLost('sigterm', publisher, 0);
    assert.equal(await stop(node), 0);
  });

  test('PostgreSQL crashes and comes back: the node goes on by itself, readyz says when', async () => {
    const node = await start();
    await organization(node, 'restart');
    const publisher = new Publisher(() => node, 'restart');
    for (let round = 0; round < 3; round++) {
      await publisher.until(200);
      await postgres.restart();
    }
    await publisher.until(200);
    await publisher.stop();
    await eventually('it is ready', async () => (await fetch(`${node.url}/readyz`)).ok, 30_000);
    await nothingIsLost('restart', publisher, 3 * LIMITS.nodeInFlight);
    assert.equal(await stop(node), 0);
  });

  test('a database out of connections: the node waits for one', async () => {
    const node = await start();
    await organization(node, 'crowded');
    const publisher = new Publisher(() => node, 'crowded');
    await publisher.until(100);
    const admin = await openAdmin({ env: { DATABASE_URL: postgres.url } });
    await admin.ping(); // it has its connection before the others take the rest
    const crowd = await Promise.all(Array.from({ length: 3 }, () => openAdmin({ env: { DATABASE_URL: postgres.url } })));
    const held = crowd.flatMap((database) =>
      Array.from({ length: 10 }, () => database.query({ text: 'select pg_sleep(3)' }).catch(() => null)),
    );
    await admin.query({
      text: `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dialhook' and query not like '%pg_%'`,
    });
    await Promise.all(held);
    for (const database of crowd) await database.close();
    await publisher.until(100);
    await publisher.stop();
    await nothingIsLost('crowded', publisher, LIMITS.nodeInFlight);
    await admin.close();
    assert.equal(await stop(node), 0);
  });

  test('a disk that is full: publishing is refused, nothing acknowledged is lost, and it goes on when there is room', async () => {
    const node = await start();
    await organization(node, 'full');
    const publisher = new Publisher(() => node, 'full', randomBytes(37_500).toString('base64'));
    await publisher.until(50);
    await postgres.restart({ fileBytes: 17 * 2 ** 20 }); // a segment of the log fits, the events' table soon does not
    const refusedBefore = publisher.refused;
    await eventually('writes fail', async () => publisher.refused > refusedBefore + 50, 60_000);
    assert.equal((await fetch(`${node.url}/healthz`)).status, 200);
    await postgres.restart();
    await publisher.until(50);
    await publisher.stop();
    await nothingIsLost('full', publisher, 2 * LIMITS.nodeInFlight);
    assert.equal(await stop(node), 0);
  });
});
