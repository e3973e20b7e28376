import type { Command } from 'commander';

/** A failure that is told in one line, without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
}

/** Prints a result: as JSON for programs when `--json` was given, else as text for people. */
export function print(command: Command, result: unknown, text: string): void {
  const { json } = command.optsWithGlobals<{ json?: boolean }>();
  process.stdout.write(`${json ? JSON.stringify(result) : text}\n`);
}

/** Reads all of standard input. */
export async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/**
 * Text of somebody else, safe to print: what a terminal would obey, hide or turn around stands there as `\\u001b`. Line
 * breaks and tabs stay.
 */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{C}\n\t]|[\u2028\u2029]/gu, (character) =>
    [...Array(character.length).keys()].map((n) => `\\u${character.charCodeAt(n).toString(16).padStart(4, '0')}`).join(''),
  );
}
