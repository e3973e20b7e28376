import { strict as assert } from 'node:assert';
import { eventually, PanelClient, type ApiClient, type Receiver, type TestServer } from '@dialhook/testing';
import { sampleNumbers } from '../../lists/samples.fixture.ts';

/** Stands in the names of what belongs to the organization under attack: seen in an answer to somebody else, it is a leak. */
export const MARK = 'kept-from-strangers';

/** One thing of every kind that a route can name. `ids` has them by what stands before a parameter in a path, and the parameter. */
export interface Things {
  readonly ids: Readonly<Record<string, string>>;
  /** Fields of queries and bodies that name a thing of an organization. */
  readonly fields: Readonly<Record<string, string>>;
  /** A receiver that is there: some routes ask it. */
  readonly url: string;
}

export interface Party {
  readonly slug: string;
  readonly id: string;
  readonly keys: Readonly<Record<KeyKind, string>>;
  readonly owner: string;
  readonly member: string;
}

export const KEY_KINDS = ['optimaldial', 'outboundiq', 'dialnexa'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** An organization with keys of every kind and sessions of every role; sessions are cookies. */
export async function makeParty(place: TestServer, name: string): Promise<Party> {
  const { id, slug } = await place.organization({ credits: 100_000 });
  const path = `/operator/v1/organizations/${slug}`;
  const keys = {} as Record<KeyKind, string>;
  for (const kind of KEY_KINDS) keys[kind] = (await made<{ key: string }>(place.operator, `${path}/api-keys`, { kind, name })).key;
  const owner = await signIn(place, slug);
  const { user_id: userId } = await made<{ user_id: string }>(place.operator, `${path}/members`, {
    email: `${slug}@example.com`,
    role: 'member',
    name,
  });
  return { slug, id, keys, owner, member: await signIn(place, slug, userId) };
}

async function signIn(place: TestServer, slug: string, userId?: string): Promise<string> {
  const body = userId === undefined ? {} : { user_id: userId };
  const { url } = await made<{ url: string }>(place.operator, `/operator/v1/organizations/${slug}/sign-in-links`, body);
  const panel = await PanelClient.connect(place.url);
  assert.equal((await panel.send('POST', '/panel/links/redeem', { token: url.split('#')[1] })).status, 204);
  return panel.setCookie.split(';')[0]!;
}

/** Makes one of everything. A route with a parameter that is not here fails the test: say how one of it is made. */
export async function makeThings(place: TestServer, receiver: Receiver, { keys, slug }: Party, round: number): Promise<Things> {
  const operatorPath = `/operator/v1/organizations/${slug}`;
  const [optimaldial, outboundiq, dialnexa] = KEY_KINDS.map((kind) => place.operator.as(keys[kind])) as [ApiClient, ApiClient, ApiClient];

  const { endpoint } = await made<{ endpoint: { id: string } }>(place.operator, `${operatorPath}/endpoints`, {
    dialect: 'standard',
    url: receiver.url(`/${slug}/${MARK}`),
    name: MARK,
  });
  await made(place.operator, '/operator/v1/events', { organization: slug, type: 'call.ended', data: { note: MARK } });
  const delivery = await eventually('a delivery is done', async () => {
    const { data } = (
      await place.operator.get<{ data: { id: string }[] }>(`${operatorPath}/deliveries?endpoint=${endpoint.id}&status=delivered`)
    ).body;
    return data[0] ?? false;
  });
  const { id: keyId } = await made<{ id: string }>(place.operator, `${operatorPath}/api-keys`, { kind: 'dialnexa', name: MARK });
  const { user_id: userId } = await made<{ user_id: string }>(place.operator, `${operatorPath}/members`, {
    email: `${slug}-${round}@example.com`,
    role: 'member',
    name: MARK,
  });
  const email = `${MARK}-${round}@example.com`;
  await made(place.operator, `${operatorPath}/invitations`, { role: 'member', email });
  const invitations = (await place.operator.get<{ data: { id: string; email: string }[] }>(`${operatorPath}/invitations`)).body.data;
  const invitation = invitations.find((one) => one.email === email)!;
  const since = new Date(Date.now() - 3_600_000).toISOString();
  const range = { since, until: new Date().toISOString(), status: 'exhausted' };
  const replay = await made<{ id: string }>(place.operator, `${operatorPath}/replays`, range);
  await eventually('the replay is over', async () => {
    const { body } = await place.operator.get<{ status: string }>(`${operatorPath}/replays/${replay.id}`);
    return body.status !== 'running';
  });

  const webhook = await made<{ webhook: { id: string } }>(optimaldial, '/api/v1/webhooks', {
    url: receiver.url(`/${slug}/od`),
    description: MARK,
  });
  const list = await made<{ id: string }>(optimaldial, '/api/v1/uploads', { phone_numbers: sampleNumbers(100), filename: `${MARK}.csv` });
  await eventually('the list is processed', async () => {
    const { body } = await optimaldial.get<{ status: string }>(`/api/v1/uploads/${list.id}`);
    return body.status === 'completed';
  });
  if (round === 0) {
    await made(outboundiq, '/custom/campaigns', { id: 'cb-7', name: MARK, type: 'Inbound' });
    await made(outboundiq, '/custom/dispos', { id: '17', name: MARK, type: 'Agent', contact: true, success: true });
    await made(outboundiq, '/custom/anis', {
      number: '3125550142',
      country_code: '+1',
      inbound_group_id: 'ig-1',
      is_branded: true,
      brand_name: MARK,
      carrier_id: null,
    });
  }

  const userWebhook = await made<{ id: string }>(dialnexa, '/v1/user-webhooks', {
    url: receiver.url(`/${slug}/dn`),
    events: ['call.completed'],
    secret: 'a-secret-for-tests',
  });
  const campaign = await made<{ id: string }>(dialnexa, '/v1/campaigns', {
    name: MARK,
    agent_id: 'agt_1',
    from_phone_number: '+442079460001',
  });
  const number = { phoneNumber: '7700900123', countryCode: '+44' };
  const lead = await made<{ id: string }>(dialnexa, '/v1/campaigns-leads', { ...number, name: MARK, campaignId: campaign.id });
  const single = { agent_id: 'agt_1', to_phone_number: '+447700900123', from_phone_number: '+442079460001', metadata: { note: MARK } };
  const call = await made<{ id: string }>(dialnexa, '/v1/calls', single);
  const workflow = await made<{ id: string }>(dialnexa, '/v1/workflows', { title: MARK });
  const graph = `/v1/workflows/${workflow.id}`;
  const config = { agent_id: 'agt_1', from_phone_number: '+442079460001' };
  const [from, to] = [
    await made<{ id: string }>(dialnexa, `${graph}/nodes`, { node_type: 'VOICE_CALL', label: MARK, config }),
    await made<{ id: string }>(dialnexa, `${graph}/nodes`, { node_type: 'VOICE_CALL', label: `${MARK} again`, config }),
  ];
  const edge = await made<{ id: string }>(dialnexa, `${graph}/edges`, { from_node_id: from.id, to_node_id: to.id, label: 'COMPLETED' });
  const file = new FormData();
  file.append('file', new Blob([`phone_number,note\n+447700900123,${MARK}\n`]), 'leads.csv');
  await made(dialnexa, `${graph}/leads`, file);
  await endCalls(place);
  const dial = { campaign_id: 'cb-7', campaign_name: MARK, agent_name: MARK, ani: '+1 312-555-0142', prospect_phone: '(773) 555-0199' };
  const rest = { disposition_name: 'APPT_SET', datetime: '2026-05-02 09:14:58', call_direction: 'Inbound', zip: '60614' };
  const more = {
    sys_created_date_original: '2026-04-20',
    total_dial_attempts: '2',
    skill_name: MARK,
    lead_source: 'web',
    dial_id: `d-${round}`,
  };
  await made(outboundiq, '/dials', { ...dial, ...rest, ...more });
  const { data: leads } = (await dialnexa.get<{ data: { id: string }[] }>(`${graph}/leads`)).body;

  return {
    ids: {
      'organizations/:slug': slug,
      'api-keys/:key_id': keyId,
      'members/:user_id': userId,
      'invitations/:invitation_id': invitation.id,
      'endpoints/:endpoint_id': endpoint.id,
      'deliveries/:delivery_id': delivery.id,
      'replays/:replay_id': replay.id,
      'webhooks/:webhook_id': webhook.webhook.id,
      'uploads/:upload_id': list.id,
      'files/:upload_id': list.id,
      'lists/:list_id': list.id,
      'user-webhooks/:webhook_id': userWebhook.id,
      'campaigns/:id': campaign.id,
      'campaign/:id': campaign.id,
      'upload-file/:id': campaign.id,
      'campaigns-leads/:id': lead.id,
      'calls/:id': call.id,
      'call-logs/:id': call.id.replace('call_', 'log_'),
      'workflows/:id': workflow.id,
      'workflows/:workflow_id': workflow.id,
      'nodes/:node_id': to.id,
      'edges/:edge_id': edge.id,
      'leads/:lead_id': leads[0]!.id,
    },
    url: receiver.url(`/${slug}/made`),
    fields: {
      organization: slug,
      endpoint: endpoint.id,
      campaignId: campaign.id,
      user_id: userId,
      from_node_id: from.id,
      to_node_id: to.id,
    },
  };
}

/** The dialler takes what waits and says that it is over. */
async function endCalls(place: TestServer): Promise<void> {
  const { data } = await made<{ data: { id: string }[] }>(place.operator, '/operator/v1/calls/take', { limit: 500 });
  const ended = data.map(({ id }) => ({ call_id: id, status: 'completed', end_reason: 'user_disconnected', duration_seconds: 88 }));
  await made(place.operator, '/operator/v1/calls/reports', { reports: ended });
}

async function made<T>(api: ApiClient, path: string, body: unknown): Promise<T> {
  const answer = await api.send<T>('POST', path, body);
  assert.ok(answer.status < 300, `POST ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}
