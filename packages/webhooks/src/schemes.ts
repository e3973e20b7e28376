/**
 * A signature scheme as data. The verifier here and the delivery engine both interpret it, so a scheme cannot mean
 * one thing to the sender and another to the receiver.
 */
export interface SignatureScheme {
  /** What the scheme is called in options and on the command line. */
  readonly name: string;
  /** Lower-case names of the headers that carry the signature. */
  readonly signatureHeader: string;
  /** Where the message id is, when the id is signed or useful for deduplication. */
  readonly idHeader: string | null;
  /** Where the Unix time in seconds is, when it has a header of its own that is signed. */
  readonly timestampHeader: string | null;
  /** What the HMAC covers, in this order, joined by full stops. */
  readonly signedParts: readonly ('id' | 'timestamp' | 'body')[];
  /**
   * How the signature is written:
   * `stripe` is `t=<seconds>,v1=<hex>`, `prefixed` is `sha256=<hex>`, `versioned` is `v1,<base64>` repeated with spaces.
   */
  readonly format: 'stripe' | 'prefixed' | 'versioned';
  /** How the text of a secret becomes the key: its UTF-8 bytes, or base64 after an optional `whsec_`. */
  readonly secretEncoding: 'utf8' | 'base64';
  /** How far the signed time may be from the receiver's clock, in seconds; null where no time is signed. */
  readonly toleranceSeconds: number | null;
}

/** OptimalDial, Stripe's habit: the key is the secret's text, not its decoded bytes (contracts/optimaldial.md 6.4). */
export const optimaldial: SignatureScheme = {
  name: 'optimaldial',
  signatureHeader: 'x-optimaldial-signature',
  idHeader: 'x-optimaldial-event-id',
  timestampHeader: null, // the time that counts stands inside the signature header
  signedParts: ['timestamp', 'body'],
  format: 'stripe',
  secretEncoding: 'utf8',
  toleranceSeconds: 300,
};

/** outboundIQ signs the body alone, so it has no replay window (contracts/outboundiq.md 1.3). */
export const outboundiq: SignatureScheme = {
  name: 'outboundiq',
  signatureHeader: 'x-outboundiq-signature',
  idHeader: 'x-outboundiq-delivery-id',
  timestampHeader: null,
  signedParts: ['body'],
  format: 'prefixed',
  secretEncoding: 'utf8',
  toleranceSeconds: null,
};

/** DialNexa signs the body alone with the secret that the caller chose (contracts/dialnexa.md 2.4). */
export const dialnexa: SignatureScheme = {
  name: 'dialnexa',
  signatureHeader: 'x-dialnexa-signature',
  idHeader: 'x-dialnexa-delivery-id',
  timestampHeader: null,
  signedParts: ['body'],
  format: 'prefixed',
  secretEncoding: 'utf8',
  toleranceSeconds: null,
};

/** Standard Webhooks 1.0.0, symmetric signatures (`v1`). */
export const standard: SignatureScheme = {
  name: 'standard',
  signatureHeader: 'webhook-signature',
  idHeader: 'webhook-id',
  timestampHeader: 'webhook-timestamp',
  signedParts: ['id', 'timestamp', 'body'],
  format: 'versioned',
  secretEncoding: 'base64',
  toleranceSeconds: 300,
};

/** Every scheme by name. */
export const schemes = { optimaldial, outboundiq, dialnexa, standard } as const;

export type SchemeName = keyof typeof schemes;
