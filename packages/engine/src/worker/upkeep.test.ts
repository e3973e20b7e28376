import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { DATABASE_KINDS, EngineWorld, eventually, FakeClock, freshDatabase, snapshot } from '@dialhook/testing';
import { LIMITS, Sealer, silentLog } from '../index.ts';
import { Agenda } from './agenda.ts';
import { Upkeep } from './upkeep.ts';

for (const kind of DATABASE_KINDS)
  test(`a node that lives ends what others left: expired leases, dead nodes, lost batches; and nothing else, on ${kind}`, async (t) => {
    const place = await freshDatabase(kind);
    t.after(() => place.close());
    const { database } = place;
    const clock = new FakeClock();
    const dead: string[] = [];
    let released = 0;
    const agenda = new Agenda({ database, clock, log: silentLog, aloneSince: () => upkeep.pulse.aloneSince });
    const upkeep: Upkeep = new Upkeep({
      agenda,
      database,
      clock,
      nodeId: randomUUID(),
      delivers: true,
      retentionDays: 30,
      partitionedTables: [],
      log: silentLog,
      sealer: new Sealer(Buffer.alloc(32)),
      onReleased: () => (released += 1),
      onDeadNodes: (ids) => dead.push(...ids),
      onHeard: () => {},
    });
    await upkeep.start();
    agenda.start();
    const world = await EngineWorld.make(database);
    const before = await snapshot(database);
    const changes = async () => (await world.changesSince(before)).filter((line) => !/heartbeat_at|retention_clock/.test(line));
    /** Time goes on while the node is heard, and slowly while the database is busy with its heartbeat. */
    const passing = <T>(what: string, probe: () => Promise<T | false>) =>
      eventually(
        what,
        () => {
          clock.advance(upkeep.pulse.silentMs < LIMITS.heartbeatMs + 500 ? 100 : 5);
          return probe();
        },
        60_000,
      );

    const atOnce = [
      '+ deliveries ours/lost',
      '+ deliveries theirs/lost',
      '- batches ours/batch-lost',
      '- batches theirs/batch-lost',
      ...['ours', 'theirs'].flatMap((owner) => ['a', 'b', 'off'].map((name) => `- endpoint_versions ${owner}/${name} 1`)),
    ];
    const first = (lines: readonly string[]) =>
      lines.map((line) =>
        line
          .replace(/:.*/, '')
          .split(' ')
          .slice(0, line.startsWith('+') ? 3 : 4)
          .join(' '),
      );
    const early = await passing('what nobody can be at is taken over', async () => {
      const lines = await changes();
      return lines.length >= atOnce.length && lines;
    });
    assert.deepEqual(first(early), atOnce, 'whether a node is dead, or its lease over, is not known after an outage');
    assert.deepEqual(dead, []);

    const late = ['ours/ranout', 'ours/stranded', 'theirs/ranout', 'theirs/stranded'].map((name) => `~ deliveries ${name}`);
    const lines = await passing('leases have ended', async () => {
      const found = await changes();
      return found.length >= atOnce.length + late.length + 1 && found;
    });
    assert.deepEqual(first(lines).toSorted(), [...atOnce, '- nodes dead', ...late].toSorted());
    for (const line of lines.filter((one) => one.startsWith('~'))) assert.match(line, /lease 1→2.*leased_by (node|dead)→null/);
    await eventually('its owner is told, after the statement', () => dead.length > 0);
    assert.deepEqual(world.named(dead), ['dead']);
    assert.ok(released >= 2, 'whoever claims was woken');
    await agenda.stop();
    await upkeep.stop();
  });
