import { randomUUID } from 'node:crypto';
import type { EngineWorld } from '@dialhook/testing';
import type { LeasedDelivery } from '../core/delivery.ts';
import { uuidv7, type Transaction } from '../index.ts';
import { takeOverBatch } from './batches.ts';
import { endWaiting } from './endings.ts';
import { deleteEndpoint, updateEndpoint } from './endpoints.ts';
import { endExpiredLeases, heartbeat, releaseDeadNodes, releaseLeases, removeNode, removeOtherNodes } from './nodes.ts';
import { recordBatched } from './record/batched.ts';
import { dropDelivery, recordQueued } from './record/queued.ts';
import { NOTHING_SENT, type Result } from './record/result.ts';
import { cancelReplay, removeEndedReplays, resendDelivery, stepReplay } from './replays.ts';
import { setRetention, trimOrganizations, trimVersions } from './upkeep.ts';

const DAY_MS = 86_400_000;

/** What a statement does to the whole database, which has two of everything. */
type Case = readonly [
  what: string,
  act: (tx: Transaction, world: EngineWorld) => Promise<unknown>,
  result: unknown,
  changes: readonly string[],
];

export const CHANGES: readonly Case[] = [
  [
    'a replay is cancelled, once',
    async (tx, { id, now }) => {
      for (const time of [now, new Date(0)]) await cancelReplay(tx, id('ours'), id('ours/running'), time);
      return (await cancelReplay(tx, id('ours'), id('ours/ended'), new Date(0)))?.status;
    },
    'completed',
    ['~ replays ours/running: status running→cancelled, finished_at null→now'],
  ],
  ['a replay of somebody else is not cancelled', (tx, { id, now }) => cancelReplay(tx, id('ours'), id('theirs/running'), now), null, []],
  [
    'a replay that has ended is removed when it is old enough, and one that runs is not',
    async (tx, { now }) => [
      await removeEndedReplays(tx, new Date(now.getTime() - 45 * DAY_MS), 10),
      await removeEndedReplays(tx, now, 1),
      await removeEndedReplays(tx, now, 10),
    ],
    [0, 1, 1],
    ['- replays ours/ended', '- replays theirs/ended'],
  ],
  [
    'a step of a replay takes what its filter finds, for the organization whose turn it is',
    async (tx, { id, named, now }) => {
      await tx.query({
        text: `update replays set delivery_status = 'exhausted', event_type = 'b', endpoint_id = $2 where id = $1`,
        values: [id('ours/running'), id('ours/b')],
      });
      return named([(await stepReplay(tx, 10, now, [id('theirs')]))!]);
    },
    ['ours'],
    [
      '+ deliveries now ours/event-b now ours/b now ours',
      '~ replays ours/running: cursor the start→ours/typed, status running→completed, replayed 1→2, event_type null→b, endpoint_id null→ours/b, finished_at null→now, delivery_status null→exhausted',
    ],
  ],
  [
    'a waiting delivery is brought forward',
    (tx, { id, now }) => resendDelivery(tx, id('ours'), id('ours/retry'), uuidv7(Date.now()), now),
    'brought_forward',
    ['~ deliveries ours/retry: due_at time→now, scheduled_at time→now'],
  ],
  [
    'a finished delivery is sent again, as a new one',
    (tx, { id, now }) => resendDelivery(tx, id('ours'), id('ours/delivered'), uuidv7(Date.now()), now),
    'resent',
    ['+ deliveries now ours/event now ours/a now ours'],
  ],
  [
    'what is in flight, unknown or somebody else’s is not sent again',
    async (tx, { id, now }) => {
      const resend = (name: string) => resendDelivery(tx, id('ours'), id(name), uuidv7(Date.now()), now);
      return [await resend('ours/leased'), await resend('ours/open'), await resend('theirs/retry'), await resend('theirs/delivered')];
    },
    ['in_flight', 'in_flight', 'unknown', 'unknown'],
    [],
  ],
  [
    'a silent node is dead, its leases end, and those of the others run on',
    async (tx, { named, now }) => named(await releaseDeadNodes(tx, 10_000, now)),
    ['dead'],
    [
      '- nodes dead',
      '~ deliveries ours/stranded: lease 1→2, due_at time→now, leased_by dead→null',
      '~ deliveries theirs/stranded: lease 1→2, due_at time→now, leased_by dead→null',
    ],
  ],
  [
    'a node that stops gives its own leases back',
    (tx, { id, now }) => releaseLeases(tx, [id('dead')], now),
    undefined,
    [
      '~ deliveries ours/stranded: lease 1→2, due_at time→now, leased_by dead→null',
      '~ deliveries theirs/stranded: lease 1→2, due_at time→now, leased_by dead→null',
    ],
  ],
  [
    'leases that ran out end',
    (tx, { now }) => endExpiredLeases(tx, now, 10),
    2,
    [
      '~ deliveries ours/ranout: lease 1→2, due_at time→now, leased_by node→null',
      '~ deliveries theirs/ranout: lease 1→2, due_at time→now, leased_by node→null',
    ],
  ],
  ['a node is removed', (tx, { id }) => removeNode(tx, id('node')), undefined, ['- nodes node']],
  [
    'a node alone takes over from all others',
    (tx, { id, now }) => removeOtherNodes(tx, id('node'), now),
    undefined,
    [
      '- nodes dead',
      '- nodes other',
      '- nodes reader',
      '~ deliveries ours/stranded: lease 1→2, due_at time→now, leased_by dead→null',
      '~ deliveries theirs/stranded: lease 1→2, due_at time→now, leased_by dead→null',
    ],
  ],
  [
    'a heartbeat counts the nodes that send',
    async (tx, { id }) => {
      const [known, added, reads] = [
        await heartbeat(tx, id('node'), true),
        await heartbeat(tx, randomUUID(), true),
        await heartbeat(tx, id('reader'), false),
      ];
      return [known, added, reads].map(({ isNew, nodes }) => [isNew, nodes]);
    },
    [
      [false, 3],
      [true, 4],
      [false, 4],
    ],
    ['+ nodes', '~ nodes node: heartbeat_at time→time', '~ nodes reader: heartbeat_at time→time'],
  ],
  [
    'what waits for an endpoint ends, and what is in flight does not',
    async (tx, { id, now }) => {
      const end = (endpoint: string, limit: number) =>
        endWaiting(tx, { endpointId: id(endpoint), reason: 'endpoint_disabled', now: now.getTime(), floorMs: 0 }, limit);
      return [await end('ours/off', 10), await end('ours/a', 1), await end('ours/a', 10)];
    },
    [1, 1, 1],
    [
      '+ finished_deliveries ours/due ours/event ours/a now ours',
      '+ finished_deliveries ours/retry ours/event ours/a now ours',
      '+ finished_deliveries ours/waiting ours/event ours/off now ours',
      '- deliveries ours/due',
      '- deliveries ours/retry',
      '- deliveries ours/waiting',
    ],
  ],
  [
    'a batch is taken over, once, and without what is finished of it',
    async (tx, { id, now }) => [await takeOverBatch(tx, id('ours/batch'), now), await takeOverBatch(tx, id('ours/batch'), now)],
    [1, 0],
    ['+ deliveries ours/open now ours/event ours/a ours', '- batches ours/batch'],
  ],
  [
    'history is trimmed where its organization keeps it for less time',
    (tx, { now }) => trimOrganizations(tx, now.getTime() + 4.5 * DAY_MS, 30, 1),
    1,
    ['- attempts ours/old 1', '- events ours/event-old', '- finished_deliveries ours/old'],
  ],
  [
    'versions of endpoints that are older than all history go',
    (tx, { now }) => trimVersions(tx, now, 30),
    undefined,
    ['ours', 'theirs'].flatMap((owner) => ['a', 'b', 'off'].map((name) => `- endpoint_versions ${owner}/${name} 1`)),
  ],
  ['versions that history may need stay', (tx, { now }) => trimVersions(tx, now, 39), undefined, []],
  ['a retention is changed', (tx, { id }) => setRetention(tx, id('ours'), 7), undefined, ['~ retentions ours: days 5→7']],
  ['a retention is taken away', (tx, { id }) => setRetention(tx, id('ours'), null), undefined, ['- retentions ours']],
  [
    'an endpoint is changed',
    async (tx, { id, now }) => (await updateEndpoint(tx, { organizationId: id('ours') }, id('ours/a'), { name: 'x' }, now))?.version,
    3,
    [
      '+ endpoint_versions now ours/a ours',
      '~ endpoint_versions ours/a 2: superseded_at null→now',
      '~ endpoints ours/a: name null→x, version 2→3, updated_at time→now',
    ],
  ],
  [
    'an endpoint of another organization, dialect, version or id is neither changed nor deleted',
    async (tx, { id, now }) => {
      const [organizationId, change] = [id('ours'), { name: 'x' }];
      return [
        await updateEndpoint(tx, { organizationId }, id('theirs/a'), change, now),
        await updateEndpoint(tx, { organizationId, dialect: 'brief' }, id('ours/a'), change, now),
        await updateEndpoint(tx, { organizationId }, id('ours/a'), { ...change, ifVersion: 1 }, now),
        await deleteEndpoint(tx, { organizationId }, id('theirs/a'), now),
        await deleteEndpoint(tx, { organizationId, dialect: 'brief' }, id('ours/a'), now),
        await deleteEndpoint(tx, { organizationId }, id('ours/deleted'), now),
      ];
    },
    [null, null, null, false, false, false],
    [],
  ],
  [
    'an endpoint is deleted',
    (tx, { id, now }) => deleteEndpoint(tx, { organizationId: id('ours') }, id('ours/a'), now),
    true,
    ['- endpoints ours/a', '~ endpoint_versions ours/a 2: superseded_at null→now'],
  ],
  [
    'a success is written to its own endpoint and delivery',
    (tx, world) => recordQueued(tx, [result(world, 'ours/leased')], [world.id('ours/leased')], world.now.getTime()),
    { lostBatches: [], disabled: [], missing: [] },
    [
      '+ finished_deliveries ours/leased ours/event ours/a now now ours',
      '- deliveries ours/leased',
      '~ endpoints ours/a: last_success_at time→now, consecutive_failures 2→0',
    ],
  ],
  [
    'a result whose lease is another’s is not written',
    (tx, world) => {
      const delivery = { ...result(world, 'ours/leased').delivery, lease: 2 };
      const archiveIds = [delivery.id, world.id('ours/due')];
      return recordQueued(
        tx,
        [{ ...result(world, 'ours/leased'), delivery }, result(world, 'ours/due', 0)],
        archiveIds,
        world.now.getTime(),
      );
    },
    { lostBatches: [], disabled: [], missing: [] },
    [],
  ],
  [
    'a failure is written to its own endpoint and delivery, and turns it off when it is one too many',
    async (tx, world) => {
      const failed = { outcome: 'retry', status: 500, error: 'HTTP 500', dueAt: world.now.getTime(), disableAfterFailures: 3 } as const;
      const { disabled } = await recordQueued(
        tx,
        [{ ...result(world, 'ours/leased'), ...failed }],
        [world.id('ours/leased')],
        world.now.getTime(),
      );
      return world.named(disabled);
    },
    ['ours/a'],
    [
      '+ attempts now ours/leased ours',
      '~ deliveries ours/leased: due_at time→now, leased_by node→null, last_error null→HTTP 500, scheduled_at time→now, attempt_count 0→1, last_attempt_at null→now, last_response_status null→500',
      '~ endpoints ours/a: is_active true→false, updated_at time→now, disabled_at null→now, disabled_reason null→consecutive_failures, last_failure_at time→now, consecutive_failures 2→3',
    ],
  ],
  [
    'what is left of a batch is written, and the batch is gone',
    (tx, world) => recordBatched(tx, [result(world, 'ours/open', 0, 'ours/batch')], new Set([world.id('ours/batch')]), world.now.getTime()),
    { lostBatches: [], disabled: [], missing: [] },
    [
      '+ finished_deliveries ours/open ours/event ours/a now now ours',
      '- batches ours/batch',
      '~ endpoints ours/a: last_success_at time→now, consecutive_failures 2→0',
    ],
  ],
  [
    'what failed of one batch and what was not sent of another go into the queue, each with its own attempts',
    (tx, world) => {
      const now = world.now.getTime();
      const failed = { outcome: 'retry', status: 500, error: 'HTTP 500', dueAt: now } as const;
      const unsent = { ...NOTHING_SENT, outcome: 'released', dueAt: now } as const;
      return recordBatched(
        tx,
        [
          { ...result(world, 'ours/open', 0, 'ours/batch'), ...failed },
          { ...result(world, 'ours/lost', 0, 'ours/batch-lost'), ...unsent },
        ],
        new Set([world.id('ours/batch-lost')]),
        now,
      );
    },
    { lostBatches: [], disabled: [], missing: [] },
    [
      '+ attempts now ours/open ours',
      '+ deliveries ours/lost now ours/event ours/a ours',
      '+ deliveries ours/open now ours/event ours/a now now ours',
      '- batches ours/batch-lost',
      '~ endpoints ours/a: last_failure_at time→now, consecutive_failures 2→3',
    ],
  ],
  [
    'a delivery that cannot be stored is dropped while it is this node’s',
    async (tx, world) => {
      const { delivery } = result(world, 'ours/leased');
      await dropDelivery(tx, { ...delivery, lease: 2 });
      await dropDelivery(tx, { ...delivery, id: world.id('ours/due'), lease: 0 });
      await dropDelivery(tx, delivery);
    },
    undefined,
    ['- deliveries ours/leased'],
  ],
];

/** A delivery of the world with what became of it: delivered, unless said otherwise. */
function result({ id, now }: EngineWorld, name: string, lease = 1, batch: string | null = null): Result {
  const delivery = {
    id: id(name),
    endpointId: id('ours/a'),
    endpointVersion: 2,
    event: { id: id('ours/event'), organizationId: id('ours'), type: 'a', data: '1', occurredAt: now.getTime() },
    attempt: 1,
    batch: batch === null ? null : { id: id(batch) },
    lease,
    leaseEndsAt: 0,
  } as unknown as LeasedDelivery;
  return {
    ...NOTHING_SENT,
    delivery,
    outcome: 'delivered',
    startedAt: now.getTime(),
    durationMs: 0,
    status: 200,
    responseBody: '',
    endpointVersion: 2,
  };
}
