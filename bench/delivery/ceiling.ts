// Signed POSTs with nothing stored: what the machine can do at best with this HTTP client.
// `node ceiling.ts <origin> <milliseconds> <connections>` prints how many were answered, and in which time.
import { createHmac, createSecretKey, randomUUID } from 'node:crypto';
import { Agent, type Dispatcher } from 'undici';
import { EVENT_TYPE, eventData, SECRET } from './workload.ts';

const [origin, milliseconds, connections] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];
const agent = new Agent({ connections, pipelining: 1, allowH2: false, headersTimeout: 0, bodyTimeout: 0 });
const key = createSecretKey(SECRET.slice('whsec_'.length), 'base64');
const began = performance.now();
let answered = 0;
let n = 0;
let open = connections;

function post(): void {
  if (performance.now() - began >= milliseconds) {
    open -= 1;
    if (open === 0) {
      console.log(JSON.stringify({ answered, ms: performance.now() - began }));
      process.exit(0);
    }
    return;
  }
  const id = `msg_${randomUUID()}`;
  const now = Date.now();
  const timestamp = String(Math.floor(now / 1000));
  const body = `{"type":"${EVENT_TYPE}","timestamp":"${new Date(now).toISOString()}","data":${eventData(n++)}}`;
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: () => {},
    onResponseStart: (_controller, status) => {
      if (status !== 200) throw new Error(`The receiver answered ${status}.`);
    },
    onResponseData: () => {},
    onResponseEnd: () => {
      answered += 1;
      post();
    },
    onResponseError: (_controller, error) => {
      throw error;
    },
  };
  agent.dispatch(
    {
      origin,
      path: '/ok/ceiling',
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Dialhook/1.0',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature}`,
      },
    },
    handler,
  );
}
for (let i = 0; i < connections; i++) post();
