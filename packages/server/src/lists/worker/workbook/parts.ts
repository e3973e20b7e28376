import { isDateFormat } from './dates.ts';
import { readXml } from './xml.ts';
import { notAWorkbook, type ZipArchive } from './zip.ts';

/** Texts that cells share, and their characters in all: what is held in memory beside the rows. */
const MAX_TEXTS = 2_000_000;
const MAX_TEXT_CHARACTERS = 100 * 1024 * 1024;
const MAX_STYLES = 65_536;

const WORKBOOK = 'xl/workbook.xml';

/** Where the first sheet is, and which calendar the workbook has. Throws `UploadRefused`. */
export function findSheet(archive: ZipArchive): { readonly file: string; readonly is1904: boolean } {
  let relation: string | undefined;
  let is1904 = false;
  const exists = readXml(archive, WORKBOOK, {
    open: (name, attributes) => {
      if (name === 'sheet') relation ??= relationOf(attributes);
      if (name === 'workbookPr') is1904 = ['1', 'true'].includes(attributes.date1904 ?? '');
    },
    close: () => {},
    text: () => {},
  });
  if (!exists || relation === undefined) throw notAWorkbook('it has no sheet');
  let target: string | undefined;
  readXml(archive, 'xl/_rels/workbook.xml.rels', {
    open: (name, { Id, Target }) => {
      if (name === 'Relationship' && Id === relation) target = Target;
    },
    close: () => {},
    text: () => {},
  });
  if (target === undefined) throw notAWorkbook('it has no sheet');
  return { file: target.startsWith('/') ? target.slice(1) : `xl/${target.replace(/^\.\//, '')}`, is1904 };
}

/** Whatever prefix the namespace has: `r:id`. */
function relationOf(attributes: Readonly<Record<string, string>>): string | undefined {
  return Object.entries(attributes).find(([name]) => name.endsWith(':id'))?.[1];
}

/** Texts that cells name by number. */
export function readSharedTexts(archive: ZipArchive): string[] {
  const texts: string[] = [];
  const builder = new TextBuilder();
  let characters = 0;
  readXml(archive, 'xl/sharedStrings.xml', {
    open: (name) => {
      if (name === 'si') builder.begin();
      else builder.open(name);
    },
    close: (name) => {
      if (name !== 'si') return builder.close(name);
      const text = builder.end();
      characters += text.length;
      if (texts.push(text) > MAX_TEXTS || characters > MAX_TEXT_CHARACTERS) throw notAWorkbook('it holds too much text');
    },
    text: (text) => builder.text(text),
  });
  return texts;
}

/** For each style of a cell, whether it shows a day or a time. */
export function readDateStyles(archive: ZipArchive): boolean[] {
  const codes = new Map<number, string>();
  const styles: boolean[] = [];
  let isInCells = false;
  readXml(archive, 'xl/styles.xml', {
    open: (name, { formatCode, numFmtId }) => {
      if (name === 'cellXfs') isInCells = true;
      if (name === 'numFmt' && codes.size < MAX_STYLES) codes.set(Number(numFmtId), formatCode ?? '');
      if (name === 'xf' && isInCells && styles.length < MAX_STYLES)
        styles.push(isDateFormat(Number(numFmtId ?? 0), codes.get(Number(numFmtId))));
    },
    close: (name) => {
      if (name === 'cellXfs') isInCells = false;
    },
    text: () => {},
  });
  return styles;
}

/** Puts a text together from its runs; pronunciations (`rPh`) are not part of it. */
export class TextBuilder {
  #text = '';
  #isInText = false;
  #isPronunciation = false;

  begin(): void {
    this.#text = '';
  }

  open(name: string): void {
    if (name === 'rPh') this.#isPronunciation = true;
    else if (name === 't') this.#isInText = !this.#isPronunciation;
  }

  text(text: string): void {
    if (this.#isInText) this.#text += text;
  }

  close(name: string): void {
    if (name === 'rPh') this.#isPronunciation = false;
    else if (name === 't') this.#isInText = false;
  }

  end(): string {
    return unescapeText(this.#text);
  }
}

/** Characters that XML cannot hold stand as `_x000D_` (ECMA-376, 22.9.2.19). */
export function unescapeText(text: string): string {
  return text.includes('_x')
    ? text.replaceAll(/_x([0-9a-f]{4})_/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;
}
