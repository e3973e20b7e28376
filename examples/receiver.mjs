// A receiver in thirty lines: verifies, deduplicates, answers at once and works afterwards.
//   SECRET=<shown when the endpoint was registered> node examples/receiver.mjs
import { createServer } from 'node:http';
import { optimaldial, unwrap, WebhookError } from '@dialhook/webhooks';

const seen = new Set(); // in production: a table with a unique key on the event id

const server = createServer((request, response) => void receive(request, response));

async function receive(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    // Until you have the secret only the registration's ping arrives, and it must be answered with 2xx.
    const secret = process.env.SECRET;
    const body = Buffer.concat(chunks);
    const event = secret ? await unwrap(optimaldial, { secret, body, headers: request.headers }) : JSON.parse(body.toString('utf8'));
    response.writeHead(200).end();
    if (seen.has(event.id)) return; // delivered before: at least once means sometimes twice
    seen.add(event.id);
    console.log(event.type, event.data.upload?.id ?? '');
  } catch (error) {
    const code = error instanceof WebhookError ? error.code : 'error';
    console.error(`refused: ${code}`);
    response.writeHead(400).end();
  }
}

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => console.log('listening on', server.address().port));
