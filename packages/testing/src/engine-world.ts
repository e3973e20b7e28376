import { uuidFloor, uuidv7, type Database, type Transaction } from '@dialhook/engine';
import { changesOf, difference, snapshot, type Snapshot } from './changes.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Whose things they are. Both have the same, made in the same milliseconds, so that ids are neighbors. */
const OWNERS = ['ours', 'theirs'] as const;
export type Owner = (typeof OWNERS)[number];

/**
 * Two organizations with everything that the engine stores, twice of each kind, with the same times and lease numbers: whatever a
 * statement is meant for, it has bystanders. Rows are known by names such as `ours/due`; see `id`.
 *
 * Endpoints: `a` (all events), `b` (type b alone), `off` (switched off), and `deleted`, which exists no more. In the queue: `due`, `retry`
 * (in an hour), `leased` (for a minute), `ranout` (a second ago), `stranded` (by a dead node), `waiting` (for `off`), `orphan` (for
 * `deleted`). In the history: `delivered`, `exhausted` (both `a`), `typed` (exhausted, type b, for `b`), `old` (of yesterday). Of a
 * batch of this node `sent` and `open`, of a batch of a node that is gone `lost`. Replays `running`, `ended`; a fan-out of `event`.
 */
export class EngineWorld {
  readonly #database: Database;
  readonly #names = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  /** A whole second, so that every notation of it is the same. */
  readonly now = new Date(Math.floor(Date.now() / 1000) * 1000);

  private constructor(database: Database) {
    this.#database = database;
  }

  /** Seeds a database that has the engine's partitions of yesterday and today. */
  static async make(database: Database): Promise<EngineWorld> {
    const world = new EngineWorld(database);
    world.#names.set(world.now.toISOString(), 'now');
    await database.transaction(async (tx) => {
      for (const [name, silentMs, delivers] of [
        ['node', 0, true],
        ['other', 0, true],
        ['reader', 0, false],
        ['dead', MINUTE_MS, true],
      ] as const)
        await tx.query({
          text: `insert into nodes (id, started_at, heartbeat_at, delivers) values ($1, now(), now() + interval '1 minute' - $2 * interval '1 ms', $3)`,
          values: [world.#make(name, -DAY_MS), 2 * silentMs, delivers],
        });
      for (const owner of OWNERS) await world.#seed(tx, owner);
    });
    return world;
  }

  /** Of `ours`, `node` or `theirs/due`, as the class's comment has them. */
  readonly id = (name: string): string => {
    const id = this.#ids.get(name);
    if (id === undefined) throw new Error(`There is no ${name} in this world.`);
    return id;
  };

  /** What a statement does to the whole world, which is as it was afterwards. */
  changes<T>(act: (tx: Transaction) => Promise<T>): Promise<{ readonly result: T; readonly changes: string[] }> {
    return changesOf(this.#database, this.#names, act);
  }

  /** What is different from an earlier `snapshot`. */
  async changesSince(before: Snapshot): Promise<string[]> {
    return difference(before, await snapshot(this.#database), this.#names);
  }

  /** The names of ids, such as those that a query gave; what has no name stays. */
  readonly named = (ids: Iterable<string>): string[] => Array.from(ids, (id) => this.#names.get(id) ?? id);

  #make(name: string, agoMs: number): string {
    const id = uuidv7(this.now.getTime() - agoMs);
    this.#names.set(id, name);
    this.#ids.set(name, id);
    return id;
  }

  async #seed(tx: Transaction, owner: Owner): Promise<void> {
    const insert = (table: string, row: Record<string, unknown>) =>
      tx.query({
        text: `insert into ${table} (${Object.keys(row).join(', ')}) values (${Object.keys(row)
          .map((_, n) => `$${n + 1}`)
          .join(', ')})`,
        values: Object.values(row),
      });
    const make = (name: string, agoMs = 2 * MINUTE_MS) => this.#make(`${owner}/${name}`, agoMs);
    const id = (name: string) => this.id(`${owner}/${name}`);
    const at = (agoMs: number) => new Date(this.now.getTime() - agoMs);
    const organization_id = this.#make(owner, DAY_MS);
    const [young, old] = [at(2 * MINUTE_MS), at(DAY_MS)];

    for (const [name, more] of [
      ['a', {}],
      ['b', { events: ['b'] }],
      ['off', { is_active: false, dialect: 'brief', disabled_reason: 'consecutive_failures', disabled_at: young }],
    ] as const) {
      const common = { organization_id, dialect: 'standard', url: `https://example.com/${name}`, created_at: old };
      await insert('endpoints', {
        id: make(name, DAY_MS),
        ...common,
        sealed: '\\x00',
        updated_at: old,
        version: 2,
        consecutive_failures: 2,
        last_success_at: young,
        last_failure_at: at(MINUTE_MS),
        ...more,
      });
      for (const version of [1, 2])
        await insert('endpoint_versions', {
          endpoint_id: id(name),
          version,
          ...common,
          header_names: ['X-Own'],
          superseded_at: version === 1 ? at(40 * DAY_MS) : null,
        });
    }
    // What was sent to an endpoint before it was deleted stays known, and so do its versions.
    const gone = { dialect: 'standard', url: 'https://example.com/deleted', header_names: null, created_at: old };
    await insert('endpoint_versions', { endpoint_id: make('deleted', DAY_MS), version: 1, organization_id, ...gone, superseded_at: young });

    const event = (name: string, type: string, agoMs: number) =>
      insert('events', { id: make(name, agoMs), organization_id, type, data: '1', occurred_at: at(agoMs) });
    await event('event', 'a', 2 * MINUTE_MS);
    await event('event-b', 'b', 2 * MINUTE_MS);
    await event('event-old', 'a', DAY_MS);

    for (const [name, endpoint, more] of [
      ['due', 'a', {}],
      ['retry', 'a', { attempt_count: 1, scheduled_at: at(-60 * MINUTE_MS), due_at: at(-60 * MINUTE_MS), last_error: 'HTTP 500' }],
      ['leased', 'a', { leased_by: this.id('node'), lease: 1, due_at: at(-MINUTE_MS) }],
      ['ranout', 'a', { leased_by: this.id('node'), lease: 1, due_at: at(1_000) }],
      ['stranded', 'a', { leased_by: this.id('dead'), lease: 1, due_at: at(-MINUTE_MS) }],
      ['waiting', 'off', {}],
      ['orphan', 'deleted', {}],
    ] as const)
      await insert('deliveries', {
        id: make(name),
        organization_id,
        endpoint_id: id(endpoint),
        event_id: id('event'),
        event_type: 'a',
        created_at: young,
        scheduled_at: young,
        due_at: young,
        ...more,
      });

    const finish = (name: string, endpoint: string, status: string, eventName: string, agoMs: number) =>
      insert('finished_deliveries', {
        id: this.#ids.has(`${owner}/${name}`) ? id(name) : make(name, agoMs),
        organization_id,
        endpoint_id: id(endpoint),
        event_id: id(eventName),
        event_type: eventName === 'event-b' ? 'b' : 'a',
        status,
        created_at: at(agoMs),
        attempt_count: 2,
        scheduled_at: at(agoMs),
        last_attempt_at: at(agoMs),
        finished_at: at(agoMs),
        last_duration_ms: 5,
        endpoint_version: 2,
      });
    await finish('delivered', 'a', 'delivered', 'event', 2 * MINUTE_MS);
    await finish('exhausted', 'a', 'exhausted', 'event', 2 * MINUTE_MS);
    await finish('typed', 'b', 'exhausted', 'event-b', 2 * MINUTE_MS);
    await finish('old', 'a', 'delivered', 'event-old', DAY_MS);
    for (const name of ['exhausted', 'old', 'retry'])
      await insert('attempts', {
        delivery_id: id(name),
        number: 1,
        organization_id,
        started_at: young,
        duration_ms: 5,
        endpoint_version: 2,
      });

    const batch = (name: string, node_id: string, members: readonly string[]) =>
      insert('batches', {
        id: make(name),
        node_id,
        ends_at: at(-MINUTE_MS),
        created_at: young,
        delivery_ids: members.map((member) => make(member)),
        event_ids: members.map(() => id('event')),
        endpoint_ids: members.map(() => id('a')),
      });
    await batch('batch', this.id('node'), ['sent', 'open']);
    await finish('sent', 'a', 'delivered', 'event', 2 * MINUTE_MS);
    await batch('batch-lost', this.#ids.get('nobody') ?? this.#make('nobody', DAY_MS), ['lost']);

    const replay = {
      organization_id,
      since: uuidFloor(at(2 * DAY_MS).getTime()),
      until: uuidFloor(at(-1).getTime()),
      total: 5,
      replayed: 1,
      skipped: 1,
    };
    this.#names.set(replay.since, 'the start');
    await insert('replays', { id: make('running'), ...replay, cursor: replay.since, status: 'running', created_at: young });
    const ended = { status: 'completed', created_at: at(50 * DAY_MS), finished_at: at(40 * DAY_MS) };
    await insert('replays', { id: make('ended', 50 * DAY_MS), ...replay, cursor: replay.since, ...ended });
    await insert('retentions', { organization_id, days: owner === 'ours' ? 5 : 90 });
    await insert('fan_outs', { organization_id, event_id: id('event'), event_type: 'a', created_at: young, after_endpoint: id('a') });
  }
}
