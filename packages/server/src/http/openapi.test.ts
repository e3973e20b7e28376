import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { startTestServer } from '@dialhook/testing';
import { DIALNEXA_EVENTS } from '../dialects/dialnexa.ts';

interface Media {
  readonly schema: object;
  readonly example?: unknown;
}
interface Operation {
  readonly summary: string;
  readonly requestBody?: { readonly content: Record<string, Media> };
  readonly responses: Record<string, { readonly content?: Record<string, Media> }>;
}
interface Description {
  readonly openapi: string;
  readonly components: object;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly webhooks: Record<
    string,
    {
      readonly post: {
        readonly parameters: { readonly name: string }[];
        readonly requestBody: { readonly content: Record<string, Media> };
      };
    }
  >;
}

test('every route is described with examples that fit their own schemas, and every outgoing webhook with its headers', async (t) => {
  const place = await startTestServer('embedded');
  t.after(() => place.stop());
  const served = await fetch(`${place.url}/openapi.json`);
  const description = (await served.json()) as Description;
  const known = { 'if-none-match': served.headers.get('etag')! };
  assert.equal((await fetch(`${place.url}/openapi.json`, { headers: known })).status, 304, 'made once, and sent once');
  assert.equal(description.openapi, '3.1.0');
  const ajv = new Ajv2020({ strict: false });
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  const checked = (where: string, media: Media) => {
    assert.notEqual(media.example, undefined, `${where} has no example`);
    assert.ok(ajv.validate({ ...media.schema, components: description.components }, media.example), `${where}: ${ajv.errorsText()}`);
  };
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const where = `${method} ${path}`;
      const body = operation.requestBody?.content['application/json'];
      if (body) checked(`${where} body`, body);
      for (const [status, { content }] of Object.entries(operation.responses))
        for (const media of Object.values(content ?? {})) checked(`${where} ${status}`, media);
    }
  }
  assert.deepEqual(Object.keys(description.webhooks), [
    'optimaldial upload.created',
    'optimaldial upload.completed',
    'optimaldial upload.failed',
    'optimaldial webhook.ping',
    'outboundiq dial.batch',
    ...DIALNEXA_EVENTS.map((type) => `dialnexa ${type}`),
    'standard any event',
  ]);
  const headers = description.webhooks['optimaldial upload.completed']!.post.parameters.map(({ name }) => name);
  assert.deepEqual(headers, [
    'User-Agent',
    'X-OptimalDial-Event',
    'X-OptimalDial-Event-Id',
    'X-OptimalDial-Delivery-Id',
    'X-OptimalDial-Attempt',
    'X-OptimalDial-Timestamp',
    'X-OptimalDial-Signature',
  ]);
});
