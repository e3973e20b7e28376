import { test } from 'node:test';
import { runDials } from './dials-run.fixture.ts';

test('100,000 dials, 15 webhooks that fail at random, two kills: every dial is accounted for', (t) => runDials(t, 100_000));
