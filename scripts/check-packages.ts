// Checks the tarballs of `npm run pack` as their users will get them: what is in them, whether their entries resolve and
// have types, and how many dependencies come with them. Prints every fault; exit status 1 if there is one.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

import {
  type Manifest,
  type Package,
  publishedPackages,
  readManifest,
  ROOT,
  STAGED,
  tarballName,
  TARBALLS,
} from './packages.js';

/** How many production dependencies a package may bring: named by itself, and installed with it (itself not counted). */
interface DependencyLimits {
  readonly direct: number;
  readonly transitive: number;
}

// A device's owner installs the SDKs on everything: each dependency is one more party to trust.
const SDK_LIMITS: DependencyLimits = { direct: 5, transitive: 12 };
const PROGRAM_LIMITS: DependencyLimits = { direct: 15, transitive: Infinity };
const PROGRAMS = ['nmn', 'cli'];

// Only sqlite3 needs its script. This one belongs to an optional accelerator that works, or is absent, without it.
const HARMLESS_INSTALL_SCRIPTS = ['msgpackr-extract'];

/** What a tarball may contain; everything else (maps, tests, keys, sources) is a fault. */
const ALLOWED_FILES = [
  /^package\.json$/,
  /^README\.md$/,
  /^LICENSE$/,
  /^dist\/(?:[\w-]+\/)*[\w-]+(?:\.d\.ts|\.js)$/,
  /^bin\/coconet\.js$/,
];

/** A package in the lock file. */
interface LockedPackage {
  readonly version?: string;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly link?: boolean;
  readonly resolved?: string;
}

const lock = (
  JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  }
).packages;

/** The place in the lock file that `name` resolves to from `place`, as Node walks up the folders. */
function lockedPlace(name: string, place: string): string | undefined {
  for (let folder = place; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    const found = lock[candidate];
    if (found) return found.link ? found.resolved : candidate;
    if (folder === '') return undefined;
    if (!folder.includes('node_modules/')) folder = '';
  }
}

/** Every place that is installed with the package at `place`. Prebuilt variants for other machines count as well. */
function installedWith(place: string, seen = new Set<string>()): Set<string> {
  const { dependencies = {}, optionalDependencies = {} } = lock[place] ?? {};
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const next = lockedPlace(name, place);
    if (next === undefined || seen.has(next)) continue;
    seen.add(next);
    installedWith(next, seen);
  }
  return seen;
}

function checkDependencies({ folder, manifest }: Package): string[] {
  const limits = PROGRAMS.includes(folder) ? PROGRAM_LIMITS : SDK_LIMITS;
  const direct = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  const places = [...installedWith(`packages/${folder}`)];
  const faults = [];
  if (direct.length > limits.direct) {
    faults.push(
      `${String(direct.length)} direct dependencies, at most ${String(limits.direct)}: ${direct.join(', ')}`,
    );
  }
  if (places.length > limits.transitive) {
    faults.push(
      `${String(places.length)} dependencies in all, at most ${String(limits.transitive)}: ${places.join(', ')}`,
    );
  }
  const allowed = PROGRAMS.includes(folder)
    ? ['sqlite3', ...HARMLESS_INSTALL_SCRIPTS]
    : HARMLESS_INSTALL_SCRIPTS;
  for (const place of places) {
    const name = place.replace(/^.*node_modules\//, '');
    if (lock[place]?.hasInstallScript && !allowed.includes(name))
      faults.push(`${name} runs a script at installation`);
  }
  return faults;
}

function checkContent(tarball: string): string[] {
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  return files
    .map(file => file.replace(/^package\//, ''))
    .filter(file => !ALLOWED_FILES.some(pattern => pattern.test(file)))
    .map(file => `${file} has no business in a tarball`);
}

function checkManifest(manifest: Manifest): string[] {
  const text = JSON.stringify(manifest);
  return ['coconet-source', '"scripts"', '"devDependencies"', 'src/']
    .filter(word => text.includes(word))
    .map(word => `package.json says ${word}, which leads nowhere outside the repository`);
}

async function checkEntries(staged: string): Promise<string[]> {
  const { messages, pkg } = await publint({ pkgDir: staged, strict: true, pack: false });
  return messages.map(message => `publint: ${formatMessage(message, pkg) ?? message.code}`);
}

function checkTypes(tarball: string): string[] {
  const attw = join(ROOT, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  const run = spawnSync(
    process.execPath,
    [attw, tarball, '--profile', 'esm-only', '--no-color', '--no-emoji'],
    { encoding: 'utf8' },
  );
  return run.status === 0 ? [] : [`attw:\n${run.stdout}${run.stderr}`];
}

let faults = 0;
for (const each of publishedPackages()) {
  const tarball = join(TARBALLS, tarballName(each.manifest));
  if (!existsSync(tarball)) throw new Error(`${tarball} is missing: run "npm run pack" first`);
  const staged = join(STAGED, each.folder);
  const found = [
    ...checkDependencies(each),
    ...checkContent(tarball),
    ...checkManifest(readManifest(staged)),
    ...(await checkEntries(staged)),
    ...checkTypes(tarball),
  ];
  process.stdout.write(`${found.length === 0 ? 'ok   ' : 'FAULT'} ${each.manifest.name}\n`);
  for (const fault of found) process.stdout.write(`      ${fault}\n`);
  faults += found.length;
}
process.exitCode = faults === 0 ? 0 : 1;
