import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineMigrations, migrate, openDatabase } from '@dialhook/engine';
import { serverMigrations } from '@dialhook/server';
import { admin } from './databases.ts';
import { startPostgres, type PostgresServer } from './postgres.ts';

let server: PostgresServer | undefined;
let template: string | undefined;
let compileCache: string | undefined;

/** Once per test run: a real PostgreSQL and, for both databases, a migrated template that each test clones. */
export async function globalSetup(): Promise<void> {
  const sets = [engineMigrations, serverMigrations];
  server = await startPostgres({ fsync: 'off', full_page_writes: 'off' }); // it is thrown away with the run, and never crashes
  await admin(server.url, 'create database dialhook_template');
  const url = new URL(server.url);
  url.pathname = '/dialhook_template';
  const postgres = await openDatabase({ url: url.href, dataDir: '' });
  await migrate(postgres, sets);
  await postgres.close();

  template = mkdtempSync(join(tmpdir(), 'dialhook-template-'));
  const embedded = await openDatabase({ dataDir: template });
  await migrate(embedded, sets);
  await embedded.close();

  // Of this run alone. Test files and the servers that they start would compile the same code again and again.
  compileCache = mkdtempSync(join(tmpdir(), 'dialhook-compiled-'));
  process.env.NODE_COMPILE_CACHE = compileCache;
  process.env.DIALHOOK_TEST_POSTGRES_URL = server.url;
  process.env.DIALHOOK_TEST_EMBEDDED_TEMPLATE = template;
}

export async function globalTeardown(): Promise<void> {
  await server?.stop();
  for (const directory of [template, compileCache]) if (directory) rmSync(directory, { recursive: true, force: true });
}
