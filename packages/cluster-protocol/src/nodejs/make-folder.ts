import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder of this user alone, and those above it that are missing; returns the uppermost one that was made, or
 * `undefined` when it was there. Fails with the system's own error. (`mkdir` of Node with `recursive` never ends where a
 * file system answers ENOENT for a new folder in one that exists, as `/proc` does.)
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  try {
    return await makeOne(path);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const above = dirname(path);
    if (!isMissing || above === path) throw error;
    const made = await makeFolder(above);
    // Once more, even where the folder above was there: somebody else may have made it in between.
    return (await makeOne(path)) && (made ?? path);
  }
}

async function makeOne(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { mode: 0o700 });
    return path;
  } catch (error) {
    if (await isFolder(path)) return undefined;
    throw error;
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    found => found.isDirectory(),
    () => false,
  );
