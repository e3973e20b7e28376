import { test } from 'node:test';
import { runDials } from './dials-run.fixture.ts';

/** Small enough for every run; ten times as many in `dials.long.test.ts`. */
test('10,000 dials, 15 webhooks that fail at random, two kills: every dial is accounted for', (t) => runDials(t, 10_000));
