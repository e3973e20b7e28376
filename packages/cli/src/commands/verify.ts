import { readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { schemes, verify, WebhookError, type SchemeName } from '@dialhook/webhooks';
import { CliError, print, readStdin } from '../output.ts';

/** A delivery that does not verify, so that scripts can tell it from a mistake in the command. */
const EXIT_NOT_VERIFIED = 1;

/** Where the secret is looked for: nobody else can read a process's variables. */
const SECRET_VARIABLE = 'DIALHOOK_SIGNING_SECRET';

interface VerifyOptions {
  readonly scheme: SchemeName;
  readonly secret?: string;
  readonly header: readonly string[];
  readonly body?: string;
  readonly ignoreAge?: boolean;
}

export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('check the signature of a webhook that was received, and say why it fails')
    .addOption(new Option('--scheme <scheme>', 'whose signature it is').choices(Object.keys(schemes)).makeOptionMandatory())
    .option(
      '--secret <secret>',
      `the signing secret, or - for standard input; better in ${SECRET_VARIABLE}, since other users of this machine see arguments`,
    )
    .requiredOption('--header <name: value...>', 'headers as they arrived')
    .option('--body <file>', 'file with the raw body; standard input when absent')
    .option('--ignore-age', 'accept a signed time of long ago')
    .action(async (options: VerifyOptions, command: Command) => {
      const secret = await secretOf(options);
      const body = options.body === undefined ? await readStdin() : readFile(options.body);
      const headers = options.header.map(parseHeader);
      try {
        const verified = await verify(schemes[options.scheme], {
          secret,
          body,
          headers,
          ...(options.ignoreAge && { toleranceSeconds: Number.MAX_SAFE_INTEGER }),
        });
        print(command, { verified: true, ...verified }, 'The signature is right.');
      } catch (error) {
        if (!(error instanceof WebhookError)) throw error;
        print(command, { verified: false, code: error.code, message: error.message }, `Not verified (${error.code}): ${error.message}`);
        process.exitCode = EXIT_NOT_VERIFIED;
      }
    });
}

/** The secret out of the variable, standard input (`-`) or, with a warning, the argument. */
async function secretOf({ body, secret }: VerifyOptions): Promise<string> {
  if (secret === undefined) {
    const found = process.env[SECRET_VARIABLE];
    if (found) return found;
    throw new CliError(`The signing secret is missing: set ${SECRET_VARIABLE}, or give --secret - and write it to standard input.`);
  }
  if (secret !== '-') {
    process.stderr.write(`Warning: other users of this machine can see --secret. Set ${SECRET_VARIABLE}, or give --secret - instead.\n`);
    return secret;
  }
  if (body === undefined) throw new CliError('Standard input can be the secret or the body: name a file with --body.');
  return (await readStdin()).toString('utf8').trim();
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CliError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

function parseHeader(text: string): readonly [string, string] {
  const at = text.indexOf(':');
  if (at < 1) throw new CliError(`--header ${JSON.stringify(text)} is not of the form "name: value".`);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
