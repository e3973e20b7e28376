import { join } from 'node:path';
import { eventually, FakeClock, startTestServer, type DatabaseKind, type TestServer } from '@dialhook/testing';
import { DirectoryStore } from '../../lists/files.ts';

/** The file system's clock goes on as ever: beside a clock that is hours ahead, a file that is being read would look forgotten. */
class Undated extends DirectoryStore {
  override async oldNames(): Promise<string[]> {
    return [];
  }
}

export interface ClockedServer extends TestServer {
  readonly clock: FakeClock;
  /** Lets a little time pass, again and again, until something is so. */
  soon<T>(what: string, probe: () => Promise<T | null | false> | T | null | false, stepMs?: number): Promise<T>;
}

/** A whole node whose time passes only when a test says so. */
export async function startClockedServer(kind: DatabaseKind, env: Record<string, string> = {}): Promise<ClockedServer> {
  const clock = new FakeClock();
  const place = await startTestServer(kind, env, (config) => ({ clock, files: new Undated(join(config.dataDir, 'files')) }));
  return {
    ...place,
    clock,
    soon: (what, probe, stepMs = 10) =>
      eventually(what, () => {
        clock.advance(stepMs);
        return probe();
      }),
    stop: async () => {
      const stopped = place.stop();
      let isStopped = false;
      void stopped.then(() => (isStopped = true));
      await eventually('the node stops', () => (clock.advance(50), isStopped));
    },
  };
}
