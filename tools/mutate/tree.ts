import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A copy of the repository in which mistakes are made; nothing is ever written to the repository itself. */
export interface Tree {
  readonly root: string;
  /** Where its tests put their temporary files. */
  readonly temporary: string;
  write(file: string, text: string): void;
  /** Removes what tests that were ended left behind. */
  clean(): void;
  remove(): void;
}

/** Built files that tests read and git does not keep. */
const BUILT = ['packages/panel/dist'];

/** Copies what git knows or would know. Packages from outside are linked, our own are the copy's. */
export function copyTree(root: string): Tree {
  const place = mkdtempSync(join(tmpdir(), 'dialhook-mutate-'));
  const copy = join(place, 'tree');
  const temporary = join(place, 'tmp');
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const files = listed.split('\0').filter((file) => file !== '' && existsSync(join(root, file)));
  for (const file of [...files, ...BUILT.filter((path) => existsSync(join(root, path)))])
    cpSync(join(root, file), join(copy, file), { recursive: true });
  if (existsSync(join(root, 'node_modules'))) linkPackages(join(root, 'node_modules'), join(copy, 'node_modules'));
  const tree: Tree = {
    root: copy,
    temporary,
    write: (file, text) => writeFileSync(join(copy, file), text),
    clean: () => {
      rmSync(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
      mkdirSync(temporary);
    },
    remove: () => rmSync(place, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }),
  };
  // Servers that tests start under another user must get through.
  execFileSync('chmod', ['755', place]);
  tree.clean();
  process.once('exit', tree.remove); // also of a run that is interrupted
  return tree;
}

/** Links that stay within the repository are kept as they are: they lead to the copy's own packages. */
function linkPackages(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    const source = join(from, name);
    if (lstatSync(source).isSymbolicLink()) symlinkSync(readlinkSync(source), join(to, name));
    else if (name.startsWith('@') || name === '.bin') linkPackages(source, join(to, name));
    else if (name !== '.cache') {
      mkdirSync(dirname(join(to, name)), { recursive: true });
      symlinkSync(source, join(to, name));
    }
  }
}
