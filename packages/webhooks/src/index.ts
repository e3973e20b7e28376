export { WebhookError, type WebhookErrorCode } from './error.ts';
export { formatSignatureHeader, headerValue, type HeadersLike } from './header.ts';
export { dialnexa, optimaldial, outboundiq, schemes, standard, type SchemeName, type SignatureScheme } from './schemes.ts';
export { secretKey, sign, signedPrefix, unwrap, verify, type SignInput, type Verified, type VerifyInput } from './signing.ts';
export type { Bytes } from './bytes.ts';
