/**
 * Proofs of work for signing in while many do. The hash is written out here: `crypto.subtle` exists only on https pages, and
 * is slow for many short texts.
 */

const ROUNDS = 64;
/** Tries between two looks at the clock, so that the page stays alive. */
const TRIES = 2_000;

/** The first 32 bits of the fractional parts of the cube roots (SHA-256's constants) and square roots (its start) of primes. */
const [CONSTANTS, START] = (() => {
  const primes: number[] = [];
  for (let n = 2; primes.length < ROUNDS; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  const fraction = (root: number) => ((root - Math.floor(root)) * 2 ** 32) | 0;
  return [
    Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime))),
    Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime))),
  ];
})();

const right = (word: number, by: number) => (word >>> by) | (word << (32 - by));

/** The first 32 bits of the SHA-256 of a text of ASCII characters. */
export function firstWord(text: string): number {
  const blocks = Math.ceil((text.length + 9) / 64);
  const bytes = new DataView(new ArrayBuffer(blocks * 64));
  for (let n = 0; n < text.length; n++) bytes.setUint8(n, text.charCodeAt(n));
  bytes.setUint8(text.length, 0x80);
  bytes.setUint32(blocks * 64 - 4, text.length * 8);
  const state = START.slice();
  const words = new Int32Array(ROUNDS);
  for (let block = 0; block < blocks; block++) {
    for (let n = 0; n < ROUNDS; n++) {
      if (n < 16) {
        words[n] = bytes.getInt32(block * 64 + n * 4);
        continue;
      }
      const [early, late] = [words[n - 15]!, words[n - 2]!];
      const spread = (right(early, 7) ^ right(early, 18) ^ (early >>> 3)) + (right(late, 17) ^ right(late, 19) ^ (late >>> 10));
      words[n] = words[n - 16]! + words[n - 7]! + spread;
    }
    let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
    for (let n = 0; n < ROUNDS; n++) {
      const chosen = (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & f) ^ (~e & g));
      const first = (h + chosen + CONSTANTS[n]! + words[n]!) | 0;
      const second = (right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, n) => (state[n] = state[n]! + word));
  }
  return state[0]! >>> 0;
}

/** `<challenge>:<number>` whose hash begins with so many zero bits. */
export async function solve({ bits, challenge }: { readonly challenge: string; readonly bits: number }): Promise<string> {
  for (let n = 0; ; n++) {
    const proof = `${challenge}:${n}`;
    if (Math.clz32(firstWord(proof)) >= bits) return proof;
    if (n % TRIES === 0) await new Promise((resolve) => setTimeout(resolve));
  }
}
