// A receiver that costs little: it reads no more of HTTP than a webhook sender uses. Run as a process of its own;
// prints its port. The first part of a path says how it answers: `ok`, `fail` (500), `slow` (9 s), `hole` (never).
// `GET /count` gives what came, `GET /stats?reset` the latencies since the last reset as well.
import { createHistogram } from 'node:perf_hooks';
import { createServer, type Socket } from 'node:net';
import { MARK } from './workload.ts';

const SLOW_MS = 9_000;
const OK = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
const FAIL = Buffer.from('HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n');

const counts: Record<string, number> = { ok: 0, fail: 0, slow: 0, hole: 0 };
/** Microseconds from the moment that the load generator wrote into the event, on the same clock. */
let latency = createHistogram();
const SENT = Buffer.from(MARK);
const TIME_DIGITS = 16;
/** Events that came, in whatever number of requests. */
let marks = 0;

function answer(socket: Socket, head: string, message: Buffer, bodyAt: number, end: number): void {
  if (head.startsWith('GET')) {
    const reset = head.startsWith('GET /stats');
    const { min, max } = latency;
    const [p50, p95, p99] = [50, 95, 99].map((p) => latency.percentile(p));
    const body = JSON.stringify({ ...counts, marks, ...(reset && { latency: { count: latency.count, min, p50, p95, p99, max } }) });
    if (reset) latency = createHistogram();
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    return;
  }
  const kind = head.slice(6, head.indexOf('/', 6));
  counts[kind] = (counts[kind] ?? 0) + 1;
  if (kind === 'ok') {
    const now = (performance.timeOrigin + performance.now()) * 1000;
    for (let at = message.indexOf(SENT, bodyAt); at !== -1 && at < end; at = message.indexOf(SENT, at + TIME_DIGITS)) {
      marks += 1;
      const sent = Number(message.toString('latin1', at + SENT.length, at + SENT.length + TIME_DIGITS));
      latency.record(Math.max(1, Math.round(now - sent)));
    }
    socket.write(OK);
  } else if (kind === 'fail') socket.write(FAIL);
  else if (kind === 'slow') setTimeout(() => socket.write(OK), SLOW_MS);
}

const server = createServer({ noDelay: true }, (socket) => {
  let rest: Buffer | null = null;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const message = rest === null ? chunk : Buffer.concat([rest, chunk]);
    const headEnd = message.indexOf('\r\n\r\n');
    const head = headEnd === -1 ? '' : message.toString('latin1', 0, headEnd);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const end = headEnd + 4 + length;
    if (headEnd === -1 || message.length < end) {
      rest = message;
      return;
    }
    rest = null;
    answer(socket, head, message, headEnd + 4, end);
  });
});
server.listen(0, '127.0.0.1', 8192, () => console.log((server.address() as { port: number }).port));
