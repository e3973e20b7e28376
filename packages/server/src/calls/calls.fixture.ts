import { randomUUID } from 'node:crypto';
import { Engine, Sealer, uuidv7 } from '@dialhook/engine';
import { FakeClock, freshDatabase, type DatabaseKind, type TestDatabase } from '@dialhook/testing';
import { dialects } from '../dialects/index.ts';
import { Calls, type EngineReport } from './calls.ts';
import { Campaigns, type NewCampaign } from './campaigns.ts';
import { ExternalEngine } from './engines/external.ts';
import type { Call, Campaign, NewLead, NodeType } from './model.ts';
import { WorkflowRuns } from './workflow-runs.ts';
import { Workflows } from './workflows.ts';

export const MINUTE = 60_000;
export const number = (n: number) => `+447700900${String(n).padStart(3, '0')}`;
export const leads = (...numbers: number[]): NewLead[] =>
  numbers.map((n) => ({ name: `Lead ${n}`, phoneNumber: number(n), fields: JSON.stringify({ n }) }));

/**
 * Campaigns and workflows on a database and a clock of their own. Nothing runs by itself: `settle` does all that is due,
 * and the test is the dialler.
 */
export class CallWorld {
  readonly clock = new FakeClock();
  readonly place: TestDatabase;
  readonly calls: Calls;
  readonly campaigns: Campaigns;
  readonly runs: WorkflowRuns;
  readonly workflows: Workflows;
  readonly #engine: Engine;
  readonly #dialler: ExternalEngine;

  private constructor(place: TestDatabase, retryDelayScale: number) {
    this.place = place;
    const { clock } = this;
    const { database } = place;
    const owners = () => ({ campaign: this.campaigns, workflow: this.runs });
    const sealer = new Sealer(Buffer.alloc(32, 7));
    const engine = new Engine({ database, dialects, sealer, clock, deliver: false, partitionedTables: ['dials', 'calls'] });
    this.#engine = engine;
    this.calls = new Calls({ database, engine, clock, owners, onPlaced: () => {} });
    const { calls } = this;
    this.campaigns = new Campaigns({ database, engine, clock, calls, retryDelayScale, onDue: () => {} });
    this.runs = new WorkflowRuns({ database, engine, clock, calls, onDue: () => {}, onWaiting: () => {} });
    this.workflows = new Workflows({ database, clock, runs: this.runs, canAsk: true });
    this.#dialler = new ExternalEngine({ database, calls, clock });
  }

  static async open(kind: DatabaseKind, { retryDelayScale = 1 } = {}): Promise<CallWorld> {
    const world = new CallWorld(await freshDatabase(kind), retryDelayScale);
    await world.#engine.start();
    return world;
  }

  async close(): Promise<void> {
    await this.#engine.stop();
    await this.place.close();
  }

  /** Does everything that is due now. */
  async settle(): Promise<void> {
    while ((await this.campaigns.step()) || (await this.runs.step()));
  }

  /** Lets time pass, and does what is due then. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }

  /** Calls that can be dialled now, oldest first. Those not heard of in `forMs` are given out again. */
  take(limit = 100, forMs = 365 * 1_440 * MINUTE): Promise<Call[]> {
    return this.#dialler.take(limit, forMs);
  }

  /** The numbers that are called now. */
  async called(): Promise<string[]> {
    return (await this.take()).map(({ toPhoneNumber }) => toPhoneNumber).sort();
  }

  async report(status: EngineReport['status'], ...calls: readonly { readonly id: string }[]): Promise<void> {
    await this.calls.report(calls.map(({ id: callId }) => ({ callId, status })));
  }

  async organization(): Promise<string> {
    const id = uuidv7(this.clock.now());
    await this.place.database.query({
      text: 'insert into organizations (id, slug, name, created_at, updated_at) values ($1, $2, $2, now(), now())',
      values: [id, `org-${randomUUID()}`],
    });
    return id;
  }

  /** A campaign that runs, with these leads. */
  async campaign(organizationId: string, numbers: readonly number[], more: Partial<NewCampaign> = {}): Promise<Campaign> {
    const settings = { maxConcurrentCalls: 2, maxRetries: 1, retryIntervalMinutes: 30, scheduledAt: null, status: 'active' } as const;
    const names = { name: 'May', agentId: 'agt_1', fromPhoneNumber: '+442079460001' };
    const campaign = await this.campaigns.create({ organizationId, ...names, ...settings, ...more });
    if (numbers.length > 0) await this.campaigns.addLeads(organizationId, campaign.id, leads(...numbers));
    return campaign;
  }

  /** An active workflow of nodes by label and edges `from > to` or `from LABEL > to`. */
  async workflow(
    organizationId: string,
    nodes: Readonly<Record<string, readonly [NodeType, Record<string, unknown>?]>>,
    edges: readonly string[],
  ): Promise<{ readonly id: string; readonly nodes: Readonly<Record<string, string>> }> {
    const { id } = await this.workflows.create({ organizationId, title: 'Trial follow-up', description: '' });
    const ids: Record<string, string> = {};
    for (const [label, [type, config = {}]] of Object.entries(nodes))
      ids[label] = (await this.workflows.addNode(organizationId, id, { type, label, positionX: 0, positionY: 0, config })).id;
    for (const edge of edges) {
      const [, from, label, to] = /^(\w+) ?(\w*) > (\w+)$/.exec(edge)!;
      await this.workflows.addEdge(organizationId, id, { from: ids[from!]!, to: ids[to!]!, label: label === '' ? null : label! });
    }
    await this.workflows.act(organizationId, id, 'activate');
    return { id, nodes: ids };
  }

  /** The types of the events that were published, in the order of the alphabet. */
  async events(organizationId: string): Promise<string[]> {
    const rows = await this.place.database.query<{ type: string }>({
      text: 'select type from events where organization_id = $1 order by type',
      values: [organizationId],
    });
    return rows.map(({ type }) => type);
  }
}
