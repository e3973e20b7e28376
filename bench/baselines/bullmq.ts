// BullMQ on Redis for the queue, rows in PostgreSQL: what most teams reach for.
import { Queue, Worker } from 'bullmq';
import { CONCURRENCY, deliver, serve, settings, type Job } from './service.ts';

const connection = { host: '127.0.0.1', port: settings.redisPort };
const queue = new Queue<Job>('deliveries', { connection });
const options = { attempts: 6, backoff: { type: 'exponential', delay: 5_000 }, removeOnComplete: true };
new Worker<Job>('deliveries', ({ data }) => deliver(data), { connection, concurrency: CONCURRENCY });
await serve({ afterCommit: async (jobs) => void (await queue.addBulk(jobs.map((data) => ({ name: 'deliver', data, opts: options })))) });
