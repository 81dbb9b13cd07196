/**
 * A folder as one file: tar (ustar) packed with gzip. The same files give the same bytes on every machine and at every time, because
 * readers compare digests; entries have no `./` before their names, because some readers drop such archives without a word.
 */
import { gzipSync } from 'node:zlib';

export interface Entry {
  /** With forward slashes, at most 100 bytes. */
  name: string;
  content: Buffer;
  executable: boolean;
}

const blockBytes = 512;
/** 2020-01-01: a time of its own would change the digest, and some programs complain about 1970. */
const fixedSeconds = 1_577_836_800;

/** Entries are sorted by name. */
export function packArchive(entries: readonly Entry[]): Buffer {
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  const parts = sorted.flatMap((entry) => [headerOf(entry), entry.content, padding(entry.content.length)]);
  const packed = gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * blockBytes)]), { level: 9 });
  // The byte that names the operating system: unknown.
  packed[9] = 255;
  return packed;
}

function headerOf({ name, content, executable }: Entry): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`${name}: too long a name for an archive`);
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0);
  header.write(executable ? '0000755\0' : '0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${octal(content.length, 11)}\0`, 124);
  header.write(`${octal(fixedSeconds, 11)}\0`, 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  // The sum is taken over the header with blanks in its own place.
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
const padding = (length: number): Buffer => Buffer.alloc((blockBytes - (length % blockBytes)) % blockBytes);
