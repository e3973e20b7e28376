import { strict as assert } from 'node:assert';
import { LIMITS } from './limits.ts';

/** Every bound of the outbound network: names and connections. */
export const NETWORK_LIMITS = {
  /** The longest that one look-up takes, below the shortest timeout of a dialect's ping (5 s), so that a slow name ends as `dns_error`. */
  lookupMs: 4_000,
  /** The first wait for a name server before it is asked again. */
  nameServerTimeoutMs: 1_000,
  /** How often each name server is asked; the waits double up to `lookupMs`. */
  nameServerTries: 4,
  /** Once one address family has answered, the other is waited for this long: some name servers never answer for IPv6. */
  otherFamilyMs: 300,
  /** A name server that answered anything in this time is taken to be well when a name fails. */
  nameServerWellMs: 10_000,
  /** Look-ups under way for one organization, so that its slow name servers hold up nobody else. */
  organizationLookups: 16,
  /** Look-ups of one organization that wait for their turn; beyond it they fail at once. */
  organizationLookupsWaiting: 256,
  /** Look-ups under way on a node: bounds sockets. */
  nodeLookups: 512,
  /** A look-up that waited this long for its turn fails: the attempts that wanted it have ended. */
  lookupWaitMs: 10_000,
  /** Names remembered; the least recently used are forgotten. About 300 bytes each. */
  names: 20_000,
  /** Bounds for how long an answer is used, whatever its time to live says. */
  minNameMs: 5_000,
  maxNameMs: 300_000,
  /** How long a name that does not resolve is not asked for again. */
  failedNameMs: 5_000,
  /** How long an expired answer is still used while the name server gives none (RFC 8767). */
  staleNameMs: 3_600_000,
  /** How often a change of the hosts file is looked for. */
  hostsFileMs: 5_000,
  /** Bytes of the hosts file that are read. */
  hostsFileBytes: 1024 * 1024,
  /** Addresses of one host that are tried. */
  addresses: 8,
  /** The head start of an address before the next is tried beside it (RFC 8305). */
  nextAddressMs: 250,
  /** TLS sessions remembered, to be taken up again without a full handshake; about 2 kB each. */
  tlsSessions: 2_000,
  /** How long a session is taken up again: a certificate that ended meanwhile is noticed after this time. */
  tlsSessionMs: 600_000,
  /** Idle connections that are kept for one origin: several endpoints there are served in bursts, and a limit within them would close and open connections all the time. */
  originIdleConnections: 256,
  /** Idle connections of a node; the least recently used are closed. */
  idleConnections: 4_096,
  /** Bytes that idle connections may cost; the least recently used are closed. */
  idleConnectionBytes: 128 * 1024 * 1024,
  /** About what one idle connection costs, without and with TLS: measured with 2,000 of each. */
  plainConnectionBytes: 16 * 1024,
  secureConnectionBytes: 72 * 1024,
  /** How long an idle connection is kept; less when the receiver says so. */
  keepAliveMs: 30_000,
  /** How long before a receiver's own keep-alive ends a connection is used no more. */
  keepAliveMarginMs: 1_000,
  /** After this time a connection is replaced, so that a name that leads elsewhere by now is noticed. */
  connectionAgeMs: 300_000,
  /** How often deadlines are looked at while requests are in flight: an attempt ends at most so much late. */
  sweepMs: 25,
  /** How often idle connections are looked at. */
  idleSweepMs: 1_000,
} as const;

assert.ok(NETWORK_LIMITS.nameServerTimeoutMs < NETWORK_LIMITS.lookupMs, 'a lost packet is sent again in time');
assert.ok(NETWORK_LIMITS.organizationLookups * 8 < NETWORK_LIMITS.nodeLookups, 'a few organizations cannot take every look-up');
assert.ok(NETWORK_LIMITS.lookupWaitMs <= LIMITS.maxTimeoutMs, 'nobody waits longer than an attempt lasts');
