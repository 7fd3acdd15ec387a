import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The root of the repository. */
export const ROOT: string = join(import.meta.dirname, '..');

/** Where `npm run pack` puts what is published: a folder for each package, and their tarballs. */
export const STAGED: string = join(ROOT, 'build/packages');
export const TARBALLS: string = join(ROOT, 'build/tarballs');

/** The export condition that leads to a package's source; it exists inside the repository only. */
export const SOURCE_CONDITION = 'coconet-source';

/** Entries by name, each with a target for every condition; a condition may nest further ones. */
export type EntryMap = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What we read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: EntryMap;
  readonly imports?: EntryMap;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** A package of the repository: its folder's name under packages/ and its manifest. */
export interface Package {
  readonly folder: string;
  readonly path: string;
  readonly manifest: Manifest;
}

export function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest;
}

/** All packages that are published, ordered by folder name. */
export function publishedPackages(): Package[] {
  return readdirSync(join(ROOT, 'packages'))
    .sort()
    .map(folder => ({ folder, path: join(ROOT, 'packages', folder) }))
    .map(({ folder, path }) => ({ folder, path, manifest: readManifest(path) }))
    .filter(({ manifest }) => manifest.private !== true);
}

/** The file name that `npm pack` gives to a package. */
export function tarballName({ name, version }: Manifest): string {
  return `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`;
}
