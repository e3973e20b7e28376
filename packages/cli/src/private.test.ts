import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, freshPlace, ServerProcess } from '@dialhook/testing';

/** What other users of the machine can reach: nothing of what we keep, and nothing that we run. */

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'dialhook-private-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

function dialhook(args: readonly string[], env: Record<string, string | undefined>): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } as NodeJS.ProcessEnv }, (error, _stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stderr }),
    );
  });
}

function folder(name: string, mode = 0o700): string {
  const path = join(scratch, name);
  mkdirSync(path);
  chmodSync(path, mode); // whatever the umask
  return path;
}

const modeOf = (path: string) => lstatSync(path).mode & 0o777;

/** Everything below a directory that somebody else may touch, symbolic links aside. */
function open(directory: string): string[] {
  return globSync('**', { cwd: directory })
    .map((name) => join(directory, name))
    .filter((path) => !lstatSync(path).isSymbolicLink() && (modeOf(path) & 0o077) !== 0);
}

describe('compiled code', () => {
  const places: Record<string, { readonly make: () => string; readonly isUsed: boolean }> = {
    'is kept in the data directory when that is ours': { make: () => folder('ours'), isUsed: true },
    'is not kept where there is no data directory': { make: () => join(scratch, 'none'), isUsed: false },
    'is not kept in a data directory that others write to': { make: () => folder('shared', 0o777), isUsed: false },
    'is not taken from a folder that somebody could have filled': {
      make: () => {
        const directory = folder('filled');
        mkdirSync(join(directory, 'compile-cache'));
        chmodSync(join(directory, 'compile-cache'), 0o777);
        return directory;
      },
      isUsed: false,
    },
    ...(isRoot && {
      "is not kept in another user's data directory": {
        make: () => {
          const directory = folder('foreign');
          chownSync(directory, NOBODY, NOBODY);
          return directory;
        },
        isUsed: false,
      },
    }),
  };
  for (const [what, { make, isUsed }] of Object.entries(places)) {
    test(what, async () => {
      const directory = make();
      const temporary = mkdtempSync(join(scratch, 'tmp-'));
      const { code } = await dialhook(['verify', '--help'], {
        DIALHOOK_DATA_DIR: directory,
        TMPDIR: temporary,
        NODE_COMPILE_CACHE: undefined,
      });
      assert.equal(code, 0);
      assert.deepEqual(readdirSync(temporary), [], 'nothing in the folder that everybody shares');
      const kept = globSync('compile-cache/**', { cwd: directory }).length > 1;
      assert.equal(kept, isUsed);
      if (isUsed) assert.equal(modeOf(join(directory, 'compile-cache')), 0o700);
    });
  }
});

test('a data directory that stood open is closed at the start, whatever the umask; what is not in it stays as it was', async (t) => {
  const place = await freshPlace('embedded');
  const bystander = folder('bystander', 0o755);
  writeFileSync(join(bystander, 'notes'), 'theirs');
  chmodSync(join(bystander, 'notes'), 0o644);
  symlinkSync(bystander, join(place.dataDir, 'link'));
  mkdirSync(join(place.dataDir, 'files', 'uploads', 'one'), { recursive: true });
  writeFileSync(join(place.dataDir, 'files', 'uploads', 'one', 'original.csv'), 'phone\n');
  for (const path of [place.dataDir, ...globSync('**', { cwd: place.dataDir }).map((name) => join(place.dataDir, name))])
    if (!lstatSync(path).isSymbolicLink()) chmodSync(path, lstatSync(path).isDirectory() ? 0o755 : 0o666);
  const umask = process.umask(0);
  t.after(() => place.remove());
  const env = { ...place.env, PORT: String(await freePort()), DATABASE_URL: '', DIALHOOK_ALLOW_PRIVATE_TARGETS: '' };
  const server = await ServerProcess.start(env).finally(() => process.umask(umask));
  try {
    assert.equal(modeOf(place.dataDir), 0o700);
    assert.deepEqual(open(place.dataDir), []);
    const names = readdirSync(place.dataDir);
    for (const name of ['pgdata', '.s.PGSQL.5432', 'lock', 'secret-key']) assert.ok(names.includes(name), name);
    assert.deepEqual([modeOf(bystander), modeOf(join(bystander, 'notes'))], [0o755, 0o644]);
  } finally {
    await server.stop();
  }
  assert.deepEqual(open(place.dataDir), [], 'after a checkpoint too');
  assert.equal(/runs as root/.test(server.output), isRoot, 'root is told so');
});

test('a database is made closed, with a umask that forbids nothing', async (t) => {
  const dataDir = folder('fresh', 0o755);
  const umask = process.umask(0);
  const server = await ServerProcess.start({ DIALHOOK_DATA_DIR: dataDir, PORT: String(await freePort()), DATABASE_URL: '' }, 'dev').finally(
    () => process.umask(umask),
  );
  t.after(() => server.stop());
  assert.deepEqual(open(dataDir), []);
  assert.doesNotMatch(server.output, /runs as root/, 'trying out is left alone');
});

test("another user's data directory is refused in one line", async () => {
  let directory = '/usr'; // root's
  if (isRoot) {
    directory = folder('of-nobody', 0o755);
    chownSync(directory, NOBODY, NOBODY);
  }
  const { code, stderr } = await dialhook(['serve'], { DIALHOOK_DATA_DIR: directory, DATABASE_URL: '' });
  assert.equal(code, 1);
  assert.match(stderr, /^The data directory \S+ belongs to the user with the id \d+, and this process runs as \d+: [^\n]+\n$/);
  assert.equal(modeOf(directory), 0o755);
});

for (const name of ['secret-key', 'operator-token']) {
  test(`a ${name} that others could read is refused in one line, and not closed in silence`, async () => {
    const directory = folder(`open-${name}`);
    const text = `${'ab'.repeat(32)}\n`;
    for (const key of ['secret-key', 'operator-token']) writeFileSync(join(directory, key), text, { mode: 0o600 });
    chmodSync(join(directory, name), 0o640);
    const { code, stderr } = await dialhook(['migrate'], { DIALHOOK_DATA_DIR: directory, DATABASE_URL: '' });
    assert.equal(code, 1);
    assert.match(stderr, /^The key file \S+ can be read by other users of this machine \(mode 0640\): [^\n]+chmod 600[^\n]+\n$/);
    assert.ok(!stderr.includes('abab'));
    assert.equal(modeOf(join(directory, name)), 0o640);
    assert.deepEqual(readdirSync(directory).sort(), ['operator-token', 'secret-key'], 'nothing was started');
  });
}
