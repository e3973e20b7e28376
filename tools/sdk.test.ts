import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SourceTextModule, createContext, type Module } from 'node:vm';
import { test } from 'node:test';

const dist = new URL('../packages/webhooks/dist/', import.meta.url);
const built = () => readdirSync(dist).filter((name) => name.endsWith('.js'));

test('the built SDK has no dependency and runs where there is nothing but Web APIs', async () => {
  execFileSync(process.execPath, [fileURLToPath(new URL('build-sdk.mjs', import.meta.url))], { stdio: 'pipe' });
  for (const name of built()) {
    for (const [, specifier] of readFileSync(new URL(name, dist), 'utf8').matchAll(/from '([^']+)'/g))
      assert.match(specifier!, /^\.\/\w+\.js$/, `${name} imports ${specifier}`);
  }
  // What an edge runtime has: no process, no Buffer, no require.
  const context = createContext({ crypto, TextEncoder, TextDecoder, Headers, atob, btoa, Uint8Array, Date });
  const modules = new Map<string, SourceTextModule>();
  const load = (name: string): SourceTextModule => {
    let module = modules.get(name);
    if (module === undefined) {
      module = new SourceTextModule(readFileSync(new URL(name, dist), 'utf8'), { context, identifier: name });
      modules.set(name, module);
    }
    return module;
  };
  const sdk = load('index.js');
  await sdk.link((specifier: string): Module => load(specifier.slice(2)));
  await sdk.evaluate();
  const { standard, sign, verify } = sdk.namespace as typeof import('@dialhook/webhooks');
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const headers = await sign(standard, {
    secret,
    body: '{"test": 2432232314}',
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: 1_614_265_330,
  });
  assert.equal(headers['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  await verify(standard, { secret, body: '{"test": 2432232314}', headers, now: 1_614_265_330 });
  await assert.rejects(verify(standard, { secret, body: '{"test": 0}', headers, now: 1_614_265_330 }), { code: 'signature_mismatch' });
});
