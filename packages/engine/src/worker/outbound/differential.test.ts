import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { Agent, request } from 'undici';
import { LIMITS } from '../../core/limits.ts';
import { parseRetryAfter } from '../../core/outcome.ts';
import { NetworkGuard } from '../guard.ts';
import { Transport } from '../transport.ts';
import { AnswerReader, readSimple } from './answer.ts';
import { bentAnswer, randomBy } from './answers.fixture.ts';

/** The same bytes to this client and to undici: what one takes for an answer the other does too, and it is the same one. */

const SEEDS = Number(process.env['DIFFERENTIAL_SEEDS'] ?? 400);
const FIRST = Number(process.env['DIFFERENTIAL_FIRST'] ?? 1);

/** White space after a length is allowed; undici takes it for a digit. */
const UNDICI_ALONE = /content-length:[ \t]*\d+[ \t]+\r/i;

let answer: Buffer = Buffer.alloc(0);
const server = createServer((socket: Socket) => {
  socket.on('error', () => {});
  socket.once('data', () => socket.end(answer));
});
const transport = new Transport(new NetworkGuard({ allowPrivateTargets: true }), Date.now);
let origin: string;

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
after(async () => {
  await transport.close();
  server.close();
});

async function byUndici(): Promise<string> {
  const agent = new Agent({ allowH2: false, maxHeaderSize: LIMITS.responseHeaderBytes });
  try {
    const { body, headers, statusCode } = await request(origin, { method: 'POST', body: '{}', dispatcher: agent });
    const bytes = Buffer.from(await body.arrayBuffer());
    const retryAfter = headers['retry-after'];
    const ms = parseRetryAfter((Array.isArray(retryAfter) ? retryAfter[0] : retryAfter)?.trim(), Date.now());
    return JSON.stringify([statusCode, bytes.toString('utf8').replaceAll('\0', '\ufffd'), ms]);
  } catch {
    return 'refused';
  } finally {
    await agent.destroy();
  }
}

async function byUs(): Promise<string> {
  const { responseBody, retryAfterMs, status } = await transport.post({
    origin,
    path: '/',
    headers: {},
    body: Buffer.from('{}'),
    timeoutMs: 5_000,
  });
  return status === null ? 'refused' : JSON.stringify([status, responseBody, retryAfterMs]);
}

test(`${SEEDS} answers bent at random: this client and undici agree`, async () => {
  let accepted = 0;
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    answer = bentAnswer(randomBy(seed));
    if (UNDICI_ALONE.test(answer.toString('latin1'))) continue;
    const [ours, theirs] = [await byUs(), await byUndici()];
    if (ours !== 'refused') accepted += 1;
    assert.equal(ours, theirs, `seed ${seed}: ${JSON.stringify(answer.toString('latin1'))}`);
  }
  assert.ok(accepted > SEEDS / 10 && accepted < SEEDS * 0.9, `${accepted} of ${SEEDS} accepted: the seeds say nothing`);
});

test('what the quick reader takes for an answer the parser reads the same', () => {
  let quick = 0;
  for (let seed = 1; seed <= 20_000; seed++) {
    const bytes = bentAnswer(randomBy(seed));
    const simple = readSimple(bytes);
    if (simple === null) continue;
    quick += 1;
    const reader = new AnswerReader();
    assert.deepEqual(reader.read(bytes), simple, JSON.stringify(bytes.toString('latin1')));
    reader.release();
  }
  assert.ok(quick > 1_000, String(quick));
});
