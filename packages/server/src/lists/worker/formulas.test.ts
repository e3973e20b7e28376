import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { asText } from './formulas.ts';

const RUN = [
  '=HYPERLINK("https://x.example")',
  "+cmd|' /C calc'!A0",
  '@SUM(1,2)',
  '-2+3',
  '\t=1',
  '\r=1',
  ' =1',
  '＝1',
  '=',
  '+a',
  '-x',
  '+1,5',
];
const KEPT = [
  '+15550000000',
  '-3.5',
  '+1 (312) 555-0142',
  '-',
  '+',
  '',
  'Ada',
  '1=1',
  "'=1",
  'a@b.example',
  '3 - 4',
  '(312) 555-0142',
  '-1-2',
];

test('what a spreadsheet would run begins with an apostrophe; numbers and everything else stay byte for byte', () => {
  for (const cell of RUN) assert.equal(asText(cell), `'${cell}`);
  for (const cell of KEPT) assert.equal(asText(cell), cell);
});
