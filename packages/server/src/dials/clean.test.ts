import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { cleanDial, parseTime } from './clean.ts';
import type { DialEvent, RawDial, Translations } from './model.ts';

const tables: Translations = {
  campaign: (id) => (id === 'cb-7' ? { id, name: 'Spring Callback', type: 'Inbound', inbound_pool_id: null } : undefined),
  dispo: (name) => {
    if (name === 'APPT_SET' || name === '17') return { id: '17', name: 'Appointment Set', type: 'Agent', contact: true, success: true };
    if (name === 'NO_ANSWER') return { id: '3', name: 'No answer', type: 'System', contact: false, success: false };
    return undefined;
  },
};
const nothing: Translations = { campaign: () => undefined, dispo: () => undefined };

const raw: RawDial = {
  campaign_id: 'cb-7',
  campaign_name: 'spring_cb',
  agent_name: 'Ana Ruiz',
  ani: '+1 312-555-0142',
  prospect_phone: '(773) 555-0199',
  disposition_name: 'APPT_SET',
  datetime: '2026-05-02 09:14:58',
  call_direction: 'Inbound',
  total_dial_attempts: '2',
  dial_id: '77810',
};
const clean = (change: Partial<RawDial> = {}, translations = tables) => cleanDial({ ...raw, ...change }, 'north-star', translations);

test('the contract’s own example', () => {
  assert.deepEqual(clean(), {
    companySlug: 'north-star',
    callId: 'IB_77810',
    callDirection: 'inbound',
    timestamp: '2026-05-02T09:14:58.000Z',
    ani: '3125550142',
    phone: '7735550199',
    campaign: 'Spring Callback',
    campaignInternalId: 'cb-7',
    agent: 'Ana Ruiz',
    disposition: 'Appointment Set',
    dispositionId: '17',
    contact: true,
    success: true,
    isSystemDispo: false,
    totalDialAttempts: 2,
  });
});

const CASES: readonly [what: string, change: Partial<RawDial>, expected: Partial<DialEvent>][] = [
  ['an outbound call has no prefix', { call_direction: 'Outbound' }, { callId: '77810', callDirection: 'outbound' }],
  ['the prefix is not put twice', { dial_id: 'IB_5' }, { callId: 'IB_5' }],
  ['no id', { dial_id: ' ' }, { callId: null }],
  ['an unknown direction is kept in lower case', { call_direction: 'Treview' }, { callDirection: 'treview', callId: '77810' }],
  ['eleven digits with a 1', { prospect_phone: '1-773-555-0199' }, { phone: '7735550199' }],
  ['eleven digits without', { prospect_phone: '27735550199' }, { phone: null }],
  ['nine digits', { prospect_phone: '773555019' }, { phone: null }],
  ['no digits', { ani: 'anonymous' }, { ani: null }],
  [
    'the newer pair, inbound: who calls is the prospect',
    { from_number: '7735550199', to_number: '3125550142' },
    { ani: '3125550142', phone: '7735550199' },
  ],
  [
    'the newer pair, outbound',
    { from_number: '3125550142', to_number: '7735550199', call_direction: 'OUTBOUND' },
    { ani: '3125550142', phone: '7735550199' },
  ],
  ['an unknown campaign keeps its name', { campaign_id: 'x' }, { campaign: 'spring_cb', campaignInternalId: 'x' }],
  ['an empty campaign', { campaign_id: '', campaign_name: '' }, { campaign: null, campaignInternalId: null }],
  [
    'an unknown disposition keeps its name and says nothing else',
    { disposition_name: 'MAYBE' },
    { disposition: 'MAYBE', dispositionId: null, contact: false, success: false, isSystemDispo: false },
  ],
  [
    'a system disposition',
    { disposition_name: 'NO_ANSWER' },
    { disposition: 'No answer', dispositionId: '3', isSystemDispo: true, contact: false },
  ],
  ['by id', { disposition_name: '17' }, { disposition: 'Appointment Set' }],
  ['attempts as a number', { total_dial_attempts: 5 }, { totalDialAttempts: 5 }],
  ['attempts that are none', { total_dial_attempts: 'many' }, { totalDialAttempts: null }],
  ['attempts with a fraction', { total_dial_attempts: 1.5 }, { totalDialAttempts: null }],
  ['negative attempts', { total_dial_attempts: -1 }, { totalDialAttempts: null }],
  ['ISO with a zone', { datetime: '2026-05-02T09:14:58.25+02:00' }, { timestamp: '2026-05-02T07:14:58.250Z' }],
  ['ISO without a zone is UTC', { datetime: '2026-05-02T09:14:58' }, { timestamp: '2026-05-02T09:14:58.000Z' }],
  ['no agent', { agent_name: '' }, { agent: null }],
];
for (const [what, change, expected] of CASES) {
  test(what, () => {
    const event = clean(change);
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(event[name as keyof DialEvent], value, name);
  });
}

test('times that do not exist are refused', () => {
  for (const datetime of [
    '',
    'yesterday',
    '2026-02-30 10:00:00',
    '2026-13-01 10:00:00',
    '2026-05-02',
    '2026-05-02 25:00:00',
    '05/02/2026 10:00',
    '1767258898',
  ])
    assert.throws(() => parseTime(datetime), RangeError, datetime);
});

test('whatever is posted, every key is there, and numbers have ten digits or are null', () => {
  const keys = Object.keys(clean()).sort();
  const any = fc.string({ maxLength: 30 });
  const dial = fc.record(
    {
      campaign_id: any,
      campaign_name: any,
      agent_name: any,
      ani: any,
      prospect_phone: any,
      from_number: any,
      to_number: any,
      disposition_name: any,
      call_direction: any,
      total_dial_attempts: fc.oneof(any, fc.double()),
      dial_id: any,
      datetime: fc.constant(raw.datetime),
    },
    {
      requiredKeys: ['campaign_id', 'campaign_name', 'agent_name', 'disposition_name', 'call_direction', 'total_dial_attempts', 'datetime'],
    },
  );
  fc.assert(
    fc.property(dial, (one) => {
      const event = cleanDial(one as RawDial, 'c', nothing);
      assert.deepEqual(Object.keys(event).sort(), keys);
      for (const number of [event.ani, event.phone]) assert.ok(number === null || /^\d{10}$/.test(number));
      assert.deepEqual([event.contact, event.success, event.isSystemDispo], [false, false, false]);
      assert.equal(event.callDirection, event.callDirection.toLowerCase());
      if (event.callDirection === 'inbound' && event.callId !== null) assert.match(event.callId, /^IB_/);
    }),
  );
});
