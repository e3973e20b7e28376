import { strict as assert } from 'node:assert';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  dialnexa,
  formatSignatureHeader,
  optimaldial,
  outboundiq,
  schemes,
  sign,
  standard,
  unwrap,
  verify,
  WebhookError,
  type SignatureScheme,
  type WebhookErrorCode,
} from './index.ts';

const NOW = 1_777_713_300;

/** The vectors of the contracts, and of the Standard Webhooks specification. */
const VECTORS: { scheme: SignatureScheme; secret: string; body: string; id?: string; timestamp?: number; header: string }[] = [
  {
    scheme: optimaldial,
    secret: '9f2c4e6a8b0d1f3355779911bbddff0022446688aaccee0013579bdf2468ace0',
    timestamp: NOW,
    body: '{"id":"evt_0f1e2d3c4b5a69788796a5b4","type":"webhook.ping","api_version":"2026-04-23","created_at":"2026-05-02T09:15:00.000+00:00","data":{"challenge":"c0ffee11c0ffee22"}}',
    header: 't=1777713300,v1=f0b833b7f11337a6790848c9e969c223954adf1afc0560da9d17d642d880b01d',
  },
  {
    scheme: outboundiq,
    secret: 'oiq-demo-signing-secret',
    body: '{"event":"dial.batch","deliveryId":"7b1c9a52-6f0e-4d3a-9c11-2e5f8a90d4b7","deliveredAt":"2026-05-02T09:15:01.250Z","dials":[{"companySlug":"north-star","callId":"IB_77810","callDirection":"inbound","timestamp":"2026-05-02T09:14:58.000Z","ani":"3125550142","phone":"7735550199","campaign":"Spring Callback","campaignInternalId":"cb-7","agent":"Ana Ruiz","disposition":"Appointment Set","dispositionId":"17","contact":true,"success":true,"isSystemDispo":false,"totalDialAttempts":null}]}',
    header: 'sha256=b64a7eb2399f884d3fa46f497e87411d193269ad04048fe5e9debde834cec937',
  },
  {
    scheme: dialnexa,
    secret: 'whsec_demo_value_1',
    body: '{"event":"campaign.paused","data":{"campaign":{"id":"cmp_7h2k9","status":"paused"}}}',
    header: 'sha256=fa327ed0b21a7018b3b53d49f200bb44002c87c648fd989bdb73e3925a16754b',
  },
  {
    scheme: standard,
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: 1_614_265_330,
    body: '{"test": 2432232314}',
    header: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
];

for (const vector of VECTORS) {
  test(`${vector.scheme.name}: the published vector is signed and verified`, async () => {
    const headers = await sign(vector.scheme, vector);
    assert.equal(headers[vector.scheme.signatureHeader], vector.header);
    const verified = await verify(vector.scheme, { ...vector, headers, now: vector.timestamp ?? NOW });
    assert.equal(verified.timestamp, vector.timestamp ?? null);
  });
}

test('a key decoded from hex does not verify: the key is the text', async () => {
  const { scheme, body, header } = VECTORS[0]!;
  const decoded = createHmac('sha256', Buffer.from(VECTORS[0]!.secret, 'hex')).update(`${NOW}.${body}`).digest('hex');
  assert.ok(decoded.startsWith('09833051'));
  assert.notEqual(header, `t=${NOW},v1=${decoded}`);
  const headers = { [scheme.signatureHeader]: `t=${NOW},v1=${decoded}` };
  await rejects('signature_mismatch', verify(scheme, { secret: VECTORS[0]!.secret, body, headers, now: NOW }));
});

test('any bytes sign and verify, and one flipped bit anywhere is refused, in every scheme', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.values(schemes)),
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.nat(),
      async (scheme, body, at) => {
        const secret = scheme.secretEncoding === 'base64' ? 'whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ=' : 'a secret';
        const headers = await sign(scheme, { secret, body, id: 'msg_1', timestamp: NOW });
        await verify(scheme, { secret, body, headers, now: NOW + 300 });
        const flipped = body.slice();
        flipped[at % body.length]! ^= 1 << (at % 8);
        await rejects('signature_mismatch', verify(scheme, { secret, body: flipped, headers, now: NOW }));
      },
    ),
    { numRuns: 200 },
  );
});

test('during a rotation either secret verifies', async () => {
  const headers = await sign(dialnexa, { secret: 'new', body: 'x' });
  await verify(dialnexa, { secret: ['old', 'new'], body: 'x', headers });
  await rejects('signature_mismatch', verify(dialnexa, { secret: ['old', 'older'], body: 'x', headers }));
});

/** Every way a header can be wrong, with the code that the receiver sees. */
const BAD_HEADERS: [string, SignatureScheme, Record<string, string>, WebhookErrorCode][] = [
  ['no header', optimaldial, {}, 'missing_header'],
  ['empty header', optimaldial, { 'x-optimaldial-signature': '' }, 'missing_header'],
  ['no signature', optimaldial, { 'x-optimaldial-signature': `t=${NOW}` }, 'malformed_header'],
  ['no time', optimaldial, { 'x-optimaldial-signature': 'v1=aa' }, 'malformed_header'],
  ['a time with junk', optimaldial, { 'x-optimaldial-signature': `t=${NOW}junk,v1=aa` }, 'malformed_header'],
  ['a negative time', optimaldial, { 'x-optimaldial-signature': 't=-5,v1=aa' }, 'malformed_header'],
  ['too old', optimaldial, { 'x-optimaldial-signature': `t=${NOW - 301},v1=aa` }, 'timestamp_too_old'],
  ['too new', optimaldial, { 'x-optimaldial-signature': `t=${NOW + 301},v1=aa` }, 'timestamp_too_new'],
  ['bare hex without the prefix', outboundiq, { 'x-outboundiq-signature': 'aa' }, 'malformed_header'],
  [
    'an unknown version',
    standard,
    { 'webhook-id': 'm', 'webhook-timestamp': String(NOW), 'webhook-signature': 'v9,aa' },
    'malformed_header',
  ],
  ['no id', standard, { 'webhook-timestamp': String(NOW), 'webhook-signature': 'v1,aa' }, 'missing_header'],
  ['no timestamp', standard, { 'webhook-id': 'm', 'webhook-signature': 'v1,aa' }, 'missing_header'],
  ['a huge header', dialnexa, { 'x-dialnexa-signature': 'sha256='.padEnd(5000, 'a') }, 'malformed_header'],
];

for (const [name, scheme, headers, code] of BAD_HEADERS) {
  test(`${scheme.name}: ${name} is ${code}`, async () => {
    await rejects(code, verify(scheme, { secret: 'c2VjcmV0', body: '{}', headers, now: NOW }));
  });
}

test('whose time is off is told by how much, and what is allowed', async () => {
  const headers = await sign(standard, { secret: 'c2VjcmV0', body: 'b', id: 'm', timestamp: NOW });
  const at = (now: number) => verify(standard, { secret: 'c2VjcmV0', body: 'b', headers, now });
  await assert.rejects(at(NOW + 301), { message: 'Signed 301 s ago; at most 300 s are allowed.' });
  await assert.rejects(at(NOW - 302), { message: 'Signed 302 s ahead; at most 300 s are allowed.' });
});

test('two different bodies that are not UTF-8 do not share a signature', async () => {
  const headers = await sign(dialnexa, { secret: 's', body: Uint8Array.of(0xff) });
  await rejects('signature_mismatch', verify(dialnexa, { secret: 's', body: Uint8Array.of(0xfe), headers }));
});

test('unwrap gives the parsed body, and says so when a signed body is not JSON', async () => {
  const good = await sign(outboundiq, { secret: 's', body: '{"a":1}' });
  assert.deepEqual(await unwrap(outboundiq, { secret: 's', body: Buffer.from('{"a":1}'), headers: new Headers(good) }), { a: 1 });
  const bad = await sign(outboundiq, { secret: 's', body: '{' });
  await rejects('invalid_json', unwrap(outboundiq, { secret: 's', body: '{', headers: Object.entries(bad) as [string, string][] }));
});

test('headers are found in any case and shape', async () => {
  const { 'x-outboundiq-signature': value } = await sign(outboundiq, { secret: 's', body: 'b' });
  await verify(outboundiq, { secret: 's', body: 'b', headers: { 'X-OutboundIQ-Signature': value } });
  await verify(outboundiq, { secret: 's', body: 'b', headers: { 'X-OUTBOUNDIQ-SIGNATURE': [value!] } });
});

test('a time that is not given is now, in seconds, for the sender and for the receiver', async () => {
  const before = Math.floor(Date.now() / 1000);
  const headers = await sign(standard, { secret: 'c2VjcmV0', body: 'b', id: 'm' });
  const signed = Number(headers['webhook-timestamp']);
  assert.ok(signed >= before && signed <= Date.now() / 1000, String(signed));
  await verify(standard, { secret: 'c2VjcmV0', body: 'b', headers });
  const old = await sign(standard, { secret: 'c2VjcmV0', body: 'b', id: 'm', timestamp: before - 400 });
  await rejects('timestamp_too_old', verify(standard, { secret: 'c2VjcmV0', body: 'b', headers: old }));
  await verify(standard, { secret: 'c2VjcmV0', body: 'b', headers: old, toleranceSeconds: 3600 });
});

test('what a scheme signs must be given, and what it has no header for is not written', async () => {
  await rejects('missing_header', sign(standard, { secret: 'c2VjcmV0', body: 'b' }));
  await rejects('missing_header', sign(standard, { secret: 'c2VjcmV0', body: 'b', id: '' }));
  assert.deepEqual(Object.keys(await sign(dialnexa, { secret: 's', body: 'b' })), ['x-dialnexa-signature']);
  assert.deepEqual(Object.keys(await sign(dialnexa, { secret: 's', body: 'b', id: 'd' })).sort(), [
    'x-dialnexa-delivery-id',
    'x-dialnexa-signature',
  ]);
});

test('several signatures are written where the scheme has room for them', () => {
  assert.equal(formatSignatureHeader(optimaldial, ['a', 'b'], '5'), 't=5,v1=a,v1=b');
  assert.equal(formatSignatureHeader(standard, ['a', 'b'], '5'), 'v1,a v1,b');
  assert.equal(formatSignatureHeader(outboundiq, ['a'], '5'), 'sha256=a');
});

test('a secret that cannot be a key is refused', async () => {
  await rejects('malformed_secret', sign(standard, { secret: 'whsec_%%%', body: '', id: 'm' }));
  await rejects('malformed_secret', sign(outboundiq, { secret: '', body: '' }));
});

async function rejects(code: WebhookErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => error instanceof WebhookError && error.code === code);
}
