import type { Clock, Log } from '@dialhook/engine';
import { publicId, organizationPublicId } from './ids.ts';
import { CALL_LIMITS } from './limits.ts';
import type { LastCall } from './model.ts';

/** One application node reached by one lead. */
export interface ApplicationRequest {
  readonly organizationId: string;
  readonly workflowId: string;
  readonly leadId: string;
  readonly step: number;
  readonly phoneNumber: string;
  /** JSON text of an object. */
  readonly metadata: string;
  readonly lastCall: LastCall | null;
  readonly node: {
    readonly id: string;
    readonly label: string;
    readonly action: string | null;
    readonly parameters: Readonly<Record<string, unknown>>;
  };
}

export interface ApplicationsOptions {
  /** Where requests are posted; set by the operator, who is trusted with internal addresses. */
  readonly url: string;
  /** Sent as a bearer token. */
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The operator's application, which application nodes call: a POST, answered by any 2xx for success. It may come more
 * than once for one step; `Idempotency-Key` is then the same. Nothing waits here: callers ask as much as there is room for.
 */
export class Applications {
  readonly #options: ApplicationsOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(options: ApplicationsOptions) {
    this.#options = options;
  }

  /** How many more requests may be under way. */
  get room(): number {
    return this.#stop.signal.aborted ? 0 : CALL_LIMITS.applicationsAtOnce - this.#running.size;
  }

  /** Makes a request; its room is free again when `done` has stored the answer. */
  ask(request: ApplicationRequest, done: (isSuccess: boolean) => Promise<void>): void {
    const run = this.#run(request, done).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Gives up what is under way; those requests are made again by another node or start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #run(request: ApplicationRequest, done: (isSuccess: boolean) => Promise<void>): Promise<void> {
    const isSuccess = await this.#post(request);
    if (this.#stop.signal.aborted) return;
    await done(isSuccess).catch((error: unknown) => this.#options.log.warn({ err: error }, 'an application’s answer could not be stored'));
  }

  async #post(request: ApplicationRequest): Promise<boolean> {
    const { clock, log, token, url } = this.#options;
    const lead = {
      id: publicId('wlead', request.leadId),
      phone_number: request.phoneNumber,
      metadata: JSON.parse(request.metadata) as unknown,
      last_call: request.lastCall,
    };
    const body = {
      organization_id: organizationPublicId(request.organizationId),
      workflow_id: publicId('wf', request.workflowId),
      node: { ...request.node, id: publicId('node', request.node.id) },
      lead,
    };
    const overdue = new AbortController();
    const answered = clock.after(CALL_LIMITS.applicationTimeoutMs, () => overdue.abort(new Error('no answer in time')));
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'idempotency-key': `${lead.id}-${request.step}`,
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.any([this.#stop.signal, overdue.signal]),
        redirect: 'error',
      });
      await response.body?.cancel();
      return response.ok;
    } catch (error) {
      log.warn({ err: error, lead: lead.id }, 'the application did not answer');
      return false;
    } finally {
      answered();
    }
  }
}
