import type { KeyObject } from 'node:crypto';
import type { Dialect, EncodedEvent, StoredEvent } from '../core/dialect.ts';
import type { EndpointSecrets } from '../core/endpoint.ts';
import { signingKey, signMessage } from '../core/signer.ts';
import { requestStart } from './outbound/request-head.ts';
import type { OutgoingRequest } from './transport.ts';

/** Where requests of one endpoint go and what signs them, made once and used for every attempt. */
export interface Sender {
  readonly dialect: Dialect;
  readonly origin: string;
  readonly path: string;
  /** The beginning of every request, with the endpoint's own headers; null when it cannot be sent. */
  readonly start: string | null;
  readonly keys: readonly { readonly key: KeyObject; readonly until: number | null }[];
}

export function makeSender(dialect: Dialect, url: string, secrets: EndpointSecrets): Sender {
  const { origin, pathname, search } = new URL(url);
  const keys = secrets.secrets.map(({ value, until }) => ({ key: signingKey(dialect.scheme, value), until }));
  const path = pathname + search;
  return { dialect, origin, path, start: requestStart(origin, path, secrets.headers), keys };
}

export interface Message {
  readonly event: StoredEvent;
  readonly deliveryId: string;
  readonly attempt: number;
  readonly now: number;
  readonly timeoutMs: number;
}

export interface SignedRequest extends OutgoingRequest {
  /** What signed it, 32 bytes for each key: the log keeps it. */
  readonly signature: Buffer;
}

/** Makes the exact bytes and headers of one attempt, from the dialect's data alone. The endpoint's own headers are in `start`. */
export function buildRequest({ dialect, keys, origin, path, start }: Sender, message: Message): SignedRequest {
  const { attempt, deliveryId, event, now, timeoutMs } = message;
  const { body, messageId } = encode(event, dialect, deliveryId);
  const timestamp = Math.floor(now / 1000);
  const signature = signMessage(dialect.scheme, signingKeys(keys, now), messageId, timestamp, body);
  return {
    origin,
    path,
    start,
    body,
    timeoutMs,
    organizationId: event.organizationId,
    headers: {
      ...dialect.headers({ deliveryId, messageId, eventType: event.type, attempt, timestamp }),
      [dialect.signatureHeader]: signature.header,
    },
    signature: signature.bytes,
  };
}

function encode(event: StoredEvent, dialect: Dialect, deliveryId: string): EncodedEvent {
  if (event.encoded?.dialect === dialect) return event.encoded;
  const messageId = dialect.messageId(event.id);
  const encoded = { dialect, messageId, body: Buffer.from(dialect.encode(event, { messageId, deliveryId })) };
  if (!dialect.bodyNamesDelivery) event.encoded = encoded;
  return encoded;
}

/** The keys that sign now: the current one, and replaced ones in their overlap. */
function signingKeys(keys: Sender['keys'], now: number): KeyObject[] {
  return keys.filter(({ until }) => until === null || until > now).map(({ key }) => key);
}
