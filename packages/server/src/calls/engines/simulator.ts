import { createHash } from 'node:crypto';
import type { Agenda, Alarm, Clock, Database, Log } from '@dialhook/engine';
import type { Calls, EngineReport } from '../calls.ts';
import { CALL_LIMITS } from '../limits.ts';
import type { Call, EndReason } from '../model.ts';
import type { CallStatus } from '../states.ts';
import { claimLive, LIVE_CALLS_DUE, nextLive } from '../store/live-calls.ts';
import type { CallEngine } from './engine.ts';

export interface SimulatorOptions {
  readonly agenda: Agenda;
  readonly database: Database;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly log: Log;
  readonly seed: string;
  /** How many times faster than life. */
  readonly speed: number;
}

interface Fate {
  readonly status: CallStatus;
  readonly endReason: EndReason;
  readonly ringMs: number;
  readonly talkMs: number;
}

/** How often each fate comes, in percent. */
const FATES: readonly [number, CallStatus, EndReason][] = [
  [46, 'completed', 'user_disconnected'],
  [16, 'completed', 'agent_disconnected'],
  [18, 'no_answer', 'user_did_not_pick_up'],
  [8, 'busy', 'user_busy'],
  [5, 'did_not_pick', 'user_did_not_pick_up'],
  [4, 'failed', 'invalid_phone_number'],
  [3, 'failed', 'network_failure'],
];

const RING_MS = [2_000, 25_000] as const;
const TALK_MS = [5_000, 240_000] as const;

/** What becomes of a call: the same for the same seed, number and attempt, whoever asks and whenever. */
export function fateOf(seed: string, toPhoneNumber: string, attempt: number): Fate {
  const hash = createHash('sha256').update(`${seed}\n${toPhoneNumber}\n${attempt}`).digest();
  let percent = hash.readUInt32BE(0) % 100;
  const [, status, endReason] = FATES.find(([share]) => (percent -= share) < 0)!;
  const between = ([least, most]: readonly [number, number], at: number) => least + (hash.readUInt32BE(at) % (most - least));
  return { status, endReason, ringMs: between(RING_MS, 4), talkMs: status === 'completed' ? between(TALK_MS, 8) : 0 };
}

/** Dials nobody: calls ring, are answered or not, and end, as the seed and the number decide. For trying things out. */
export class SimulatorEngine implements CallEngine {
  readonly name = 'simulator';
  readonly #options: SimulatorOptions;
  readonly #alarm: Alarm;

  constructor(options: SimulatorOptions) {
    this.#options = options;
    const { agenda } = options;
    this.#alarm = agenda.alarm({ source: LIVE_CALLS_DUE, everyMs: CALL_LIMITS.lookIntervalMs, work: () => this.#step() });
  }

  start(): void {
    this.#options.log.info({ seed: this.#options.seed }, 'calls are simulated: nobody is dialled');
    this.#alarm.start();
  }

  stop(): Promise<void> {
    return this.#alarm.stop();
  }

  wake(): void {
    this.#alarm.at(this.#options.clock.now());
  }

  async take(): Promise<null> {
    return null;
  }

  async #step(): Promise<boolean> {
    const { calls, clock, database, log } = this.#options;
    try {
      const now = clock.now();
      const leaseEnd = new Date(now + CALL_LIMITS.simulatorLeaseMs);
      const ids = await claimLive(database, CALL_LIMITS.simulatorBatch, new Date(now), leaseEnd, new Date(now + CALL_LIMITS.silentMs));
      const known = new Map((await calls.load(database, ids)).map((call) => [call.id, call]));
      // A call whose history is gone has no next step: reporting anything of it ends it.
      const reports = ids.map((id) => (known.has(id) ? this.#next(known.get(id)!) : ({ callId: id, status: 'failed' } as const)));
      if (reports.length > 0) await calls.report(reports);
      const next = await nextLive(database);
      if (next !== null) this.#alarm.at(next.getTime());
      return ids.length === CALL_LIMITS.simulatorBatch;
    } catch (error) {
      log.warn({ err: error }, 'simulated calls could not go on, will be tried again');
      return false;
    }
  }

  #next(call: Call): EngineReport {
    const { clock, seed, speed } = this.#options;
    const { endReason, ringMs, status, talkMs } = fateOf(seed, call.toPhoneNumber, call.attempt);
    if (call.status === 'initiated') return { callId: call.id, status: 'sent', dueAt: clock.now() + ringMs / speed };
    if (call.status === 'sent' && status === 'completed')
      return { callId: call.id, status: 'received', dueAt: clock.now() + talkMs / speed };
    const transcript = 'Agent: Hello, this is a simulated call.\nUser: Good to know. Goodbye.';
    const answered = { durationSeconds: Math.round(talkMs / 1000), sentiment: 'neutral' as const, transcript };
    return { callId: call.id, status, endReason, ...(status === 'completed' && answered) };
  }
}
