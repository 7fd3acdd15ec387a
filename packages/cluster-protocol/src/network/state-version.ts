import type { Reader } from '../wire/reader.js';
import type { Writer } from '../wire/writer.js';

/** A place in the history of a network: first by the number of the authority, then by its running version. */
export interface StateVersion {
  /** 1 for the first authority of a network; 0 stands before everything. */
  readonly authorityNumber: number;
  /** Counts up with every change, gaps allowed. */
  readonly version: number;
}

/** Before the first change. */
export const NO_VERSION: StateVersion = { authorityNumber: 0, version: 0 };

/** Negative when `a` is older than `b`, positive when newer. */
export const compareVersions = (a: StateVersion, b: StateVersion): number =>
  a.authorityNumber - b.authorityNumber || a.version - b.version;

/** Two varints. */
export const writeVersion = (writer: Writer, { authorityNumber, version }: StateVersion): Writer =>
  writer.varint(authorityNumber).varint(version);

/** The inverse of {@link writeVersion}. */
export const readVersion = (reader: Reader): StateVersion => ({
  authorityNumber: reader.varint(),
  version: reader.varint(),
});
