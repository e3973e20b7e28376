import { NETWORK_LIMITS } from '../../core/network-limits.ts';
import type { Connection } from './connection.ts';

/** A connection that waits for its next request. */
interface Idle {
  readonly connection: Connection;
  readonly bytes: number;
  readonly until: number;
}

export interface PoolLimits {
  readonly originIdleConnections: number;
  readonly idleConnections: number;
  readonly idleConnectionBytes: number;
}

/**
 * Idle connections of any number of origins. The one that was used last is taken first, so that few are warm and the
 * others run out; when there are too many, by count or by bytes, the one that was not used for longest is closed.
 */
export class Pool {
  readonly #limits: PoolLimits;
  readonly #byOrigin = new Map<string, Idle[]>();
  /** In the order in which they became idle. */
  readonly #all = new Map<Connection, Idle>();
  #bytes = 0;

  constructor(limits: PoolLimits = NETWORK_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#all.size;
  }

  /** A connection that can be used now, or undefined. */
  take(origin: string, now: number): Connection | undefined {
    const stack = this.#byOrigin.get(origin);
    while (stack !== undefined && stack.length > 0) {
      const idle = stack.pop()!;
      if (stack.length === 0) this.#byOrigin.delete(origin);
      this.#all.delete(idle.connection);
      this.#bytes -= idle.bytes;
      if (idle.until > now && idle.connection.isUsable) return idle.connection;
      idle.connection.destroy();
    }
    return undefined;
  }

  /** Keeps a connection until then. */
  put(connection: Connection, until: number): void {
    const { origin } = connection;
    const stack = this.#byOrigin.get(origin);
    if (stack !== undefined && stack.length >= this.#limits.originIdleConnections) {
      connection.destroy();
      return;
    }
    const bytes = origin.startsWith('https:') ? NETWORK_LIMITS.secureConnectionBytes : NETWORK_LIMITS.plainConnectionBytes;
    const idle = { connection, bytes, until };
    if (stack === undefined) this.#byOrigin.set(origin, [idle]);
    else stack.push(idle);
    this.#all.set(connection, idle);
    this.#bytes += bytes;
    while (this.#all.size > this.#limits.idleConnections || this.#bytes > this.#limits.idleConnectionBytes) this.#closeOldest();
  }

  /** The connection is gone. */
  forget(connection: Connection): void {
    const idle = this.#all.get(connection);
    if (idle === undefined) return;
    this.#all.delete(connection);
    this.#bytes -= idle.bytes;
    const stack = this.#byOrigin.get(connection.origin)!;
    stack.splice(stack.indexOf(idle), 1);
    if (stack.length === 0) this.#byOrigin.delete(connection.origin);
  }

  /** Closes those whose time is over. */
  expire(now: number): void {
    for (const { connection, until } of this.#all.values()) if (until <= now) this.#close(connection);
  }

  /** Closes a quarter of those that were not used for longest, since something else needs room. False: there was none. */
  shrink(): boolean {
    const count = Math.ceil(this.#all.size / 4);
    for (let left = count; left > 0; left--) this.#closeOldest();
    return count > 0;
  }

  close(): void {
    for (const connection of this.#all.keys()) this.#close(connection);
  }

  #closeOldest(): void {
    this.#close(this.#all.keys().next().value!);
  }

  #close(connection: Connection): void {
    this.forget(connection);
    connection.destroy();
  }
}
