import { readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { schemes, verify, WebhookError, type SchemeName } from '@dialhook/webhooks';
import { CliError, print, readStdin } from '../output.ts';

/** A delivery that does not verify, so that scripts can tell it from a mistake in the command. */
const EXIT_NOT_VERIFIED = 1;

interface VerifyOptions {
  readonly scheme: SchemeName;
  readonly secret: string;
  readonly header: readonly string[];
  readonly body?: string;
  readonly ignoreAge?: boolean;
}

export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('check the signature of a webhook that was received, and say why it fails')
    .addOption(new Option('--scheme <scheme>', 'whose signature it is').choices(Object.keys(schemes)).makeOptionMandatory())
    .requiredOption('--secret <secret>', 'the signing secret')
    .requiredOption('--header <name: value...>', 'headers as they arrived')
    .option('--body <file>', 'file with the raw body; standard input when absent')
    .option('--ignore-age', 'accept a signed time of long ago')
    .action(async (options: VerifyOptions, command: Command) => {
      const body = options.body === undefined ? await readStdin() : readFile(options.body);
      const headers = options.header.map(parseHeader);
      try {
        const verified = await verify(schemes[options.scheme], {
          secret: options.secret,
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
