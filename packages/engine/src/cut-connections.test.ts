import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { shortHex } from './core/ids.ts';
import { freshDatabase, openAdmin, Receiver } from '@dialhook/testing';
import { Engine, LIMITS, Sealer, standard } from './index.ts';

const CUTTING_MS = 1_500;
/** A claim whose answer was cut off is only known to the database: its deliveries wait for the end of their lease. */
const PATIENCE_MS = LIMITS.leaseMs + 60_000;

test('what was acknowledged is delivered although the database cuts connections in use', async (t) => {
  const place = await freshDatabase('postgres');
  const receiver = await Receiver.start();
  const admin = await openAdmin(place);
  const engine = new Engine({
    database: place.database,
    dialects: [standard],
    sealer: new Sealer(Buffer.alloc(32)),
    allowPrivateTargets: true,
  });
  await engine.start();
  t.after(async () => {
    await engine.stop();
    await admin.close();
    await receiver.stop();
    await place.close();
  });
  const organizationId = randomUUID();
  await engine.endpoints.create({ organizationId, dialect: 'standard', url: receiver.url('/') });

  const acknowledged: string[] = [];
  let refused = 0;
  let cutting = true;
  const publishers = Array.from({ length: 8 }, async () => {
    while (cutting) {
      const ids = await engine.submit([{ organizationId, type: 'a', data: '1' }]).catch(() => null);
      if (ids === null) refused += 1;
      else acknowledged.push(...ids);
    }
  });
  const text = 'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';
  let cuts = 0;
  for (const end = Date.now() + CUTTING_MS; Date.now() < end;) {
    cuts += (await admin.query({ text })).length;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  cutting = false;
  await Promise.all(publishers);
  t.diagnostic(JSON.stringify({ acknowledged: acknowledged.length, refused, cuts }));
  assert.ok(acknowledged.length > 0 && refused > 0 && cuts > 0, 'both happened');

  const everyOne = () => {
    const arrived = new Set(receiver.received.map(({ headers }) => headers['webhook-id']));
    return acknowledged.every((id) => arrived.has(`msg_${shortHex(id)}`));
  };
  await receiver.until(() => receiver.received.length >= acknowledged.length && everyOne(), PATIENCE_MS);
});
