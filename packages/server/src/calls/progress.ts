import { isFinal } from '../states.ts';
import type { Call, CallReport, EndReason, ReportResult } from './model.ts';
import { CALL_TRANSITIONS, type CallStatus } from './states.ts';
import type { CallChange } from './store/calls.ts';

/** Why a call ended, where the report does not say. */
const USUAL_END: Partial<Record<CallStatus, EndReason>> = {
  completed: 'user_disconnected',
  did_not_pick: 'user_did_not_pick_up',
  no_answer: 'user_did_not_pick_up',
  busy: 'user_busy',
  failed: 'unknown',
};

type Draft = { -readonly [Key in keyof CallChange]: CallChange[Key] };

/**
 * What a batch of reports makes of calls, in whatever order they come: progress goes forward, the first end wins, and
 * details that nobody has told yet are taken from every report that does not contradict. Fills in a result for each report.
 */
export function applyReports<Report extends CallReport & { readonly dueAt?: number | undefined }>(
  calls: readonly Call[],
  reports: readonly Report[],
  now: number,
  results: Map<Report, ReportResult>,
): { changes: CallChange[]; due: Map<string, number> } {
  const known = new Map(calls.map((call) => [call.id, call]));
  const drafts = new Map<string, Draft>();
  const due = new Map<string, number>();
  for (const report of reports) {
    const call = known.get(report.callId);
    if (call === undefined) {
      results.set(report, 'unknown_call');
      continue;
    }
    const draft = drafts.get(call.id) ?? draftOf(call);
    const result = apply(draft, report, now);
    results.set(report, result);
    if (result === 'conflict') continue;
    drafts.set(call.id, draft);
    if (report.dueAt !== undefined) due.set(call.id, report.dueAt);
  }
  return { changes: [...drafts.values()], due };
}

function draftOf(call: Call): Draft {
  const { endedAt, endReason, id, status, timeline } = call;
  const { analysis, durationSeconds, recordingUrl, sentiment, transcript } = call;
  return { id, status, endReason, durationSeconds, recordingUrl, sentiment, transcript, analysis, timeline, endedAt };
}

function apply(draft: Draft, report: CallReport, now: number): ReportResult {
  const isProgress = CALL_TRANSITIONS[draft.status].includes(report.status);
  // A different end than the one that is known; progress that comes after an end is only late.
  if (!isProgress && report.status !== draft.status && isFinal(CALL_TRANSITIONS, report.status)) return 'conflict';
  const occurredAt = Math.min(report.occurredAt ?? now, now);
  if (!draft.timeline.some(({ event }) => event === report.status)) {
    const entry = { event: report.status, timestamp: new Date(occurredAt).toISOString() };
    draft.timeline = [...draft.timeline, entry].sort((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0));
  }
  draft.durationSeconds ??= report.durationSeconds ?? null;
  draft.recordingUrl ??= report.recordingUrl ?? null;
  draft.sentiment ??= report.sentiment ?? null;
  draft.transcript ??= report.transcript ?? null;
  draft.analysis ??= report.analysis ?? null;
  if (!isProgress) return 'late';
  draft.status = report.status;
  if (isFinal(CALL_TRANSITIONS, report.status)) {
    draft.endReason ??= report.endReason ?? USUAL_END[report.status] ?? null;
    draft.durationSeconds ??= 0;
    draft.endedAt = new Date(occurredAt);
  }
  return 'applied';
}
