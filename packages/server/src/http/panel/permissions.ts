/**
 * What only an owner may do: everything that decides who gets in and where data goes out. The rest, such as
 * lists, campaigns and resending, is a member's daily work. A route is found by method and by its path after the slug.
 */
const OWNERS_ALONE: readonly (readonly [method: string, path: RegExp])[] = [
  ['POST', /^\/api-keys/],
  ['DELETE', /^\/api-keys/],
  ['POST', /^\/members|^\/invitations/],
  ['DELETE', /^\/members|^\/invitations/],
  ['POST', /^\/endpoints$|\/rotate-secret$|\/pause$|\/resume$/],
  ['PATCH', /^\/endpoints|^\/members/],
  ['DELETE', /^\/endpoints/],
  ['PUT', /^\/retention/],
  ['PATCH', /^$/],
];

/** Whether a route of an organization is for its owners alone. `path` is the route's pattern, such as `/endpoints/:endpoint_id`. */
export function needsOwner(method: string, path: string): boolean {
  if (path.startsWith('/dialnexa/') || path.startsWith('/outboundiq/')) return false;
  return OWNERS_ALONE.some(([owned, pattern]) => owned === method && pattern.test(path));
}
