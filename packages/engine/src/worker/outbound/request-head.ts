/** What would end a header, or is none. */
const BAD_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const BAD_PATH = /[^\x21-\x7e]/;

/** Header names that were checked; a dialect has a few and endpoints up to twenty each. */
const names = new Set<string>();
const MAX_NAMES = 10_000;

/**
 * The beginning of every request to one endpoint: request line, host, and the headers that never change; each character a
 * byte. Null when one of them is no header. The URL parser gives path and origin in ASCII; they are checked all the same,
 * since what stands here ends up on the wire.
 */
export function requestStart(origin: string, path: string, headers: Readonly<Record<string, string>>): string | null {
  const host = origin.slice(origin.indexOf('//') + 2);
  if (BAD_PATH.test(path) || BAD_PATH.test(host)) return null;
  return withHeaders(`POST ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`, headers);
}

/** The whole head of one request; null when a name or value is no header. */
export function requestHead(start: string, headers: Readonly<Record<string, string>>, bodyBytes: number): string | null {
  const head = withHeaders(start, headers);
  return head === null ? null : `${head}content-length: ${bodyBytes}\r\n\r\n`;
}

function withHeaders(start: string, headers: Readonly<Record<string, string>>): string | null {
  let head = start;
  for (const name in headers) {
    const value = headers[name]!;
    if (BAD_VALUE.test(value) || !isName(name)) return null;
    head += `${name}: ${value}\r\n`;
  }
  return head;
}

function isName(name: string): boolean {
  if (names.has(name)) return true;
  if (!TOKEN.test(name)) return false;
  if (names.size >= MAX_NAMES) names.clear();
  names.add(name);
  return true;
}
