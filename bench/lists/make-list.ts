import { closeSync, openSync, statSync, writeSync } from 'node:fs';

/** Area codes of large cities; each gets an even share of the rows. */
const AREAS = [205, 212, 213, 214, 303, 305, 312, 313, 404, 415, 416, 503, 512, 602, 604, 617, 702, 713, 718, 773, 804, 818, 905, 916, 919];
const EXCHANGES = 790;
const FLUSH_CHARACTERS = 1 << 20;

/** Writes a list of distinct, valid numbers with quoted notes, about 100 bytes a row. Returns its size in bytes. */
export function makeList(path: string, rows: number): number {
  const file = openSync(path, 'w');
  let text = 'first_name,last_name,phone,email,city,note\n';
  for (let n = 0; n < rows; n++) {
    const area = AREAS[n % AREAS.length]!;
    const within = Math.floor(n / AREAS.length);
    const exchange = 203 + ((within * 7) % EXCHANGES);
    const line = Math.floor(within / EXCHANGES) * 131 + (within % 97);
    text += `First${n % 977},Last${n % 7919},(${area}) ${exchange}-${String(line % 10_000).padStart(4, '0')},user${n}@example.com,Springfield,"Met, on ${n % 30}; call after five pm"\n`;
    if (text.length > FLUSH_CHARACTERS) {
      writeSync(file, text);
      text = '';
    }
  }
  writeSync(file, text);
  closeSync(file);
  return statSync(path).size;
}
