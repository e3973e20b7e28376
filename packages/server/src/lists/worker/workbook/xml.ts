import { SaxesParser } from 'saxes';
import { UploadRefused } from '../../model.ts';
import { notAWorkbook, type ZipArchive } from './zip.ts';

export interface XmlReader {
  /** An element begins; names have no prefix. */
  open(name: string, attributes: Readonly<Record<string, string>>): void;
  close(name: string): void;
  text(text: string): void;
}

/** Bytes without an element: a value has 32,767 characters at most, and whatever is longer is held in memory whole. */
const MAX_SILENCE = 1024 * 1024;

/** Streams an XML file of an archive; false when there is none. Entities are not expanded but the five of XML. Throws `UploadRefused`. */
export function readXml(archive: ZipArchive, file: string, reader: XmlReader): boolean {
  const parser = new SaxesParser({ xmlns: false, position: false });
  let silence = 0;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ attributes, name }) => {
    silence = 0;
    reader.open(withoutPrefix(name), attributes);
  });
  parser.on('closetag', ({ name }) => reader.close(withoutPrefix(name)));
  parser.on('text', (text) => reader.text(text));
  parser.on('cdata', (text) => reader.text(text));
  let decoder: TextDecoder | undefined;
  const take = (part: Uint8Array) => {
    silence += part.length;
    if (silence > MAX_SILENCE) throw notAWorkbook('it has a value that is longer than a cell may be');
    decoder ??= new TextDecoder(encodingOf(part), { fatal: true });
    parser.write(decoder.decode(part, { stream: true }));
  };
  try {
    const exists = archive.read(file, take);
    if (exists) parser.write(decoder?.decode() ?? '').close();
    return exists;
  } catch (error) {
    if (error instanceof UploadRefused) throw error;
    throw notAWorkbook(`${file.slice(file.lastIndexOf('/') + 1)} is not XML`);
  }
}

function encodingOf(beginning: Uint8Array): string {
  if (beginning[0] === 0xff && beginning[1] === 0xfe) return 'utf-16le';
  return beginning[0] === 0xfe && beginning[1] === 0xff ? 'utf-16be' : 'utf-8';
}

function withoutPrefix(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
