import type { Command } from 'commander';
import { ConfigError, DEMO, demoSteps, loadConfig, openLog, startServer, VERSION, type Config, type RunningServer } from '@dialhook/server';
import { print } from '../output.ts';
import { planProcesses } from '../supervisor/plan.ts';
import { supervise } from '../supervisor/run.ts';

/** A second signal does not wait: somebody means it. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** What trying out changes of the defaults, unless the environment says otherwise. */
const DEVELOPMENT = { DIALHOOK_LOG_LEVEL: 'warn', DIALHOOK_CALL_ENGINE: 'simulator', DIALHOOK_SIMULATOR_SPEED: '10' };

const ROOT_WARNING =
  'Warning: Dialhook runs as root and needs nothing of what root may do: run it as a user of its own (docs/operations.md).';

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('start this machine’s server processes; every setting comes from the environment (see docs/configuration.md)')
    .action(async (_options: object, command: Command) => {
      makePrivate();
      const config = loadConfig(process.env);
      const processes = await planProcesses(config, openLog(config.logLevel));
      const url = processes === 1 ? (await run(config)).url : await supervise(processes, config);
      const many = processes === 1 ? '' : ` with ${processes} processes`;
      print(command, { url, version: VERSION, processes }, `Dialhook ${VERSION} listens on ${url}${many}`);
      // Not while trying out: there nobody else reaches it.
      if (process.getuid?.() === 0) process.stderr.write(`${ROOT_WARNING}\n`);
      if (config.simulator !== null) process.stderr.write('Warning: calls are simulated: nobody is dialled.\n');
      if (config.allowPrivateTargets)
        process.stderr.write('Warning: DIALHOOK_ALLOW_PRIVATE_TARGETS is on: webhooks may go to http and to private addresses.\n');
    });

  program
    .command('dev')
    .description('start for trying out: loopback only, private targets allowed, a demo organization at the first start')
    .action(async () => {
      const forced = { HOST: '127.0.0.1', DIALHOOK_ALLOW_PRIVATE_TARGETS: 'true' };
      makePrivate();
      const config = loadConfig({ ...DEVELOPMENT, ...process.env, ...forced });
      if (config.processes !== null && config.processes > 1)
        throw new ConfigError('DIALHOOK_PROCESSES', String(config.processes), 'only 1 for trying out; dialhook serve starts more');
      const server = await run({ ...config, acceptsLocalNames: true });
      process.stdout.write(`\nDialhook ${VERSION} (development): ${server.url}\n`);
      process.stdout.write('Loopback only; webhooks may go to http and to private addresses. Production: dialhook serve\n');
      if (server.config.simulator !== null) process.stdout.write('Calls are simulated: nobody is dialled.\n');
      if (await server.accounts.isEmpty()) await makeDemo(server);
      const token = await server.sessions.createFirstLink();
      if (token !== null)
        process.stdout.write(`The panel, signed in by this link once:\n\n     ${server.config.publicUrl}/sign-in#${token}\n\n`);
    });
}

/** Whatever this process writes is its user's alone. */
function makePrivate(): void {
  process.umask(0o077);
}

async function run(config: Config): Promise<RunningServer> {
  const server = await startServer(config);
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      server.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`Stopping failed: ${String(error)}\n`);
          process.exit(1);
        },
      );
    });
  }
  return server;
}

/** An organization to play with, and the one time that its key is shown. */
async function makeDemo({ accounts, config }: RunningServer): Promise<void> {
  await accounts.createOrganization(DEMO);
  const { key } = await accounts.createKey(null, DEMO.slug, { kind: 'optimaldial', name: 'first steps' });
  const steps = demoSteps(config, key).map(({ title, command }, index) => `${index + 1}. ${title}\n\n     ${command}\n`);
  process.stdout.write(
    `\nAn organization "${DEMO.slug}" with ${DEMO.credits} credits was made. Its API key, shown only now:\n\n     ${key}\n\n${steps.join('\n')}\n`,
  );
}
