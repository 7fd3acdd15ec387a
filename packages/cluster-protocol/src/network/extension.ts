import { assert } from '../base/index.js';
import type { Reader } from '../wire/reader.js';
import type { Writer } from '../wire/writer.js';
import { readFlag } from './code-list.js';

/** More would not leave room for anything else in a certificate. */
export const MAX_EXTENSIONS = 16;

/** Longest content of one extension, in bytes. */
export const MAX_EXTENSION_LENGTH = 512;

/** What a certificate says beyond its fixed fields. A reader that does not know a critical one refuses the certificate. */
export interface Extension {
  /** From the registry in docs/spec/05-network.md; vendors from 0x8000. */
  readonly id: number;
  readonly critical: boolean;
  readonly bytes: Uint8Array;
}

/** Numbers of the extensions that exist. */
export const EXTENSIONS = {
  /** The invitation that grants the role of this certificate, and the proof that its claim was used for these keys. */
  invitation: 1,
} as const;

/** Writes a list of extensions, which must be in ascending order of id without duplicates. */
export function writeExtensions(writer: Writer, extensions: readonly Extension[]): void {
  assert(extensions.length <= MAX_EXTENSIONS, `at most ${MAX_EXTENSIONS} extensions`);
  writer.varint(extensions.length);
  let last = -1;
  for (const { id, critical, bytes } of extensions) {
    assert(id > last, 'extensions are in ascending order of id');
    assert(bytes.length <= MAX_EXTENSION_LENGTH, `an extension holds at most ${MAX_EXTENSION_LENGTH} bytes`);
    last = id;
    writer
      .varint(id)
      .uint8(critical ? 1 : 0)
      .block(bytes);
  }
}

/** Reads a list of extensions; a wrong order, a duplicate or too many make the reader fail. */
export function readExtensions(reader: Reader): readonly Extension[] {
  const count = reader.varint();
  if (count > MAX_EXTENSIONS) reader.fail();
  const extensions: Extension[] = [];
  let last = -1;
  for (let i = 0; i < count && !reader.failed; i++) {
    const id = reader.varint();
    const critical = readFlag(reader);
    const bytes = reader.block(MAX_EXTENSION_LENGTH).slice();
    if (id <= last) reader.fail();
    last = id;
    extensions.push({ id, critical, bytes });
  }
  return extensions;
}
