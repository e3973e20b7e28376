/** Where requests go: the part of a URL that decides about the connection. */
export interface Origin {
  readonly isSecure: boolean;
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
}

export function parseOrigin(text: string): Origin {
  const { hostname, port, protocol } = new URL(text);
  const isSecure = protocol === 'https:';
  return { isSecure, host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? (isSecure ? 443 : 80) : Number(port) };
}
