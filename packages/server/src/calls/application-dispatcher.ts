import type { Agenda, Alarm, Clock, Database, Log } from '@dialhook/engine';
import type { ApplicationRequest, Applications } from './applications.ts';
import { CALL_LIMITS } from './limits.ts';
import { REQUESTS_DUE, waitingWorkflows, type WaitingWorkflow } from './store/workflow-leads.ts';

export interface ApplicationDispatcherOptions {
  readonly agenda: Agenda;
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly applications: Applications;
  /** Counts a try for so many leads of a workflow that wait, and gives their requests. */
  readonly claim: (workflowId: string, limit: number) => Promise<readonly ApplicationRequest[]>;
  /** Stores an answer. */
  readonly answered: (request: ApplicationRequest, isSuccess: boolean) => Promise<void>;
}

/**
 * Makes the requests that leads wait for, as many as fit: a try is counted just before it is made, and what does not fit waits in the
 * database. Room is shared by the organizations that wait, then by their workflows, in another order each time.
 */
export class ApplicationDispatcher {
  readonly #options: ApplicationDispatcherOptions;
  readonly #alarm: Alarm;

  constructor(options: ApplicationDispatcherOptions) {
    this.#options = options;
    const { agenda } = options;
    this.#alarm = agenda.alarm({ source: REQUESTS_DUE, everyMs: CALL_LIMITS.lookIntervalMs, work: () => this.#step() });
  }

  start(): void {
    this.#alarm.start();
  }

  /** Claims nothing more, and gives up what is under way: those requests count, and are made again. */
  async stop(): Promise<void> {
    await this.#alarm.stop();
    await this.#options.applications.stop();
  }

  /** A lead waits from this time on (Unix ms). */
  at(time: number): void {
    this.#alarm.at(time);
  }

  async #step(): Promise<boolean> {
    const { applications, clock, database, log } = this.#options;
    if (applications.room === 0) return false; // an answer wakes
    try {
      const waiting = await waitingWorkflows(database, new Date(clock.now()), CALL_LIMITS.waitingWorkflows);
      let made = 0;
      for (const { share, workflowId } of shareOut(waiting, applications.room)) made += await this.#ask(workflowId, share);
      return made > 0 && applications.room > 0;
    } catch (error) {
      log.warn({ err: error }, 'leads that wait for the application could not be claimed, will be tried again');
      return false;
    }
  }

  async #ask(workflowId: string, share: number): Promise<number> {
    const { answered, applications, claim } = this.#options;
    const requests = await claim(workflowId, Math.min(share, applications.room));
    for (const request of requests) {
      applications.ask(request, async (isSuccess) => {
        await answered(request, isSuccess);
        this.#alarm.at(this.#options.clock.now());
      });
    }
    return requests.length;
  }
}

/** Divides room among organizations, and the room of each among its workflows; what cannot be divided goes to whoever stands first. */
export function shareOut(
  waiting: readonly WaitingWorkflow[],
  room: number,
  order: <Item>(items: Item[]) => Item[] = shuffled,
): { workflowId: string; share: number }[] {
  const organizations = order(
    [...Map.groupBy(waiting, ({ organizationId }) => organizationId).values()].map((workflows) => order(workflows)),
  );
  const shares = new Map<string, number>();
  let left = waiting.length === 0 ? 0 : room;
  for (let round = 0; left > 0; round++) {
    for (const workflows of organizations) {
      if (left === 0) break;
      const { workflowId } = workflows[round % workflows.length]!;
      shares.set(workflowId, (shares.get(workflowId) ?? 0) + 1);
      left -= 1;
    }
  }
  return [...shares].map(([workflowId, share]) => ({ workflowId, share }));
}

function shuffled<Item>(items: Item[]): Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
