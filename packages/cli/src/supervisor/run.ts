import { closeSync, openSync } from 'node:fs';
import { openLog, type Config } from '@dialhook/server';
import { Supervisor } from './supervisor.ts';

/**
 * Starts `count` server processes under this one, which then does nothing but look after them and hand connections to
 * them. SIGTERM and SIGINT stop all; a second one kills them. SIGHUP replaces them one by one. Resolves with their address
 * when all are ready; when one cannot start, or ends again and again, the process ends with its error and its exit code.
 */
export function supervise(count: number, config: Config): Promise<string> {
  const hadTerminal = hasTerminal();
  const supervisor = new Supervisor({
    count,
    log: openLog(config.logLevel),
    onHopeless({ code, message }) {
      process.stderr.write(`${message ?? `A server process ended with code ${code}; what it said stands above.`}\n`);
      void supervisor.stop().finally(() => process.exit(code === 0 ? 1 : code));
    },
  });
  let isStopping = false;
  const stop = () => {
    if (isStopping) {
      supervisor.kill();
      process.exit(1);
    }
    isStopping = true;
    void supervisor.stop().then((isWell) => process.exit(isWell ? 0 : 1));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  process.on('SIGHUP', () => {
    // It also says that the terminal is gone that this was started in.
    if (hadTerminal && !hasTerminal()) stop();
    else void supervisor.replaceAll();
  });
  return supervisor.start();
}

/** Whether the process belongs to a terminal. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
