import type { Clock } from '../core/clock.ts';
import type { LeasedDelivery } from '../core/delivery.ts';
import type { Log } from '../core/log.ts';
import type { AttemptResult } from '../core/outcome.ts';
import type { DeliveryResult } from '../store/record/result.ts';
import { buildRequest, type Sender } from './request.ts';
import type { Transport } from './transport.ts';

/** What the log keeps of a request: the time is the signed one. */
export type SentRequest = Pick<DeliveryResult, 'startedAt' | 'endpointVersion' | 'signature'>;

export interface AttemptOptions {
  readonly transport: Pick<Transport, 'post'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Makes, signs and sends one request. Never rejects: whatever is thrown on the way is a result too, so that its slot
 * becomes free.
 */
export async function attempt(
  { clock, log, transport }: AttemptOptions,
  sender: Sender,
  endpointVersion: number,
  { attempt: number, endpointId, event, id: deliveryId }: LeasedDelivery,
): Promise<[SentRequest, AttemptResult]> {
  const startedAt = clock.now();
  let sent: SentRequest = { startedAt, endpointVersion: null, signature: null };
  try {
    const request = buildRequest(sender, { event, deliveryId, attempt: number, now: startedAt, timeoutMs: sender.dialect.timeoutMs });
    sent = { startedAt, endpointVersion, signature: request.signature };
    return [sent, await transport.post(request)];
  } catch (error) {
    log.error({ err: error, delivery: deliveryId, endpoint: endpointId }, 'a request could not be made');
    return [sent, { status: null, error: 'internal_error', responseBody: '', retryAfterMs: null, startedAt, durationMs: 0 }];
  }
}
