import { openSync, closeSync, fstatSync, readSync, statSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { NETWORK_LIMITS } from '../../core/network-limits.ts';
import type { Address } from '../guard.ts';

/** Where the system keeps names that need no name server. */
export const HOSTS_FILE =
  process.platform === 'win32' ? join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'drivers', 'etc', 'hosts') : '/etc/hosts';

/** The names of the hosts file, read again when it has changed. */
export class HostsFile {
  readonly #path: string;
  readonly #now: () => number;
  #names: ReadonlyMap<string, readonly Address[]> = new Map();
  #checkedAt = Number.NEGATIVE_INFINITY;
  #seen = '';

  constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
  }

  /** The addresses of a lower-case name, or undefined when the file does not have it. */
  find(name: string): readonly Address[] | undefined {
    const now = this.#now();
    if (now - this.#checkedAt >= NETWORK_LIMITS.hostsFileMs) {
      this.#checkedAt = now;
      this.#refresh();
    }
    return this.#names.get(name);
  }

  /** Synchronous on purpose: microseconds, and nothing that waits for the thread pool. */
  #refresh(): void {
    try {
      const { ino, mtimeMs, size } = statSync(this.#path);
      const state = `${ino} ${mtimeMs} ${size}`;
      if (state === this.#seen) return;
      this.#names = parseHosts(readStart(this.#path));
      this.#seen = state;
    } catch {
      this.#names = new Map(); // no such file, or none that we may read: it names nothing
      this.#seen = '';
    }
  }
}

function readStart(path: string): string {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(Math.min(fstatSync(file).size, NETWORK_LIMITS.hostsFileBytes));
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(file);
  }
}

/** Lines of an address and its names; `#` begins a comment. */
export function parseHosts(text: string): Map<string, Address[]> {
  const names = new Map<string, Address[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = net.isIP(address);
    if (family === 0 || address.includes('%')) continue;
    for (const alias of aliases) {
      const name = alias.toLowerCase();
      const addresses = names.get(name);
      if (addresses === undefined) names.set(name, [{ address, family }]);
      else addresses.push({ address, family });
    }
  }
  return names;
}
