// Runs before `npm start` and `npm test`, with whatever Node a machine has (20 or newer): installs what the lock
// file names when it is missing or stale, makes sure that a Node 24.12+ is there to run TypeScript directly, and builds
// the panel when it has changed.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'node_modules', '.dialhook-installed');
const digest = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) {
  console.error('Installing dependencies (first start only) ...');
  const npm = spawnSync('npm', ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) process.exit(npm.status ?? 1);
  writeFileSync(stamp, digest);
}

// npm puts node_modules/.bin first on the PATH of every script, so `node` means the lock-pinned one from here on.
const bundled = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
const command = existsSync(bundled) ? bundled : 'node';
const version = execFileSync(command, ['--version'], { encoding: 'utf8', shell: process.platform === 'win32' }).trim();
const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
if (major < 24 || (major === 24 && minor < 12)) {
  console.error(
    `Dialhook needs Node 24.12 or newer and found ${version}: no bundled Node fits ${process.platform}-${process.arch}, please install one.`,
  );
  process.exit(1);
}

const panel = join(root, 'packages', 'panel');
const built = join(panel, 'dist', '.built-from');
const sources = createHash('sha256').update(digest);
for (const part of ['src', 'public', 'index.html', 'vite.config.ts']) hashTree(join(panel, part));
const panelDigest = sources.digest('hex');
if (!existsSync(built) || readFileSync(built, 'utf8') !== panelDigest) {
  console.error('Building the panel ...');
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const build = spawnSync(command, [vite, 'build', '--logLevel=warn'], {
    cwd: panel,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (build.status !== 0) process.exit(build.status ?? 1);
  writeFileSync(built, panelDigest);
}

function hashTree(path) {
  if (statSync(path).isDirectory()) for (const name of readdirSync(path).sort()) hashTree(join(path, name));
  else sources.update(path.slice(panel.length)).update(readFileSync(path));
}
