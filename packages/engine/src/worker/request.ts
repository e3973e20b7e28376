import type { Dialect, StoredEvent } from '../core/dialect.ts';
import type { EndpointSecrets } from '../core/endpoint.ts';
import { signatureHeaderValue } from '../core/signer.ts';
import type { OutgoingRequest } from './transport.ts';
import { signingSecrets } from './targets.ts';

export interface RequestParts {
  readonly dialect: Dialect;
  readonly url: string;
  readonly secrets: EndpointSecrets;
  readonly event: StoredEvent;
  readonly deliveryId: string;
  readonly attempt: number;
  readonly now: number;
  readonly timeoutMs: number;
}

/** Makes the exact bytes and headers of one attempt, from the dialect's data alone. */
export function buildRequest(parts: RequestParts): OutgoingRequest {
  const { dialect, event, now } = parts;
  const messageId = dialect.messageId(event.id);
  const timestamp = Math.floor(now / 1000);
  const body = dialect.encode(event, messageId);
  const secrets = signingSecrets(parts.secrets, now);
  return {
    url: new URL(parts.url),
    body,
    timeoutMs: parts.timeoutMs,
    headers: {
      ...parts.secrets.headers,
      ...dialect.headers({ deliveryId: parts.deliveryId, messageId, eventType: event.type, attempt: parts.attempt, timestamp }),
      [dialect.signatureHeader]: signatureHeaderValue(dialect.scheme, secrets, messageId, timestamp, body),
    },
  };
}
