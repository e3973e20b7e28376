import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isUniqueViolation, uuidv7 } from '@dialhook/engine';
import { DATABASE_KINDS, freshDatabase } from '@dialhook/testing';
import { serverMigrations } from '../../migrations.ts';
import { confirmEmail, findPassword, setPendingEmail, updateUser } from './users.ts';

for (const kind of DATABASE_KINDS) {
  describe(`e-mail addresses in the ${kind} database`, () => {
    test('belong to one user in every spelling; those who shared one before go on', async (t) => {
      const { close, database } = await freshDatabase(kind);
      t.after(close);
      // As an older version left it.
      await database.query({ text: 'alter table users drop column shares_email' });
      const users = [
        ['Old', 'ana@example.com', null],
        ['Main', 'Ana@example.com', 'hash-main'],
        ['Late', 'ANA@example.com', 'hash-late'],
        ['Bystander', 'bob@example.com', 'hash-bob'],
        ['Nobody', null, null],
      ] as const;
      const ids = new Map<string, string>();
      for (const [index, [name, email, hash]] of users.entries()) {
        ids.set(name, uuidv7(1_000 + index));
        await database.query({
          text: 'insert into users (id, email, name, password_hash, created_at) values ($1, $2, $3, $4, now())',
          values: [ids.get(name), email, name, hash],
        });
      }
      for (const text of readFileSync(join(serverMigrations.directory, '0008_emails.sql'), 'utf8').split(/;$/m))
        await database.query({ text });

      const shares = await database.query<{ name: string }>({ text: 'select name from users where shares_email order by id' });
      assert.deepEqual(
        shares.map(({ name }) => name),
        ['Old', 'Late'],
      );
      const who = async (email: string) => (await findPassword(database, email))?.userId;
      for (const [email, name] of [
        ['ana@example.com', 'Old'],
        ['Ana@example.com', 'Main'],
        ['ANA@example.com', 'Late'],
        ['aNA@example.com', 'Main'],
        ['BOB@example.com', 'Bystander'],
      ] as const)
        assert.equal(await who(email), ids.get(name), email);
      const change = async (name: string, email: string) => {
        await setPendingEmail(database, ids.get(name)!, email);
        return confirmEmail(database, ids.get(name)!, email);
      };
      const taken = (error: unknown) => isUniqueViolation(error, 'users_email');
      await assert.rejects(change('Nobody', 'BOB@example.com'), taken);
      await assert.rejects(change('Late', 'Bob@example.com'), taken);
      await updateUser(database, ids.get('Late')!, { name: 'Later' });
      assert.equal(await who('ANA@example.com'), ids.get('Late'));
      await change('Late', 'late@example.com');
      await assert.rejects(change('Nobody', 'Late@example.com'), taken);
      assert.equal(await who('Bob@example.com'), ids.get('Bystander'));
    });
  });
}
