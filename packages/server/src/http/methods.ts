import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    /** Which methods each address has. */
    methodTable: MethodTable;
  }
}

/** Every address that is registered, with its methods: to tell an address that does not exist from a method that it does not have. */
class MethodTable {
  readonly #methods = new Map<string, Set<string>>();
  #patterns: readonly { readonly pattern: RegExp; readonly methods: ReadonlySet<string> }[] | undefined;

  add(url: string, methods: readonly string[]): void {
    this.#methods.set(url, new Set([...(this.#methods.get(url) ?? []), ...methods]));
    this.#patterns = undefined;
  }

  /** Every address, as it was registered. */
  urls(): string[] {
    return [...this.#methods.keys()];
  }

  /** The methods of an address, sorted; none where there is no such address. */
  of(url: string): string[] {
    const path = url.split(/[?#]/, 1)[0]!;
    this.#patterns ??= [...this.#methods].map(([template, methods]) => ({ pattern: patternOf(template), methods }));
    const found = this.#patterns.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods]);
    return [...new Set(found)].sort();
  }
}

/** Must be called before the routes are added. */
export function observeMethods(app: FastifyInstance): void {
  const table = new MethodTable();
  app.decorate('methodTable', table);
  app.addHook('onRoute', ({ method, url }) => table.add(url, [method].flat()));
}

/** The address exists, and the method does not. */
export class MethodNotAllowed extends Error {
  override readonly name = 'MethodNotAllowed';
  readonly statusCode = 405;
}

/** For a surface's not-found handler: what to answer where the address has other methods, which `Allow` names (RFC 9110, 15.5.6), else null. */
export function otherMethod(request: FastifyRequest, reply: FastifyReply): MethodNotAllowed | null {
  const methods = request.server.methodTable.of(request.url);
  if (methods.length === 0 || methods.includes(request.method)) return null;
  reply.header('allow', methods.join(', '));
  return new MethodNotAllowed('Method Not Allowed');
}

function patternOf(template: string): RegExp {
  const escaped = template.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll(/:\w+/g, '[^/]+').replaceAll('*', '.*')}$`);
}
