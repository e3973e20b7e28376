import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { AttemptReport } from '@dialhook/engine';

const tracer = trace.getTracer('dialhook');

/**
 * One span for each attempt, through the OpenTelemetry API alone: without an SDK in the process, as it starts by default,
 * this does nothing. An SDK is brought in with `node --import`; docs/operations.md shows it.
 */
export function traceAttempt(report: AttemptReport): void {
  const span = tracer.startSpan('dialhook.deliver', { kind: SpanKind.CLIENT, startTime: report.startedAt });
  if (!span.isRecording()) return; // nobody listens, and this is the hot path
  span.setAttributes({
    'dialhook.delivery': report.delivery,
    'dialhook.event': report.event,
    'dialhook.event_type': report.type,
    'dialhook.endpoint': report.endpoint,
    'dialhook.organization': report.organization,
    'dialhook.dialect': report.dialect,
    'dialhook.attempt': report.attempt,
    'dialhook.outcome': report.outcome,
    ...(report.status !== null && { 'http.response.status_code': report.status }),
    ...(report.error !== null && { 'error.type': report.error }),
  });
  if (report.error !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: report.error });
  span.end(report.startedAt + report.durationMs);
}
