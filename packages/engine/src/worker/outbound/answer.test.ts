import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { LIMITS } from '../../core/limits.ts';
import { AnswerReader, readSimple, type Answer, type AnswerFault } from './answer.ts';
import { ANSWERS } from './answers.fixture.ts';

/** Reads pieces as a connection does; the end of the pieces is the receiver's close. */
function read(...pieces: readonly (string | Buffer)[]): Answer | AnswerFault {
  const reader = new AnswerReader();
  try {
    for (const piece of pieces) {
      const verdict = reader.read(Buffer.from(piece as string, 'latin1'));
      if (verdict !== null) return verdict;
    }
    return reader.finish();
  } finally {
    reader.release();
  }
}

describe('answers', () => {
  for (const [what, text] of Object.entries(ANSWERS)) {
    test(`one ${what} reads the same in two pieces split anywhere, and byte by byte`, () => {
      const whole = read(text);
      assert.equal(typeof whole, 'object');
      for (let at = 1; at < text.length; at++) assert.deepEqual(read(text.slice(0, at), text.slice(at)), whole, `split at ${at}`);
      assert.deepEqual(read(...text.split('')), whole);
    });
  }

  test('what they say is understood', () => {
    const answers = Object.fromEntries(Object.entries(ANSWERS).map(([what, text]) => [what, read(text) as Answer]));
    const expected: Record<keyof typeof ANSWERS, [status: number, body: string, retryAfter: string | undefined, reusable: boolean]> = {
      plain: [200, '{"status":"ok"}', undefined, true],
      'without a body': [204, '', undefined, true],
      'with an empty body': [202, '', undefined, true],
      chunked: [200, 'hello world', undefined, true],
      'with trailers': [200, 'ok', undefined, true],
      'after early hints': [429, 'no', '7', true],
      'of a closing server': [500, 'bad', undefined, false],
      'of HTTP/1.0': [200, 'ok', undefined, false],
      'until the end': [200, 'all of it', undefined, false],
      'without a reason': [200, 'ok', undefined, true],
      'with odd headers': [200, '\ufffdk', '3', true],
    };
    for (const [what, { body, reusable, retryAfter, status }] of Object.entries(answers))
      assert.deepEqual([status, body, retryAfter, reusable], expected[what], what);
    assert.equal(answers['with an empty body']!.keepAliveSeconds, 5);
    assert.equal(answers['plain']!.keepAliveSeconds, undefined);
  });

  test('the common answer is read quickly, and nothing else is', () => {
    const quick = Object.entries(ANSWERS).filter(([, text]) => readSimple(Buffer.from(text, 'latin1')) !== null);
    assert.deepEqual(
      quick.map(([what]) => what),
      ['plain', 'with an empty body', 'with odd headers'],
    );
    for (const [, text] of quick) assert.deepEqual(readSimple(Buffer.from(text, 'latin1')), read(text));
    assert.equal(readSimple(Buffer.from(`${ANSWERS['plain']}HTTP/1.1 200 OK\r\n`)), null, 'two in one piece');
  });

  test('what follows an answer makes its connection unusable, and is not read', () => {
    for (const text of [ANSWERS['plain']!, ANSWERS['chunked']!, ANSWERS['without a body']!]) {
      for (const surplus of ['x', '\r\n', 'HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n']) {
        const answer = read(text + surplus) as Answer;
        assert.deepEqual([answer.status < 300, answer.reusable], [true, false], surplus);
      }
    }
    const announced = read('HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n') as Answer;
    assert.deepEqual([announced.status, announced.reusable], [204, false], 'five bytes may follow');
  });

  const head = (lines: string, body = 'ok') => `HTTP/1.1 200 OK\r\n${lines}\r\n\r\n${body}`;
  const REFUSED: Record<string, string> = {
    'both lengths': head('content-length: 2\r\ntransfer-encoding: chunked', '2\r\nok\r\n0\r\n\r\n'),
    'both lengths, the other way round': head('transfer-encoding: chunked\r\ncontent-length: 2', '2\r\nok\r\n0\r\n\r\n'),
    'two lengths': head('content-length: 2\r\ncontent-length: 3'),
    'the same length twice': head('content-length: 2\r\ncontent-length: 2'),
    'a list of lengths': head('content-length: 2, 2'),
    'a signed length': head('content-length: +2'),
    'a negative length': head('content-length: -2'),
    'a hexadecimal length': head('content-length: 0x2'),
    'an empty length': head('content-length:'),
    'a length beyond numbers': head('content-length: 18446744073709551618'),
    'a space before the colon': head('content-length : 2'),
    'a chunk size that is no number': head('transfer-encoding: chunked', 'zz\r\nok\r\n0\r\n\r\n'),
    'a signed chunk size': head('transfer-encoding: chunked', '+2\r\nok\r\n0\r\n\r\n'),
    'a chunk size in C': head('transfer-encoding: chunked', '0x2\r\nok\r\n0\r\n\r\n'),
    'a chunk size with a space': head('transfer-encoding: chunked', '2 \r\nok\r\n0\r\n\r\n'),
    'a chunk size beyond numbers': head('transfer-encoding: chunked', 'fffffffffffffffff2\r\nok\r\n0\r\n\r\n'),
    'a chunk longer than it says': head('transfer-encoding: chunked', '2\r\nokay\r\n0\r\n\r\n'),
    'chunks that do not end': head('transfer-encoding: chunked', '2\r\nok\r\n'),
    'lines that end with LF alone': 'HTTP/1.1 200 OK\ncontent-length: 2\n\nok',
    'a header that ends with CR alone': head('x: y\rcontent-length: 2'),
    'a NUL in a header': head('x: a\0b\r\ncontent-length: 2'),
    'a header without a name': head(': y\r\ncontent-length: 2'),
    'a header without a colon': head('x\r\ncontent-length: 2'),
    'a folded length': head('content-length:\r\n 2'),
    'a header folded before the first': 'HTTP/1.1 200 OK\r\n x: y\r\ncontent-length: 2\r\n\r\nok',
    'a request': 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n',
    'a status of two digits': 'HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\nok',
    'a status of four digits': 'HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\nok',
    'a status below 100': 'HTTP/1.1 099 OK\r\ncontent-length: 2\r\n\r\nok',
    '100 Continue, unasked': 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    'another protocol from here on': 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
    'early hints alone': 'HTTP/1.1 103 Early Hints\r\n\r\n',
    nothing: '',
  };
  for (const [what, text] of Object.entries(REFUSED)) {
    test(`${what}: no answer`, () => {
      assert.equal(readSimple(Buffer.from(text, 'latin1')), null);
      assert.equal(read(text), 'connection_error');
      assert.equal(read(...text.split('')), 'connection_error');
    });
  }

  test('heads are bounded, whatever they are made of; so is what is kept of a body', () => {
    const { responseBytes, responseHeaderBytes, storedResponseBytes } = LIMITS;
    const much = 'y'.repeat(responseHeaderBytes);
    const bombs = {
      'one value': `HTTP/1.1 200 OK\r\nx: ${much}\r\n\r\n`,
      'one name': `HTTP/1.1 200 OK\r\n${much}y: x\r\n\r\n`,
      'one reason': `HTTP/1.1 200 ${much}y\r\n\r\n`,
      'many headers': `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(responseHeaderBytes)}\r\n`,
      'many interim answers': 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'.repeat(responseHeaderBytes),
      trailers: `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${'a: b\r\n'.repeat(responseHeaderBytes)}\r\n`,
    };
    for (const [what, bomb] of Object.entries(bombs)) {
      const pieces = bomb.match(/[^]{1,1000}/g)!;
      assert.equal(read(...pieces), 'response_too_large', what);
    }
    const fits = read(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(responseHeaderBytes - 100)}\r\ncontent-length: 0\r\n\r\n`) as Answer;
    assert.equal(fits.status, 200);
    const reader = new AnswerReader();
    assert.equal(reader.read(Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${2 ** 40}\r\n\r\n`)), null);
    let verdict: Answer | AnswerFault | null = null;
    let given = 0;
    for (; verdict === null; given += 1_000) verdict = reader.read(Buffer.alloc(1_000, 'x'));
    reader.release();
    assert.ok(given <= responseBytes + 1_000);
    assert.deepEqual(
      [(verdict as Answer).status, (verdict as Answer).body.length, (verdict as Answer).reusable],
      [200, storedResponseBytes, false],
    );
  });

  test('bodies become text that a database can store', () => {
    assert.equal((read(head('content-length: 4', 'a\0\xffb')) as Answer).body, 'a\ufffd\ufffdb');
    assert.equal(readSimple(Buffer.from(head('content-length: 4', 'a\0\xffb'), 'latin1'))!.body, 'a\ufffd\ufffdb');
  });
});
