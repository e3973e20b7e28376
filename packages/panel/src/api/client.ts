import { QueryClient, useMutation, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import type { Api } from './types.ts';

export type Route = keyof Api;
export type Answer<R extends Route> = Api[R]['answer'];
type Parts<R extends Route> = {
  readonly [Part in 'params' | 'query' | 'body' as Api[R][Part] extends undefined | Record<string, never> ? never : Part]?: Partial<
    Api[R][Part]
  >;
};
/** What a route is called with; the compiler knows each one's parts from `openapi.json`. */
export type Input<R extends Route> = {
  readonly params?: Api[R]['params'];
  readonly query?: Api[R]['query'];
  readonly body?: Api[R]['body'];
} & Parts<R>;

/** An answer that is not a success, in the words of the server (RFC 9457). */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;
  constructor(status: number, problem: { readonly code?: string; readonly detail?: string; readonly field?: string }) {
    super(problem.detail ?? `The server answered ${status}.`);
    this.status = status;
    this.code = problem.code ?? 'unknown';
    this.field = problem.field;
  }
}

/** The only `fetch` of the panel. */
export async function call<R extends Route>(route: R, input: Input<R> = {}): Promise<Answer<R>> {
  const [method, template] = route.split(' ') as [string, string];
  const { body, params, query } = input as { body?: unknown; params?: Record<string, string>; query?: Record<string, unknown> };
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params?.[name] ?? ''));
  const search = new URLSearchParams(
    Object.entries(query ?? {})
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([name, value]) => [name, String(value)]),
  );
  const isForm = body instanceof FormData;
  const response = await fetch(`${path}${search.size > 0 ? `?${search}` : ''}`, {
    method,
    headers: body !== undefined && !isForm ? { 'content-type': 'application/json' } : {},
    ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed: unknown = text === '' ? undefined : JSON.parse(text);
  if (!response.ok) throw new Refused(response.status, (parsed ?? {}) as object);
  return parsed as Answer<R>;
}

/** A browser keeps what it read for a moment; a session that is over is not asked again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (count, error) => count < 2 && !(error instanceof Refused),
      refetchOnWindowFocus: true,
      // Also without a network: an error is shown then, instead of waiting for ever, and the page is read when it is back.
      networkMode: 'always',
      refetchOnReconnect: true,
    },
    mutations: { networkMode: 'always' },
  },
});

export function useCall<R extends Route>(
  route: R,
  input: Input<R> = {},
  options: { readonly everyMs?: number | undefined; readonly enabled?: boolean; readonly keep?: boolean } = {},
): UseQueryResult<Answer<R>> {
  return useQuery<Answer<R>>({
    queryKey: [route, input],
    queryFn: () => call(route, input),
    ...(options.everyMs !== undefined && { refetchInterval: options.everyMs }),
    ...(options.enabled !== undefined && { enabled: options.enabled }),
    ...(options.keep && { placeholderData: (previous: Answer<R> | undefined) => previous as never }),
  });
}

/** A change; afterwards everything on the page is read anew. */
export function useAct<R extends Route>(route: R) {
  const client = useQueryClient();
  return useMutation<Answer<R>, Error, Input<R>>({
    mutationFn: (input) => call(route, input),
    onSuccess: () => client.invalidateQueries(),
  });
}
