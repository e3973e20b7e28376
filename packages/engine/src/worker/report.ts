import type { LeasedDelivery } from '../core/delivery.ts';
import type { Log } from '../core/log.ts';
import type { AttemptReport, Observer } from '../core/observer.ts';
import type { AttemptResult } from '../core/outcome.ts';
import type { Target } from './targets.ts';

/** Tells the observer of an attempt, and logs it as one wide line: failed ones at level info, the others at debug. */
export function reportAttempt(
  { log, observer }: { readonly log: Log; readonly observer: Observer | undefined },
  target: Target,
  dialect: string,
  delivery: LeasedDelivery,
  result: AttemptResult,
  outcome: AttemptReport['outcome'],
): void {
  const level = outcome === 'delivered' ? 'debug' : 'info';
  const isLogged = log.isLevelEnabled(level);
  if (observer === undefined && !isLogged) return;
  const report: AttemptReport = {
    delivery: delivery.id,
    event: delivery.event.id,
    type: delivery.event.type,
    endpoint: target.id,
    organization: target.organizationId,
    dialect,
    attempt: delivery.attempt,
    outcome,
    status: result.status,
    error: result.error,
    startedAt: result.startedAt,
    durationMs: result.durationMs,
    age: Math.max(0, result.startedAt - delivery.event.occurredAt),
  };
  observer?.attempted(report);
  if (isLogged) log[level](report, 'delivery.attempted');
}
