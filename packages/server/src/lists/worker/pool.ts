import { Worker } from 'node:worker_threads';
import { UploadRefused } from '../model.ts';
import type {
  FromWorker,
  Job,
  JobResult,
  LeadsJob,
  LeadsResult,
  ListPreview,
  PreviewJob,
  ProcessJob,
  ProcessResult,
  ScanJob,
  ScanResult,
  ToWorker,
  Verdicts,
} from './protocol.ts';

interface Task {
  /** The organization that it is for. */
  readonly owner: string;
  readonly job: Job;
  readonly classify: (numbers: Float64Array) => Promise<Verdicts | null>;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A small young generation keeps a thread at tens of megabytes while rows stream through it; the old one has room for
 * a JSON body of the greatest size.
 */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 768 };

/**
 * A few worker threads with a queue. Threads start when they are first needed, and again after a crash. Of what waits, the organization
 * that has the fewest threads comes first; with short jobs one organization never has more than half of them, so that another finds one
 * free. Lists that are processed have a bound of their own, `Processor`'s.
 */
export class WorkerPool {
  readonly #size: number;
  readonly #share: number;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Task>();
  readonly #queue: Task[] = [];
  #closed = false;

  constructor(size: number) {
    this.#size = size;
    this.#share = Math.max(1, Math.floor(size / 2));
  }

  /** `owner` is the organization that the job is for. */
  run(owner: string, job: ScanJob): Promise<ScanResult>;
  run(owner: string, job: LeadsJob): Promise<LeadsResult>;
  run(owner: string, job: PreviewJob): Promise<ListPreview>;
  run(owner: string, job: ProcessJob, classify: Task['classify']): Promise<ProcessResult>;
  run(owner: string, job: Job, classify: Task['classify'] = async () => null): Promise<JobResult> {
    if (this.#closed) return Promise.reject(new Error('The worker threads are stopped.'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ owner, job, classify, resolve, reject });
      this.#next();
    });
  }

  /** Starts one thread ahead of the first job, which then does not wait for the code to be loaded. */
  warm(): void {
    if (this.#idle.length + this.#busy.size === 0) this.#idle.push(this.#spawn());
  }

  /** Ends the threads at once; what they were doing fails. */
  async close(): Promise<void> {
    this.#closed = true;
    const workers = [...this.#idle, ...this.#busy.keys()];
    for (const task of [...this.#busy.values(), ...this.#queue]) task.reject(new Error('The worker threads were stopped.'));
    this.#busy.clear();
    this.#queue.length = 0;
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  #next(): void {
    if (this.#busy.size >= this.#size) return;
    const task = this.#takeNext();
    if (task === null) return;
    const worker = this.#idle.pop() ?? this.#spawn();
    this.#busy.set(worker, task);
    post(worker, { type: 'run', job: task.job });
  }

  /** The first task of the owner that has the fewest threads, among those that have not got their share. */
  #takeNext(): Task | null {
    const threads = new Map<string, number>();
    for (const { job, owner } of this.#busy.values()) if (job.type !== 'process') threads.set(owner, (threads.get(owner) ?? 0) + 1);
    let best = -1;
    let fewest = this.#share;
    for (const [index, { job, owner }] of this.#queue.entries()) {
      const own = job.type === 'process' ? 0 : (threads.get(owner) ?? 0);
      if (own >= fewest) continue;
      [best, fewest] = [index, own];
      if (own === 0) break;
    }
    return best === -1 ? null : this.#queue.splice(best, 1)[0]!;
  }

  #spawn(): Worker {
    const worker = new Worker(new URL('./main.ts', import.meta.url), { resourceLimits: RESOURCE_LIMITS });
    worker.unref();
    worker.on('message', (message: FromWorker) => this.#hear(worker, message));
    worker.on('error', (error) => this.#end(worker, (task) => task.reject(error), false));
    return worker;
  }

  #hear(worker: Worker, message: FromWorker): void {
    switch (message.type) {
      case 'classify': {
        const task = this.#busy.get(worker);
        task?.classify(message.numbers).then(
          (verdicts) => post(worker, { type: 'verdicts', id: message.id, verdicts }),
          (error: unknown) => {
            // The list cannot be finished without its verdicts: the thread is given up with it.
            this.#end(worker, (failed) => failed.reject(error), false);
            void worker.terminate();
          },
        );
        return;
      }
      case 'done':
        this.#end(worker, (task) => task.resolve(message.result as never), true);
        return;
      case 'refused':
        this.#end(worker, (task) => task.reject(new UploadRefused(message.status, message.message)), true);
        return;
      case 'failed':
        this.#end(worker, (task) => task.reject(message.error), true);
        return;
      default:
        message satisfies never;
    }
  }

  #end(worker: Worker, settle: (task: Task) => void, reusable: boolean): void {
    const task = this.#busy.get(worker);
    if (!this.#busy.delete(worker)) return;
    if (reusable && !this.#closed) this.#idle.push(worker);
    if (task !== undefined) settle(task);
    this.#next();
  }
}

function post(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}
