import type { Log } from '@dialhook/engine';
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
  readonly log: Log;
}

interface Waiting {
  readonly request: ApplicationRequest;
  readonly done: (isSuccess: boolean) => Promise<void>;
}

/**
 * The operator's application, which application nodes call: a POST, answered by any 2xx for success. It may come more
 * than once for one step; `Idempotency-Key` is then the same.
 */
export class Applications {
  readonly #options: ApplicationsOptions;
  readonly #queue: Waiting[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(options: ApplicationsOptions) {
    this.#options = options;
  }

  ask(request: ApplicationRequest, done: Waiting['done']): void {
    this.#queue.push({ request, done });
    this.#next();
  }

  /** Gives up what is under way; those steps are begun again by another node or start. */
  async stop(): Promise<void> {
    this.#queue.length = 0;
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  #next(): void {
    if (this.#stop.signal.aborted || this.#running.size >= CALL_LIMITS.applicationsAtOnce) return;
    const waiting = this.#queue.shift();
    if (waiting === undefined) return;
    const run = this.#run(waiting).finally(() => {
      this.#running.delete(run);
      this.#next();
    });
    this.#running.add(run);
  }

  async #run({ done, request }: Waiting): Promise<void> {
    const isSuccess = await this.#post(request);
    if (this.#stop.signal.aborted) return;
    await done(isSuccess).catch((error: unknown) => this.#options.log.warn({ err: error }, 'an application’s answer could not be stored'));
  }

  async #post(request: ApplicationRequest): Promise<boolean> {
    const { token, url } = this.#options;
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
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'idempotency-key': `${lead.id}-${request.step}`,
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(CALL_LIMITS.applicationTimeoutMs)]),
        redirect: 'error',
      });
      await response.body?.cancel();
      return response.ok;
    } catch (error) {
      this.#options.log.warn({ err: error, lead: lead.id }, 'the application did not answer');
      return false;
    }
  }
}
