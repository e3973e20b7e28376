import type { Command } from 'commander';
import { DEMO, demoSteps, loadConfig, startServer, VERSION, type Config, type Environment, type RunningServer } from '@dialhook/server';
import { print } from '../output.ts';

/** A second signal does not wait: somebody means it. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** What trying out changes of the defaults, unless the environment says otherwise. */
const DEVELOPMENT = { DIALHOOK_LOG_LEVEL: 'warn', DIALHOOK_CALL_ENGINE: 'simulator', DIALHOOK_SIMULATOR_SPEED: '10' };

const ROOT_WARNING =
  'Warning: Dialhook runs as root and needs nothing of what root may do: run it as a user of its own (docs/operations.md).';

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('start a node; every setting comes from the environment (see docs/configuration.md)')
    .action(async (_options: object, command: Command) => {
      const server = await run(process.env);
      print(command, { url: server.url, version: VERSION }, `Dialhook ${VERSION} listens on ${server.url}`);
      // Not while trying out: there nobody else reaches it.
      if (process.getuid?.() === 0) process.stderr.write(`${ROOT_WARNING}\n`);
      if (server.config.simulator !== null) process.stderr.write('Warning: calls are simulated: nobody is dialled.\n');
      if (server.config.allowPrivateTargets)
        process.stderr.write('Warning: DIALHOOK_ALLOW_PRIVATE_TARGETS is on: webhooks may go to http and to private addresses.\n');
    });

  program
    .command('dev')
    .description('start for trying out: loopback only, private targets allowed, a demo organization at the first start')
    .action(async () => {
      const forced = { HOST: '127.0.0.1', DIALHOOK_ALLOW_PRIVATE_TARGETS: 'true' };
      const server = await run({ ...DEVELOPMENT, ...process.env, ...forced }, { acceptsLocalNames: true });
      process.stdout.write(`\nDialhook ${VERSION} (development): ${server.url}\n`);
      process.stdout.write('Loopback only; webhooks may go to http and to private addresses. Production: dialhook serve\n');
      if (server.config.simulator !== null) process.stdout.write('Calls are simulated: nobody is dialled.\n');
      if (await server.accounts.isEmpty()) await makeDemo(server);
      const token = await server.sessions.createFirstLink();
      if (token !== null)
        process.stdout.write(`The panel, signed in by this link once:\n\n     ${server.config.publicUrl}/sign-in#${token}\n\n`);
    });
}

async function run(env: Environment, more: Partial<Config> = {}): Promise<RunningServer> {
  process.umask(0o077); // whatever this process writes is its user's alone
  const server = await startServer({ ...loadConfig(env), ...more });
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
