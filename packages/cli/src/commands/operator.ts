import { InvalidArgumentError, Option, type Command } from 'commander';
import { OperatorClient } from '../client.ts';
import { CliError, print, readStdin } from '../output.ts';

interface Organization {
  readonly slug: string;
  readonly plan: string | null;
  readonly credits: number;
}

/** Commands that speak to the running server through its operator API. */
export function addOperatorCommands(program: Command): void {
  const org = program.command('org').description('organizations');
  org
    .command('create')
    .description('create an organization')
    .argument('<slug>', 'lower-case letters and digits, with hyphens, underscores or full stops between them')
    .option('--name <name>', 'what people read; the slug when absent')
    .addOption(new Option('--plan <plan>', 'what it pays for').choices(['list_processing', 'spam_monitoring']).default('list_processing'))
    .option('--credits <n>', 'opening balance', wholeNumber, 0)
    .action(async (slug: string, options: { name?: string; plan: string; credits: number }, command: Command) => {
      const organization = await OperatorClient.from(command).post<Organization>('/organizations', { slug, ...options });
      print(command, organization, `Organization ${organization.slug}: plan ${organization.plan}, ${organization.credits} credits.`);
    });

  org
    .command('sign-in')
    .description('make a link that signs an owner in to the panel, once')
    .argument('<organization>', 'its slug')
    .option('--user <id>', 'the member; the first owner when absent')
    .option('--confirm-email', 'opening it also confirms the e-mail address that the member has asked for')
    .action(async (slug: string, options: { user?: string; confirmEmail?: boolean }, command: Command) => {
      const link = await OperatorClient.from(command).post<{ url: string; expires_at: string; email: string | null }>(
        `/organizations/${encodeURIComponent(slug)}/sign-in-links`,
        { user_id: options.user, confirm_email: options.confirmEmail },
      );
      const where = link.email === null ? '' : `\n\nSend it to ${link.email}, and nowhere else.`;
      print(command, link, `${link.url}${where}\n\nIt works once, until ${link.expires_at}.`);
    });

  const keys = program.command('keys').description('API keys');
  keys
    .command('create')
    .description('create an API key; it is shown once')
    .argument('<organization>', 'its slug')
    .addOption(new Option('--kind <kind>', 'which API it opens').choices(['optimaldial', 'outboundiq', 'dialnexa']).default('optimaldial'))
    .option('--name <name>', 'to tell keys apart')
    .action(async (slug: string, options: { kind: string; name?: string }, command: Command) => {
      const created = await OperatorClient.from(command).post<{ key: string }>(
        `/organizations/${encodeURIComponent(slug)}/api-keys`,
        options,
      );
      print(command, created, `${created.key}\n\nThis is the only time it is shown.`);
    });

  program
    .command('send')
    .description('publish an event to every endpoint that subscribes')
    .argument('<organization>', 'its slug')
    .argument('<type>', 'event type, such as campaign.started')
    .argument('[data]', 'JSON; read from standard input when it is - or absent', '-')
    .action(async (organization: string, type: string, text: string, _options: object, command: Command) => {
      const data = parseJson(text === '-' ? (await readStdin()).toString('utf8') : text);
      const published = await OperatorClient.from(command).post<{ id: string }>('/events', { organization, type, data });
      print(command, published, `Event ${published.id} is stored and will be delivered.`);
    });
}

function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new CliError('The data is not valid JSON.');
  }
}
