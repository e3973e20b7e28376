import type { Database } from '@dialhook/engine';
import { DIAL_LIMITS } from './limits.ts';
import { countRowsLocked, deleteRow, findRow, insertRow, listRows, updateRow, type TranslationTable } from './store/translations.ts';

/** The three tables of a company's dialler, by the name that their routes have. */
export const TRANSLATIONS = {
  campaigns: { table: 'dial_campaigns', columns: ['id', 'name', 'type', 'inbound_pool_id'] },
  dispos: { table: 'dial_dispos', columns: ['id', 'name', 'type', 'contact', 'success'] },
  anis: { table: 'dial_anis', columns: ['number', 'country_code', 'inbound_group_id', 'is_branded', 'brand_name', 'carrier_id'] },
} as const satisfies Record<string, TranslationTable>;
export type TranslationName = keyof typeof TRANSLATIONS;

export type Row = Readonly<Record<string, unknown>>;

/** What a company's dialler means by its ids. Changes apply from the next dial that is cleaned. */
export class DialTranslations {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** `exists` when the key is taken, `full` when the company has as many rows as it may. */
  async add(name: TranslationName, organizationId: string, row: Row): Promise<'added' | 'exists' | 'full'> {
    const table = TRANSLATIONS[name];
    return this.#database.transaction(async (tx) => {
      if ((await countRowsLocked(tx, table, organizationId)) >= DIAL_LIMITS.translations) return 'full';
      return (await insertRow(tx, table, organizationId, row)) ? 'added' : 'exists';
    });
  }

  /** Null when there is no such row. */
  change(name: TranslationName, organizationId: string, row: Row): Promise<Row | null> {
    return updateRow(this.#database, TRANSLATIONS[name], organizationId, row);
  }

  find(name: TranslationName, organizationId: string, key: string): Promise<Row | null> {
    return findRow(this.#database, TRANSLATIONS[name], organizationId, key);
  }

  /** By key, after the one given. */
  list(name: TranslationName, organizationId: string, after: string, limit: number): Promise<Row[]> {
    return listRows(this.#database, TRANSLATIONS[name], organizationId, after, limit);
  }

  remove(name: TranslationName, organizationId: string, key: string): Promise<boolean> {
    return deleteRow(this.#database, TRANSLATIONS[name], organizationId, key);
  }
}
