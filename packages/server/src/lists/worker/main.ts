// A worker thread's entry: runs one job at a time, so that parsing and writing never hold up the event loop of the API.
import { parentPort } from 'node:worker_threads';
import { UploadRefused } from '../model.ts';
import { readLeads } from './leads.ts';
import { preview } from './preview.ts';
import { processList } from './process.ts';
import type { FromWorker, Job, JobResult, ToWorker, Verdicts } from './protocol.ts';
import { scan } from './scan.ts';

const port = parentPort!; // this file only runs as a worker
const waiting = new Map<number, (verdicts: Verdicts | null) => void>();
let nextId = 0;

port.on('message', (message: ToWorker) => {
  if (message.type === 'run') void run(message.job);
  else {
    waiting.get(message.id)?.(message.verdicts);
    waiting.delete(message.id);
  }
});

async function run(job: Job): Promise<void> {
  try {
    send({ type: 'done', result: await runJob(job) });
  } catch (error) {
    if (error instanceof UploadRefused) send({ type: 'refused', status: error.status, message: error.message });
    else send({ type: 'failed', error: error as Error });
  }
}

function runJob(job: Job): Promise<JobResult> {
  switch (job.type) {
    case 'scan':
      return scan(job);
    case 'process':
      return processList(job, classify);
    case 'leads':
      return readLeads(job);
    case 'preview':
      return preview(job);
    default:
      return job satisfies never;
  }
}

function classify(numbers: Float64Array): Promise<Verdicts | null> {
  const id = ++nextId;
  const { promise, resolve } = Promise.withResolvers<Verdicts | null>();
  waiting.set(id, resolve);
  send({ type: 'classify', id, numbers });
  return promise;
}

function send(message: FromWorker): void {
  port.postMessage(message);
}
