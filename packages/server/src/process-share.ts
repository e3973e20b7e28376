import { availableParallelism } from 'node:os';
import { SESSION_LIMITS } from './accounts/session-limits.ts';
import { MIN_EVENT_MEMORY_MB, type Config } from './config.ts';

/** What one process may use of what a machine has once. Every other limit of a node counts for each process by itself. */
export interface ProcessShare {
  /** Lists that are processed at once. */
  readonly lists: number;
  /** Threads that read lists and process them. */
  readonly listThreads: number;
  /** Passwords that are hashed at once. */
  readonly hashes: number;
  /** Bytes of events in memory. */
  readonly eventMemoryBytes: number;
}

export function processShare({ eventMemoryMb, processes }: Config, cores = availableParallelism()): ProcessShare {
  const count = processes ?? 1;
  const lists = Math.max(1, Math.ceil((cores - 1) / count));
  return {
    lists,
    // Two more than lists that are processed at once: a new list is always checked without waiting for those, nor for
    // another organization's that are checked.
    listThreads: lists + 2,
    hashes: Math.max(1, Math.floor(SESSION_LIMITS.hashesAtOnce / count)),
    eventMemoryBytes: Math.max(MIN_EVENT_MEMORY_MB, Math.floor(eventMemoryMb / count)) * 1024 * 1024,
  };
}
