import { createHmac } from 'node:crypto';
import type { SchemeName, WebhookErrorCode } from './index.ts';

/** One delivery as it reaches a receiver, and what the receiver must say to it. Plain data, so that it can be handed to any runtime. */
export interface CorpusCase {
  readonly name: string;
  readonly scheme: SchemeName;
  readonly secret: string | readonly string[];
  /** Bytes, in base64. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly now: number;
  readonly verify: { readonly id: string | null; readonly timestamp: number | null } | WebhookErrorCode;
  /** What `unwrap` does if it is something else than what `verify` says. */
  readonly unwrap?: WebhookErrorCode;
}

const NOW = 1_777_713_300;
const ID = 'msg_27';
export const JSON_BODY = { name: 'Zoë', n: [1, 2.5, null] };
const BODY = Buffer.from(JSON.stringify(JSON_BODY));

/** A signer for each scheme, written from the contracts and not with what is tested. */
interface Hand {
  readonly secret: string;
  readonly other: string;
  /** Where the signature stands. */
  readonly header: string;
  readonly timed: boolean;
  /** The digest as the scheme writes it, without what stands around it. */
  digest(body: Uint8Array, secret: string, timestamp: string, id: string): string;
  /** The signature header around digests. */
  around(digests: readonly string[], timestamp: string): string;
  /** Headers besides the signature's. */
  others(timestamp: string, id: string): Record<string, string>;
}

const hmac = (key: string | Buffer, ...parts: (string | Uint8Array)[]) => {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac;
};
const ofBody = (header: string, idHeader: string, secret: string): Hand => ({
  secret,
  other: 'somebody else',
  header,
  timed: false,
  digest: (body, key) => hmac(key, body).digest('hex'),
  around: (digests) => digests.map((digest) => `sha256=${digest}`).join(','),
  others: (_, id) => ({ [idHeader]: id }),
});
const HANDS: Record<SchemeName, Hand> = {
  optimaldial: {
    secret: '9f2c4e6a8b0d1f3355779911bbddff0022446688aaccee0013579bdf2468ace0',
    other: '0f2c4e6a8b0d1f3355779911bbddff0022446688aaccee0013579bdf2468ace0',
    header: 'x-optimaldial-signature',
    timed: true,
    digest: (body, key, timestamp) => hmac(key, `${timestamp}.`, body).digest('hex'),
    around: (digests, timestamp) => `t=${timestamp}${digests.map((digest) => `,v1=${digest}`).join('')}`,
    others: (_, id) => ({ 'x-optimaldial-event-id': id }),
  },
  outboundiq: ofBody('x-outboundiq-signature', 'x-outboundiq-delivery-id', 'oiq secret'),
  dialnexa: ofBody('x-dialnexa-signature', 'x-dialnexa-delivery-id', 'whsec_is_text_here'),
  standard: {
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    other: 'whsec_AfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    header: 'webhook-signature',
    timed: true,
    digest: (body, key, timestamp, id) =>
      hmac(Buffer.from(key.slice('whsec_'.length), 'base64'), `${id}.${timestamp}.`, body).digest('base64'),
    around: (digests) => digests.map((digest) => `v1,${digest}`).join(' '),
    others: (timestamp, id) => ({ 'webhook-id': id, 'webhook-timestamp': timestamp }),
  },
};
export const SCHEMES = Object.keys(HANDS) as SchemeName[];

/** Valid, forged, truncated, extended, re-encoded, old, future, of another scheme, with several signatures: for every scheme. */
export function corpus(): CorpusCase[] {
  return SCHEMES.flatMap((scheme) => [...casesOf(scheme)]);
}

function* casesOf(scheme: SchemeName): Generator<CorpusCase> {
  const hand = HANDS[scheme];
  const time = String(NOW);
  const good = hand.digest(BODY, hand.secret, time, ID);
  const bad = hand.digest(BODY, hand.other, time, ID);
  const accepted = { id: ID, timestamp: hand.timed ? NOW : null };
  const make = (
    name: string,
    verify: CorpusCase['verify'],
    more: Partial<Omit<CorpusCase, 'body'>> & { readonly body?: Uint8Array; readonly signature?: string } = {},
  ): CorpusCase => {
    const { body = BODY, headers = hand.others(time, ID), signature = hand.around([good], time), ...rest } = more;
    const all = { ...headers, [hand.header]: signature };
    return { name, scheme, secret: hand.secret, headers: all, now: NOW, verify, ...rest, body: Buffer.from(body).toString('base64') };
  };
  const signed = (body: Uint8Array) => ({ body, signature: hand.around([hand.digest(body, hand.secret, time, ID)], time) });
  const digest = (text: string) => ({ signature: hand.around([text], time) });
  const several = (...digests: string[]) => ({ signature: hand.around(digests, time) });

  yield make('valid', accepted);
  yield make('valid, with nothing in it', accepted, { ...signed(new Uint8Array()), unwrap: 'invalid_json' });
  yield make('valid, not JSON', accepted, { ...signed(Buffer.from('{')), unwrap: 'invalid_json' });
  yield make('valid, not UTF-8', accepted, { ...signed(Uint8Array.of(0x22, 0xff, 0x22)), unwrap: 'invalid_json' });
  yield make('one of several secrets', accepted, { secret: [hand.other, hand.secret] });

  yield make('forged: another secret', 'signature_mismatch', digest(bad));
  yield make('forged: zeros', 'signature_mismatch', digest(good.replace(/[^=]/g, '0')));
  yield make('forged: another body', 'signature_mismatch', { body: Buffer.from('{"name":"Zoé"}') });
  yield make('forged: not even JSON', 'signature_mismatch', { ...digest(bad), body: Buffer.from('{') });
  yield make('forged: no secret is given', 'signature_mismatch', { secret: [] });
  yield make('forged: none of several secrets', 'signature_mismatch', { secret: [hand.other, `${hand.other}aaaa`] });

  for (const length of [1, good.length / 2, good.length - 1])
    yield make(`truncated: ${length} characters of the signature`, 'signature_mismatch', digest(good.slice(0, length)));
  yield make('truncated: an empty signature', 'signature_mismatch', digest(''));
  yield make('truncated: no signature', 'missing_header', { signature: '' });
  yield make('truncated: the body', 'signature_mismatch', { body: BODY.subarray(0, -1) });
  yield make('truncated: an empty body', 'signature_mismatch', { body: new Uint8Array() });

  for (const tail of ['0', '=', ' x', '\0', good])
    yield make(
      `extended: the signature by ${JSON.stringify(tail)}`,
      scheme === 'standard' && tail === ' x' ? accepted : 'signature_mismatch',
      {
        signature: `${hand.around([good], time)}${tail}`,
      },
    );
  yield make('extended: the signature at its start', 'signature_mismatch', digest(`0${good}`));
  yield make('extended: the body', 'signature_mismatch', { body: Buffer.concat([BODY, Buffer.from('\n')]) });
  // 4,096 characters are read; the standard scheme passes over the unknown version, the others take it for a part of the signature.
  const long = `${hand.around([good], time)} v9,`;
  yield make('extended: a header as long as may be', scheme === 'standard' ? accepted : 'signature_mismatch', {
    signature: long.padEnd(4096, 'a'),
  });
  yield make('extended: a header of one more', 'malformed_header', { signature: long.padEnd(4097, 'a') });

  const bytes = Buffer.from(good, scheme === 'standard' ? 'base64' : 'hex');
  for (const encoding of ['hex', 'base64', 'base64url'] as const)
    if (bytes.toString(encoding) !== good) yield make(`re-encoded: as ${encoding}`, 'signature_mismatch', digest(bytes.toString(encoding)));
  yield make('re-encoded: in upper case', 'signature_mismatch', digest(good.toUpperCase()));
  yield make('re-encoded: the body as JSON with spaces', 'signature_mismatch', { body: Buffer.from(JSON.stringify(JSON_BODY, null, 1)) });
  yield make('re-encoded: the body in Latin-1', 'signature_mismatch', { body: Buffer.from(BODY.toString(), 'latin1') });
  yield make('re-encoded: the body with a byte order mark', 'signature_mismatch', { body: Buffer.concat([Buffer.from('\ufeff'), BODY]) });

  yield make('old: at the edge', accepted, { now: NOW + 300 });
  yield make('old: a second more', hand.timed ? 'timestamp_too_old' : accepted, { now: NOW + 301 });
  yield make('future: at the edge', accepted, { now: NOW - 300 });
  yield make('future: a second more', hand.timed ? 'timestamp_too_new' : accepted, { now: NOW - 301 });
  if (hand.timed) {
    const timed = (text: string) => ({ headers: hand.others(text, ID), signature: hand.around([good], text) });
    yield make('old: with a newer time written over', 'signature_mismatch', { ...timed(String(NOW + 400)), now: NOW + 400 });
    for (const text of [`0${time}`, time.padStart(16, '0')])
      yield make(`re-encoded: the time as ${text}`, 'signature_mismatch', timed(text));
    for (const text of [`+${time}`, `${time}.0`, `${time}junk`, '1.7e9', '0x69f5c0d4', `-${time}`, time.padStart(17, '0')])
      yield make(`re-encoded: the time as ${text}`, 'malformed_header', timed(text));
  }

  for (const foreign of SCHEMES) {
    const { around, digest: foreignDigest, header, others } = HANDS[foreign];
    const signature = around([foreignDigest(BODY, HANDS[foreign].secret, time, ID)], time);
    if (header !== hand.header)
      yield { ...make(`wrong scheme: a delivery of ${foreign}`, 'missing_header'), headers: { ...others(time, ID), [header]: signature } };
    if (around([good], time) !== hand.around([good], time))
      yield make(`wrong scheme: a header as ${foreign} writes it`, 'malformed_header', { signature: around([good], time) });
  }
  yield make('wrong scheme: the bare signature', 'malformed_header', { signature: good });

  // One signature is all that fits into `sha256=…`.
  const isMany = scheme === 'optimaldial' || scheme === 'standard';
  const bads = (count: number) => Array.from({ length: count }, () => bad);
  yield make('several signatures: the right one last', isMany ? accepted : 'signature_mismatch', several(bad, good));
  yield make('several signatures: the right one first', isMany ? accepted : 'signature_mismatch', several(good, bad));
  yield make('several signatures: none is right', 'signature_mismatch', several(bad, bad));
  yield make('several signatures: the right one of sixteen', isMany ? accepted : 'signature_mismatch', several(...bads(15), good));
  yield make('several signatures: too many before the right one', 'signature_mismatch', several(...bads(16), good));
  if (scheme === 'optimaldial') {
    yield make('several versions', accepted, { signature: `t=${time},v0=${bad},v1=${good},v2=${bad}` });
    yield make('another order, with spaces', accepted, { signature: `v1=${good} , t=${time}` });
    yield make('an unknown version alone', 'malformed_header', { signature: `t=${time},v2=${good}` });
    yield make('no time', 'malformed_header', { signature: `v1=${good}` });
  }
  if (scheme === 'standard') {
    yield make('several versions', accepted, { signature: `v1a,${bad} v1,${good} v2,${bad}` });
    yield make('an unknown version alone', 'malformed_header', { signature: `v1a,${good}` });
    yield make('the secret without its prefix', accepted, { secret: hand.secret.slice('whsec_'.length) });
    yield make('another id', 'signature_mismatch', { headers: hand.others(time, 'msg_28') });
    yield make('no id', 'missing_header', { headers: { 'webhook-timestamp': time } });
    yield make('no time', 'missing_header', { headers: { 'webhook-id': ID } });
    yield make('a secret that is no base64', 'malformed_secret', { secret: 'whsec_%' });
  } else yield make('no id', { ...accepted, id: null }, { headers: {} });
  yield make('an empty secret', 'malformed_secret', { secret: '' });
}

/** What a case must come to: of `verify` what it gives or the error's code, of `unwrap` the JSON or the error's code. */
export function expected({ name, unwrap, verify }: CorpusCase): { name: string; verify: unknown; unwrap: unknown } {
  return { name, verify, unwrap: unwrap ?? (typeof verify === 'string' ? verify : JSON_BODY) };
}

/** What an SDK makes of a case. */
export async function outcome(sdk: typeof import('./index.ts'), one: CorpusCase): Promise<ReturnType<typeof expected>> {
  const { headers, name, now, scheme, secret } = one;
  const input = { secret, headers, now, body: new Uint8Array(Buffer.from(one.body, 'base64')) };
  const code = (error: unknown) => (error instanceof sdk.WebhookError ? error.code : `another error: ${String(error)}`);
  return {
    name,
    verify: await sdk.verify(sdk.schemes[scheme], input).catch(code),
    unwrap: await sdk.unwrap(sdk.schemes[scheme], input).catch(code),
  };
}

/** The same for a runtime that is another process: the SDK's address as its argument, cases on standard input, outcomes on standard output. */
export const OUTCOME_SCRIPT = `
  const sdk = await import(process.argv[1]);
  let text = '';
  for await (const chunk of process.stdin) text += chunk;
  const code = (error) => (error instanceof sdk.WebhookError ? error.code : 'another error: ' + error);
  const outcomes = [];
  for (const { name, scheme, secret, headers, now, body } of JSON.parse(text)) {
    const input = { secret, headers, now, body: Uint8Array.from(atob(body), (char) => char.charCodeAt(0)) };
    outcomes.push({
      name,
      verify: await sdk.verify(sdk.schemes[scheme], input).catch(code),
      unwrap: await sdk.unwrap(sdk.schemes[scheme], input).catch(code),
    });
  }
  console.log(JSON.stringify(outcomes));`;
