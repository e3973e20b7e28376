import type { Log } from '@dialhook/engine';
import { Child, type Ending } from './child.ts';
import { PROCESS_LIMITS } from './limits.ts';
import { Measuring } from './measuring.ts';
import type { FromProcess } from './protocol.ts';

export interface SupervisorOptions {
  /** Processes, at least 2. */
  readonly count: number;
  readonly log: Log;
  /** A process cannot start, or ends again and again: the others are to be stopped. Called once. */
  readonly onHopeless: (ending: Ending) => void;
}

/** The place of one process among the others. */
interface Slot {
  child: Child | null;
  /** Ends in a row soon after a start, and those of them that nothing outside is to blame for. */
  tries: number;
  soonEnds: number;
  timer: NodeJS.Timeout | undefined;
  /** Another process is being started in its place. */
  isReplaced: boolean;
}

/** Keeps a number of server processes running, and replaces and stops them in order. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: readonly Slot[];
  /** All that live, also those that are leaving. */
  readonly #children = new Set<Child>();
  readonly #measuring = new Measuring();
  #isStarted = false;
  #isStopping = false;
  #replacing: Promise<void> | null = null;
  #replacesAgain = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.count }, () => ({
      child: null,
      tries: 0,
      soonEnds: 0,
      timer: undefined,
      isReplaced: false,
    }));
  }

  /** Resolves with their address when all are ready; never when one cannot start. */
  async start(): Promise<string> {
    const [first, ...others] = this.#slots as [Slot, ...Slot[]];
    // The first one migrates the database and makes what is missing; the others find it done.
    const url = await this.#fill(first).ready;
    await Promise.all(others.map((slot) => this.#fill(slot).ready));
    this.#isStarted = true;
    return url;
  }

  /** Replaces one process after the other, each only when the new one is ready. Resolves when that is done or was given up. */
  async replaceAll(): Promise<void> {
    const { log } = this.#options;
    if (this.#replacing !== null) {
      this.#replacesAgain = true;
      return this.#replacing;
    }
    if (!this.#isStarted || this.#isStopping) return log.warn({}, 'the processes are not replaced: they are just being started or stopped');
    do {
      this.#replacesAgain = false;
      log.info({ processes: this.#slots.length }, 'the processes are replaced one by one');
      this.#replacing = this.#replaceEach();
      await this.#replacing;
    } while (this.#replacesAgain && !this.#isStopping);
    this.#replacing = null;
  }

  /** Stops all; false when one did not end well. */
  async stop(): Promise<boolean> {
    this.#isStopping = true;
    for (const { timer } of this.#slots) clearTimeout(timer);
    const endings = await Promise.all([...this.#children].map((child) => child.end('stop')));
    return endings.every(({ code }) => code === 0);
  }

  /** At once, whatever they are doing. */
  kill(): void {
    this.#isStopping = true;
    for (const child of this.#children) child.kill();
  }

  async #replaceEach(): Promise<void> {
    const { log } = this.#options;
    for (const slot of this.#slots) {
      if (this.#isStopping) return;
      clearTimeout(slot.timer);
      slot.isReplaced = true;
      const next = this.#fork(slot);
      const error = await next.ready.then(
        () => null,
        (reason: Error) => reason,
      );
      slot.isReplaced = false;
      if (error !== null) {
        if (!this.#isStopping) log.error({ reason: error.message }, 'a new process did not start: the others stay as they are');
        if (slot.child === null) this.#fillLater(slot);
        return;
      }
      const old = slot.child;
      slot.child = next;
      slot.tries = slot.soonEnds = 0;
      await old?.end('leave');
    }
    log.info({ processes: this.#slots.length }, 'all processes were replaced');
  }

  #fill(slot: Slot): Child {
    return (slot.child = this.#fork(slot));
  }

  #fillLater(slot: Slot): void {
    if (this.#isStopping) return;
    const { maxRestartMs, restartMs } = PROCESS_LIMITS;
    slot.timer = setTimeout(() => this.#fill(slot), Math.min(maxRestartMs, restartMs * 2 ** Math.max(0, slot.tries - 1)));
  }

  #fork(slot: Slot): Child {
    const child = new Child(this.#options.count, {
      onMessage: (message) => void this.#hear(child, message),
      onEnd: (ending) => this.#ended(slot, child, ending),
    });
    this.#children.add(child);
    child.ready.then(
      () => this.#options.log.info({ process: child.pid }, 'a server process is ready'),
      () => {}, // its end is told
    );
    return child;
  }

  async #hear(child: Child, message: FromProcess): Promise<void> {
    if (message.type === 'measured') this.#measuring.heard(child, message);
    if (message.type !== 'gather') return;
    // What they have in common comes from the one that has been there for longest, and stays: it knows it already.
    const asked = [...this.#children].filter(({ isReady }) => isReady).sort((a, b) => Number(a.isAsked) - Number(b.isAsked));
    child.tell({ type: 'gathered', id: message.id, snapshots: await this.#measuring.gather(asked) });
  }

  #ended(slot: Slot, child: Child, ending: Ending): void {
    const { log, onHopeless } = this.#options;
    this.#children.delete(child);
    this.#measuring.ended(child);
    if (slot.child === child) slot.child = null;
    if (this.#isStopping || child.isAsked) return;
    const { code, isPassing, message, pid, readyMs } = ending;
    const fields = {
      process: pid,
      code,
      ...(message !== null && { reason: message }),
      ...(readyMs !== null && { readyMs: Math.round(readyMs) }),
    };
    if (!this.#isStarted) {
      this.#isStopping = true;
      return onHopeless(ending);
    }
    if (slot.isReplaced) return log.error(fields, 'a server process ended; another one is just being started in its place');
    const isSoon = code !== 0 && (readyMs === null || readyMs < PROCESS_LIMITS.soonMs); // 0: it obeyed a signal of somebody else's
    slot.tries = isSoon ? slot.tries + 1 : 0;
    if (!isSoon) slot.soonEnds = 0;
    else if (!isPassing) slot.soonEnds += 1;
    if (slot.soonEnds >= PROCESS_LIMITS.soonEnds) {
      this.#isStopping = true;
      return onHopeless(ending);
    }
    log.error(fields, 'a server process ended and is started again');
    this.#fillLater(slot);
  }
}
