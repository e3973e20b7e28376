import Type from 'typebox';
import { thorough, describeError } from '../schema.ts';
import { CALL_LIMITS } from './limits.ts';
import type { NodeType, WorkflowEdge, WorkflowLead, WorkflowNode } from './model.ts';

/** A workflow as leads walk it. */
export interface Graph {
  readonly nodes: ReadonlyMap<string, WorkflowNode>;
  /** In the order in which they are tried. */
  readonly edges: readonly WorkflowEdge[];
}

const closed = { additionalProperties: false } as const;
const Name = Type.String({ minLength: 1, maxLength: CALL_LIMITS.nameLength });
const Value = Type.Union([Type.String({ maxLength: CALL_LIMITS.valueLength }), Type.Number(), Type.Boolean()]);

export const OPERATORS = ['equals', 'not_equals', 'exists', 'contains', 'greater_than', 'less_than'] as const;
type Operator = (typeof OPERATORS)[number];

const HOURS = { minutes: 1 / 60, hours: 1, days: 24 } as const;

const Branch = Type.Union([
  Name,
  Type.Object({ label: Name, operator: Type.Optional(Type.Enum([...OPERATORS])), value: Type.Optional(Value) }, closed),
]);
const Condition = Type.Object({ field: Name, operator: Type.Enum([...OPERATORS]), value: Type.Optional(Value) }, closed);

/** What a node's config may hold; whether it is complete is asked when the workflow is activated. */
const Empty = Type.Object({}, closed);
export const NODE_CONFIGS = {
  VOICE_CALL: Type.Object(
    { agent_id: Type.Optional(Name), from_phone_number: Type.Optional(Type.String({ pattern: '^\\+[1-9]\\d{6,14}$' })) },
    closed,
  ),
  TIME: Type.Object(
    {
      delay_hours: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: CALL_LIMITS.delayHours })),
      duration_value: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: CALL_LIMITS.delayHours * 60 })),
      unit: Type.Optional(Type.Enum(Object.keys(HOURS) as (keyof typeof HOURS)[])),
    },
    closed,
  ),
  CONDITIONAL: Type.Object(
    {
      condition_field: Type.Optional(Name),
      branches: Type.Optional(Type.Array(Branch, { minItems: 1, maxItems: CALL_LIMITS.conditions })),
      match: Type.Optional(Type.Enum(['all', 'any'])),
      conditions: Type.Optional(Type.Array(Condition, { minItems: 1, maxItems: CALL_LIMITS.conditions })),
    },
    closed,
  ),
  APPLICATION: Type.Object({ action: Type.Optional(Name), parameters: Type.Optional(Type.Record(Type.String(), Value)) }, closed),
  CONVERTED: Empty,
  DROPPED: Empty,
} as const satisfies Record<NodeType, object>;

type ConfigOf<T extends NodeType> = Type.Static<(typeof NODE_CONFIGS)[T]>;
export function configOf<T extends NodeType>(node: WorkflowNode, _type: T): ConfigOf<T> {
  return node.config as ConfigOf<T>; // checked when it was stored
}

const validators = Object.fromEntries(Object.entries(NODE_CONFIGS).map(([type, schema]) => [type, thorough.compile(schema)]));

/** What is wrong with a config; nothing when it is as it should be. */
export function checkConfig(type: NodeType, config: unknown): string[] {
  const validate = validators[type]!;
  return validate(config) ? [] : [...new Set((validate.errors ?? []).map((error) => `config.${describeError(error).message}`))];
}

/** What keeps a workflow from being activated (contracts/dialnexa.md 5). */
export function checkGraph(graph: Graph, canAsk: boolean): string[] {
  const problems: string[] = [];
  const entries = entriesOf(graph);
  if (graph.nodes.size === 0) problems.push('the workflow has no nodes');
  else if (entries.length !== 1) problems.push(`exactly one node may be without incoming edges, as the entry; there are ${entries.length}`);
  for (const node of graph.nodes.values()) {
    const isEnd = node.type === 'CONVERTED' || node.type === 'DROPPED';
    if (!isEnd && !graph.edges.some(({ from }) => from === node.id)) problems.push(`node "${node.label}" needs an outgoing edge`);
    problems.push(...missing(node).map((field) => `node "${node.label}" needs ${field}`));
    if (node.type === 'APPLICATION' && !canAsk) problems.push(`node "${node.label}": this installation has no application configured`);
  }
  return problems;
}

function missing(node: WorkflowNode): string[] {
  if (node.type === 'VOICE_CALL') {
    const config = configOf(node, 'VOICE_CALL');
    return (['agent_id', 'from_phone_number'] as const).filter((field) => config[field] === undefined).map((field) => `config.${field}`);
  }
  if (node.type === 'TIME') return delayMs(node) === null ? ['config.delay_hours, or config.duration_value and config.unit'] : [];
  if (node.type === 'CONDITIONAL') {
    const { branches, condition_field: field, conditions } = configOf(node, 'CONDITIONAL');
    return (field !== undefined && branches !== undefined) || conditions !== undefined
      ? []
      : ['config.condition_field and config.branches, or config.conditions'];
  }
  return [];
}

/** How long a time node holds its leads; null while that is not set. */
export function delayMs(node: WorkflowNode): number | null {
  const { delay_hours: hours, duration_value: value, unit } = configOf(node, 'TIME');
  if (hours !== undefined) return hours * 3_600_000;
  return value !== undefined && unit !== undefined ? value * HOURS[unit] * 3_600_000 : null;
}

function entriesOf({ edges, nodes }: Graph): WorkflowNode[] {
  const entered = new Set(edges.map(({ to }) => to));
  return [...nodes.values()].filter(({ id }) => !entered.has(id));
}

/** Where leads begin: the only node that nothing leads to. */
export function entryOf(graph: Graph): WorkflowNode | null {
  const entries = entriesOf(graph);
  return entries.length === 1 ? entries[0]! : null;
}

/** Where a lead goes next, or that the walk ends here, or that no edge fits. A null outcome takes the first edge. */
export function nextOf(graph: Graph, nodeId: string, outcomes: readonly string[] | null): WorkflowNode | 'end' | 'stuck' {
  if (!graph.nodes.has(nodeId)) return 'stuck';
  const outgoing = graph.edges.filter(({ from }) => from === nodeId);
  if (outgoing.length === 0) return 'end';
  const fits = (wanted: string | null) =>
    outgoing.find(({ label }) => wanted === null || label === null || sameOutcome(label, wanted)) ?? null;
  // Outcomes from the most special to the most general: an edge that names the special one is preferred to one for all.
  const special = (outcomes ?? [])
    .slice(0, -1)
    .map((outcome) => outgoing.find(({ label }) => label !== null && sameOutcome(label, outcome)));
  const edge = special.find((found) => found !== undefined) ?? fits(outcomes?.at(-1) ?? null);
  return edge === null ? 'stuck' : (graph.nodes.get(edge.to) ?? 'stuck');
}

/** The builder calls an unanswered call DNP, the API NO_ANSWER. */
function sameOutcome(label: string, outcome: string): boolean {
  const canonical = (text: string) => (text.trim().toUpperCase() === 'DNP' ? 'NO_ANSWER' : text.trim().toUpperCase());
  return canonical(label) === canonical(outcome);
}

/** The branch that a lead takes at a conditional node; an empty one fits unlabelled edges alone. */
export function branchOf(node: WorkflowNode, lead: Pick<WorkflowLead, 'metadata' | 'phoneNumber' | 'lastCall'>): string {
  const { branches = [], condition_field: field = '', conditions, match = 'all' } = configOf(node, 'CONDITIONAL');
  const fields = fieldsOf(lead);
  if (conditions !== undefined) {
    const holds = (one: (typeof conditions)[number]) => compare(fields.get(one.field), one.operator, one.value);
    return String(match === 'all' ? conditions.every(holds) : conditions.some(holds));
  }
  const value = fields.get(field);
  for (const branch of branches) {
    const { label, operator = 'equals', value: wanted = label } = typeof branch === 'string' ? { label: branch } : branch;
    if (compare(value, operator, wanted)) return label;
  }
  return '';
}

function fieldsOf({ lastCall, metadata, phoneNumber }: Pick<WorkflowLead, 'metadata' | 'phoneNumber' | 'lastCall'>): Map<string, unknown> {
  const fields = new Map<string, unknown>(Object.entries(JSON.parse(metadata) as Record<string, unknown>));
  fields.set('phone_number', phoneNumber);
  for (const [name, value] of Object.entries(lastCall ?? {})) fields.set(`call.${name}`, value);
  return fields;
}

/** Numbers compare as numbers, everything else as text without regard to case. */
function compare(actual: unknown, operator: Operator, wanted: string | number | boolean | undefined): boolean {
  const given = String((actual ?? '') as string | number | boolean).trim();
  const text = given.toLowerCase();
  const other = String(wanted ?? '')
    .trim()
    .toLowerCase();
  switch (operator) {
    case 'exists':
      return text !== '';
    case 'equals':
      return text !== '' && (text === other || Number(given) === Number(wanted));
    case 'not_equals':
      return !compare(actual, 'equals', wanted);
    case 'contains':
      return other !== '' && text.includes(other);
    case 'greater_than':
      return text !== '' && Number(given) > Number(wanted);
    case 'less_than':
      return text !== '' && Number(given) < Number(wanted);
    default:
      return operator satisfies never;
  }
}
