import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { PLANTS } from './plants.ts';

test('each planted defect still has its place, so that the long run that looks for it is worth its time', () => {
  for (const [name, { places }] of Object.entries(PLANTS)) {
    for (const { file, from } of places) {
      const source = readFileSync(new URL(`../../../engine/src/${file}`, import.meta.url), 'utf8');
      assert.equal(source.split(from).length - 1, 1, `${name}: ${file} has this text once: ${from}`);
    }
  }
});
