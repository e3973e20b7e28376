import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { zipSync } from 'fflate';
import { UploadRefused } from '../model.ts';
import { isWorkbook, readWorkbook } from './workbook.ts';
import { workbook, workbookParts } from './workbook.fixture.ts';
import { dateText, isDateFormat } from './workbook/dates.ts';

const folder = mkdtempSync(join(tmpdir(), 'dialhook-workbook-'));
after(() => rmSync(folder, { recursive: true }));
const BOUNDS = { maxUnpackedBytes: 20 * 1024 * 1024, maxCells: 1_000, maxColumns: 50 };

function read(bytes: Uint8Array): [number, string[]][] {
  const path = join(folder, 'file.xlsx');
  writeFileSync(path, bytes);
  assert.ok(isWorkbook(path));
  const rows: [number, string[]][] = [];
  readWorkbook(path, BOUNDS, (cells, number) => rows.push([number, cells]));
  return rows;
}
const sheet = (content: string, more?: Record<string, string>) => zipSync(workbookParts(content, more));
const refusal = (bytes: Uint8Array, pattern: RegExp) =>
  assert.throws(
    () => read(bytes),
    (error) => error instanceof UploadRefused && error.status === 400 && pattern.test(error.message),
    String(pattern),
  );

test('texts, numbers, truth values, errors, formulas and dates are read as a workbook shows them', () => {
  const strings = [
    '<si><t>shared</t></si>',
    '<si><r><t>rich </t></r><r><t xml:space="preserve">text &amp; more</t></r><rPh sb="0" eb="1"><t>phonetic</t></rPh></si>',
    '<si/>',
    '<si><t>line_x000D_end</t></si>',
  ].join('');
  const formats =
    '<numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy hh:mm"/><numFmt numFmtId="165" formatCode="#,##0 &quot;days&quot;"/></numFmts>';
  const styles = [0, 14, 164, 165, 20].map((id) => `<xf numFmtId="${id}"/>`).join('');
  const cells = [
    '<c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c><c t="s"><v>3</v></c>',
    '<c t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r></is></c>',
    '<c><v>447700900123</v></c><c><v>4.47700900123E11</v></c><c><v>0.30000000000000004</v></c><c t="n"/>',
    '<c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c><c t="str"><f>A1&amp;B1</f><v>formula</v></c><c t="d"><v>2026-05-02</v></c>',
    '<c s="1"><v>46144</v></c><c s="2"><v>46144.385393518519</v></c><c s="3"><v>12</v></c><c s="4"><v>0.5</v></c>',
  ].join('');
  const bytes = sheet(`<sheetData><row>${cells}</row></sheetData>`, {
    'xl/sharedStrings.xml': `<sst>${strings}</sst>`,
    'xl/styles.xml': `<styleSheet>${formats}<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>${styles}</cellXfs></styleSheet>`,
  });
  const texts = ['shared', 'rich text & more', '', 'line\rend', 'inline'];
  const numbers = ['447700900123', '447700900123', '0.3', ''];
  const others = ['true', '#N/A', 'formula', '2026-05-02'];
  const dates = ['2026-05-02', '2026-05-02 09:14:58', '12', '12:00:00'];
  assert.deepEqual(read(bytes), [[1, [...texts, ...numbers, ...others, ...dates]]]);
});

test('rows and cells that are left out cost nothing, and keep the numbers of the others', () => {
  const bytes = sheet(
    '<sheetData><row r="2"><c r="B2"><v>1</v></c><c r="AX2"><v>2</v></c><c r="XFD2"><v>3</v></c></row><row r="3"/><row r="1048576"><c r="A1048576"><v>4</v></c></row></sheetData>',
  );
  assert.deepEqual(read(bytes), [
    [2, ['', '1', ...Array<string>(47).fill(''), '2']],
    [1_048_576, ['4']],
  ]);
  // Some writers give every element a prefix.
  const prefixed = sheet('<x:sheetData xmlns:x="m"><x:row r="1"><x:c r="A1"><x:v>7</x:v></x:c></x:row></x:sheetData>');
  assert.deepEqual(read(prefixed), [[1, ['7']]]);
});

test('what would cost more than it may is refused', () => {
  const row = (content: string) => sheet(`<sheetData>${content}</sheetData>`);
  refusal(row('<row r="4000000000"><c r="A4000000000"><v>1</v></c></row>'), /no row 4000000000/);
  refusal(row('<row r="2"/><row r="1"/>'), /no row 1/);
  refusal(row('<row r="-1"/>'), /no row -1/);
  refusal(row('<row r="1"><c r="ZZZZ1"><v>1</v></c></row>'), /no cell ZZZZ1/);
  refusal(row(`<row>${'<c/>'.repeat(1_001)}</row>`), /more than 1000 cells/);
  refusal(row(`<row><c t="inlineStr"><is><t>${'x'.repeat(2 * 1024 * 1024)}</t></is></c></row>`), /longer than a cell/);
  refusal(row(`<!--${'x'.repeat(2 * 1024 * 1024)}-->`), /longer than a cell/);
  refusal(row('<row/>'.repeat(1_100_000)), /no row 1048577/);
  refusal(row('<row><c t="s"><v>5</v></c></row>'), /a text that is not there/);
  const bomb = sheet(`<sheetData>${'<row/>'.repeat(500_000)}</sheetData>`, {
    'xl/sharedStrings.xml': `<sst>${'<si/>'.repeat(5_000_000)}</sst>`,
  });
  assert.ok(bomb.length < 200_000);
  refusal(bomb, /too large once it is unpacked/);
  refusal(lying(bomb), /too large once it is unpacked|too much text/);
  const entities = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>';
  refusal(
    sheet('', {
      'xl/worksheets/sheet1.xml': `${entities}<worksheet><sheetData><row><c t="str"><v>&b;</v></c></row></sheetData></worksheet>`,
    }),
    /not XML/,
  );
});

test('what is no workbook is refused', () => {
  const good = workbook([['a', 'b']]);
  assert.deepEqual(read(good), [[1, ['a', 'b']]]);
  for (let length = 4; length < good.length; length += 97) refusal(good.subarray(0, length), /not a workbook/);
  refusal(zipSync({ 'a.txt': new Uint8Array(3) }), /it has no sheet/);
  refusal(sheet('<sheetData>', {}), /not XML/);
  const { 'xl/worksheets/sheet1.xml': _, ...rest } = workbookParts('');
  refusal(zipSync(rest), /its sheet is missing/);
  for (let at = 30; at < good.length; at += 13) {
    const damaged = good.slice();
    damaged[at]! ^= 0xff;
    try {
      read(damaged);
    } catch (error) {
      assert.ok(error instanceof UploadRefused, `byte ${at}: ${String(error)}`);
    }
  }
});

test('formats that show days or times are told from others, in both calendars', () => {
  const cases: [number, string | undefined, boolean][] = [
    [14, undefined, true],
    [22, undefined, true],
    [0, undefined, false],
    [49, undefined, false],
    [164, 'General', false],
    [164, '0.00', false],
    [164, '[Red]0.00', false],
    [164, '"made on" 0', false],
    [164, 'yyyy\\-mm\\-dd', true],
    [164, '[$-409]d mmm yyyy;@', true],
    [164, '[h]:mm', true],
    [164, '0.00E+00', false],
  ];
  for (const [id, code, isDate] of cases) assert.equal(isDateFormat(id, code), isDate, String(code));
  assert.deepEqual(
    [1, 59, 60, 61, 44_562].map((serial) => dateText(serial, false)),
    ['1900-01-01', '1900-02-28', '1900-02-28', '1900-03-01', '2022-01-01'],
  );
  assert.deepEqual([dateText(43_100, true), dateText(-1, false), dateText(1e9, false)], ['2022-01-01', null, null]);
});

/** The same archive with an index that claims that every file holds one byte. */
function lying(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let at = 0; at + 46 <= copy.length; at++) if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 1, true);
  return copy;
}
