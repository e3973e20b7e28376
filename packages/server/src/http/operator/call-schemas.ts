import Type, { type TSchema } from 'typebox';
import { CALL_LIMITS } from '../../calls/limits.ts';
import { END_REASONS, SENTIMENTS } from '../../calls/model.ts';
import { CALL_STATUSES } from '../../calls/states.ts';

/** The shapes of the operator's dialler: taking calls and reporting how they go. */
const closed = { additionalProperties: false } as const;
const Time = Type.String({ format: 'date-time' });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const CALL = {
  id: 'call_0191f3a27c1e7d7ab0a45a2f1c3d4e61',
  organization: 'north-star',
  attempt: 1,
  agent_id: 'agt_31xa',
  agent_version_number: 1,
  to_phone_number: '+447700900123',
  from_phone_number: '+442079460001',
  metadata: { order: 'A-17' },
  campaign_id: null,
  created_at: '2026-05-02T10:01:00.000Z',
};
export const TakeCalls = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: CALL_LIMITS.takenAtOnce, default: 50 })),
    lease_seconds: Type.Optional(
      Type.Integer({ minimum: CALL_LIMITS.minTakenSeconds, maximum: CALL_LIMITS.maxTakenSeconds, default: CALL_LIMITS.takenSeconds }),
    ),
  },
  { ...closed, examples: [{ limit: 50 }] },
);
export const TakenCalls = Type.Object(
  {
    data: Type.Array(
      Type.Object({
        id: Type.String(),
        organization: Type.String(),
        attempt: Type.Integer(),
        agent_id: Type.String(),
        agent_version_number: Type.Integer(),
        to_phone_number: Type.String(),
        from_phone_number: nullable(Type.String()),
        metadata: Type.Object({}),
        campaign_id: nullable(Type.String()),
        created_at: Time,
      }),
    ),
  },
  { examples: [{ data: [CALL] }] },
);

/** Longest duration that is believed: a day. */
const MAX_DURATION_SECONDS = 86_400;

const Report = Type.Object(
  {
    call_id: Type.String(),
    status: Type.Enum(CALL_STATUSES.filter((status) => status !== 'created' && status !== 'initiated')),
    end_reason: Type.Optional(Type.Enum([...END_REASONS])),
    duration_seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_DURATION_SECONDS })),
    recording_url: Type.Optional(Type.String({ format: 'uri', maxLength: CALL_LIMITS.valueLength })),
    sentiment: Type.Optional(Type.Enum([...SENTIMENTS])),
    transcript: Type.Optional(Type.String({ maxLength: CALL_LIMITS.transcriptLength })),
    analysis: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    occurred_at: Type.Optional(Time),
  },
  closed,
);
export const CallReports = Type.Object(
  { reports: Type.Array(Report, { minItems: 1, maxItems: CALL_LIMITS.reportsAtOnce }) },
  {
    ...closed,
    examples: [{ reports: [{ call_id: CALL.id, status: 'completed', end_reason: 'user_disconnected', duration_seconds: 88 }] }],
  },
);
export const REPORT_RESULTS = ['applied', 'late', 'conflict', 'unknown_call'] as const;
export const ReportsTaken = Type.Object(
  { data: Type.Array(Type.Object({ call_id: Type.String(), result: Type.Enum([...REPORT_RESULTS]) })) },
  { examples: [{ data: [{ call_id: CALL.id, result: 'applied' }] }] },
);
