import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { Config } from '../../config.ts';
import { demoSteps } from '../../demo.ts';

const STYLE = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); --soft: color-mix(in srgb, currentColor 65%, transparent); }
body { max-width: 46rem; margin: 3rem auto; padding: 0 1.25rem; font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p.lead { color: var(--soft); margin-top: 0; } pre { padding: .8rem 1rem; border: 1px solid var(--line); border-radius: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; }
code { font-family: ui-monospace, monospace; } ol { padding-left: 1.2rem; } li { margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; font-size: .9rem; } td { border-top: 1px solid var(--line); padding: .35rem .6rem .35rem 0; vertical-align: top; }
td:first-child { font-family: ui-monospace, monospace; color: var(--soft); width: 4.5rem; } td:nth-child(2) { font-family: ui-monospace, monospace; overflow-wrap: anywhere; width: 55%; }
.note { border-left: 3px solid #d9822b; padding-left: .8rem; } a { color: inherit; }`;

/** Pages run no script and load nothing; the one style sheet is allowed by its hash. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

export function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', POLICY)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .send(html);
}

/** What to do first. Keys are not on it: they are shown once, in the terminal. */
export function startPage(config: Config): string {
  const steps = demoSteps(config, '$KEY').map(
    ({ title, command }) => `<li>${escape(title)}<pre><code>${escape(command)}</code></pre></li>`,
  );
  const warning = config.allowPrivateTargets
    ? '<p class="note">Development mode: webhooks may go to http and to private addresses. Production starts with <code>dialhook serve</code>.</p>'
    : '';
  return document(
    'Dialhook',
    `<h1>Dialhook is running</h1>
<p class="lead">Phone lists go in; signed, retried webhooks go out.</p>
${warning}
<h2>A list in, a webhook out</h2>
<p>Take the key that the first start printed: <code>export KEY=od_live_…</code> (or make one with <code>npm run dialhook -- keys create demo</code>).</p>
<ol>${steps.join('')}</ol>
<h2>Then</h2>
<p>Every call is described at <a href="/docs">/docs</a>, and for machines at <a href="/openapi.json">/openapi.json</a>.</p>`,
  );
}

interface OpenApiDocument {
  readonly paths: Record<string, Record<string, { readonly summary: string; readonly tags: readonly string[] }>>;
  readonly webhooks: Record<string, { readonly post: { readonly summary: string } }>;
}

export function docsPage(description: object): string {
  const { paths, webhooks } = description as OpenApiDocument;
  const byTag = new Map<string, string[]>();
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { summary, tags }] of Object.entries(operations)) {
      const rows = byTag.get(tags[0]!) ?? [];
      rows.push(`<tr><td>${method.toUpperCase()}</td><td>${escape(path)}</td><td>${escape(summary)}</td></tr>`);
      byTag.set(tags[0]!, rows);
    }
  }
  const sections = [...byTag].map(([tag, rows]) => `<h2>${escape(tag)}</h2><table>${rows.join('')}</table>`);
  const outgoing = Object.values(webhooks).map(({ post }) => `<tr><td>POST</td><td>your URL</td><td>${escape(post.summary)}</td></tr>`);
  return document(
    'Dialhook API',
    `<h1>Dialhook API</h1><p class="lead">Shapes, examples and headers are in <a href="/openapi.json">openapi.json</a>.</p>
${sections.join('\n')}
<h2>Outgoing webhooks</h2><table>${outgoing.join('')}</table>`,
  );
}

function document(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${STYLE}</style></head>
<body><main>${body}</main></body></html>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
