import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';

/**
 * Scripts and data come from here alone. Styles may stand in the page: the components set sizes and colours that way, and a style can
 * load nothing.
 */
const POLICY = [
  `default-src 'none'`,
  `script-src 'self'`,
  `style-src 'self' 'unsafe-inline'`,
  `img-src 'self' data:`,
  `font-src 'self'`,
  `connect-src 'self'`,
  `base-uri 'none'`,
  `form-action 'self'`,
  `frame-ancestors 'none'`,
].join('; ');

/** Addresses that the panel itself knows; everything else that is not found is not found. */
const PAGES = ['/', '/sign-in', '/o/*'];

/** Where the built panel is; null when it was not built. */
export function findPanel(): string | null {
  const folder = join(dirname(fileURLToPath(import.meta.resolve('@dialhook/panel/package.json'))), 'dist');
  return existsSync(join(folder, 'index.html')) ? folder : null;
}

/** Serves the panel's files: named by their content and kept by browsers for good, but for the page that names them. */
export async function servePanel(app: FastifyInstance, folder: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: join(folder, 'assets'),
    prefix: '/assets/',
    preCompressed: true,
    immutable: true,
    maxAge: '365d',
    schemaHide: true,
    setHeaders: (reply) => void reply.header('x-content-type-options', 'nosniff'),
  });
  app.get('/favicon.svg', { schema: { hide: true } }, async (_request, reply) => reply.sendFile('favicon.svg', folder));
  for (const path of PAGES) app.get(path, { schema: { hide: true } }, async (_request, reply) => page(reply));

  function page(reply: FastifyReply): FastifyReply {
    return reply
      .header('content-security-policy', POLICY)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer')
      .header('cross-origin-opener-policy', 'same-origin')
      .sendFile('index.html', folder, { cacheControl: false, immutable: false });
  }
}
