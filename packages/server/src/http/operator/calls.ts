import type { Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { organizationSlugs } from '../../accounts/store/organizations.ts';
import { internalId, publicId } from '../../calls/ids.ts';
import { CALL_LIMITS } from '../../calls/limits.ts';
import type { CallReport, ReportResult } from '../../calls/model.ts';
import type { Context } from '../context.ts';
import { CallReports, ReportsTaken, TakeCalls, TakenCalls } from './call-schemas.ts';
import { Problem } from './problems.ts';
import { problems } from './shared.ts';

/** For the operator's dialler: it takes calls and reports how they go, as often and in whatever order it likes. */
export function callRoutes(app: FastifyInstance, { database, telephony: { callEngine, calls } }: Context): void {
  app.post<{ Body: Static<typeof TakeCalls> }>(
    '/calls/take',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        summary: 'Take calls to dial, oldest first',
        description:
          'A call that is taken and of which nothing is reported within a minute is handed out again (`lease_seconds`): its id tells.',
        body: TakeCalls,
        response: { 200: TakenCalls, ...problems(400, 401, 409) },
      },
    },
    async (request) => {
      const { lease_seconds: forSeconds = CALL_LIMITS.takenSeconds, limit = DEFAULT_TAKEN } = request.body;
      const taken = await callEngine.take(limit, forSeconds * 1_000);
      if (taken === null) throw new Problem('calls_simulated');
      const slugs = await organizationSlugs(database, [...new Set(taken.map(({ organizationId }) => organizationId))]);
      const data = taken.map((call) => ({
        id: publicId('call', call.id),
        organization: slugs.get(call.organizationId) ?? '',
        attempt: call.attempt,
        agent_id: call.agentId,
        agent_version_number: call.agentVersionNumber,
        to_phone_number: call.toPhoneNumber,
        from_phone_number: call.fromPhoneNumber,
        metadata: JSON.parse(call.metadata) as object,
        campaign_id: call.campaignId === null ? null : publicId('cmp', call.campaignId),
        created_at: call.createdAt,
      }));
      return { data };
    },
  );

  app.post<{ Body: Static<typeof CallReports> }>(
    '/calls/reports',
    {
      bodyLimit: REPORTS_LIMIT,
      schema: {
        summary: 'Report how calls go',
        description:
          'Idempotent, in any order. `late`: nothing new, but details that were missing are filled in; `conflict`: the call ended in another way before.',
        body: CallReports,
        response: { 200: ReportsTaken, ...problems(400, 401) },
      },
    },
    async (request) => {
      const { reports } = request.body;
      const known = reports.map((report) => toReport(report));
      const results = new Map<CallReport, ReportResult>();
      const sent = known.filter((report) => report !== null);
      for (const [index, result] of (await calls.report(sent)).entries()) results.set(sent[index]!, result);
      const data = reports.map(({ call_id }, index) => {
        const report = known[index] ?? null;
        return { call_id, result: report === null ? 'unknown_call' : results.get(report)! };
      });
      return { data };
    },
  );
}

const DEFAULT_TAKEN = 50;
const BODY_LIMIT = 64 * 1024;
/** A full batch with ordinary transcripts; longer ones fit in smaller batches. */
const REPORTS_LIMIT = 16 * 1024 * 1024;

/** Null when the id is not a call's. */
function toReport(report: Static<typeof CallReports>['reports'][number]): CallReport | null {
  const callId = internalId('call', report.call_id);
  if (callId === null) return null;
  const analysis = report.analysis === undefined ? undefined : JSON.stringify(report.analysis);
  if (analysis !== undefined && analysis.length > CALL_LIMITS.transcriptLength)
    throw new Problem('invalid_request', `analysis may have at most ${CALL_LIMITS.transcriptLength} characters as JSON`, 'analysis');
  return {
    callId,
    status: report.status,
    endReason: report.end_reason,
    durationSeconds: report.duration_seconds,
    recordingUrl: report.recording_url,
    sentiment: report.sentiment,
    transcript: report.transcript,
    analysis,
    occurredAt: report.occurred_at === undefined ? undefined : Date.parse(report.occurred_at),
  };
}
