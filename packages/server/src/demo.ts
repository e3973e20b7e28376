import type { Config } from './config.ts';

/** Where `npm run listen` receives. */
export const LISTEN_PORT = 8401;
/** What the demo organization begins with. */
export const DEMO = { slug: 'demo', name: 'Demo', credits: 100_000 } as const;

export interface DemoStep {
  readonly title: string;
  readonly command: string;
}

/** The first three steps, as commands that work as printed. `key` is the key, or a shell variable that holds it. */
export function demoSteps(config: Config, key: string): DemoStep[] {
  const base = config.publicUrl;
  const auth = `-H "Authorization: Bearer ${key}"`;
  return [
    { title: 'In a second terminal, start a receiver that verifies and prints what arrives:', command: 'npm run listen' },
    {
      title: 'Register it, and hand it the secret that is in the reply:',
      command: `curl -sS ${base}/api/v1/webhooks ${auth} -H 'Content-Type: application/json' -d '{"url":"http://127.0.0.1:${LISTEN_PORT}/","events":["upload.created","upload.completed","upload.failed"]}' | curl -sS http://127.0.0.1:${LISTEN_PORT}/secret --data-binary @-`,
    },
    {
      title: 'Send a list of 100 numbers; two signed webhooks follow:',
      command: `seq -f '"+1555%07.0f"' 0 99 | paste -sd, - | sed 's/.*/{"filename":"first-list.csv","phone_numbers":[&]}/' | curl -sS ${base}/api/v1/uploads ${auth} -H 'Content-Type: application/json' -d @-`,
    },
  ];
}
