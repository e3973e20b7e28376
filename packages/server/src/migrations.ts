import { fileURLToPath } from 'node:url';
import type { MigrationSet } from '@dialhook/engine';

export const serverMigrations: MigrationSet = { name: 'server', directory: fileURLToPath(new URL('../migrations', import.meta.url)) };
