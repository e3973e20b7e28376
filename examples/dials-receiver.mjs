// A receiver of outboundIQ's dials in thirty lines: verifies, deduplicates, works through the batch, and reconciles.
//   SECRET=<shown when the webhook was made> KEY=oiq_… API=http://127.0.0.1:8400 node examples/dials-receiver.mjs
import { createServer } from 'node:http';
import { outboundiq, unwrap } from '@dialhook/webhooks';

const { API = 'http://127.0.0.1:8400', KEY, PORT = '3000', SECRET } = process.env;
const deliveries = new Set(); // in production: a table with a unique key on the delivery id
const dials = new Map(); // and one of calls

const server = createServer((request, response) => void receive(request, response));

async function receive(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const batch = await unwrap(outboundiq, { secret: SECRET, body: Buffer.concat(chunks), headers: request.headers }).catch(() => null);
  response.writeHead(batch === null ? 400 : 200).end(); // within 10 seconds; work comes afterwards
  if (batch === null || deliveries.has(batch.deliveryId)) return;
  deliveries.add(batch.deliveryId);
  for (const dial of batch.dials) dials.set(dial.callId, dial);
  console.log(`${batch.dials.length} dials`);
}

/** A batch that failed twice is never sent again: what is missing is asked for. */
async function reconcile(since) {
  for (let cursor = ''; cursor !== null;) {
    const query = new URLSearchParams({ since, limit: '1000', ...(cursor && { cursor }) });
    const page = await (await fetch(`${API}/dials?${query}`, { headers: { authorization: `Bearer ${KEY}` } })).json();
    for (const dial of page.dials) if (!dials.has(dial.callId)) dials.set(dial.callId, dial);
    cursor = page.next_cursor;
  }
}

if (KEY) setInterval(() => void reconcile(new Date(Date.now() - 3_600_000).toISOString()), 60_000);
server.listen(Number(PORT), '127.0.0.1', () => console.log('listening on', server.address().port));
