import type { Sealer } from '../core/seal.ts';
import { isUniqueViolation } from './trouble.ts';
import type { Queryable } from './database.ts';

/** This node's key does not open what is sealed in the database. */
export class WrongSecretKey extends Error {
  override readonly name = 'WrongSecretKey';
  constructor() {
    super(
      'DIALHOOK_SECRET_KEY (or the file secret-key in the data directory) is not the key that this database was made with: set it to that key, since nothing that is encrypted there can be read with another one.',
    );
  }
}

const TEXT = 'dialhook';
const CONTEXT = 'key check';
/** Of a database without a check, so many secrets are tried: one that is broken says nothing about the key. */
const TRIED_SECRETS = 20;

/**
 * Refuses a key that is not the database's, with `WrongSecretKey`. The first node leaves a known text under its key;
 * a database of an older version is judged by its endpoints' secrets. A sealer that opens with either of two keys passes with both.
 */
export async function checkKey(db: Queryable, sealer: Sealer): Promise<void> {
  const [check] = await db.query<{ sealed: Buffer }>({ text: 'select sealed from key_checks' });
  if (check !== undefined) {
    if (!opens(sealer, check.sealed, CONTEXT)) throw new WrongSecretKey();
    return;
  }
  const secrets = await db.query<{ id: string; sealed: Buffer }>({
    text: 'select id, sealed from endpoints order by id desc limit $1',
    values: [TRIED_SECRETS],
  });
  if (secrets.length > 0 && !secrets.some(({ id, sealed }) => opens(sealer, sealed, id))) throw new WrongSecretKey();
  try {
    await db.query({ text: 'insert into key_checks (sealed) values ($1)', values: [sealer.seal(TEXT, CONTEXT)] });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    await checkKey(db, sealer); // another node was first: its key is the database's
  }
}

function opens(sealer: Sealer, sealed: Buffer, context: string): boolean {
  try {
    sealer.open(sealed, context);
    return true;
  } catch {
    return false;
  }
}
