// Builds all packages, lays out each as it is published under build/packages, and packs it into build/tarballs.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import {
  type EntryMap,
  type Manifest,
  type Package,
  publishedPackages,
  ROOT,
  SOURCE_CONDITION,
  STAGED,
  TARBALLS,
} from './packages.js';

/** The manifest as it is published: no way into the sources, nothing that only a developer needs. */
function publishedManifest(manifest: Manifest): Manifest {
  const { devDependencies: _devDependencies, scripts: _scripts, exports, imports, ...rest } = manifest;
  return {
    ...rest,
    ...(exports && { exports: published(exports) }),
    ...(imports && { imports: published(imports) }),
  };
}

function published(entries: EntryMap): EntryMap {
  return Object.fromEntries(
    Object.entries(entries).map(([name, { [SOURCE_CONDITION]: _source, ...target }]) => [name, target]),
  );
}

/** The outputs of the sources that exist now; a dist folder may still hold those of deleted ones. */
function outputsOf(path: string): string[] {
  return readdirSync(join(path, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .flatMap(name => [name.replace(/\.ts$/, '.js'), name.replace(/\.ts$/, '.d.ts')])
    .map(name => join('dist', name));
}

function stage({ folder, path, manifest }: Package): string {
  const target = join(STAGED, folder);
  const files = [...outputsOf(path), 'README.md', ...Object.values(manifest.bin ?? {})];
  for (const file of files) {
    if (!existsSync(join(path, file))) throw new Error(`packages/${folder}/${file} is missing`);
    mkdirSync(dirname(join(target, file)), { recursive: true });
    copyFileSync(join(path, file), join(target, file));
  }
  copyFileSync(join(ROOT, 'LICENSE'), join(target, 'LICENSE'));
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`);
  return target;
}

rmSync(STAGED, { recursive: true, force: true });
rmSync(TARBALLS, { recursive: true, force: true });
mkdirSync(TARBALLS, { recursive: true });

execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-b'], {
  cwd: ROOT,
  stdio: 'inherit',
});
for (const each of publishedPackages()) {
  const staged = stage(each);
  execFileSync('npm', ['pack', '--silent', '--pack-destination', TARBALLS], {
    cwd: staged,
    stdio: 'inherit',
  });
}
