// `npm run check`: everything that can be said about the code without running it, and that generated files are current.
import { spawnSync } from 'node:child_process';

const STEPS = [
  ['types', 'tsc', ['-p', '.']],
  ['types of the panel', 'tsc', ['-p', 'packages/panel']],
  ['lint', 'oxlint', ['--type-aware', '--deny-warnings']],
  ['format', 'prettier', ['--check', '--log-level=warn', '.']],
  ['unused code and dependencies', 'knip', []],
  ['generate', 'node', ['tools/generate-area-codes.ts']],
  ['generate', 'node', ['tools/generate.ts']],
  ['generate', 'node', ['tools/generate-common-passwords.ts']],
  [
    'generated files are current',
    'git',
    [
      'diff',
      '--exit-code',
      '--stat',
      '--',
      'openapi.json',
      'schema.sql',
      'packages/server/src/lists/area-codes.json',
      'packages/server/src/accounts/common-passwords.json',
      'packages/panel/src/api/types.ts',
    ],
  ],
];

for (const [what, command, args] of STEPS) {
  const began = performance.now();
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) {
    console.error(`check: ${what} failed (${command} ${args.join(' ')})`);
    process.exit(1);
  }
  console.log(`check: ${what} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
}
