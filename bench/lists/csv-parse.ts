// The yardstick, as a process of its own: parses the file that is named with csv-parse and does nothing with the rows.
import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';

const began = performance.now();
let rows = 0;
const parser = createReadStream(process.argv[2]!, { highWaterMark: 1 << 18 }).pipe(parse({ bom: true }));
parser.on('data', () => (rows += 1));
parser.on('end', () => console.log(JSON.stringify({ rows, ms: performance.now() - began })));
