import { LIMITS } from '../core/limits.ts';
import { isSuccess, type AttemptResult } from '../core/outcome.ts';

/** What a node thinks of an endpoint. It decides what share of the slots and of the leases the endpoint may use. */
export type HealthKind = 'quick' | 'slow' | 'new' | 'failing';

/** Strikes in a row that make an endpoint a failing one. */
const FAILING_STRIKES = 12;
/** An attempt without an answer holds a slot for its whole timeout: three of them are enough. */
const SILENT_STRIKES = 4;
/** A refusal costs us as little as a success does: it takes a dozen of them. */
const REFUSED_STRIKES = 1;
/** How much of the measured time the latest attempt is. */
const NEWEST = 0.25;

/** How one endpoint answered this node lately. Times are on the monotonic clock. */
export class Health {
  /** Requests that may be in flight: one at first, one more with each success that came while all were in use. */
  limit = 1;
  /** Nothing is taken over for this endpoint before. */
  avoidedUntil = 0;
  #avoided = 0;
  #succeededAt = -Infinity;
  #durationMs: number | null = null;
  #strikes = 0;

  /** What an attempt takes; null before the first one. */
  get durationMs(): number | null {
    return this.#durationMs;
  }

  /** It has failed since it last succeeded. */
  get failedLately(): boolean {
    return this.#strikes > 0;
  }

  kind(now: number): HealthKind {
    if (this.#strikes >= FAILING_STRIKES) return 'failing';
    if (now - this.#succeededAt > LIMITS.rememberedMs) return 'new';
    return (this.#durationMs ?? 0) >= LIMITS.slowMs ? 'slow' : 'quick';
  }

  /** Requests that may be in flight now. */
  limitAt(now: number): number {
    const kind = this.kind(now);
    return kind === 'new' || kind === 'failing' ? 1 : this.limit;
  }

  /** After so long without any answer, with a request in flight, the endpoint counts as stalled. */
  get stalledAfterMs(): number {
    return Math.max(LIMITS.slowMs, 2 * (this.#durationMs ?? 0));
  }

  /** What the database knows, for an endpoint that this node has not tried yet. */
  begin(now: number, past: { readonly failures: number; readonly msSinceSuccess: number | null }): void {
    if (this.#durationMs !== null) return;
    if (past.failures >= FAILING_STRIKES) this.#strikes = FAILING_STRIKES;
    else if (past.failures === 0 && past.msSinceSuccess !== null) this.#succeededAt = now - past.msSinceSuccess;
  }

  /** `usedAll`: as many requests were in flight as the limit allows. */
  note(now: number, result: AttemptResult, usedAll: boolean): void {
    const isFirst = this.#durationMs === null;
    if (this.kind(now) === 'new') this.limit = 1; // what was learned has grown old
    this.#durationMs = isFirst ? result.durationMs : this.#durationMs! + NEWEST * (result.durationMs - this.#durationMs!);
    if (isSuccess(result)) {
      this.#strikes = 0;
      this.#succeededAt = now;
      this.stopAvoiding();
      if (usedAll) this.limit = Math.min(LIMITS.endpointInFlight, this.limit + 1);
      return;
    }
    const isSilent = result.status === null;
    const isNew = now - this.#succeededAt > LIMITS.rememberedMs;
    this.#strikes += isSilent ? (isNew ? FAILING_STRIKES : SILENT_STRIKES) : REFUSED_STRIKES;
    if (this.#strikes >= FAILING_STRIKES) this.limit = 1;
    else if (isSilent || result.status === 429 || result.status === 503) this.limit = Math.max(1, Math.floor(this.limit / 2));
  }

  /** How often in a row it was left alone. */
  get timesAvoided(): number {
    return this.#avoided;
  }

  /** Leaves the endpoint alone for a while, longer each time. */
  avoid(now: number): void {
    const wait = Math.min(LIMITS.maxAvoidMs, LIMITS.avoidMs * 2 ** Math.min(this.#avoided, 30));
    this.#avoided += 1;
    this.avoidedUntil = now + wait;
  }

  stopAvoiding(): void {
    this.#avoided = 0;
    this.avoidedUntil = 0;
  }
}

/** What a node remembers of endpoints, whether it has work for them or not: the least recently used are forgotten. */
export class HealthBook {
  readonly #entries = new Map<string, Health>();
  /** Endpoints in trouble, and when they were last seen in it. */
  readonly #troubled = new Map<string, number>();

  of(id: string): Health {
    let health = this.#entries.get(id);
    if (health === undefined) {
      health = new Health();
      if (this.#entries.size >= LIMITS.rememberedEndpoints) this.forget(this.#entries.keys().next().value!);
    } else {
      this.#entries.delete(id);
    }
    this.#entries.set(id, health); // Map keeps insertion order: the first key is the one that was not used for longest
    return health;
  }

  forget(id: string): void {
    this.#entries.delete(id);
    this.#troubled.delete(id);
  }

  /** Keeps the list of those in trouble; called when something has happened to the endpoint. */
  review(id: string, health: Health, now: number): void {
    this.#troubled.delete(id);
    if (health.kind(now) !== 'failing' && health.avoidedUntil <= now) return;
    if (this.#troubled.size >= LIMITS.listedEndpoints) this.#troubled.delete(this.#troubled.keys().next().value!);
    this.#troubled.set(id, now);
  }

  /** Endpoints that fail or are left alone, those of the last minutes. */
  *troubled(now: number): Generator<[id: string, health: Health]> {
    for (const [id, since] of this.#troubled) {
      const health = this.#entries.get(id);
      if (health === undefined || now - since > LIMITS.rememberedMs) this.#troubled.delete(id);
      else yield [id, health];
    }
  }
}
