import { callApi } from './api.ts';
import { EVENT_TYPES } from './dialects.ts';
import type { ChaosNode } from './node.ts';
import type { Random } from './random.ts';
import { now, sleep } from './troubles.ts';

export interface PublishedEvent {
  /** The run's own name for it, in its data. */
  readonly name: string;
  readonly organization: string;
  readonly type: string;
  readonly sentAt: number;
  answeredAt: number;
  /** `refused`: the answer says that nothing was stored. `unknown`: it may be stored or not. */
  outcome: 'accepted' | 'refused' | 'unknown';
  id: string | null;
}

/** Calls that are under way at once: as many publishers as wait for an answer do not hold up the others. */
const PUBLISHERS = 12;
const MAX_BATCH = 4;

/** Publishes at a steady rate to any node, and keeps what it was told. */
export class Publishers {
  readonly events: PublishedEvent[] = [];
  /** Answers by status, and `unknown` and `not_sent`. */
  readonly answers = new Map<string, number>();
  /** 503 without a word when to come back. */
  withoutRetryAfter = 0;
  readonly #work: Promise<unknown>;
  #over = false;
  #next = 0;

  constructor(options: {
    nodes: readonly ChaosNode[];
    token: string;
    organizations: readonly string[];
    random: Random;
    eventsPerSecond: number;
  }) {
    const { eventsPerSecond, nodes, organizations, random, token } = options;
    // A batch has 1 to MAX_BATCH events; each publisher has an equal share of the rate.
    const pauseMs = (1000 * PUBLISHERS * ((1 + MAX_BATCH) / 2)) / eventsPerSecond;
    this.#work = Promise.all(
      Array.from({ length: PUBLISHERS }, async () => {
        while (!this.#over) {
          const began = now();
          const batch = this.#make(random, organizations);
          await this.#publish(random.pick(nodes), nodes, token, batch);
          await sleep(Math.max(0, pauseMs * random.between(0.5, 1.5) - (now() - began)));
        }
      }),
    );
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#work;
  }

  #make(random: Random, organizations: readonly string[]): PublishedEvent[] {
    const organization = random.pick(organizations);
    return Array.from({ length: 1 + random.below(MAX_BATCH) }, () => ({
      name: `${organization}-${this.#next++}`,
      organization,
      type: random.pick(EVENT_TYPES),
      sentAt: now(),
      answeredAt: Infinity,
      outcome: 'unknown',
      id: null,
    }));
  }

  async #publish(first: ChaosNode, nodes: readonly ChaosNode[], token: string, batch: PublishedEvent[]): Promise<void> {
    this.events.push(...batch);
    const body = batch.map(({ name, organization, type }) => ({ organization, type, data: { m: name } }));
    let answer = await callApi(first.url, token, 'POST', '/events', body);
    // A node that is down takes no connection: the others are asked.
    for (const { url } of nodes) if (answer === 'not_sent') answer = await callApi(url, token, 'POST', '/events', body);
    const key = typeof answer === 'string' ? answer : String(answer.status);
    this.answers.set(key, (this.answers.get(key) ?? 0) + 1);
    const answeredAt = now();
    for (const [index, event] of batch.entries()) {
      event.answeredAt = answeredAt;
      if (answer === 'not_sent') event.outcome = 'refused';
      else if (answer !== 'unknown' && answer.status === 202) {
        event.outcome = 'accepted';
        event.id = (answer.body as { ids: string[] }).ids[index]!;
      } else if (answer !== 'unknown' && answer.status === 503) {
        event.outcome = 'refused';
        if (answer.retryAfter === null) this.withoutRetryAfter += 1;
      }
    }
  }
}
