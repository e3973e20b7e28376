import { isDataError, type Alarm, type Clock, type Database, type Engine, type Log, type Queryable } from '@dialhook/engine';
import { organizationSlugs } from '../accounts/store/organizations.ts';
import { addContacts } from '../lists/contact-history.ts';
import { cleanDial } from './clean.ts';
import { DIAL_LIMITS } from './limits.ts';
import type { Campaign, DialEvent, Dispo, RawDial, Translations } from './model.ts';
import { storeCleaned, storeFailures, takeUncleaned, UNCLEANED_DUE, type CleanedDial, type InboxDial } from './store/dials.ts';
import { findCampaigns, findDispos } from './store/translations.ts';

export interface CleanerOptions {
  readonly database: Database;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  /** So many dials of these companies were gathered for their webhooks. */
  readonly onGathered: (counts: ReadonlyMap<string, number>) => void;
}

/** The event type that batches go out as. */
export const BATCH_EVENT = 'dial.batch';

/**
 * Cleans what the intake stored: in one transaction a dial leaves the inbox, becomes a cleaned dial, adds to the
 * contact history, and is gathered for the company's webhooks if it has one that is switched on.
 */
export class DialCleaner {
  readonly #options: CleanerOptions;
  readonly #alarm: Alarm;
  /** So many steps more take one dial each. */
  #alone = 0;

  constructor(options: CleanerOptions) {
    this.#options = options;
    const { agenda } = options.engine;
    this.#alarm = agenda.alarm({ source: UNCLEANED_DUE, everyMs: DIAL_LIMITS.cleanIntervalMs, work: () => this.#step() });
  }

  start(): void {
    this.#alarm.start();
  }

  stop(): Promise<void> {
    return this.#alarm.stop();
  }

  /** Something waits to be cleaned. */
  wake(): void {
    this.#alarm.at(this.#options.clock.now());
  }

  async #step(): Promise<boolean> {
    const { database, log, onGathered } = this.#options;
    // After a dial that cannot be stored one by one, so that it does not hold up the others.
    const batch = this.#alone > 0 ? 1 : DIAL_LIMITS.cleanBatch;
    this.#alone = Math.max(0, this.#alone - 1);
    const gathered = new Map<string, number>();
    let taken: readonly InboxDial[] = [];
    try {
      await database.transaction(async (tx) => {
        taken = await takeUncleaned(tx, batch);
        if (taken.length > 0) await this.#clean(tx, taken, gathered);
      });
      if (gathered.size > 0) onGathered(gathered);
      return taken.length === batch;
    } catch (error) {
      log.warn({ err: error }, 'dials could not be cleaned, will be tried again');
      if (!isDataError(error)) return false; // the database's trouble says nothing about the dials
      if (taken.length === 1) return this.#keepFailed(taken[0]!.id);
      this.#alone = DIAL_LIMITS.cleanBatch;
      return false;
    }
  }

  /** While the database is away this fails too, and the dial stays where it is. */
  async #keepFailed(id: string): Promise<boolean> {
    const { clock, database, log } = this.#options;
    try {
      await storeFailures(database, [{ id, error: 'the cleaned dial could not be stored' }], new Date(clock.now()));
      return true;
    } catch (error) {
      log.warn({ err: error }, 'a dial that could not be cleaned could not be kept as such');
      return false;
    }
  }

  async #clean(tx: Queryable, dials: readonly InboxDial[], gathered: Map<string, number>): Promise<void> {
    const { clock, engine, log } = this.#options;
    const now = new Date(clock.now());
    const companies = [...new Set(dials.map(({ organizationId }) => organizationId))];
    const slugs = await organizationSlugs(tx, companies);
    const listening = await engine.endpoints.listening(tx, companies, BATCH_EVENT);
    const { failures, parsed } = parseAll(dials);
    const tables = await loadTranslations(tx, companies, parsed);
    const cleaned: CleanedDial[] = [];
    const contacts: { number: string; dials: number; contacts: number }[] = [];
    for (const { id, organizationId, raw } of parsed) {
      let event: DialEvent;
      try {
        event = cleanDial(raw, slugs.get(organizationId) ?? organizationId, tables(organizationId));
      } catch (error) {
        failures.push({ id, error: (error as Error).message });
        continue;
      }
      const isGathered = listening.has(organizationId);
      cleaned.push({ id, organizationId, event: JSON.stringify(event), gathered: isGathered });
      if (isGathered) gathered.set(organizationId, (gathered.get(organizationId) ?? 0) + 1);
      if (event.phone !== null) contacts.push({ number: event.phone, dials: 1, contacts: event.contact ? 1 : 0 });
    }
    if (cleaned.length > 0) await storeCleaned(tx, cleaned, now);
    if (failures.length > 0) {
      await storeFailures(tx, failures, now);
      log.warn({ dials: failures.map(({ id }) => id) }, 'dials could not be cleaned and are kept');
    }
    await addContacts(tx, contacts);
  }
}

function parseAll(dials: readonly InboxDial[]) {
  const failures: { id: string; error: string }[] = [];
  const parsed: { id: string; organizationId: string; raw: RawDial }[] = [];
  for (const { id, organizationId, raw } of dials) {
    try {
      parsed.push({ id, organizationId, raw: JSON.parse(raw) as RawDial });
    } catch {
      failures.push({ id, error: 'the stored dial is not JSON' });
    }
  }
  return { failures, parsed };
}

/** What these dials name in their companies' tables, in two queries. */
async function loadTranslations(
  tx: Queryable,
  companies: readonly string[],
  dials: readonly { readonly raw: RawDial }[],
): Promise<(organizationId: string) => Translations> {
  const campaigns = new Map<string, Campaign>();
  const byName = new Map<string, Dispo>();
  const byId = new Map<string, Dispo>();
  const key = (organizationId: string, name: string) => `${organizationId} ${name}`;
  for (const campaign of await findCampaigns(tx, companies, [...new Set(dials.map(({ raw }) => raw.campaign_id))]))
    campaigns.set(key(campaign.organizationId, campaign.id), campaign);
  for (const dispo of await findDispos(tx, companies, [...new Set(dials.map(({ raw }) => raw.disposition_name))])) {
    byName.set(key(dispo.organizationId, dispo.name), dispo);
    byId.set(key(dispo.organizationId, dispo.id), dispo);
  }
  return (organizationId) => ({
    campaign: (id) => campaigns.get(key(organizationId, id)),
    dispo: (name) => byName.get(key(organizationId, name)) ?? byId.get(key(organizationId, name)),
  });
}
