// Writes packages/server/src/accounts/common-passwords.json: passwords that many people choose, out of the list that
// zxcvbn-ts keeps, as far as they are long enough to be taken here. Run `npm run generate` after upgrading it. They are
// written as digests, since nobody should have to read them.
import { writeFileSync } from 'node:fs';
import { dictionary } from '@zxcvbn-ts/language-common';
import { digestOf } from '../packages/server/src/accounts/password-rules.ts';
import { SESSION_LIMITS } from '../packages/server/src/accounts/session-limits.ts';

const passwords = (dictionary['passwords-common'] as (string | number)[]).map(String);
const digests = passwords.filter(({ length }) => length >= SESSION_LIMITS.minPasswordLength).map(digestOf);
const path = new URL('../packages/server/src/accounts/common-passwords.json', import.meta.url);
writeFileSync(path, `${JSON.stringify([...new Set(digests)].toSorted((a, b) => (a < b ? -1 : 1)).join(''))}\n`);
