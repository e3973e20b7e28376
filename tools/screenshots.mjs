// `npm run screenshots`: pictures of every page of the panel, light and dark, in docs/screenshots. The browser tests take them on their way.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../docs/screenshots', import.meta.url));
mkdirSync(folder, { recursive: true });
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-name-pattern=every page',
    '--test-timeout=180000',
    '--test-global-setup=packages/testing/src/global-setup.ts',
    'packages/panel/src/panel.test.ts',
  ],
  { stdio: 'inherit', env: { ...process.env, DIALHOOK_SCREENSHOTS: folder } },
);
process.exit(status ?? 1);
