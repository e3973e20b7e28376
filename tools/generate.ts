// Writes openapi.json, schema.sql and the panel's types from the code: `npm run generate`. `npm run check` fails when they differ.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineMigrations, migrate, openDatabase } from '@dialhook/engine';
import { loadConfig, serverMigrations, startServer } from '@dialhook/server';
import { panelClient, type Description } from './panel-client.ts';
import { dumpSchema } from './schema-dump.ts';

const root = new URL('..', import.meta.url);
const dataDir = mkdtempSync(join(tmpdir(), 'dialhook-generate-'));
try {
  const database = await openDatabase({ dataDir });
  await migrate(database, [engineMigrations, serverMigrations]);
  writeFileSync(new URL('schema.sql', root), await dumpSchema(database));
  await database.close();

  const server = await startServer(loadConfig({ PORT: '0', DIALHOOK_DATA_DIR: dataDir, DIALHOOK_LOG_LEVEL: 'silent' }));
  const description = (await (await fetch(`${server.url}/openapi.json`)).json()) as Description;
  writeFileSync(new URL('openapi.json', root), `${JSON.stringify(description, null, 2)}\n`);
  writeFileSync(new URL('packages/panel/src/api/types.ts', root), panelClient(description));
  await server.stop();
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
