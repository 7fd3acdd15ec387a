import { randomBytes } from 'node:crypto';
import { chmod, link, open, rename, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { ClusterError } from '../base/index.js';
import { makeFolder } from './make-folder.js';

/** Windows has no such modes; a profile folder is its user's alone there. */
const HAS_MODES = process.platform !== 'win32';

const OTHERS = 0o077;

/**
 * Makes sure that `path` is a folder of this user alone, and makes it when it is not there.
 * Fails with `STORE_UNUSABLE` and what to do about it.
 */
export async function prepareStoreFolder(path: string): Promise<void> {
  try {
    const made = await makeFolder(resolve(path));
    // The umask may have taken bits away even from us.
    if (made !== undefined && HAS_MODES) {
      await chmod(path, 0o700);
      await syncFolder(dirname(made));
    }
    const found = await stat(path);
    if (!found.isDirectory())
      throw new ClusterError('STORE_UNUSABLE', `the store ${path} is a file: name a folder.`);
    if (HAS_MODES && (found.mode & OTHERS) !== 0) {
      throw new ClusterError(
        'STORE_UNUSABLE',
        `the store ${path} is open to other users of this machine and will hold private keys: run 'chmod 700 ${quote(path)}'.`,
      );
    }
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Refuses a file that other users may read or write. */
export async function checkFileMode(path: string): Promise<void> {
  if (!HAS_MODES || ((await stat(path)).mode & OTHERS) === 0) return;
  throw new ClusterError(
    'STORE_UNUSABLE',
    `${path} is open to other users of this machine and may hold private keys: run 'chmod 600 ${quote(path)}'.`,
  );
}

/** Creates a file that must not exist, readable and writable by this user alone whatever the umask. */
export async function createPrivateFile(path: string): Promise<FileHandle> {
  const file = await open(path, 'wx+', 0o600);
  if (HAS_MODES) await file.chmod(0o600);
  return file;
}

/** A name beside `path` that nothing has. */
export const temporaryName = (path: string): string => `${path}.${randomBytes(6).toString('hex')}.new`;

/** Makes what was created, renamed or removed in a folder durable; a system that cannot, need not. */
export async function syncFolder(path: string): Promise<void> {
  if (!HAS_MODES) return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Replaces the file `name` of a folder by one that `write` fills: after a crash it is the old one or the new one. */
export async function replaceFile(
  folder: string,
  name: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<FileHandle> {
  const path = join(folder, name);
  const temporary = temporaryName(path);
  const file = await createPrivateFile(temporary);
  try {
    await write(file);
    await file.sync();
    await rename(temporary, path);
    await syncFolder(folder);
    return file;
  } catch (error) {
    await file.close();
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** Creates the file `name` with `text` whole, or not at all when there is one; whether it did. */
export async function createWhole(folder: string, name: string, text: string): Promise<boolean> {
  const path = join(folder, name);
  const temporary = temporaryName(path);
  const file = await createPrivateFile(temporary);
  try {
    await file.writeFile(text);
    await file.close();
    // A link appears with its whole content, and only if there is no file of that name.
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw unusable(folder, error);
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}

/** What a failure of the file system means for the store at `path`, in words. */
export function unusable(path: string, cause: unknown): ClusterError {
  if (cause instanceof ClusterError) return cause;
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
  const reason = REASONS[code] ?? `the system says ${code}`;
  return new ClusterError('STORE_UNUSABLE', `the store ${path} cannot be used: ${reason}.`, { cause });
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read and write there; choose another folder or change its owner',
  EPERM: 'the system does not permit it; choose another folder',
  EROFS: 'the file system is read-only; choose a folder on another one',
  ENOTDIR: 'a part of the path is a file; name a folder',
  EEXIST: 'there is a file of that name; name a folder',
  ENOENT: 'a part of the path cannot be made',
  ENOSPC: 'the disk is full; make room',
  EDQUOT: "this user's share of the disk is used up; make room",
  EIO: 'the disk reports an error; it may be failing',
  EMFILE: 'this process has too many open files',
};

const quote = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replace(/'/g, `'\\''`)}'`);
