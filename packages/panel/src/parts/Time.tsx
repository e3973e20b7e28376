import { Text, Tooltip } from '@mantine/core';
import { formatAgo, formatTime } from './format.ts';

/** A time in the reader's zone, with UTC on hover. */
export function Time({ at, ago = false }: { readonly at: string | null | undefined; readonly ago?: boolean }) {
  if (!at)
    return (
      <Text span inherit c="dimmed">
        –
      </Text>
    );
  return (
    <Tooltip label={`${new Date(at).toISOString()} (UTC)`}>
      <Text inherit component="time" dateTime={at} style={{ whiteSpace: 'nowrap' }}>
        {ago ? formatAgo(at) : formatTime(at)}
      </Text>
    </Tooltip>
  );
}
