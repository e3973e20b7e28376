import { strict as assert } from 'node:assert';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

/** The rules of the house, as a test: who may import whom, and what may be done in which room. */

const root = fileURLToPath(new URL('..', import.meta.url));
const files = globSync('{packages,tools,bench,examples}/**/*.{ts,tsx,mjs}', {
  cwd: root,
  exclude: (path) => path.includes('node_modules') || path.includes('/dist/'),
}).map((path) => path.replaceAll('\\', '/'));
const text = (path: string) => readFileSync(root + path, 'utf8');
const isTest = (path: string) => /\.(test|fixture)\.ts$/.test(path) || path.startsWith('packages/testing/');
const sources = files.filter((path) => path.startsWith('packages/') && !isTest(path));

/** Which packages of ours each package may import. */
const ARROWS: Record<string, readonly string[]> = {
  webhooks: [],
  engine: ['@dialhook/webhooks'],
  server: ['@dialhook/webhooks', '@dialhook/engine'], // and the panel's built files, which it serves and does not know
  panel: ['@dialhook/webhooks'],
  cli: ['@dialhook/webhooks', '@dialhook/engine', '@dialhook/server'],
};

test('arrows run one way, and packages are entered by their front door', () => {
  for (const path of sources) {
    const [, name] = path.split('/');
    for (const [, specifier] of text(path).matchAll(/from '([^']+)'/g)) {
      if (specifier!.startsWith('@dialhook/')) assert.ok(ARROWS[name!]!.includes(specifier!), `${path} imports ${specifier}`);
      assert.ok(!/packages\//.test(specifier!), `${path} reaches into ${specifier}`);
    }
  }
});

test('inside the engine, core knows neither store nor worker, and store does not know worker', () => {
  for (const path of sources.filter((file) => file.startsWith('packages/engine/src/'))) {
    const room = path.split('/')[3]!;
    const forbidden = room === 'core' ? /from '\.\.\/(store|worker)\// : room === 'store' ? /from '\.\.\/worker\// : null;
    if (forbidden) assert.ok(!forbidden.test(text(path)), path);
  }
});

test('the engine and the receiver SDK name no vendor outside the schemes', () => {
  for (const path of sources.filter((file) => file.startsWith('packages/engine/')))
    assert.ok(!/optimaldial|outboundiq|dialnexa/i.test(text(path)), path);
});

test('SQL stands in store folders alone', () => {
  const sql =
    /[`']\s*(select\s[\s\S]{0,200}?\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|create\s+(table|index)\s|with\s+recursive\s)/i;
  for (const path of sources.filter((file) => !file.includes('/store/'))) assert.ok(!sql.test(text(path)), path);
});

/** Files that may open connections to somewhere else, and why. */
const OUTBOUND: Record<string, string> = {
  'packages/engine/src/worker/guard.ts': 'says where webhooks may go',
  'packages/server/src/lists/classify/http.ts': 'the look-up service that the operator names',
  'packages/server/src/calls/applications.ts': 'the application that the operator names',
  'packages/panel/src/api/client.ts': 'the panel speaks to the server that it came from',
  'packages/cli/src/client.ts': 'the command line speaks to the server',
};

test('outbound network is in the files that are named for it', () => {
  const network = /\bfetch\(|from 'undici'|from 'node:(net|tls|https|dns|dns\/promises)'|http\.request\(|connect\(\{ *host/;
  for (const path of sources) {
    const harmless = path === 'packages/server/src/config.ts'; // `isIP` alone
    if (path.startsWith('packages/engine/src/worker/outbound/')) continue; // webhooks, guarded: a room of their own
    if (network.test(text(path)) && !harmless) assert.ok(path in OUTBOUND, `${path} opens connections`);
  }
  for (const path of Object.keys(OUTBOUND)) assert.match(text(path), network, `${path} is named and does not`);
});

test('nothing is left half done or switched off', () => {
  const marks = /TODO|FIXME|\.only\(|\.skip\(|@ts-ignore|@ts-expect-error|as any[\]);,>.]|oxlint-disable|eslint-disable/;
  for (const path of files.filter((file) => file !== 'tools/tidy.test.ts')) assert.ok(!marks.test(text(path)), path);
});

test('a file holds one thing', () => {
  const MAX_LINES = 350;
  for (const path of sources.filter((file) => !file.endsWith('schemas.ts') && file !== 'packages/panel/src/api/types.ts')) {
    const lines = text(path).split('\n').length;
    assert.ok(lines <= MAX_LINES, `${path} has ${lines} lines`);
  }
});

test('files that say what they need at run time say it in their package', () => {
  for (const path of sources.filter((file) => !file.endsWith('/vite.config.ts'))) {
    const [, name] = path.split('/');
    const manifest = JSON.parse(text(`packages/${name}/package.json`)) as { dependencies?: Record<string, string> };
    for (const [, specifier] of text(path).matchAll(/^(?:import|export) .*from '([^'.][^']*)'/gm)) {
      if (specifier!.startsWith('node:')) continue;
      const dependency = specifier!
        .split('/')
        .slice(0, specifier!.startsWith('@') ? 2 : 1)
        .join('/');
      assert.ok(dependency in (manifest.dependencies ?? {}), `${path} imports ${specifier}`);
    }
  }
});
