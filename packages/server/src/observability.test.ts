import { strict as assert } from 'node:assert';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { trace, type Span, type SpanOptions, type Tracer } from '@opentelemetry/api';
import { pino } from 'pino';
import { eventually, Receiver, startTestServer } from '@dialhook/testing';

/** What one attempt leaves in the log and in a trace, with a phone number, a secret and a query in everything that could leak. */
test('each attempt is one log line and one span, without secrets, phone numbers, URLs or bodies', async (t) => {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(...chunk.toString().split('\n').filter(Boolean));
      done();
    },
  });
  const spans: { name: string; options: SpanOptions; attributes: Record<string, unknown>; ended: unknown; status: unknown }[] = [];
  const tracer = {
    startSpan(name: string, options: SpanOptions) {
      const span = { name, options, attributes: {} as Record<string, unknown>, ended: undefined as unknown, status: undefined as unknown };
      spans.push(span);
      return {
        isRecording: () => true,
        setAttributes: (attributes: Record<string, unknown>) => void (span.attributes = attributes),
        setStatus: (status: unknown) => void (span.status = status),
        end: (time: unknown) => void (span.ended = time),
      } as unknown as Span;
    },
  } as Tracer;
  trace.setGlobalTracerProvider({ getTracer: () => tracer });
  t.after(() => trace.disable());

  const receiver = await Receiver.start();
  const place = await startTestServer('embedded', {}, () => ({ log: pino({ level: 'debug' }, stream) }));
  const { id, slug } = await place.organization();
  const path = `/operator/v1/organizations/${slug}`;
  const { body } = await place.operator.send<{ endpoint: { id: string }; secret: string }>('POST', `${path}/endpoints`, {
    dialect: 'standard',
    url: receiver.url('/hook?token=hidden-query'),
    headers: { 'X-Api-Key': 'hidden-header' },
  });
  receiver.answer = () => (receiver.received.length === 1 ? 503 : 200);
  const data = { phone: '+13125550142', note: 'hidden-body' };
  await place.operator.send('POST', '/operator/v1/events', { organization: slug, type: 'call.ended', data });
  await receiver.until(() => receiver.received.length === 1);
  await place.operator.send('POST', '/operator/v1/events', { organization: slug, type: 'call.ended', data });
  const attempts = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === 'delivery.attempted');
  await eventually('both are logged', async () => attempts().length === 2);
  const [failed, delivered] = attempts();
  assert.deepEqual([failed!.level, delivered!.level], [30, 20], 'info and debug');
  assert.deepEqual(
    [
      failed!.outcome,
      failed!.status,
      failed!.error,
      failed!.attempt,
      failed!.endpoint,
      failed!.organization,
      failed!.dialect,
      failed!.type,
    ],
    ['retry', 503, 'HTTP 503', 1, body.endpoint.id, id, 'standard', 'call.ended'],
  );
  for (const field of ['delivery', 'event', 'startedAt', 'durationMs', 'age']) assert.ok(failed![field] !== undefined, field);

  assert.equal(spans.length, 2);
  assert.equal(spans[0]!.name, 'dialhook.deliver');
  assert.equal(spans[0]!.attributes['error.type'], 'HTTP 503');
  assert.ok(spans[0]!.status !== undefined && spans[1]!.status === undefined);
  assert.ok(Number(spans[1]!.ended) >= Number(spans[1]!.options.startTime));

  const everything = lines.join('\n') + JSON.stringify(spans);
  for (const hidden of [data.phone, '3125550142', body.secret, body.secret.slice(6), 'hidden-', receiver.url('/')])
    assert.ok(!everything.includes(hidden), hidden);
  await place.stop();
  await receiver.stop();
});
