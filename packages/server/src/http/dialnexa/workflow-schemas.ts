import Type, { type TSchema } from 'typebox';
import { CALL_LIMITS } from '../../calls/limits.ts';
import { NODE_TYPES } from '../../calls/model.ts';
import { WORKFLOW_LEAD_STATUSES, WORKFLOW_STATUSES } from '../../calls/states.ts';
import { Name } from './call-schemas.ts';
import { pageOf, pageQuery } from './paging.ts';

/** The shapes of workflows, their graphs and their leads (contracts/dialnexa.md 5). */
const Time = Type.String({ format: 'date-time' });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Description = Type.String({ maxLength: CALL_LIMITS.valueLength });

const WORKFLOW = {
  id: 'wf_0191f3a27c1e7d7ab0a45a2f1c3d4e61',
  organization_id: 'org_7c1e7d7ab0a45a2f1c3d4e5f',
  title: 'Trial follow-up',
  description: '',
  status: 'draft',
  created_at: '2026-05-02T09:00:00.000Z',
  updated_at: '2026-05-02T09:00:00.000Z',
};
export const WorkflowBody = Type.Object(
  {
    id: Type.String(),
    organization_id: Type.String(),
    title: Type.String(),
    description: Type.String(),
    status: Type.Enum([...WORKFLOW_STATUSES]),
    created_at: Time,
    updated_at: Time,
  },
  { examples: [WORKFLOW] },
);
export const WorkflowPage = pageOf(WorkflowBody);
export const WorkflowQuery = Type.Object({ ...pageQuery, status: Type.Optional(Type.Enum([...WORKFLOW_STATUSES])) });
export const WorkflowActed = Type.Object(
  { id: Type.String(), status: Type.Enum([...WORKFLOW_STATUSES]) },
  { examples: [{ id: WORKFLOW.id, status: 'active' }] },
);
export const CreateWorkflow = Type.Object(
  { title: Name, description: Type.Optional(Description), status: Type.Optional(Type.Enum(['draft'])) },
  { examples: [{ title: WORKFLOW.title }] },
);
export const UpdateWorkflow = Type.Object(
  { title: Type.Optional(Name), description: Type.Optional(Description), status: Type.Optional(Type.Unknown()) },
  { examples: [{ title: 'Trial follow-up, spring' }] },
);

const NODE = {
  id: 'node_0191f3a27c1e7d7ab0a45a2f1c3d4e62',
  workflow_id: WORKFLOW.id,
  node_type: 'VOICE_CALL',
  label: 'First call',
  position_x: 120,
  position_y: 80,
  config: { agent_id: 'agt_31xa', from_phone_number: '+442079460001' },
};
export const NodeBody = Type.Object(
  {
    id: Type.String(),
    workflow_id: Type.String(),
    node_type: Type.Enum([...NODE_TYPES]),
    label: Type.String(),
    position_x: Type.Number(),
    position_y: Type.Number(),
    config: Type.Object({}),
  },
  { examples: [NODE] },
);
export const NodeList = Type.Object({ data: Type.Array(NodeBody) }, { examples: [{ data: [NODE] }] });
const Config = Type.Record(Type.String(), Type.Unknown(), { description: 'what each node type takes is in docs/calls.md' });
const Position = Type.Number({ minimum: -1_000_000, maximum: 1_000_000 });
export const CreateNode = Type.Object(
  {
    node_type: Type.Enum([...NODE_TYPES]),
    label: Name,
    position_x: Type.Optional(Position),
    position_y: Type.Optional(Position),
    config: Type.Optional(Config),
  },
  { examples: [{ node_type: NODE.node_type, label: NODE.label, config: NODE.config }] },
);
export const UpdateNode = Type.Object(
  {
    label: Type.Optional(Name),
    position_x: Type.Optional(Position),
    position_y: Type.Optional(Position),
    config: Type.Optional(Config),
    node_type: Type.Optional(Type.Unknown()),
  },
  { examples: [{ label: 'Second call' }] },
);

const EDGE = {
  id: 'edge_0191f3a27c1e7d7ab0a45a2f1c3d4e63',
  workflow_id: WORKFLOW.id,
  from_node_id: NODE.id,
  to_node_id: 'node_0191f3a27c1e7d7ab0a45a2f1c3d4e64',
  label: 'COMPLETED',
};
export const EdgeBody = Type.Object(
  { id: Type.String(), workflow_id: Type.String(), from_node_id: Type.String(), to_node_id: Type.String(), label: nullable(Type.String()) },
  { examples: [EDGE] },
);
export const EdgeList = Type.Object({ data: Type.Array(EdgeBody) }, { examples: [{ data: [EDGE] }] });
export const CreateEdge = Type.Object(
  { from_node_id: Type.String(), to_node_id: Type.String(), label: Type.Optional(nullable(Name)) },
  { examples: [{ from_node_id: EDGE.from_node_id, to_node_id: EDGE.to_node_id, label: EDGE.label }] },
);

const LEAD = {
  id: 'wlead_0191f3a27c1e7d7ab0a45a2f1c3d4e65',
  workflow_id: WORKFLOW.id,
  phone_number: '+447700900123',
  metadata: { plan: 'pro' },
  status: 'in_progress',
  outcome: null,
  current_node_id: NODE.id,
  enrolled_at: '2026-05-02T09:00:00.000Z',
  completed_at: null,
};
export const WorkflowLeadBody = Type.Object(
  {
    id: Type.String(),
    workflow_id: Type.String(),
    phone_number: Type.String(),
    metadata: Type.Object({}),
    status: Type.Enum([...WORKFLOW_LEAD_STATUSES]),
    outcome: nullable(Type.String()),
    current_node_id: nullable(Type.String()),
    enrolled_at: Time,
    completed_at: nullable(Time),
  },
  { examples: [LEAD] },
);
export const WorkflowLeadPage = pageOf(WorkflowLeadBody);
export const WorkflowLeadQuery = Type.Object({ ...pageQuery, status: Type.Optional(Type.Enum([...WORKFLOW_LEAD_STATUSES])) });
export const LeadsEnrolled = Type.Object(
  { workflow_id: Type.String(), leads_enrolled: Type.Integer(), message: Type.String() },
  { examples: [{ workflow_id: WORKFLOW.id, leads_enrolled: 120, message: '120 leads enrolled, 2 rows skipped.' }] },
);
const STEP = {
  node_id: NODE.id,
  node_label: NODE.label,
  node_type: NODE.node_type,
  status: 'completed',
  call_id: 'call_0191f3a27c1e7d7ab0a45a2f1c3d4e61',
  entered_at: '2026-05-02T09:00:00.000Z',
  exited_at: '2026-05-02T09:02:00.000Z',
};
export const HistoryBody = Type.Object(
  {
    id: Type.String(),
    workflow_id: Type.String(),
    history: Type.Array(
      Type.Object({
        node_id: Type.String(),
        node_label: Type.String(),
        node_type: Type.Enum([...NODE_TYPES]),
        status: Type.String(),
        call_id: nullable(Type.String()),
        entered_at: Time,
        exited_at: nullable(Time),
      }),
    ),
  },
  { examples: [{ id: LEAD.id, workflow_id: WORKFLOW.id, history: [STEP] }] },
);
