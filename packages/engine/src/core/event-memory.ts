import type { StoredEvent } from './dialect.ts';

/** What an event takes beside its data: ids, times, the delivery. */
const OVERHEAD_BYTES = 512;
/** Events from here on are counted for their endpoints too: of smaller ones the number of leases is bound enough. */
const LARGE_BYTES = 16 * 1024;

/** Bytes that a node needs for an event while it is being sent: its data as text, and the body that is made of it. */
export function eventBytes(dataBytes: number): number {
  return 2 * dataBytes + OVERHEAD_BYTES;
}

interface Held {
  readonly event: StoredEvent;
  readonly endpointId: string;
}

/** The events that a node holds deliveries of, and their bytes. What several deliveries share counts once. */
export class EventMemory {
  readonly #events = new Map<StoredEvent, { readonly bytes: number; deliveries: number }>();
  readonly #large = new Map<string, number>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of large events by endpoint. */
  get large(): ReadonlyMap<string, number> {
    return this.#large;
  }

  hold({ endpointId, event }: Held): void {
    let entry = this.#events.get(event);
    if (entry === undefined) {
      entry = { bytes: eventBytes(Buffer.byteLength(event.data)), deliveries: 0 };
      this.#events.set(event, entry);
      this.#bytes += entry.bytes;
    }
    entry.deliveries += 1;
    if (entry.bytes >= LARGE_BYTES) this.#large.set(endpointId, (this.#large.get(endpointId) ?? 0) + entry.bytes);
  }

  /** One of its deliveries is done. */
  drop({ endpointId, event }: Held): void {
    const entry = this.#events.get(event);
    if (entry === undefined) return;
    entry.deliveries -= 1;
    if (entry.deliveries === 0) {
      this.#events.delete(event);
      this.#bytes -= entry.bytes;
    }
    if (entry.bytes < LARGE_BYTES) return;
    const left = this.#large.get(endpointId)! - entry.bytes;
    if (left === 0) this.#large.delete(endpointId);
    else this.#large.set(endpointId, left);
  }
}
