import { uuidv7, type Clock, type Database, type Engine, type Queryable, type Transaction } from '@dialhook/engine';
import { isFinal } from '../states.ts';
import { callEvent } from './events.ts';
import { CALL_LIMITS } from './limits.ts';
import type { Call, CallReport, NewCall, Page, Paged, ReportResult } from './model.ts';
import { applyReports } from './progress.ts';
import { CALL_TRANSITIONS } from './states.ts';
import { changeCalls, findCall, insertCalls, listCalls, loadCalls, type CallFilter } from './store/calls.ts';
import { findLive, lockLive, removeLive, startLive, type LiveCall } from './store/live-calls.ts';

/** What an owner learns of a call's end. */
export type EndedCall = Pick<Call, 'id' | 'leadId' | 'status' | 'endReason' | 'durationSeconds' | 'sentiment'>;

/** What a call may belong to: it is told when its calls have ended, in the transaction that ends them. */
export interface CallOwner {
  /** Holds the owner, before any of its calls is held: that order keeps transactions from waiting for each other. */
  lock(tx: Transaction, id: string): Promise<void>;
  ended(tx: Transaction, id: string, calls: readonly EndedCall[]): Promise<void>;
}

export interface CallsOptions {
  readonly database: Database;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly owners: () => { readonly campaign: CallOwner; readonly workflow: CallOwner };
  /** Calls were committed that wait to be dialled. */
  readonly onPlaced: () => void;
}

/** An engine's report; `dueAt`, in Unix milliseconds, is when it wants to look at a call again that goes on. */
export interface EngineReport extends CallReport {
  readonly dueAt?: number | undefined;
}

type SingleCall = Pick<NewCall, 'organizationId' | 'agentId' | 'agentVersionNumber' | 'toPhoneNumber' | 'fromPhoneNumber' | 'metadata'>;

/** Every call: placed, followed, ended once with its event, and read back. */
export class Calls {
  readonly #options: CallsOptions;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** Places a call that belongs to no campaign or workflow. */
  async create(call: SingleCall): Promise<Call> {
    const { clock, database } = this.#options;
    const id = uuidv7(clock.now());
    await database.transaction((tx) => this.place(tx, [{ ...call, id, campaignId: null, workflowId: null, leadId: null, attempt: 1 }]));
    return (await this.find(call.organizationId, id))!;
  }

  /** Places calls inside the caller's transaction. */
  async place(tx: Transaction, calls: readonly NewCall[]): Promise<void> {
    if (calls.length === 0) return;
    const now = this.#options.clock.now();
    await insertCalls(tx, calls, new Date(now), new Date(now + CALL_LIMITS.waitingMs));
    tx.afterCommit(this.#options.onPlaced);
  }

  find(organizationId: string, id: string): Promise<Call | null> {
    return findCall(this.#options.database, organizationId, id);
  }

  /** Newest first. */
  list(organizationId: string, filter: CallFilter, page: Page): Promise<Paged<Call>> {
    return listCalls(this.#options.database.reads, organizationId, filter, page);
  }

  /**
   * Takes reports, in any order and as often as they come. A call's end, what it means for its campaign or workflow,
   * and the event are one transaction. Gives a result for each report.
   */
  async report(reports: readonly EngineReport[]): Promise<ReportResult[]> {
    const { database } = this.#options;
    const results = new Map<EngineReport, ReportResult>();
    const live = new Map((await findLive(database, [...new Set(reports.map(({ callId }) => callId))])).map((call) => [call.call, call]));
    const byOwner = Map.groupBy(
      reports.filter(({ callId }) => live.has(callId)),
      ({ callId }) => {
        const { campaignId, workflowId } = live.get(callId)!;
        return campaignId !== null ? `campaign ${campaignId}` : workflowId !== null ? `workflow ${workflowId}` : '';
      },
    );
    for (const [owner, group] of byOwner) await database.transaction((tx) => this.#settle(tx, owner, group, results));
    const rest = reports.filter((report) => !results.has(report));
    if (rest.length > 0) await this.#settleLate(rest, results);
    return reports.map((report) => results.get(report)!);
  }

  /** Reports of calls of one owner. Those that ended in the meantime get no result here. */
  async #settle(
    tx: Transaction,
    ownerKey: string,
    reports: readonly EngineReport[],
    results: Map<EngineReport, ReportResult>,
  ): Promise<void> {
    const { clock, engine, owners } = this.#options;
    const [kind, ownerId] = ownerKey.split(' ') as ['campaign' | 'workflow' | '', string];
    const owner = kind === '' ? null : owners()[kind];
    await owner?.lock(tx, ownerId);
    const live = await lockLive(tx, [...new Set(reports.map(({ callId }) => callId))]);
    const ids = live.map(({ call }) => call);
    const now = clock.now();
    const current = reports.filter(({ callId }) => ids.includes(callId));
    const known = await loadCalls(tx, ids);
    const { changes, due } = applyReports(known, current, now, results);
    const changed = await changeCalls(tx, changes);
    const ended = changed.filter(({ status }) => isFinal(CALL_TRANSITIONS, status));
    const goingOn = changed.filter(({ status }) => !isFinal(CALL_TRANSITIONS, status));
    await startLive(
      tx,
      goingOn.map(({ id }) => ({ id, dueAt: due.get(id) ?? null })),
      new Date(now + CALL_LIMITS.silentMs),
    );
    const found = new Set(known.map(({ id }) => id));
    const gone = live.filter(({ call }) => !found.has(call)).map(goneCall);
    const over = [...ended, ...gone];
    if (over.length === 0) return;
    await removeLive(
      tx,
      over.map(({ id }) => id),
    );
    const events = ended.map(callEvent).filter((event) => event !== null);
    if (events.length > 0) await engine.publish(tx, events);
    await owner?.ended(tx, ownerId, over);
  }

  /** Reports of calls that have ended: details that were missing are filled in, and nothing else changes. */
  async #settleLate(reports: readonly EngineReport[], results: Map<EngineReport, ReportResult>): Promise<void> {
    const { clock, database } = this.#options;
    const known = await loadCalls(database, [...new Set(reports.map(({ callId }) => callId))]);
    const { changes } = applyReports(known, reports, clock.now(), results);
    await changeCalls(database, changes);
  }

  /** Calls by id, for engines. */
  load(db: Queryable, ids: readonly string[]): Promise<Call[]> {
    return loadCalls(db, ids);
  }
}

/** A call that lives although its history is gone, such as dropped by retention while a clock was ahead: it has failed, and frees its line. */
function goneCall({ call: id, leadId }: LiveCall): EndedCall {
  return { id, leadId, status: 'failed', endReason: 'unknown', durationSeconds: null, sentiment: null };
}
