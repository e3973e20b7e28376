import type { Sealer } from './core/seal.ts';
import type { DialectRegistry } from './core/dialect.ts';
import { loadEvents } from './store/claim.ts';
import type { Database } from './store/database.ts';
import { findDelivery } from './store/deliveries.ts';
import { loadTargets } from './store/endpoints.ts';
import { buildRequest, makeSender } from './worker/request.ts';
import { openSecrets } from './worker/targets.ts';

/** What goes out for a delivery, as somebody may see it who looks into the log. */
export interface RequestPreview {
  readonly url: string;
  /** As they are sent; the values of the endpoint's own headers are hidden, since they may be passwords. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Unix milliseconds of the attempts that come if all of them fail. */
  readonly plannedAt: readonly number[];
}

const HIDDEN = '••••••';

/**
 * The request of the last attempt, or of the one that comes: made again by the code that sends, with the time of that
 * attempt and the secret of today. Null when the delivery, its event or its endpoint is gone.
 */
export async function previewRequest(
  parts: {
    readonly database: Database;
    readonly dialects: DialectRegistry;
    readonly sealer: Sealer;
    readonly retryDelayScale: number;
    readonly now: number;
  },
  organizationId: string,
  deliveryId: string,
): Promise<RequestPreview | null> {
  const { database, dialects, now, retryDelayScale, sealer } = parts;
  const found = await findDelivery(database, organizationId, deliveryId);
  if (found === null) return null;
  const { delivery } = found;
  const event = (await loadEvents(database, [delivery.eventId])).get(delivery.eventId);
  const [row] = await loadTargets(database, [delivery.endpointId]);
  const dialect = row === undefined ? undefined : dialects.get(row.dialect);
  if (event === undefined || row === undefined || dialect === undefined) return null;
  const secrets = openSecrets(sealer, row.sealed, row.id);
  const attempt = Math.max(1, delivery.attemptCount);
  const at = delivery.lastAttemptAt?.getTime() ?? Math.max(now, delivery.scheduledAt.getTime());
  const message = { event, deliveryId, attempt, now: at, timeoutMs: dialect.timeoutMs };
  const { body, headers } = buildRequest(makeSender(dialect, row.url, secrets), message);
  const own = Object.fromEntries(Object.keys(secrets.headers).map((name) => [name, HIDDEN]));
  return { url: row.url, headers: { ...headers, ...own }, body: body.toString('utf8'), plannedAt: plan() };

  function plan(): number[] {
    if (delivery.finishedAt !== null) return [];
    const left = dialect!.retryDelaysMs.slice(Math.max(0, delivery.attemptCount));
    const times = [delivery.scheduledAt.getTime()];
    for (const delay of left) times.push(times.at(-1)! + delay * retryDelayScale);
    return times;
  }
}
