import { useEffect, useRef, useState } from 'react';
import { call } from '../api/client.ts';

/** More are shown as "100+". */
export const MAX_NEW = 100;
/** How often a page that gave its stream up asks whether something is new. */
const POLL_MS = 60_000;

/**
 * How many deliveries were made since the page was read. A stream of events tells it. When the server ends the stream because the same
 * person has opened others, or has no room, the page asks once a minute instead, and follows again when somebody comes back to it.
 */
export function useTail(slug: string): [number, () => void] {
  const [count, setCount] = useState(0);
  /** Since when nothing was heard. */
  const heardAt = useRef(Date.now());
  useEffect(() => {
    let source: EventSource | null = null;
    let poll: ReturnType<typeof setInterval> | undefined;
    const add = (more: number) => {
      heardAt.current = Date.now();
      if (more > 0) setCount((now) => Math.min(MAX_NEW, now + more));
    };
    const ask = async () => {
      const since = new Date(heardAt.current).toISOString();
      const { data } = await call('GET /panel/organizations/{slug}/deliveries', { params: { slug }, query: { since, limit: MAX_NEW } });
      add(data.length);
    };
    const giveUp = () => {
      source?.close(); // or the browser would come back by itself
      source = null;
      poll ??= setInterval(() => void ask().catch(() => {}), POLL_MS);
    };
    const follow = () => {
      if (source !== null || document.visibilityState === 'hidden') return;
      if (poll !== undefined) void ask().catch(() => {}); // what was missed
      clearInterval(poll);
      poll = undefined;
      source = new EventSource(`/panel/organizations/${encodeURIComponent(slug)}/deliveries/tail`);
      source.addEventListener('new', (event) => add((JSON.parse((event as MessageEvent<string>).data) as { count: number }).count));
      source.addEventListener('replaced', giveUp);
      source.addEventListener('error', () => {
        if (source?.readyState === EventSource.CLOSED) giveUp(); // refused; an interrupted one comes back by itself
      });
    };
    follow();
    if (source === null) giveUp(); // opened in the background
    document.addEventListener('visibilitychange', follow);
    window.addEventListener('focus', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      window.removeEventListener('focus', follow);
      clearInterval(poll);
      source?.close();
    };
  }, [slug]);
  return [count, () => setCount(0)];
}
