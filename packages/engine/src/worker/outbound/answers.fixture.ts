/** Answers for tests: written by hand, and bent at random by a seed. */

export const ANSWERS: Record<string, string> = {
  plain:
    'HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Sat, 21 Nov 2026 18:00:00 GMT\r\nContent-Length: 15\r\nConnection: keep-alive\r\n\r\n{"status":"ok"}',
  'without a body': 'HTTP/1.1 204 No Content\r\nx-request-id: 7\r\n\r\n',
  'with an empty body': 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nkeep-alive: timeout=5, max=100\r\n\r\n',
  chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;ext="a;b"\r\n world\r\n0\r\n\r\n',
  'with trailers':
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\nretry-after: 9\r\n\r\n',
  'after early hints':
    'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nretry-after: 8\r\n\r\nHTTP/1.1 429 Too Many\r\nretry-after: 7 \r\ncontent-length: 2\r\n\r\nno',
  'of a closing server': 'HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\ncontent-length: 3\r\n\r\nbad',
  'of HTTP/1.0': 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok',
  'until the end': 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nall of it',
  'without a reason': 'HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok',
  'with odd headers':
    'HTTP/1.1 200 OK\r\nx-empty:\r\nx-blank: \t \r\nx-tab:\ta\tb\t\r\nRETRY-AFTER:\t3\r\nContent-Length:  2\r\n\r\n\u00f6k',
};

/** What bends an answer: pieces that parsers have been fooled with. */
const PIECES = [
  '\r',
  '\n',
  '\r\n',
  '\n\r',
  ' ',
  '\t',
  '\0',
  ':',
  ';',
  ',',
  '0',
  '1',
  '-',
  '+',
  'x',
  '\x7f',
  '\xff',
  '\u00e4',
  '\r\n ',
  '\r\n\t',
  '\r\n\r\n',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2',
  ' 200 ',
  ' 99 ',
  ' 1000 ',
  'content-length: 2\r\n',
  'Content-Length: 3\r\n',
  'content-length: 2, 2\r\n',
  'content-length: +2\r\n',
  'content-length: 0x2\r\n',
  'content-length : 2\r\n',
  'content-length: 99999999999999999999\r\n',
  'transfer-encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'transfer-encoding: chunked, gzip\r\n',
  'transfer-encoding: xchunked\r\n',
  'transfer-encoding:\r\n chunked\r\n',
  'connection: close\r\n',
  'connection: upgrade\r\nupgrade: websocket\r\n',
  'x: y\r\n',
  ': y\r\n',
  'x y\r\n',
  'x\r\n',
  '0\r\n\r\n',
  'ffffffffffffffffff\r\n',
  '5 \r\n',
  '5;x\r\n',
  '-1\r\n',
  '5\n',
  'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
];

/** [0, 1), the same for the same seed (mulberry32). */
export function randomBy(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One of the answers, with up to three places changed. Latin-1: each character is a byte. */
export function bentAnswer(random: () => number): Buffer {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  let text = pick(Object.values(ANSWERS));
  for (let bends = Math.floor(random() * 4); bends > 0; bends--) {
    const at = random() < 0.4 ? text.indexOf('\r\n', Math.floor(random() * text.length)) + 2 : Math.floor(random() * (text.length + 1));
    const removed = random() < 0.5 ? 0 : Math.floor(random() * 4);
    text = text.slice(0, at) + (random() < 0.8 ? pick(PIECES) : '') + text.slice(at + removed);
  }
  return Buffer.from(text, 'latin1');
}
