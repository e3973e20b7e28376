import type { SignatureScheme } from '@dialhook/webhooks';
import { LIMITS } from './limits.ts';

/** An event as it was published. */
export interface StoredEvent {
  readonly id: string;
  readonly organizationId: string;
  readonly type: string;
  /** JSON text, byte for byte as it was published. */
  readonly data: string;
  /** Unix milliseconds. */
  readonly occurredAt: number;
  /** The body that was made last: the endpoints of one event share it. */
  encoded?: EncodedEvent | undefined;
}

/** An event's message id and body in one dialect. */
export interface EncodedEvent {
  readonly dialect: Dialect;
  readonly messageId: string;
  readonly body: Buffer;
}

/** The ids that a body may hold. */
export interface MessageIds {
  readonly messageId: string;
  readonly deliveryId: string;
}

/** What the headers of one request are made from. */
export interface RequestContext {
  readonly deliveryId: string;
  /** The event's public id in this dialect. */
  readonly messageId: string;
  readonly eventType: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** The signed time, Unix seconds. */
  readonly timestamp: number;
}

/**
 * A vendor as a row of data. The engine interprets it and knows nothing else of the vendor, so a further one needs a
 * further row and no change here.
 */
export interface Dialect {
  readonly name: string;
  /** Event types that an endpoint may subscribe to: a closed list, or a pattern. */
  readonly eventTypes: readonly string[] | RegExp;
  /** Subscribed when the caller names none; null means every event, also future ones. */
  readonly defaultEvents: readonly string[] | null;
  /** The event's public id. */
  messageId(eventId: string): string;
  /** The request body. Must give the same bytes for the same event and ids every time. */
  encode(event: StoredEvent, ids: MessageIds): string;
  /** Whether the body holds the delivery's id: then endpoints of one event cannot share it. */
  readonly bodyNamesDelivery: boolean;
  /** Every header but the signature's own and the endpoint's custom ones. Names as the vendor writes them. */
  headers(context: RequestContext): Record<string, string>;
  /** How the signature header's name is written on the wire. */
  readonly signatureHeader: string;
  readonly scheme: SignatureScheme;
  readonly secret: {
    readonly ownership: 'endpoint-generated' | 'caller-supplied';
    generate(): string;
    /** Throws nothing: says what is wrong with a secret that the caller chose, or null. */
    refuse(secret: string): string | null;
    /** How long a replaced secret still signs beside the new one; 0 is "stops at once". */
    readonly overlapMs: number;
  };
  /** The challenge at registration, or null for none. */
  readonly ping: { readonly eventType: string; readonly timeoutMs: number; data(): string } | null;
  /** For the whole attempt: name resolution, connection, TLS, request and answer. */
  readonly timeoutMs: number;
  /** Waits before the second, third, ... attempt. One attempt more than delays. */
  readonly retryDelaysMs: readonly number[];
  /** The part of a delay that is random: 0.1 gives 90 % to 110 %. */
  readonly jitter: number;
  /** Whether `Retry-After` of 429 and 503 may lengthen a wait. */
  readonly honoursRetryAfter: boolean;
  /** Whether 410 Gone disables the endpoint. */
  readonly goneDisables: boolean;
  /** What becomes of unfinished deliveries when an endpoint is switched off: they wait, or are given up. */
  readonly whenDisabled: 'keep' | 'drop';
  /** Failed attempts in a row that disable the endpoint, or null for never. */
  readonly disableAfterFailures: number | null;
  /** Endpoints that an organization may have, or null for no limit. */
  readonly maxEndpoints: number | null;
  /** Whether an endpoint may carry custom headers, and which names (lower case) or prefixes it may not take. */
  readonly reservedHeaders: readonly string[];
}

/** The dialects of one engine by name; a row that breaks the engine's rules is refused at load. */
export class DialectRegistry {
  readonly #byName = new Map<string, Dialect>();

  constructor(dialects: readonly Dialect[]) {
    for (const dialect of dialects) {
      if (dialect.timeoutMs > LIMITS.maxTimeoutMs || (dialect.ping?.timeoutMs ?? 0) > LIMITS.maxTimeoutMs) {
        throw new Error(`Dialect ${dialect.name}: a timeout may be ${LIMITS.maxTimeoutMs} ms at most.`);
      }
      this.#byName.set(dialect.name, dialect);
    }
  }

  get(name: string): Dialect | undefined {
    return this.#byName.get(name);
  }

  names(): string[] {
    return [...this.#byName.keys()];
  }

  all(): Dialect[] {
    return [...this.#byName.values()];
  }
}

/** The types of `events` that the dialect does not have. */
export function unknownEvents(dialect: Dialect, events: readonly string[]): string[] {
  const { eventTypes } = dialect;
  return events.filter((type) => (eventTypes instanceof RegExp ? !eventTypes.test(type) : !eventTypes.includes(type)));
}
