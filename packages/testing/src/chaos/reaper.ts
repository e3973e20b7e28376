import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('reaper-main.ts', import.meta.url));

/**
 * Leaves nothing behind, even when the runner itself is killed: a process of its own is told what was started, and
 * when the pipe to it ends it kills the processes, takes down mounts, and removes directories.
 */
export class Reaper {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], {
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true, // a Ctrl-C on the terminal is for the runner; the reaper acts when that has ended
    });
    this.#child.stdin!.on('error', () => {});
  }

  /** Kills the process at the end unless it has ended by then. */
  watch(child: ChildProcess): void {
    if (child.pid === undefined) return;
    this.#tell('process', String(child.pid));
    child.once('exit', () => this.#tell('ended', String(child.pid)));
  }

  mounted(path: string): void {
    this.#tell('mount', path);
  }

  made(path: string): void {
    this.#tell('directory', path);
  }

  /** Does it now, and resolves when all is gone. */
  async finish(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.stdin!.end();
    await exited;
  }

  #tell(what: string, value: string): void {
    this.#child.stdin!.write(`${what} ${value}\n`);
  }
}
