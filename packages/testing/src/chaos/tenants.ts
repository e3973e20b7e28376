import { callApi, type ApiAnswer, type NoAnswer } from './api.ts';
import { DIALECT_NAMES, DIALECTS, EVENT_TYPES, type DialectName } from './dialects.ts';
import { ZONE } from './name-server.ts';
import type { ChaosNode } from './node.ts';
import { Random } from './random.ts';
import { now, sleep } from './troubles.ts';
import { beginChange, dropChange, observe, type Action, type ChaosEndpoint, type World } from './world.ts';

export const ORGANIZATIONS = ['north', 'east', 'south', 'west'];
/** Endpoints beyond the first ones: more would only thin out what each of them gets. */
const MAX_LIVING = 32;
/**
 * How long a call whose answer was lost may still take effect: its node may be suspended for 18 s while it holds the call, then wait
 * 10 s for a connection and 10 s for the statement.
 */
const SETTLE_MS = 40_000;
const OBSERVE_MS = 1_000;
/** What is replayed at once, so that replays are a part of the load and not most of it. */
const REPLAY_MS = 20_000;
const SETUP_TRIES = 50;

interface EndpointBody {
  readonly id: string;
  readonly name: string | null;
  readonly is_active: boolean;
  readonly paused_at: string | null;
}

/** Does what customers do with their endpoints, and knows of each change when it was under way. */
export class Tenants {
  readonly #world: World;
  readonly #nodes: readonly ChaosNode[];
  readonly #token: string;
  readonly #random: Random;
  /** Of its own, so that what tenants do does not depend on how often they look. */
  readonly #looks: Random;
  readonly #port: number;
  #over = false;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: { world: World; nodes: readonly ChaosNode[]; token: string; seed: number; port: number }) {
    this.#world = options.world;
    this.#nodes = options.nodes;
    this.#token = options.token;
    this.#random = new Random(options.seed, 'tenants');
    this.#looks = new Random(options.seed, 'looks');
    this.#port = options.port;
  }

  /** The first organizations and endpoints, while all is well. */
  async setUp(): Promise<void> {
    for (const slug of ORGANIZATIONS) {
      await this.#surely('POST', '/organizations', { slug });
      this.#world.organizations.push(slug);
      for (const dialect of DIALECT_NAMES) await this.#create(slug, dialect, null);
      await this.#create(slug, 'standard', ['thing.done', 'call.completed']);
    }
    const missing = this.#world.endpoints.find(({ id }) => id === null);
    if (missing !== undefined) throw new Error(`The endpoint ${missing.key} could not be made.`);
  }

  /** An organization with one paused endpoint, for deliveries that are older than the history. */
  async setUpPaused(slug: string): Promise<ChaosEndpoint> {
    await this.#surely('POST', '/organizations', { slug });
    this.#world.organizations.push(slug);
    const endpoint = await this.#create(slug, 'standard', null);
    await this.setPaused(endpoint, true);
    return endpoint;
  }

  run(act: boolean): void {
    // Each organization by itself: a look that a suspended node holds up does not hold up the others.
    const loops = this.#world.organizations.map((slug) => this.#observeAgainAndAgain(slug));
    if (act) loops.push(this.#actAll());
    this.#work = Promise.all(loops);
  }

  /** Ends what tenants do. */
  async stop(): Promise<void> {
    this.#over = true;
    await this.#work;
  }

  /** Switches on and resumes every endpoint that exists, so that nothing has a reason to wait. True when all are, and were seen to be. */
  async switchAllOn(): Promise<boolean> {
    const looks = await Promise.all(this.#world.organizations.map((slug) => this.#observe(slug)));
    let all = looks.every(Boolean);
    for (const endpoint of this.#world.endpoints) {
      if (endpoint.isDeleted) continue;
      const isOn = !isOpen(endpoint) && endpoint.changes.at(-1)!.isActive && !endpoint.isPaused;
      if (isOn) continue;
      all = false;
      if (isOpen(endpoint) || endpoint.id === null) continue; // seen at the next look
      if (!endpoint.changes.at(-1)!.isActive) await this.#setActive(endpoint, true);
      if (endpoint.isPaused) await this.setPaused(endpoint, false);
    }
    return all;
  }

  async setPaused(endpoint: ChaosEndpoint, isPaused: boolean): Promise<void> {
    endpoint.isPaused = true; // or may be
    endpoint.pauseAsked = Infinity;
    const answer = await this.#call('POST', `${pathOf(endpoint)}/${isPaused ? 'pause' : 'resume'}`);
    endpoint.pauseAsked = now();
    if (isOk(answer)) endpoint.isPaused = isPaused;
  }

  note(kind: Action['kind'], endpoint: ChaosEndpoint | null, organization: string, eventId?: string): void {
    this.#world.actions.push({ kind, at: now(), endpoint, organization, ...(eventId !== undefined && { eventId }) });
  }

  async #actAll(): Promise<void> {
    const random = this.#random;
    while (!this.#over) {
      await sleep(random.between(200, 1_500));
      const organization = random.pick(ORGANIZATIONS);
      const candidates = this.#world.living().filter((one) => one.organization === organization && !isOpen(one));
      const endpoint = candidates.length > 0 ? random.pick(candidates) : null;
      const kinds = { create: 2, delete: 1, disable: 2, enable: 6, pause: 3, resume: 6, rotate: 2, resend: 4, replay: 1, retention: 1 };
      await this.#act(random.weighted(kinds), organization, endpoint);
    }
  }

  async #act(kind: string, organization: string, endpoint: ChaosEndpoint | null): Promise<void> {
    const random = this.#random;
    if (kind === 'create') {
      if (this.#world.living().length < MAX_LIVING)
        await this.#create(organization, random.pick(DIALECT_NAMES), random.chance(0.5) ? null : [random.pick(EVENT_TYPES)]);
    } else if (kind === 'retention') {
      this.note('retention', null, organization);
      await this.#call('PUT', `/organizations/${organization}/retention`, { days: 1 + random.below(30) });
    } else if (endpoint === null) return;
    else if (kind === 'delete') await this.#delete(endpoint);
    else if (kind === 'disable') await this.#setActive(endpoint, false);
    else if (kind === 'enable') {
      const off = this.#world.living().find((one) => !isOpen(one) && !one.changes.at(-1)!.isActive);
      if (off !== undefined) await this.#setActive(off, true);
    } else if (kind === 'pause') await this.setPaused(endpoint, true);
    else if (kind === 'resume') {
      const paused = this.#world.living().find((one) => one.isPaused && ORGANIZATIONS.includes(one.organization));
      if (paused !== undefined) await this.setPaused(paused, false);
    } else if (kind === 'rotate') {
      const { needsSecret } = DIALECTS[endpoint.dialect];
      await this.#call('POST', `${pathOf(endpoint)}/rotate-secret`, needsSecret ? { secret: `secret-${random.next()}` } : {});
    } else if (kind === 'resend') await this.#resend(endpoint);
    else if (kind === 'replay') {
      this.note('replay', endpoint, organization);
      const since = new Date(Date.now() - REPLAY_MS).toISOString();
      await this.#call('POST', `/organizations/${organization}/replays`, { since, endpoint: endpoint.id });
    }
  }

  async #create(organization: string, dialect: DialectName, types: readonly string[] | null): Promise<ChaosEndpoint> {
    const endpoint = this.#world.add(organization, dialect, types);
    const change = beginChange(endpoint, true, now());
    const answer = await this.#call('POST', `/organizations/${organization}/endpoints`, {
      dialect,
      url: `http://${endpoint.key}.${ZONE}:${this.#port}/${endpoint.key}`,
      name: endpoint.key,
      events: endpoint.types ?? [],
      ...(DIALECTS[dialect].needsSecret && { secret: `secret-of-${endpoint.key}` }),
      ...(endpoint.types === null && { events: undefined }),
    });
    if (isOk(answer)) {
      endpoint.id = (answer.body as { endpoint: EndpointBody }).endpoint.id;
      change.to = now();
    } else if (isRefused(answer)) endpoint.isDeleted = true; // never was
    return endpoint;
  }

  async #delete(endpoint: ChaosEndpoint): Promise<void> {
    this.note('delete', endpoint, endpoint.organization);
    const change = beginChange(endpoint, false, now());
    const answer = await this.#call('DELETE', pathOf(endpoint));
    if (typeof answer === 'object' && (answer.status < 300 || answer.status === 404)) {
      change.to = now();
      endpoint.isDeleted = true;
    } else if (isRefused(answer)) dropChange(endpoint, change);
  }

  async #setActive(endpoint: ChaosEndpoint, isActive: boolean): Promise<void> {
    this.note(isActive ? 'enable' : 'disable', endpoint, endpoint.organization);
    const change = beginChange(endpoint, isActive, now());
    const answer = await this.#call('PATCH', pathOf(endpoint), { is_active: isActive });
    if (isOk(answer)) change.to = now();
    else if (isRefused(answer)) dropChange(endpoint, change);
  }

  async #resend(endpoint: ChaosEndpoint): Promise<void> {
    const path = `/organizations/${endpoint.organization}/deliveries`;
    const answer = await this.#call('GET', `${path}?endpoint=${endpoint.id}&limit=20`);
    const found = isOk(answer) ? (answer.body as { data: { id: string; event_id: string }[] }).data : [];
    if (found.length === 0) return;
    const delivery = this.#random.pick(found);
    this.note('resend', endpoint, endpoint.organization, delivery.event_id);
    await this.#call('POST', `${path}/${delivery.id}/resend`);
  }

  async #observeAgainAndAgain(organization: string): Promise<void> {
    while (!this.#over) {
      await this.#observe(organization);
      await sleep(OBSERVE_MS);
    }
  }

  /**
   * Looks at an organization's endpoints: what a lost answer left open, and what was switched off for its failures. False when nobody
   * answered.
   */
  async #observe(organization: string): Promise<boolean> {
    const askedAt = now();
    const answer = await this.#call('GET', `/organizations/${organization}/endpoints`, undefined, this.#looks);
    if (!isOk(answer)) return false;
    const answeredAt = now();
    const byKey = new Map((answer.body as { data: EndpointBody[] }).data.map((body) => [body.name, body]));
    for (const endpoint of this.#world.endpoints) {
      if (endpoint.organization !== organization || endpoint.isDeleted) continue;
      const body = byKey.get(endpoint.key);
      if (body !== undefined) {
        endpoint.id ??= body.id;
        if (askedAt > endpoint.pauseAsked + SETTLE_MS) endpoint.isPaused = body.paused_at !== null;
      }
      // One that was made while the look was under way is missing in it, and not deleted.
      const isNews = observe(endpoint, body?.is_active ?? false, askedAt, answeredAt, SETTLE_MS);
      if (body === undefined && isNews) endpoint.isDeleted = true;
    }
    return true;
  }

  #call(method: string, path: string, body?: unknown, random = this.#random): Promise<ApiAnswer | NoAnswer> {
    return callApi(random.pick(this.#nodes).url, this.#token, method, path, body);
  }

  async #surely(method: string, path: string, body: unknown): Promise<void> {
    for (let tries = 1; ; tries++) {
      const answer = await this.#call(method, path, body);
      if (isOk(answer)) return;
      if (tries === SETUP_TRIES) throw new Error(`${method} ${path} failed: ${JSON.stringify(answer)}`);
      await sleep(100);
    }
  }
}

function pathOf({ id, organization }: ChaosEndpoint): string {
  return `/organizations/${organization}/endpoints/${id}`;
}

function isOpen({ changes }: ChaosEndpoint): boolean {
  return changes.some(({ to }) => to === Infinity);
}

function isOk(answer: ApiAnswer | NoAnswer): answer is ApiAnswer {
  return typeof answer === 'object' && answer.status < 300;
}

/** Nothing was changed, for sure. */
function isRefused(answer: ApiAnswer | NoAnswer): boolean {
  return answer === 'not_sent' || (typeof answer === 'object' && answer.status >= 400 && answer.status < 500);
}
