import { test } from 'node:test';
import { runCampaign } from './campaign-run.fixture.ts';
import { runWorkflow } from './workflow-run.fixture.ts';

/** Small enough for every run; ten times as large in `campaigns.long.test.ts`. */

test('a campaign of 1,000 leads, 20 calls at once, two nodes, three kills: every lead has its outcome, every call its event', (t) =>
  runCampaign(t, 1_000));

test('500 leads through six steps, two nodes, three kills, a pause and a resume: every lead arrives once', (t) => runWorkflow(t, 500, 200));
