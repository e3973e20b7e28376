import Type, { type TSchema } from 'typebox';
import { CALL_LIMITS } from '../../calls/limits.ts';
import { END_REASONS, SENTIMENTS } from '../../calls/model.ts';
import { CALL_STATUSES } from '../../calls/states.ts';
import { pageOf, pageQuery } from './paging.ts';

/** The shapes of calls and their log (contracts/dialnexa.md 3). */
const Time = Type.String({ format: 'date-time' });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const Name = Type.String({ minLength: 1, maxLength: CALL_LIMITS.nameLength });
export const PhoneNumber = Type.String({ minLength: 1, maxLength: 64, description: 'E.164, such as +447700900123' });
const Value = Type.Union([Type.String({ maxLength: CALL_LIMITS.valueLength }), Type.Number(), Type.Boolean(), Type.Null()]);
export const fields = (maxProperties: number) => Type.Record(Type.String({ maxLength: CALL_LIMITS.nameLength }), Value, { maxProperties });

const CALL = {
  id: 'call_0191f3a27c1e7d7ab0a45a2f1c3d4e61',
  agent_id: 'agt_31xa',
  agent_version_number: 1,
  to_phone_number: '+447700900123',
  from_phone_number: '+442079460001',
  status: 'completed',
  end_reason: 'user_disconnected',
  duration_seconds: 88,
  recording_url: 'https://rec.example.net/call.mp3',
  metadata: { order: 'A-17' },
  campaign_id: null,
  lead_id: null,
  created_at: '2026-05-02T10:01:00.000Z',
  ended_at: '2026-05-02T10:02:30.000Z',
};
export const CallBody = Type.Object(
  {
    id: Type.String(),
    agent_id: Type.String(),
    agent_version_number: Type.Integer(),
    to_phone_number: Type.String(),
    from_phone_number: nullable(Type.String()),
    status: Type.Enum([...CALL_STATUSES]),
    end_reason: nullable(Type.Enum([...END_REASONS])),
    duration_seconds: nullable(Type.Integer()),
    recording_url: nullable(Type.String()),
    metadata: Type.Object({}),
    campaign_id: nullable(Type.String()),
    lead_id: nullable(Type.String()),
    created_at: Time,
    ended_at: nullable(Time),
  },
  { examples: [CALL] },
);
export const CallPage = pageOf(CallBody);
export const CallCreated = Type.Object(
  {
    id: Type.String(),
    to_phone_number: Type.String(),
    agent_id: Type.String(),
    agent_version_number: Type.Integer(),
    status: Type.Enum([...CALL_STATUSES]),
    created_at: Time,
  },
  {
    examples: [
      {
        id: CALL.id,
        to_phone_number: CALL.to_phone_number,
        agent_id: CALL.agent_id,
        agent_version_number: 1,
        status: 'initiated',
        created_at: CALL.created_at,
      },
    ],
  },
);
export const CreateCall = Type.Object(
  {
    agent_id: Name,
    to_phone_number: PhoneNumber,
    from_phone_number: Type.Optional(PhoneNumber),
    agent_version_number: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    metadata: Type.Optional(fields(CALL_LIMITS.metadataKeys)),
  },
  {
    examples: [
      {
        agent_id: CALL.agent_id,
        to_phone_number: CALL.to_phone_number,
        from_phone_number: CALL.from_phone_number,
        metadata: CALL.metadata,
      },
    ],
  },
);
export const CallQuery = Type.Object({
  ...pageQuery,
  agent_id: Type.Optional(Type.String()),
  status: Type.Optional(Type.Enum([...CALL_STATUSES])),
  from: Type.Optional(Time),
  to: Type.Optional(Time),
});

const LOG = {
  id: 'log_0191f3a27c1e7d7ab0a45a2f1c3d4e61',
  call_id: CALL.id,
  agent_id: CALL.agent_id,
  status: CALL.status,
  sentiment: 'positive',
  duration_seconds: 88,
  recording_url: CALL.recording_url,
  analysis: null,
  end_reason: CALL.end_reason,
  fallback_stt_transcriber_id: null,
  created_at: CALL.created_at,
};
const log = {
  id: Type.String(),
  call_id: Type.String(),
  agent_id: Type.String(),
  status: Type.Enum([...CALL_STATUSES]),
  sentiment: Type.Enum([...SENTIMENTS]),
  duration_seconds: nullable(Type.Integer()),
  recording_url: nullable(Type.String()),
  analysis: Type.Unknown(),
  end_reason: nullable(Type.Enum([...END_REASONS])),
  fallback_stt_transcriber_id: Type.Null(),
  created_at: Time,
};
export const CallLogBody = Type.Object(log, { examples: [LOG] });
export const CallLogPage = pageOf(CallLogBody);
export const CallDetails = Type.Object(
  { ...log, transcript: nullable(Type.String()), timeline: Type.Array(Type.Object({ event: Type.String(), timestamp: Time })) },
  { examples: [{ ...LOG, transcript: 'Agent: Hello.\nUser: Hello.', timeline: [{ event: 'initiated', timestamp: CALL.created_at }] }] },
);
