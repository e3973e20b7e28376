import type { Alarm, Clock, Database, DueSource, Engine, Log } from '@dialhook/engine';
import { ApplicationDispatcher } from './application-dispatcher.ts';
import { Applications } from './applications.ts';
import { Calls } from './calls.ts';
import { Campaigns } from './campaigns.ts';
import type { CallEngine } from './engines/engine.ts';
import { ExternalEngine } from './engines/external.ts';
import { SimulatorEngine } from './engines/simulator.ts';
import { CALL_LIMITS } from './limits.ts';
import { CAMPAIGNS_DUE } from './store/campaigns.ts';
import { LOST_CALLS_DUE, lostCalls } from './store/live-calls.ts';
import { WORKFLOWS_DUE } from './store/workflows.ts';
import { WorkflowRuns } from './workflow-runs.ts';
import { Workflows } from './workflows.ts';

export interface TelephonyOptions {
  readonly database: Database;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  readonly retryDelayScale: number;
  /** Null: the operator's dialler takes the calls. */
  readonly simulator: { readonly seed: string; readonly speed: number } | null;
  readonly application: { readonly url: string; readonly token: string | undefined } | null;
}

/** Calls, and the campaigns and workflows that make them, put together and driven. */
export class Telephony {
  readonly calls: Calls;
  readonly campaigns: Campaigns;
  readonly workflows: Workflows;
  readonly callEngine: CallEngine;
  /** Without one, leads that have come to an application node wait until there is one. */
  readonly #applications: ApplicationDispatcher | null;
  readonly #alarms: readonly Alarm[];

  constructor(options: TelephonyOptions) {
    const { application, clock, database, engine, log, retryDelayScale, simulator } = options;
    const { agenda } = engine;
    this.calls = new Calls({
      database,
      engine,
      clock,
      owners: () => ({ campaign: this.campaigns, workflow: runs }),
      onPlaced: () => this.callEngine.wake(),
    });
    this.callEngine = simulator
      ? new SimulatorEngine({ agenda, database, calls: this.calls, clock, log, ...simulator })
      : new ExternalEngine({ database, calls: this.calls, clock });
    const drive = (source: DueSource, everyMs: number, step: () => Promise<boolean>) => {
      const work = () =>
        step().catch((error: unknown) => {
          log.warn({ err: error }, `${source.name} could not be driven, will be tried again`);
          return false;
        });
      return agenda.alarm({ source, everyMs, work });
    };
    this.campaigns = new Campaigns({ database, engine, clock, calls: this.calls, retryDelayScale, onDue: (time) => campaigns.at(time) });
    const runs = new WorkflowRuns({
      database,
      engine,
      clock,
      calls: this.calls,
      onDue: (time) => workflows.at(time),
      onWaiting: (time) => this.#applications?.at(time),
    });
    this.#applications =
      application &&
      new ApplicationDispatcher({
        agenda,
        database,
        clock,
        log,
        applications: new Applications({ ...application, clock, log }),
        claim: (workflowId, limit) => runs.claimRequests(workflowId, limit),
        answered: (request, isSuccess) => runs.answered(request, isSuccess),
      });
    this.workflows = new Workflows({ database, clock, runs, canAsk: application !== null });
    const campaigns = drive(CAMPAIGNS_DUE, CALL_LIMITS.lookIntervalMs, () => this.campaigns.step());
    const workflows = drive(WORKFLOWS_DUE, CALL_LIMITS.lookIntervalMs, () => runs.step());
    const lost = drive(LOST_CALLS_DUE, CALL_LIMITS.sweepIntervalMs, () => this.#endLost(database, clock));
    this.#alarms = [campaigns, workflows, lost];
  }

  start(): void {
    this.callEngine.start();
    this.#applications?.start();
    for (const alarm of this.#alarms) alarm.start();
  }

  async stop(): Promise<void> {
    for (const alarm of this.#alarms) await alarm.stop();
    await this.callEngine.stop();
    await this.#applications?.stop();
  }

  /** Ends calls that nobody began to dial in time, and those that were begun and not heard of any more. */
  async #endLost(database: Database, clock: Clock): Promise<boolean> {
    const lost = await lostCalls(database, new Date(clock.now()), CALL_LIMITS.sweepBatch);
    const reports = lost.map(({ call: callId, stage }) =>
      stage !== 'started' ? ({ callId, status: 'retry_expired' } as const) : ({ callId, status: 'failed', endReason: 'unknown' } as const),
    );
    if (reports.length > 0) await this.calls.report(reports);
    return lost.length === CALL_LIMITS.sweepBatch;
  }
}
