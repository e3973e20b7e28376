import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, type Database } from '@dialhook/engine';

/** One of the two databases that every store test runs on. */
export interface TestDatabase {
  readonly database: Database;
  /** What a server process needs to open the same database. */
  readonly env: Record<string, string>;
  readonly dataDir: string;
  close(): Promise<void>;
}

export const DATABASE_KINDS = ['postgres', 'embedded'] as const;
export type DatabaseKind = (typeof DATABASE_KINDS)[number];

/** Set by the test run's global setup, see `global-setup.ts`. */
export function templates(): { postgresUrl: string; embeddedTemplate: string } {
  const postgresUrl = process.env.DIALHOOK_TEST_POSTGRES_URL;
  const embeddedTemplate = process.env.DIALHOOK_TEST_EMBEDDED_TEMPLATE;
  if (!postgresUrl || !embeddedTemplate) {
    throw new Error(
      'Run tests with `npm test`, or with --test-global-setup=packages/testing/src/global-setup.ts: they need its databases.',
    );
  }
  return { postgresUrl, embeddedTemplate };
}

/** A fresh, migrated database with a data directory of its own: PostgreSQL clones a template, embedded copies one. */
export async function freshDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  const place = await freshPlace(kind);
  const database = await openDatabase({ url: place.env.DATABASE_URL, dataDir: place.dataDir });
  return {
    ...place,
    database,
    close: async () => {
      await database.close();
      await place.remove();
    },
  };
}

/** The same without opening it, for tests that start a server process on it. */
export async function freshPlace(kind: DatabaseKind): Promise<{ dataDir: string; env: Record<string, string>; remove(): Promise<void> }> {
  const { postgresUrl, embeddedTemplate } = templates();
  const dataDir = mkdtempSync(join(tmpdir(), 'dialhook-data-'));
  const removeDirectory = () => rmSync(dataDir, { recursive: true, force: true });
  if (kind === 'embedded') {
    cpSync(embeddedTemplate, dataDir, { recursive: true });
    return { dataDir, env: { DIALHOOK_DATA_DIR: dataDir }, remove: async () => removeDirectory() };
  }
  const name = `test_${randomBytes(8).toString('hex')}`;
  await admin(postgresUrl, `create database ${name} template dialhook_template`);
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  return {
    dataDir,
    env: { DATABASE_URL: url.href, DIALHOOK_DATA_DIR: dataDir },
    remove: async () => {
      removeDirectory();
      await admin(postgresUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

/** A connection of its own to the PostgreSQL of a test, such as for cutting the others. */
export function openAdmin(place: { readonly env: Readonly<Record<string, string>> }): Promise<Database> {
  return openDatabase({ url: place.env.DATABASE_URL, dataDir: '' });
}

export async function admin(url: string, text: string): Promise<void> {
  const database = await openDatabase({ url, dataDir: '' });
  try {
    await database.query({ text });
  } finally {
    await database.close();
  }
}
