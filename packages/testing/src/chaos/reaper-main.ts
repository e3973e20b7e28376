// The process behind `reaper.ts`: reads what was started, line by line, and clears it away when the pipe ends.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** How long killed processes are given to let go of a mount, and how often it is tried. */
const UNMOUNT_TRIES = 50;
const UNMOUNT_WAIT_MS = 100;

const processes = new Set<number>();
const mounts: string[] = [];
const directories: string[] = [];
for await (const line of createInterface({ input: process.stdin })) {
  const [what, value] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)];
  if (what === 'process') processes.add(Number(value));
  else if (what === 'ended') processes.delete(Number(value));
  else if (what === 'mount') mounts.push(value);
  else if (what === 'directory') directories.push(value);
}
for (const pid of processes) {
  try {
    process.kill(pid, 'SIGKILL'); // also ends a process that is stopped
  } catch {
    // it has ended meanwhile
  }
}
for (const path of mounts) {
  for (let tries = 0; tries < UNMOUNT_TRIES && spawnSync('umount', [path], { stdio: 'ignore' }).status !== 0; tries++) {
    if (spawnSync('mountpoint', ['-q', path]).status !== 0) break; // it is none any more
    await new Promise((resolve) => setTimeout(resolve, UNMOUNT_WAIT_MS));
  }
}
for (const path of directories) rmSync(path, { recursive: true, force: true });
