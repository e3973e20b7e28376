// Publishes events over HTTP and costs little: prepared bytes on raw keep-alive sockets. Run as a process of its own with
// its settings as JSON in the first argument; prints its result as JSON.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createHistogram } from 'node:perf_hooks';
import { dial, EVENT_TYPE, eventData } from './workload.ts';

export interface LoadSettings {
  /** Ports of the nodes, in turn. */
  readonly ports: readonly number[];
  readonly receiverPort: number;
  readonly token: string;
  readonly organizations: readonly string[];
  /** Events in one call. */
  readonly batch: number;
  readonly connections: number;
  /** Deliveries that one event makes. */
  readonly fanOut: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Closed loop: deliveries at most that are published and not yet at the receiver. */
  readonly window?: number;
  /** Keys of companies, in turn: dials are posted instead of events, one a call. */
  readonly dialKeys?: readonly string[];
  /** The part of the deliveries that can arrive; all when absent. */
  readonly expected?: number;
  /** Open loop: calls each second, whatever the answers take. */
  readonly rate?: number;
}

export interface LoadResult {
  /** Deliveries that reached the receiver while it was measured, in one second. */
  readonly deliveredPerSecond: number;
  readonly published: number;
  /** Calls that were answered with 503 and not made again. */
  readonly refused: number;
  readonly publishedPerSecond: number;
  /** Events in one request to the receiver, on average. */
  readonly meanBatch: number;
  /** Milliseconds from the call's due time to its answer, and from an event's making to its arrival. */
  readonly publishMs: Percentiles;
  readonly deliveryMs: Percentiles;
  /** What this process itself used. */
  readonly cpuMs: number;
}
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

const COUNT_INTERVAL_MS = 5;
const DRAIN_TIMEOUT_MS = 120_000;

const settings = JSON.parse(process.argv[2]!) as LoadSettings;
const { batch, fanOut, organizations, ports, token } = settings;
const publishing = createHistogram();
let published = 0;
let refused = 0;
let delivered = 0;
let measuring = false;

/** One keep-alive connection; one call at a time. */
class Line {
  #socket!: Socket;
  #answered: ((body: string) => void) | null = null;
  #rest = '';

  static async open(port: number): Promise<Line> {
    const line = new Line();
    line.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(line.#socket, 'connect');
    line.#socket.setEncoding('latin1');
    line.#socket.on('data', (chunk: string) => line.#read(chunk));
    return line;
  }

  call(message: string): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#answered = resolve;
    this.#socket.write(message, 'latin1');
    return promise;
  }

  #read(chunk: string): void {
    this.#rest += chunk;
    const head = this.#rest.indexOf('\r\n\r\n');
    if (head === -1) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#rest.slice(0, head))?.[1] ?? 0);
    if (this.#rest.length < head + 4 + length) return;
    const message = this.#rest;
    this.#rest = '';
    this.#answered?.(message);
  }
}

let n = 0;
function request(): string {
  if (settings.dialKeys !== undefined) {
    const body = dial(n);
    const key = settings.dialKeys[n++ % settings.dialKeys.length];
    return `POST /dials HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  }
  const events: string[] = [];
  for (let i = 0; i < batch; i++) {
    events.push(`{"organization":"${organizations[n % organizations.length]}","type":"${EVENT_TYPE}","data":${eventData(n)}}`);
    n += 1;
  }
  const body = batch === 1 ? events[0]! : `[${events.join(',')}]`;
  return `POST /operator/v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

async function publish(line: Line, dueAt: number): Promise<void> {
  const answer = await line.call(request());
  if (answer.startsWith('HTTP/1.1 503')) {
    refused += 1;
    published -= batch;
    return;
  }
  if (!answer.startsWith('HTTP/1.1 20')) throw new Error(`A publish was answered with ${answer.slice(0, 300)}`);
  if (measuring) publishing.record(Math.max(1, Math.round((performance.now() - dueAt) * 1000)));
}

async function receiver(path: string, line: Line): Promise<{ ok: number; marks: number; latency?: Record<string, number> }> {
  const answer = await line.call(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as { ok: number; marks: number };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const counter = await Line.open(settings.receiverPort);
const lines = await Promise.all(Array.from({ length: settings.connections }, (_, i) => Line.open(ports[i % ports.length]!)));
const already = (await receiver('/count', counter)).marks;
let over = false;
let waiting: (() => void)[] = [];

/** Knows what arrived, and wakes those that wait for the window. */
async function watch(): Promise<void> {
  while (!over) {
    delivered = (await receiver('/count', counter)).marks - already;
    const awake = waiting;
    waiting = [];
    for (const wake of awake) wake();
    await pause(COUNT_INTERVAL_MS);
  }
}

async function closedLoop(line: Line, window: number): Promise<void> {
  while (!over) {
    if ((published + batch) * fanOut - delivered > window) {
      await new Promise<void>((resolve) => waiting.push(resolve));
      continue;
    }
    published += batch;
    await publish(line, performance.now());
  }
}

async function openLoop(rate: number): Promise<void> {
  const free = [...lines];
  const queue: number[] = [];
  const began = performance.now();
  let made = 0;
  const next = (line: Line) => {
    const dueAt = queue.shift();
    if (dueAt === undefined) free.push(line);
    else void publish(line, dueAt).then(() => next(line));
  };
  while (!over) {
    const now = performance.now();
    while (began + (made * 1000) / rate <= now) {
      queue.push(began + (made++ * 1000) / rate);
      published += batch;
      const line = free.pop();
      if (line !== undefined) next(line);
    }
    await pause(1);
  }
}

const work = [
  watch(),
  ...(settings.rate === undefined ? lines.map((line) => closedLoop(line, settings.window!)) : [openLoop(settings.rate)]),
];
await pause(settings.warmUpMs);
const asker = await Line.open(settings.receiverPort);
const before = await receiver('/stats', asker);
const publishedBefore = published;
const began = performance.now();
measuring = true;
await pause(settings.measureMs);
measuring = false;
const after = await receiver('/stats', asker);
const seconds = (performance.now() - began) / 1000;
const publishedMeanwhile = published - publishedBefore;
over = true;
for (const wake of waiting) wake();
await Promise.all(work);
const deadline = performance.now() + DRAIN_TIMEOUT_MS;
const wanted = Math.floor(published * fanOut * (settings.expected ?? 1)) - (settings.expected === undefined ? 0 : organizations.length);
for (; delivered < wanted; await pause(COUNT_INTERVAL_MS)) {
  delivered = (await receiver('/count', counter)).marks - already;
  if (performance.now() > deadline) throw new Error(`${wanted - delivered} of ${wanted} deliveries never arrived.`);
}
const ms = (microseconds: number) => Number((microseconds / 1000).toFixed(2));
const { p50, p95, p99 } = after.latency!;
const result: LoadResult = {
  deliveredPerSecond: (after.marks - before.marks) / seconds,
  publishedPerSecond: publishedMeanwhile / seconds,
  meanBatch: after.ok === before.ok ? 0 : (after.marks - before.marks) / (after.ok - before.ok),
  published,
  refused,
  publishMs: { p50: ms(publishing.percentile(50)), p95: ms(publishing.percentile(95)), p99: ms(publishing.percentile(99)) },
  deliveryMs: { p50: ms(p50!), p95: ms(p95!), p99: ms(p99!) },
  cpuMs: (process.cpuUsage().user + process.cpuUsage().system) / 1000,
};
console.log(JSON.stringify(result));
process.exit(0);
