import { Badge } from '@mantine/core';
import { words } from './format.ts';

/** Good, waiting, bad, over: the same colour for the same meaning on every page. */
const COLORS: Record<string, string> = {
  delivered: 'teal',
  completed: 'teal',
  active: 'teal',
  running: 'teal',
  received: 'cyan',
  in_flight: 'cyan',
  in_progress: 'cyan',
  processing: 'cyan',
  validating: 'cyan',
  ready_for_processing: 'cyan',
  sent: 'cyan',
  initiated: 'cyan',
  pending: 'yellow',
  paused: 'yellow',
  pending_mapping: 'yellow',
  awaiting_confirmation: 'yellow',
  no_answer: 'yellow',
  did_not_pick: 'yellow',
  busy: 'yellow',
  draft: 'gray',
  cancelled: 'gray',
  removed: 'gray',
  disabled: 'red',
  exhausted: 'red',
  failed: 'red',
  validation_failed: 'red',
  dropped: 'orange',
};

export function StatusBadge({ status }: { readonly status: string }) {
  return (
    <Badge variant="light" color={COLORS[status] ?? 'gray'} tt="none" className="status">
      {words(status)}
    </Badge>
  );
}
