import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ATTEMPT_ERRORS, LIMITS, NETWORK_LIMITS } from '@dialhook/engine';
import {
  CALL_LIMITS,
  DIAL_LIMITS,
  DIALNEXA_RATE,
  HTTP_LIMITS,
  LIST_LIMITS,
  PROBLEMS,
  SESSION_LIMITS,
  RETENTION_LIMITS,
  VARIABLES,
  WRITE_LIMITS,
} from '@dialhook/server';
import { PROCESS_LIMITS } from '../packages/cli/src/supervisor/limits.ts';

/** The docs cannot drift from the code: every row here is compared both ways. */

const page = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

/** The rows of every table on a page: cells without the code marks. */
function rows(text: string): string[][] {
  return [...text.matchAll(/^\| `([^`]+)` *\|(.*)\|$/gm)].map(([, name, rest]) => [name!, ...rest!.split('|').map((cell) => cell.trim())]);
}

test('docs/errors.md has every code with its status and meaning, and no other', () => {
  const [operator = '', attempts = ''] = page('docs/errors.md').split('## Attempts');
  assert.deepEqual(
    rows(operator).map(([code, status, meaning]) => [code, Number(status), meaning]),
    Object.entries(PROBLEMS).map(([code, [status, title]]) => [code, status, title]),
  );
  assert.deepEqual(
    rows(attempts).map(([code, meaning]) => [code, meaning]),
    Object.entries(ATTEMPT_ERRORS),
  );
});

test('docs/configuration.md has every variable with its default and meaning, and no other', () => {
  assert.deepEqual(
    rows(page('docs/configuration.md')).map(([name, preset, meaning]) => [name, preset!.replaceAll('`', ''), meaning]),
    Object.entries(VARIABLES).map(([name, [preset, meaning]]) => [name, preset, meaning]),
  );
});

test('docs/limits.md has every limit with its value, and no other', () => {
  const value = (text: string) =>
    text.split('×').reduce((product, factor) => product * (factor.trim() === 'MIB' ? 1024 * 1024 : Number(factor)), 1);
  assert.deepEqual(
    rows(page('docs/limits.md')).map(([name, text]) => [name, value(text!)]),
    [
      ...Object.entries(LIMITS),
      ...Object.entries(NETWORK_LIMITS),
      ...Object.entries(LIST_LIMITS),
      ...Object.entries(DIAL_LIMITS),
      ...Object.entries(WRITE_LIMITS),
      ...Object.entries(DIALNEXA_RATE),
      ...Object.entries(CALL_LIMITS),
      ...Object.entries(SESSION_LIMITS),
      ...Object.entries(HTTP_LIMITS),
      ...Object.entries(RETENTION_LIMITS),
      ...Object.entries(PROCESS_LIMITS),
    ],
  );
});

test('docs/limits.md names for each shared thing limits that exist and a test that exists, and leaves none of them out', () => {
  const text = page('docs/limits.md');
  const section = text.slice(text.indexOf('## What tenants share'), text.indexOf('## Delivery'));
  const named = [...section.matchAll(/^\| [^|]+ \| ([^|]+) \| `([^`]+)` in (\S+) *\|$/gm)].map(([, share, name, path]) => ({
    share,
    name,
    path,
  }));
  assert.equal(named.length, section.split('\n').filter((line) => line.startsWith('| ')).length - 2);
  const limits = new Set(rows(text).map(([name]) => name));
  for (const { name, path, share } of named) {
    assert.ok(page(path!).includes(`test('${name}'`), `${path} has no test "${name}"`);
    for (const [, limit] of share!.matchAll(/`(\w+)`/g)) assert.ok(limits.has(limit!), `there is no limit ${limit}`);
  }
  for (const [, name] of page('packages/server/src/http/shares.test.ts').matchAll(/ test\('([^']+)'/g))
    assert.ok(
      named.some((one) => one.name === name),
      `the table lacks "${name}"`,
    );
});

test('every command of the README and of CONTRIBUTING exists', () => {
  const { scripts } = JSON.parse(page('package.json')) as { scripts: Record<string, string> };
  for (const path of ['README.md', 'CONTRIBUTING.md', 'bench/README.md']) {
    for (const [, name] of page(path).matchAll(/npm run ([a-z]+)/g)) assert.ok(Object.hasOwn(scripts, name!), `${path}: npm run ${name}`);
  }
  for (const name of ['start', 'test']) assert.ok(Object.hasOwn(scripts, name));
});

test('files that the docs name exist', () => {
  for (const path of ['README.md', 'CONTRIBUTING.md', 'SECURITY.md']) {
    for (const [, link] of page(path).matchAll(/\]\((?!https?:)([^)#]+)\)/g)) page(link!.replace(/(packages\/\w+)$/, '$1/package.json'));
  }
  const rooms = [
    'packages/server/src/',
    'packages/',
    'packages/engine/',
    'packages/server/src/lists/worker/',
    'packages/engine/src/',
    'packages/engine/src/worker/',
  ];
  for (const [, name] of page('ARCHITECTURE.md').matchAll(/`([\w/-]+\.ts)`/g)) {
    const named = name!.replace(/^engine\/(?!src)/, 'engine/src/').replace(/^server\/(?!src)/, 'server/src/');
    assert.ok(
      rooms.some((room) => exists(room + named)),
      `ARCHITECTURE.md names ${name}`,
    );
  }
});

function exists(path: string): boolean {
  try {
    page(path);
    return true;
  } catch {
    return false;
  }
}
