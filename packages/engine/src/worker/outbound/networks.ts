import net from 'node:net';

/** A block of addresses: the bits of its first address, and how many of them are fixed. */
export interface Network {
  readonly family: 4 | 6;
  readonly base: bigint;
  readonly prefix: number;
}

const BITS = { 4: 32, 6: 128 } as const;

/** Reads `10.0.0.0/8`, `fd00::/8` or a single address. Null when it is neither, or when bits after the prefix are set. */
export function parseNetwork(text: string): Network | null {
  const [address = '', length, ...rest] = text.split('/');
  const family = net.isIP(address);
  if ((family !== 4 && family !== 6) || address.includes('%') || rest.length > 0) return null;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return null;
  const prefix = length === undefined ? BITS[family] : Number(length);
  if (prefix > BITS[family]) return null;
  const base = bitsOf(address, family);
  const free = BigInt(BITS[family] - prefix);
  return (base >> free) << free === base ? { family, base, prefix } : null;
}

/** The widest networks that may be named as private targets: a whole private range, and never a large part of the Internet. */
const WIDEST = { 4: 8, 6: 7 } as const;

/** Whether this may be named as a network that webhooks may reach although it is not public. */
export function isPrivateTarget(text: string): boolean {
  const network = parseNetwork(text);
  return network !== null && network.prefix >= WIDEST[network.family];
}

/** The same block as `net.BlockList` and people write it. */
export function formatNetwork({ base, family, prefix }: Network): string {
  return `${addressOf(base, family)}/${prefix}`;
}

/** A list for `net.connect` and for checks, of one family. The families are never mixed: `net.BlockList` maps one into the other. */
export function blockListOf(networks: readonly Network[]): net.BlockList {
  const list = new net.BlockList();
  for (const { base, family, prefix } of networks) list.addSubnet(addressOf(base, family), prefix, `ipv${family}`);
  return list;
}

export function contains(network: Network, address: string): boolean {
  const family = net.isIP(address);
  if (family !== network.family || address.includes('%')) return false;
  const free = BigInt(BITS[network.family] - network.prefix);
  return bitsOf(address, network.family) >> free === network.base >> free;
}

/** What is left of these networks without the holes: each that a hole lies in is halved until the hole is one of the halves. */
export function without(networks: readonly Network[], holes: readonly Network[]): Network[] {
  return holes.reduce((left, hole) => left.flatMap((network) => cut(network, hole)), [...networks]);
}

function cut(network: Network, hole: Network): Network[] {
  if (network.family !== hole.family) return [network];
  const common = BigInt(BITS[network.family] - Math.min(network.prefix, hole.prefix));
  if (network.base >> common !== hole.base >> common) return [network];
  if (hole.prefix <= network.prefix) return [];
  const prefix = network.prefix + 1;
  const upper = network.base | (1n << BigInt(BITS[network.family] - prefix));
  return [...cut({ ...network, prefix }, hole), ...cut({ ...network, base: upper, prefix }, hole)];
}

function bitsOf(address: string, family: 4 | 6): bigint {
  if (family === 4) return address.split('.').reduce((bits, byte) => bits * 256n + BigInt(byte), 0n);
  // The URL parser turns every spelling into groups of hexadecimal digits.
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].reduce((bits, group) => bits * 65_536n + BigInt(`0x${group}`), 0n);
}

function addressOf(base: bigint, family: 4 | 6): string {
  const size = family === 4 ? 8n : 16n;
  const parts = Array.from(
    { length: family === 4 ? 4 : 8 },
    (_, i) => (base >> (size * BigInt(family === 4 ? 3 - i : 7 - i))) & ((1n << size) - 1n),
  );
  return family === 4 ? parts.join('.') : parts.map((part) => part.toString(16)).join(':');
}
