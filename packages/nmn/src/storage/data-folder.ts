import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { makeFolder } from '@coconet/cluster-protocol/node';

import { NmnError } from '../errors.js';
import { FolderLock } from './folder-lock.js';
import { makePrivateFile, ON_WINDOWS, replacePrivateFile, unwritable } from './private-file.js';

/** Files of a data folder. Nothing else is in it. */
export const DATA_FILES = {
  marker: 'nmn.json',
  newMarker: 'nmn.json.new',
  lock: 'nmn.lock',
  lockJournal: 'nmn.lock-journal',
  database: 'nmn.db',
  databaseLog: 'nmn.db-wal',
  databaseIndex: 'nmn.db-shm',
  databaseJournal: 'nmn.db-journal',
  signedVersions: 'signed-versions',
  newSignedVersions: 'signed-versions.new',
  adminSocket: 'admin.sock',
  adminSocketPath: 'admin.path',
  newAdminSocketPath: 'admin.path.new',
} as const;

/** What the marker names, so that no other program's folder is taken for ours. */
const PROGRAM = 'coconet-nmn';

/** Format of the folder as a whole: which files there are and what they are for. The database has its own migrations. */
export const DATA_FOLDER_FORMAT = 1;

/** Permission bits of group and others: everything in the folder is a secret of its owner. */
const FOREIGN_BITS = 0o077;

/** A data folder that this process holds alone. */
export class DataFolder {
  readonly path: string;
  readonly #lock: FolderLock;

  private constructor(path: string, lock: FolderLock) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Makes the folder if it is not there, checks that it is ours, private and of a format we know, and locks it until
   * `close` or the end of the process. Throws `DATA_FOLDER_…` with what to do; a folder that is refused is left as it was.
   */
  static async open(folder: string): Promise<DataFolder> {
    const path = resolve(folder);
    await prepareFolder(path);
    await checkModes(path);
    await checkMarker(path);
    const lock = await FolderLock.acquire(path, join(path, DATA_FILES.lock));
    try {
      if (!(await checkMarker(path))) await writeMarker(path);
      await makePrivateFile(join(path, DATA_FILES.database));
    } catch (error) {
      await lock.release();
      throw unwritable(path, error);
    }
    return new DataFolder(path, lock);
  }

  /** The absolute path of one of our files. */
  file(name: keyof typeof DATA_FILES): string {
    return join(this.path, DATA_FILES[name]);
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }
}

async function prepareFolder(path: string): Promise<void> {
  try {
    const made = await makeFolder(path);
    // A umask can only take bits away; one that takes ours would leave a folder that we cannot enter ourselves.
    if (made !== undefined && !ON_WINDOWS) await chmod(path, 0o700);
  } catch (error) {
    throw unwritable(path, error);
  }
}

async function checkModes(path: string): Promise<void> {
  if (ON_WINDOWS) return;
  const state = await stat(path);
  if ((state.mode & FOREIGN_BITS) !== 0) throw unsafe(path, state.mode, '700');
  for (const name of await readdir(path).catch((error: unknown) => Promise.reject(unwritable(path, error)))) {
    if (!(Object.values(DATA_FILES) as string[]).includes(name)) continue;
    const file = await stat(join(path, name)).catch(() => undefined);
    // A socket keeps nothing, and one that a killed process left before it was made private is replaced before it is used.
    if (file?.isFile() === true && (file.mode & FOREIGN_BITS) !== 0)
      throw unsafe(join(path, name), file.mode, '600');
  }
}

/** Whether there is a marker of ours; an empty folder has none. Throws for anything else. */
async function checkMarker(path: string): Promise<boolean> {
  const names = await readdir(path);
  if (!names.includes(DATA_FILES.marker)) {
    const foreign = names.find(name => !(Object.values(DATA_FILES) as string[]).includes(name));
    if (foreign !== undefined) throw notOurs(path, `it holds ${foreign}`);
    return false;
  }
  const marker = readMarker(await readFile(join(path, DATA_FILES.marker), 'utf8'));
  if (marker?.program !== PROGRAM) throw notOurs(path, `its ${DATA_FILES.marker} is not ours`);
  if (marker.format > DATA_FOLDER_FORMAT)
    throw new NmnError(
      'DATA_FOLDER_NEWER',
      `the data folder ${path} was written by a newer program (format ${marker.format}, this program knows ` +
        `${DATA_FOLDER_FORMAT}); start the newer program, or restore a backup that is as old as this one`,
    );
  return true;
}

function readMarker(text: string): { program: unknown; format: number } | undefined {
  try {
    const marker: unknown = JSON.parse(text);
    if (typeof marker !== 'object' || marker === null || !('program' in marker) || !('format' in marker))
      return;
    return typeof marker.format === 'number' ? { program: marker.program, format: marker.format } : undefined;
  } catch {
    return undefined; // Not JSON, so not written by us.
  }
}

async function writeMarker(path: string): Promise<void> {
  const marker = JSON.stringify({ program: PROGRAM, format: DATA_FOLDER_FORMAT });
  await replacePrivateFile(join(path, DATA_FILES.marker), join(path, DATA_FILES.newMarker), `${marker}\n`);
}

function notOurs(path: string, why: string): NmnError {
  return new NmnError(
    'DATA_FOLDER_FOREIGN',
    `${path} is not a data folder of an NMN: ${why}; name an empty or new folder instead`,
  );
}

function unsafe(path: string, mode: number, wanted: string): NmnError {
  const shown = (mode & 0o777).toString(8);
  return new NmnError(
    'DATA_FOLDER_UNSAFE',
    `${path} can be reached by other users (mode ${shown}), but it holds secret keys; run: chmod ${wanted} ${path}`,
  );
}
