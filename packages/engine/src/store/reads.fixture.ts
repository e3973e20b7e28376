import { randomUUID } from 'node:crypto';
import type { EngineWorld } from '@dialhook/testing';
import { systemClock, type Transaction } from '../index.ts';
import { findAbandonedBatches } from './batches.ts';
import { measureBacklog, measureOrganization } from '../backlog.ts';
import { DeliveryLog } from '../delivery-log.ts';
import { countReplayable } from '../replay-count.ts';
import { findDelivery, type DeliveryFilter } from './deliveries.ts';
import { findEnded } from './endings.ts';
import * as endpoints from './endpoints.ts';
import { countRunningLocked, findReplay, listReplays } from './replays.ts';
import { findRetention } from './upkeep.ts';

const DAY_MS = 86_400_000;

/** What a statement finds in a database that has two of everything. */
export const READS: readonly (readonly [what: string, read: (tx: Transaction, world: EngineWorld) => Promise<unknown>, result: unknown])[] =
  [
    [
      'what a replay would find',
      async (tx, { id, now }) => {
        const whole = { organizationId: id('ours'), since: now.getTime() - 2 * DAY_MS, until: now.getTime() + 1 };
        const counts: number[] = [];
        for (const more of [
          {},
          { endpointId: id('ours/b') },
          { endpointId: id('theirs/b') },
          { eventType: 'b' },
          { deliveryStatus: 'delivered' },
          { since: now.getTime() - DAY_MS / 2 },
          { until: now.getTime() - DAY_MS / 2 },
        ] as const)
          counts.push(await countReplayable(tx, systemClock, { ...whole, ...more }, 100));
        return [...counts, await countReplayable(tx, systemClock, whole, 2)];
      },
      [5, 1, 0, 1, 3, 4, 1, 2],
    ],
    ['how many replays run', (tx, { id }) => countRunningLocked(tx, id('ours')), 1],
    [
      'replays, newest first',
      async (tx, { id, named }) => named((await listReplays(tx, id('ours'), 10)).map((one) => one.id)),
      ['ours/running', 'ours/ended'],
    ],
    [
      'a replay',
      async (tx, { id }) => [
        (await findReplay(tx, id('ours'), id('ours/ended')))?.status,
        await findReplay(tx, id('ours'), id('theirs/ended')),
      ],
      ['completed', null],
    ],
    [
      'batches that nobody works on',
      async (tx, { named }) => named(await findAbandonedBatches(tx, 10, true)).sort(),
      ['ours/batch-lost', 'theirs/batch-lost'],
    ],
    [
      'endpoints for which nothing more is sent',
      async (tx, { named }) => {
        const list = async (dialects: string[]) =>
          (await findEnded(tx, dialects, 10)).map((one) => `${named([one.endpointId])[0]} ${one.reason}`).sort();
        return [await list([]), await list(['standard']), await list(['brief'])];
      },
      [
        ['ours/deleted endpoint_deleted', 'theirs/deleted endpoint_deleted'],
        ['ours/deleted endpoint_deleted', 'theirs/deleted endpoint_deleted'],
        ['ours/deleted endpoint_deleted', 'ours/off endpoint_disabled', 'theirs/deleted endpoint_deleted', 'theirs/off endpoint_disabled'],
      ],
    ],
    [
      'secrets of an endpoint',
      async (tx, { id }) => {
        const of = (organization: string, name: string, dialect?: string) =>
          endpoints.findSealed(tx, { organizationId: id(organization), dialect }, id(name), true);
        return [
          await of('ours', 'ours/a'),
          await of('ours', 'ours/a', 'standard'),
          await of('ours', 'theirs/a'),
          await of('ours', 'ours/a', 'brief'),
        ];
      },
      [Buffer.from([0]), Buffer.from([0]), null, null],
    ],
    [
      'endpoints',
      async (tx, { id, named }) => {
        const scope = { organizationId: id('ours') };
        const list = async (dialects: string[] | null) =>
          named((await endpoints.listEndpoints(tx, { ...scope, dialects })).map((one) => one.id)).sort();
        return [
          await list(null),
          await list(['brief']),
          await endpoints.countEndpointsLocked(tx, { ...scope, dialect: 'brief' }),
          (await endpoints.findEndpoint(tx, scope, id('ours/off')))?.disabledReason,
          await endpoints.findEndpoint(tx, scope, id('theirs/off')),
          await endpoints.findEndpoint(tx, { ...scope, dialect: 'standard' }, id('ours/off')),
        ];
      },
      [['ours/a', 'ours/b', 'ours/off'], ['ours/off'], { all: 3, ofDialect: 1 }, 'consecutive_failures', null, null],
    ],
    [
      'who listens, and what has changed',
      async (tx, { id, named }) => {
        await tx.query({ text: 'update endpoints set is_active = false where id = $1', values: [id('ours/a')] });
        const known = ['ours/a', 'theirs/a', 'ours/deleted', 'ours/b'].map((name) => ({
          id: id(name),
          version: name === 'ours/b' ? 1 : 2,
        }));
        return [
          named(await endpoints.findListening(tx, [id('ours'), id('theirs')], 'a')),
          named(await endpoints.findListening(tx, [id('ours')], 'b')),
          named(await endpoints.findChangedEndpoints(tx, known)).sort(),
          named((await endpoints.loadTargets(tx, [id('ours/b')])).map((one) => one.id)),
        ];
      },
      [['theirs'], ['ours'], ['ours/a', 'ours/b', 'ours/deleted'], ['ours/b']],
    ],
    [
      'retentions',
      async (tx, { id }) => [
        await findRetention(tx, id('ours')),
        await findRetention(tx, id('theirs')),
        await findRetention(tx, randomUUID()),
      ],
      [5, 90, null],
    ],
    [
      'the log, by every filter',
      async (tx, { id, named, now }) => {
        const list = async (more: Omit<DeliveryFilter, 'organizationId'>) =>
          named(
            (await new DeliveryLog(tx, systemClock, { organizationId: id('ours'), ...more }, 100).read(600_000)).deliveries.map(
              (one) => one.id,
            ),
          )
            .map((name) => name.replace('ours/', ''))
            .sort()
            .join(' ');
        return [
          await list({}),
          await list({ status: 'pending' }),
          await list({ status: 'in_flight' }),
          await list({ status: 'delivered' }),
          await list({ status: 'undelivered' }),
          await list({ endpointId: id('ours/b') }),
          await list({ endpointId: id('theirs/b') }),
          await list({ eventType: 'b' }),
          await list({ until: now.getTime() - DAY_MS / 2 }),
          await list({ since: now.getTime() - DAY_MS / 2, status: 'delivered' }),
        ];
      },
      [
        'delivered due exhausted leased lost old open orphan ranout retry sent stranded typed waiting',
        'due orphan retry waiting',
        'leased lost open ranout stranded',
        'delivered old sent',
        'exhausted retry typed',
        'typed',
        '',
        'typed',
        'old',
        'delivered sent',
      ],
    ],
    [
      'a delivery with its attempts',
      async (tx, { id }) => {
        const find = async (name: string) => {
          const found = await findDelivery(tx, id('ours'), id(name));
          return found && [found.delivery.status, found.attempts.map(({ number }) => number)];
        };
        return [
          await find('ours/exhausted'),
          await find('ours/retry'),
          await find('ours/open'),
          await find('theirs/retry'),
          await find('theirs/old'),
          await find('theirs/open'),
        ];
      },
      [['exhausted', [1, 2]], ['pending', [1]], ['in_flight', []], null, null, null],
    ],
    [
      'what waits',
      async (tx, { id, now }) => {
        const clock = { ...systemClock, now: () => now.getTime() };
        const [{ due, oldestDueMs, pending }, ours] = [await measureBacklog(tx, clock), await measureOrganization(tx, clock, id('ours'))];
        return [{ due, oldestDueMs, pending }, ours];
      },
      [
        { due: 2, oldestDueMs: 120_000, pending: 8 },
        { due: 1, oldestDueMs: 120_000, pending: 3, retries: 1, isAtLeast: false },
      ],
    ],
  ];
