import { constants } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

import { NmnError } from '../errors.js';

/** Windows has no permission bits; there a data folder inherits the access list of its parent. */
export const ON_WINDOWS: boolean = process.platform === 'win32';

/** Creates an empty file that only its owner may read, with the mode from the start. One that exists is left alone. */
export async function makePrivateFile(path: string): Promise<void> {
  const file = await open(path, constants.O_CREAT | constants.O_RDWR, 0o600);
  await file.close();
}

/** Replaces a file durably: the old content or the new one is there at any moment, never a part. */
export async function replacePrivateFile(path: string, temporary: string, content: string): Promise<void> {
  await unlink(temporary).catch(() => undefined);
  const file = await open(temporary, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

async function syncFolder(path: string): Promise<void> {
  if (ON_WINDOWS) return; // Windows cannot open a folder for writing; its renames are journalled.
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** An error of the file system as `DATA_FOLDER_UNWRITABLE`; one of ours stays what it is. */
export function unwritable(path: string, error: unknown): NmnError {
  if (error instanceof NmnError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new NmnError(
    'DATA_FOLDER_UNWRITABLE',
    `the data folder ${path} cannot be written (${reason}); name another folder, or give this user the right to it`,
    { cause: error },
  );
}
