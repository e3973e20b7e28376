import { useParams } from '@tanstack/react-router';
import { useCall, type Answer } from './api/client.ts';

export type Me = Answer<'GET /panel/me'>;

export function useMe() {
  return useCall('GET /panel/me', {}, { everyMs: 60_000 });
}

/** The organization of the address; pages below it are only shown to its members. */
export function useOrganization(): Me['organizations'][number] & { readonly slug: string } {
  const { slug } = useParams({ from: '/o/$slug' });
  const me = useMe();
  const found = me.data?.organizations.find((one) => one.slug === slug);
  return found ?? { slug, name: slug, plan: null, credits: 0, role: 'member' };
}
