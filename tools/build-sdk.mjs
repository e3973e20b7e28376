// Builds the receiver SDK for publishing: `npm run build-sdk`, then `npm publish packages/webhooks/dist`. In the repository the
// package is used as TypeScript; what is published is JavaScript with types, for every runtime that has Web Crypto.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = new URL('../packages/webhooks/', import.meta.url);
const dist = new URL('dist/', source);

rmSync(dist, { recursive: true, force: true });
const { status } = spawnSync('tsc', ['-p', fileURLToPath(new URL('tsconfig.build.json', source))], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
if (status !== 0) process.exit(status ?? 1);

const manifest = JSON.parse(readFileSync(new URL('package.json', source), 'utf8'));
manifest.exports = { '.': { types: './index.d.ts', default: './index.js' } };
manifest.engines = { node: '>=20' };
manifest.sideEffects = false;
writeFileSync(new URL('package.json', dist), `${JSON.stringify(manifest, null, 2)}\n`);
copyFileSync(new URL('README.md', source), new URL('README.md', dist));
copyFileSync(new URL('../LICENSE', import.meta.url), new URL('LICENSE', dist));
