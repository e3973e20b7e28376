import { Command } from 'commander';
import { VERSION } from '@dialhook/server';
import { addListen } from './commands/listen.ts';
import { addMigrate } from './commands/migrate.ts';
import { addOperatorCommands } from './commands/operator.ts';
import { addServe } from './commands/serve.ts';
import { addVerify } from './commands/verify.ts';
import { describeError } from './describe-error.ts';
import { CliError } from './output.ts';

const program = new Command('dialhook')
  .description('Self-hosted webhook platform for dialer and call-center companies')
  .version(VERSION)
  .option('--json', 'print results as JSON')
  .option('--url <url>', 'the running server; DIALHOOK_URL or HOST and PORT when absent')
  .option('--token <token>', 'operator token; DIALHOOK_OPERATOR_TOKEN or the data directory when absent')
  .showHelpAfterError('Run with --help to see what is allowed.');

addServe(program);
addMigrate(program);
addOperatorCommands(program);
addListen(program);
addVerify(program);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
  // A server that failed half-way may have started threads; nothing of it is wanted any more.
  if (!(error instanceof CliError)) process.exit(1);
}
