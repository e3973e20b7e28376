// graphile-worker: the queue lives in the same PostgreSQL, jobs are added in the same transaction, and its local queue and
// batched completion are switched on, as its page on performance advises.
import { Logger, run, runMigrations } from 'graphile-worker';
import { CONCURRENCY, deliver, pool, serve, settings, type Job } from './service.ts';

const options = { pgPool: pool, logger: new Logger(() => () => {}) };
await runMigrations(options);
await run({
  ...options,
  taskList: { deliver: (payload) => deliver(payload as Job) },
  preset: {
    worker: {
      connectionString: settings.databaseUrl,
      concurrentJobs: CONCURRENCY,
      localQueue: { size: 4 * CONCURRENCY },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
});
await serve({
  inTransaction: async (client, jobs) => {
    const specs = jobs.map((payload) => ({ identifier: 'deliver', payload, maxAttempts: 6 }));
    await client.query({
      name: 'add-jobs',
      text: 'select from graphile_worker.add_jobs((select array_agg(json_populate_record(null::graphile_worker.job_spec, spec)) from json_array_elements($1::json) spec))',
      values: [JSON.stringify(specs.map(({ identifier, maxAttempts, payload }) => ({ identifier, payload, max_attempts: maxAttempts })))],
    });
  },
});
