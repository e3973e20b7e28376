import { test } from 'node:test';
import { runCampaign } from './campaign-run.fixture.ts';
import { runWorkflow } from './workflow-run.fixture.ts';

test('a campaign of 10,000 leads, 20 calls at once, two nodes, three kills: every lead has its outcome, every call its event', (t) =>
  runCampaign(t, 10_000));

test('5,000 leads through six steps, two nodes, three kills, a pause and a resume: every lead arrives once', (t) =>
  runWorkflow(t, 5_000, 5_000));
