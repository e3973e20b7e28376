import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** The vendor's snippet, as it stands in its documentation, and lines that feed it: secret, then a signature and a body for each line. */
const PYTHON = `import hmac, hashlib

def verify_signature(payload_body: bytes, secret: str, signature_header: str) -> bool:
    expected = hmac.new(secret.encode(), payload_body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={expected}", signature_header)

import sys, base64
bad = 0
for line in sys.stdin:
    signature, body = line.split()
    bad += not verify_signature(base64.b64decode(body), sys.argv[1], signature)
print(bad)`;

/** How many of these deliveries DialNexa's own Python snippet does not accept; null where there is no Python to run it. */
export async function refusedBySeed(
  secret: string,
  deliveries: readonly { readonly signature: string; readonly body: string }[],
): Promise<number | null> {
  if (spawnSync('python3', ['--version']).status !== 0) return null;
  const python = spawn('python3', ['-c', PYTHON, secret], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(python, 'exit');
  const lines = deliveries.map(({ body, signature }) => `${signature} ${Buffer.from(body).toString('base64')}\n`);
  python.stdin.end(lines.join(''));
  const output = await text(python.stdout);
  const [code] = (await exited) as [number];
  if (code !== 0) throw new Error(`python3 ended with ${code}`);
  return Number(output);
}
