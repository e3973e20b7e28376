import type { Command } from 'commander';
import { engineMigrations, migrate, openDatabase } from '@dialhook/engine';
import { loadConfig, serverMigrations } from '@dialhook/server';
import { print } from '../output.ts';

export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .description('bring the database up to date and stop; `serve` does the same at its start')
    .action(async (_options: object, command: Command) => {
      const config = loadConfig(process.env);
      const database = await openDatabase({ url: config.databaseUrl, dataDir: config.dataDir });
      try {
        const applied = await migrate(database, [engineMigrations, serverMigrations]);
        print(command, { applied }, applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}.`);
      } finally {
        await database.close();
      }
    });
}
