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

/** A few worker threads with a queue. Threads start when they are first needed, and again after a crash. */
export class WorkerPool {
  readonly #size: number;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Task>();
  readonly #queue: Task[] = [];
  #closed = false;

  constructor(size: number) {
    this.#size = size;
  }

  run(job: ScanJob): Promise<ScanResult>;
  run(job: LeadsJob): Promise<LeadsResult>;
  run(job: PreviewJob): Promise<ListPreview>;
  run(job: ProcessJob, classify: Task['classify']): Promise<ProcessResult>;
  run(job: Job, classify: Task['classify'] = async () => null): Promise<JobResult> {
    if (this.#closed) return Promise.reject(new Error('The worker threads are stopped.'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, classify, resolve, reject });
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
    if (this.#queue.length === 0) return;
    const worker = this.#idle.pop() ?? (this.#busy.size < this.#size ? this.#spawn() : null);
    if (worker === null) return;
    const task = this.#queue.shift()!;
    this.#busy.set(worker, task);
    post(worker, { type: 'run', job: task.job });
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
