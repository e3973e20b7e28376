import { mkdirSync } from 'node:fs';
import { isIP, isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import {
  DataDirectoryNotOurs,
  ensurePrivateDirectory,
  isNameServer,
  isPrivateTarget,
  isProxyException,
  isProxyUrl,
  LANE_SIZES,
  type LaneSizes,
} from '@dialhook/engine';
import type { KeptDays } from './retention.ts';
import { KEY_FILES, keptKey, OpenKeyFile, refuseOpenKeys } from './key-files.ts';

export type Role = 'all' | 'api' | 'worker';

export interface Config {
  readonly host: string;
  readonly port: number;
  /** Unset: the embedded database. */
  readonly databaseUrl: string | undefined;
  /** Connections to PostgreSQL, by kind of work. */
  readonly connections: LaneSizes;
  /** Server processes of this machine, this one among them; null: as many as there are cores and connections for. */
  readonly processes: number | null;
  readonly dataDir: string;
  /** 32 bytes. */
  readonly secretKey: Buffer;
  readonly operatorToken: string;
  /** Base of links in payloads, without a slash at the end. */
  readonly publicUrl: string;
  /** Development: pages of this machine may call the server `localhost` or `[::1]` beside its public address. */
  readonly acceptsLocalNames: boolean;
  /** Addresses and networks of proxies whose `X-Forwarded-For` says who calls. */
  readonly trustedProxies: readonly string[];
  readonly role: Role;
  readonly allowPrivateTargets: boolean;
  /** Networks that are not public and may be reached, as `10.1.0.0/16`. */
  readonly privateTargets: readonly string[];
  /** `http://[user:password@]host:port`; undefined: no proxy. */
  readonly egressProxy: string | undefined;
  readonly noProxy: readonly string[];
  /** Undefined: the system's. */
  readonly nameServers: readonly string[] | undefined;
  readonly retryDelayScale: number;
  readonly eventMemoryMb: number;
  readonly retentionDays: number;
  readonly keptDays: KeptDays;
  readonly lookupUrl: string | undefined;
  readonly lookupToken: string | undefined;
  /** Null: the operator's dialler takes the calls. */
  readonly simulator: { readonly seed: string; readonly speed: number } | null;
  readonly applicationUrl: string | undefined;
  readonly applicationToken: string | undefined;
  readonly logLevel: string;
}

/** A variable that the start is refused for. The message is one line that says what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(variable: string, value: string, allowed: string) {
    super(`${variable}=${JSON.stringify(value)} is not valid: ${allowed}`);
  }
}

/** Every variable with its default and meaning; docs/configuration.md lists the same, and a test compares the two. */
export const VARIABLES = {
  HOST: ['127.0.0.1', 'address to listen on'],
  PORT: ['8400', 'port to listen on; 0 picks a free one'],
  DATABASE_URL: ['', 'PostgreSQL 15 or newer; unset means the embedded database in the data directory'],
  DIALHOOK_HOT_CONNECTIONS: [String(LANE_SIZES.hot), 'PostgreSQL connections for publishing, claiming and recording, from 1 to 50'],
  DIALHOOK_WORK_CONNECTIONS: [
    String(LANE_SIZES.work),
    'PostgreSQL connections for everything else that the API changes or looks up, from 1 to 50',
  ],
  DIALHOOK_READ_CONNECTIONS: [String(LANE_SIZES.reads), 'PostgreSQL connections for reads of the API that may be long, from 1 to 50'],
  DIALHOOK_PROCESSES: [
    '',
    'server processes under one supervisor, from 1 to 256; unset means one for each core, or fewer where the database has no connections for them; the embedded database serves one',
  ],
  DIALHOOK_DATA_DIR: [
    './.dialhook',
    'embedded database, files, and generated keys; it must belong to the user that runs Dialhook, and is closed to others',
  ],
  DIALHOOK_SECRET_KEY: ['', 'encrypts signing secrets at rest: 64 hexadecimal characters; generated in the data directory when unset'],
  DIALHOOK_OPERATOR_TOKEN: ['', 'token of the operator API, at least 16 characters; generated in the data directory when unset'],
  DIALHOOK_PUBLIC_URL: ['', 'base of links in payloads; made of HOST and PORT when unset'],
  DIALHOOK_TRUST_PROXY: [
    '',
    'addresses and networks of your reverse proxies, such as `127.0.0.1, 10.0.0.0/8`: from there X-Forwarded-For is believed; unset means from nowhere',
  ],
  DIALHOOK_ROLE: ['all', 'all, api (accepts, does not send) or worker (sends, has no API)'],
  DIALHOOK_ALLOW_PRIVATE_TARGETS: [
    'false',
    'development only: webhooks may go to http and to private addresses; refused unless HOST is a loopback address',
  ],
  DIALHOOK_PRIVATE_TARGETS: ['', 'networks that are not public and that webhooks may reach, separated by commas: 10.1.0.0/16,fd00:1::/32'],
  DIALHOOK_EGRESS_PROXY: [
    '',
    'HTTP proxy that webhooks go out through, by CONNECT: http://[user:password@]host:port; unset means directly',
  ],
  DIALHOOK_NO_PROXY: [
    '',
    'what webhooks reach without the proxy, separated by commas: names (with those below them), addresses, networks, *',
  ],
  DIALHOOK_NAME_SERVERS: [
    '',
    'name servers for the hosts of webhooks, separated by commas: address or address:port; unset means the system’s',
  ],
  DIALHOOK_RETRY_DELAY_SCALE: ['1', 'multiplies every retry delay, for trying retries out: a number above 0, at most 1000'],
  DIALHOOK_EVENT_MEMORY_MB: [
    '256',
    'memory for events that wait to be stored or sent, in MiB, from 16 to 65536; processes of one machine share it, each has at least 16; the rest waits in the database',
  ],
  DIALHOOK_RETENTION_DAYS: ['30', 'days that events and the delivery log are kept, from 1 to 3650; an organization can keep less'],
  DIALHOOK_LIST_RETENTION_DAYS: ['0', 'days that lists and their files are kept after they ended, to 3650; 0 means for ever'],
  DIALHOOK_CAMPAIGN_RETENTION_DAYS: [
    '0',
    'days that campaigns with their leads, and leads of workflows, are kept after they ended, to 3650; 0 means for ever',
  ],
  DIALHOOK_REPLAY_RETENTION_DAYS: ['0', 'days that replays are listed after they ended, to 3650; 0 means for ever'],
  DIALHOOK_CREDIT_RETENTION_DAYS: ['0', 'days that the entries behind a balance of credits are kept, to 3650; 0 means for ever'],
  DIALHOOK_LOOKUP_URL: ['', 'look-up service that classifies numbers; unset means by contact history alone'],
  DIALHOOK_LOOKUP_TOKEN: ['', 'bearer token for the look-up service'],
  DIALHOOK_CALL_ENGINE: ['external', 'external (your dialler takes calls over the operator API) or simulator (nobody is dialled)'],
  DIALHOOK_SIMULATOR_SEED: ['dialhook', 'with the number it decides how a simulated call goes'],
  DIALHOOK_SIMULATOR_SPEED: ['1', 'how many times faster than life simulated calls go: a number above 0, at most 1000000'],
  DIALHOOK_APPLICATION_URL: ['', 'what application nodes of workflows call; unset means that they cannot be activated'],
  DIALHOOK_APPLICATION_TOKEN: ['', 'bearer token for the application'],
  DIALHOOK_LOG_LEVEL: ['info', 'trace, debug, info, warn, error, fatal or silent'],
} as const satisfies Record<string, readonly [string, string]>;

type Variable = keyof typeof VARIABLES;
export type Environment = Readonly<Record<string, string | undefined>>;

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const MIN_TOKEN_LENGTH = 16;
/** Ten years of day partitions are still few enough to plan queries over. */
const MAX_RETENTION_DAYS = 3_650;
/** Of one kind: PostgreSQL serves a few hundred in all, and more at once are slower than fewer. */
const MAX_CONNECTIONS = 50;
/** As many as the largest machines have cores. */
const MAX_PROCESSES = 256;
/** Of an event of 1 MiB a node needs 2 MiB while it sends it, of a quarter of this memory for each endpoint. */
export const MIN_EVENT_MEMORY_MB = 16;
const MAX_SCALE = 1_000;
const MAX_SPEED = 1_000_000;
const NETWORKS = 'addresses or networks (10.1.0.0/16) of at most a /8, or a /7 of IPv6';

/** Reads the configuration; makes missing keys in the data directory. Throws `ConfigError`, `OpenKeyFile` and `DataDirectoryNotOurs`. */
export function loadConfig(env: Environment): Config {
  const text = (name: Variable): string => env[name]?.trim() || VARIABLES[name][0];
  const optional = (name: Variable): string | undefined => text(name) || undefined;

  const host = text('HOST');
  const port = integer('PORT', text('PORT'), 0, 65_535);
  const databaseUrl = optional('DATABASE_URL');
  if (databaseUrl !== undefined) checkUrl('DATABASE_URL', databaseUrl, ['postgres:', 'postgresql:']);
  const role = oneOf('DIALHOOK_ROLE', text('DIALHOOK_ROLE'), ['all', 'api', 'worker'] as const);
  if (role !== 'all' && databaseUrl === undefined)
    throw new ConfigError('DIALHOOK_ROLE', role, 'needs DATABASE_URL, since the embedded database serves one process');
  const processes =
    optional('DIALHOOK_PROCESSES') === undefined ? null : integer('DIALHOOK_PROCESSES', text('DIALHOOK_PROCESSES'), 1, MAX_PROCESSES);
  if (processes !== null && processes > 1 && databaseUrl === undefined)
    throw new ConfigError(
      'DIALHOOK_PROCESSES',
      String(processes),
      'more than 1 needs DATABASE_URL, since the embedded database serves one process',
    );
  const allowPrivateTargets =
    oneOf('DIALHOOK_ALLOW_PRIVATE_TARGETS', text('DIALHOOK_ALLOW_PRIVATE_TARGETS'), ['true', 'false'] as const) === 'true';
  if (allowPrivateTargets && !isLoopback(host))
    throw new ConfigError('DIALHOOK_ALLOW_PRIVATE_TARGETS', 'true', `only allowed while HOST is a loopback address, and HOST is ${host}`);
  const privateTargets = list('DIALHOOK_PRIVATE_TARGETS', text('DIALHOOK_PRIVATE_TARGETS'), isPrivateTarget, NETWORKS);
  const egressProxy = optional('DIALHOOK_EGRESS_PROXY');
  // It may hold a password: it is not repeated.
  if (egressProxy !== undefined && !isProxyUrl(egressProxy))
    throw new ConfigError('DIALHOOK_EGRESS_PROXY', '…', 'http://[user:password@]host:port, without a path');
  const noProxy = list('DIALHOOK_NO_PROXY', text('DIALHOOK_NO_PROXY'), isProxyException, 'names, addresses, networks or *');
  const nameServers = list('DIALHOOK_NAME_SERVERS', text('DIALHOOK_NAME_SERVERS'), isNameServer, 'addresses, or addresses with a port');
  const retryDelayScale = positive('DIALHOOK_RETRY_DELAY_SCALE', text('DIALHOOK_RETRY_DELAY_SCALE'), MAX_SCALE);
  const eventMemoryMb = integer('DIALHOOK_EVENT_MEMORY_MB', text('DIALHOOK_EVENT_MEMORY_MB'), MIN_EVENT_MEMORY_MB, 65_536);
  const retentionDays = integer('DIALHOOK_RETENTION_DAYS', text('DIALHOOK_RETENTION_DAYS'), 1, MAX_RETENTION_DAYS);
  const kept = (name: Variable) => integer(name, text(name), 0, MAX_RETENTION_DAYS);
  const publicUrl = optional('DIALHOOK_PUBLIC_URL');
  if (publicUrl !== undefined) checkUrl('DIALHOOK_PUBLIC_URL', publicUrl, ['http:', 'https:']);
  const lookupUrl = optional('DIALHOOK_LOOKUP_URL');
  if (lookupUrl !== undefined) checkUrl('DIALHOOK_LOOKUP_URL', lookupUrl, ['http:', 'https:']);
  const callEngine = oneOf('DIALHOOK_CALL_ENGINE', text('DIALHOOK_CALL_ENGINE'), ['external', 'simulator'] as const);
  const speed = positive('DIALHOOK_SIMULATOR_SPEED', text('DIALHOOK_SIMULATOR_SPEED'), MAX_SPEED);
  const applicationUrl = optional('DIALHOOK_APPLICATION_URL');
  if (applicationUrl !== undefined) checkUrl('DIALHOOK_APPLICATION_URL', applicationUrl, ['http:', 'https:']);
  const logLevel = oneOf('DIALHOOK_LOG_LEVEL', text('DIALHOOK_LOG_LEVEL'), LOG_LEVELS);

  const secretText = optional('DIALHOOK_SECRET_KEY');
  if (secretText !== undefined && !/^[0-9a-f]{64}$/i.test(secretText))
    throw new ConfigError('DIALHOOK_SECRET_KEY', '…', '64 hexadecimal characters');
  const tokenText = optional('DIALHOOK_OPERATOR_TOKEN');
  if (tokenText !== undefined && !/^[\x21-\x7e]+$/.test(tokenText))
    throw new ConfigError('DIALHOOK_OPERATOR_TOKEN', '…', 'printable characters without spaces');
  if (tokenText !== undefined && tokenText.length < MIN_TOKEN_LENGTH)
    throw new ConfigError('DIALHOOK_OPERATOR_TOKEN', '…', `at least ${MIN_TOKEN_LENGTH} characters`);

  const connections = (name: 'DIALHOOK_HOT_CONNECTIONS' | 'DIALHOOK_WORK_CONNECTIONS' | 'DIALHOOK_READ_CONNECTIONS') =>
    integer(name, text(name), 1, MAX_CONNECTIONS);
  const dataDir = resolve(text('DIALHOOK_DATA_DIR'));
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    refuseOpenKeys(dataDir); // before they would be closed with the rest
    ensurePrivateDirectory(dataDir);
  } catch (error) {
    if (error instanceof OpenKeyFile || error instanceof DataDirectoryNotOurs) throw error;
    throw new ConfigError(
      'DIALHOOK_DATA_DIR',
      dataDir,
      `a directory that can be made and written (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  return {
    host,
    port,
    databaseUrl,
    connections: {
      hot: connections('DIALHOOK_HOT_CONNECTIONS'),
      work: connections('DIALHOOK_WORK_CONNECTIONS'),
      reads: connections('DIALHOOK_READ_CONNECTIONS'),
    },
    processes,
    dataDir,
    secretKey: Buffer.from(secretText ?? keptKey(dataDir, KEY_FILES.secretKey), 'hex'),
    operatorToken: tokenText ?? keptKey(dataDir, KEY_FILES.operatorToken),
    publicUrl: (publicUrl ?? `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`).replace(/\/+$/, ''),
    acceptsLocalNames: false,
    trustedProxies: networks('DIALHOOK_TRUST_PROXY', text('DIALHOOK_TRUST_PROXY')),
    role,
    allowPrivateTargets,
    privateTargets,
    egressProxy,
    noProxy,
    nameServers: nameServers.length === 0 ? undefined : nameServers,
    retryDelayScale,
    eventMemoryMb,
    retentionDays,
    keptDays: {
      lists: kept('DIALHOOK_LIST_RETENTION_DAYS'),
      campaigns: kept('DIALHOOK_CAMPAIGN_RETENTION_DAYS'),
      replays: kept('DIALHOOK_REPLAY_RETENTION_DAYS'),
      credits: kept('DIALHOOK_CREDIT_RETENTION_DAYS'),
    },
    lookupUrl,
    lookupToken: optional('DIALHOOK_LOOKUP_TOKEN'),
    simulator: callEngine === 'simulator' ? { seed: text('DIALHOOK_SIMULATOR_SEED'), speed } : null,
    applicationUrl,
    applicationToken: optional('DIALHOOK_APPLICATION_TOKEN'),
    logLevel,
  };
}

function integer(variable: Variable, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) throw new ConfigError(variable, text, `a whole number from ${min} to ${max}`);
  return value;
}

function positive(variable: Variable, text: string, max: number): number {
  const value = Number(text);
  if (!(value > 0 && value <= max)) throw new ConfigError(variable, text, `a number above 0, at most ${max}`);
  return value;
}

/** A network of all addresses is refused: whoever calls could then say to be anybody. */
function networks(variable: Variable, text: string): string[] {
  const given = text.split(',').map((network) => network.trim());
  const list = given.filter((network) => network !== '');
  for (const network of list) {
    const [address = '', prefix, ...rest] = network.split('/');
    const longest = isIPv4(address) ? 32 : 128;
    const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= longest);
    if (isIP(address) === 0 || !isPrefix || rest.length > 0)
      throw new ConfigError(variable, text, 'IP addresses and networks such as 10.0.0.0/8, with commas between them');
  }
  return list;
}

/** Entries between commas; each must be one. */
function list(variable: Variable, text: string, isOne: (entry: string) => boolean, allowed: string): string[] {
  const entries = text.split(',').map((entry) => entry.trim());
  const given = entries.filter((entry) => entry !== '');
  for (const entry of given) if (!isOne(entry)) throw new ConfigError(variable, entry, allowed);
  return given;
}

function oneOf<T extends string>(variable: Variable, text: string, allowed: readonly T[]): T {
  if (!allowed.includes(text as T)) throw new ConfigError(variable, text, `one of ${allowed.join(', ')}`);
  return text as T;
}

function checkUrl(variable: Variable, text: string, protocols: readonly string[]): void {
  const url = URL.parse(text);
  // The value may hold a password: it is not repeated.
  if (url === null || !protocols.includes(url.protocol))
    throw new ConfigError(variable, '…', `a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
