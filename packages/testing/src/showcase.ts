import { eventually } from './eventually.ts';
import { Receiver } from './receiver.ts';
import type { TestServer } from './test-server.ts';

export interface Showcase {
  readonly slug: string;
  /** Signs an owner in, once. */
  readonly signInUrl: string;
  readonly receiver: Receiver;
  /** Pages of the panel by name, all with something on them. */
  readonly pages: Readonly<Record<string, string>>;
}

const number = (n: number) => `+1312555${String(n).padStart(4, '0')}`;
const british = (n: number) => `+447700900${String(n % 1000).padStart(3, '0')}`;

/** Fills an organization with a little of everything, the way a customer would: through the APIs. Needs the call simulator. */
export async function makeShowcase(place: TestServer): Promise<Showcase> {
  const receiver = await Receiver.start();
  receiver.answer = ({ path }) => (path.endsWith('/failing') ? 503 : 200);
  const { api, slug } = await place.organization({ credits: 100_000 });
  await place.operator.send('PATCH', `/operator/v1/organizations/${slug}`, { name: 'North Star' });
  const base = `/operator/v1/organizations/${slug}`;
  const keyOf = async (kind: string) =>
    (await place.operator.send<{ key: string }>('POST', `${base}/api-keys`, { kind, name: `${kind} integration` })).body.key;
  const dialnexa = place.operator.as(await keyOf('dialnexa'));
  const outboundiq = place.operator.as(await keyOf('outboundiq'));

  const register = (dialect: string, path: string, more: object = {}) =>
    place.operator.send<{ endpoint: { id: string } }>('POST', `${base}/endpoints`, { dialect, url: receiver.url(path), ...more });
  await register('standard', '/crm', { name: 'CRM' });
  await register('standard', '/failing', { name: 'Old receiver', events: ['call.ended'] });
  await api.send('POST', '/api/v1/webhooks', { url: receiver.url('/lists'), events: ['upload.created', 'upload.completed'] });
  await dialnexa.send('POST', '/v1/user-webhooks', {
    url: receiver.url('/calls'),
    events: ['call.completed', 'campaign.completed'],
    secret: 'chosen-by-the-caller',
  });
  await register('outboundiq', '/dials', { name: 'Warehouse', headers: { 'x-source': 'dialhook' } });

  for (let n = 0; n < 40; n++)
    await place.operator.send('POST', '/operator/v1/events', {
      organization: slug,
      type: n % 3 === 0 ? 'call.started' : 'call.ended',
      data: { call: n, phone: number(n) },
    });
  const list = await api.send<{ id: string }>('POST', '/api/v1/uploads', {
    filename: 'spring-list.csv',
    phone_numbers: Array.from({ length: 240 }, (_, n) => (n % 2 ? number(n) : `+1415555${String(n).padStart(4, '0')}`)),
  });

  await outboundiq.send('POST', '/custom/campaigns', { id: 'cb-7', name: 'Spring Callback', type: 'Outbound' });
  await outboundiq.send('POST', '/custom/dispos', { id: '17', name: 'SALE', type: 'Agent', contact: true, success: true });
  for (let n = 0; n < 30; n++)
    await outboundiq.send('POST', '/dials', {
      campaign_id: 'cb-7',
      campaign_name: 'spring_cb',
      agent_name: 'Ana Ruiz',
      ani: '3125550142',
      prospect_phone: `773555${String(n).padStart(4, '0')}`,
      disposition_name: n % 3 === 0 ? 'SALE' : 'No Answer',
      datetime: '2026-05-02 09:14:58',
      call_direction: n % 2 ? 'Inbound' : 'Outbound',
      zip: '60614',
      sys_created_date_original: '2026-04-20',
      total_dial_attempts: '1',
      skill_name: 'Tier 1',
      lead_source: 'web',
      dial_id: String(n),
    });

  const campaign = (
    await dialnexa.send<{ id: string }>('POST', '/v1/campaigns', {
      name: 'May renewals',
      agent_id: 'agt_31xa',
      from_phone_number: '+442079460001',
      max_concurrent_calls: 4,
    })
  ).body;
  const form = new FormData();
  form.append(
    'file',
    new Blob([`phone_number,name,plan\n${Array.from({ length: 30 }, (_, n) => `${british(n)},Lead ${n},pro`).join('\n')}\n`]),
    'leads.csv',
  );
  await dialnexa.send('POST', `/v1/campaigns-leads/upload-file/${campaign.id}`, form);
  const workflow = (
    await dialnexa.send<{ id: string }>('POST', '/v1/workflows', {
      title: 'Trial follow-up',
      description: 'Calls, waits a day, asks again',
    })
  ).body;
  const nodes: Record<string, string> = {};
  for (const [label, node_type, config] of [
    ['First call', 'VOICE_CALL', { agent_id: 'agt_31xa', from_phone_number: '+442079460001' }],
    ['Wait a day', 'TIME', { delay_hours: 24 }],
    ['Which plan?', 'CONDITIONAL', { condition_field: 'plan', branches: ['pro', 'free'] }],
    ['Won', 'CONVERTED', {}],
    ['Lost', 'DROPPED', {}],
  ] as const)
    nodes[label] = (
      await dialnexa.send<{ id: string }>('POST', `/v1/workflows/${workflow.id}/nodes`, { label, node_type, config })
    ).body.id;
  for (const [from, to, label] of [
    ['First call', 'Which plan?', 'COMPLETED'],
    ['First call', 'Wait a day', 'NO_ANSWER'],
    ['First call', 'Lost', 'FAILED'],
    ['Wait a day', 'Which plan?', null],
    ['Which plan?', 'Won', 'pro'],
    ['Which plan?', 'Lost', 'free'],
  ] as const)
    await dialnexa.send('POST', `/v1/workflows/${workflow.id}/edges`, { from_node_id: nodes[from], to_node_id: nodes[to], label });
  await dialnexa.send('POST', `/v1/workflows/${workflow.id}/activate`);
  const walkers = new FormData();
  walkers.append(
    'file',
    new Blob([`phone_number,plan\n${Array.from({ length: 25 }, (_, n) => `${british(n + 100)},${n % 3 ? 'pro' : 'free'}`).join('\n')}\n`]),
    'leads.csv',
  );
  await dialnexa.send('POST', `/v1/workflows/${workflow.id}/leads`, walkers);

  await eventually(
    'the list is processed',
    async () => (await api.get<{ status: string }>(`/api/v1/uploads/${list.body.id}`)).body.status === 'completed',
  );
  await eventually(
    'the campaign is over',
    async () => (await dialnexa.get<{ status: string }>(`/v1/campaigns/${campaign.id}/status`)).body.status === 'completed',
    60_000,
  );
  await eventually('the dials are there', () => receiver.received.some(({ path }) => path === '/dials'));
  const deliveries = await eventually('something waits for a retry', async () => {
    const { data } = (await place.operator.get<{ data: { id: string }[] }>(`${base}/deliveries?status=undelivered&limit=1`)).body;
    return data.length > 0 && data;
  });
  // Statistics are written every few seconds; PostgreSQL or not, the overview shows them then.
  await eventually(
    'the statistics are written',
    async () => (await place.server.database.query({ text: 'select 1 from endpoint_hours' })).length > 0,
  );
  const link = await place.operator.send<{ url: string }>('POST', `${base}/sign-in-links`, {});
  const at = `/o/${slug}`;
  return {
    slug,
    signInUrl: link.body.url,
    receiver,
    pages: {
      overview: at,
      deliveries: `${at}/deliveries`,
      delivery: `${at}/deliveries/${deliveries[0]!.id}`,
      lists: `${at}/lists`,
      list: `${at}/lists/${list.body.id}`,
      dials: `${at}/dials`,
      calls: `${at}/calls`,
      campaigns: `${at}/campaigns`,
      campaign: `${at}/campaigns/${campaign.id}`,
      workflows: `${at}/workflows`,
      workflow: `${at}/workflows/${workflow.id}`,
      endpoints: `${at}/endpoints`,
      webhooks: `${at}/settings/webhooks`,
      keys: `${at}/keys`,
      verify: `${at}/verify`,
      translations: `${at}/translations`,
      team: `${at}/team`,
      account: `${at}/account`,
    },
  };
}
