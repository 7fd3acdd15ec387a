import { existsSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { publishedPackages, tarballName, TARBALLS } from '../../scripts/packages.js';
import { Installation, pinned, readmePrograms } from './installation.js';

const SDKS = ['capabilities', 'device-sdk', 'client-sdk'];

/** Every entry of the packages, as a user's import names it. */
function entriesOf(folders: readonly string[]): string[] {
  return publishedPackages()
    .filter(({ folder }) => folders.includes(folder))
    .flatMap(({ manifest }) => Object.keys(manifest.exports ?? {}).map(entry => join(manifest.name, entry)));
}

test.before(t => {
  for (const { manifest } of publishedPackages()) {
    if (!existsSync(join(TARBALLS, tarballName(manifest)))) t.fail('run "npm run pack" first');
  }
});

test('the SDKs install without scripts and load in JavaScript', async t => {
  const installation = await Installation.create();
  t.teardown(() => installation.remove());
  await installation.install(SDKS, [], ['--ignore-scripts']);
  const entries = entriesOf([...SDKS, 'cluster-protocol']);
  await installation.write(
    'load.js',
    `${entries.map(entry => `await import('${entry}');`).join('\n')}\nconsole.log('loaded');\n`,
  );

  const { status, output } = await installation.run(process.execPath, ['load.js']);

  t.is(output, 'loaded\n');
  t.is(status, 0);
});

test('the SDKs have types for a TypeScript program with default settings', async t => {
  const installation = await Installation.create();
  t.teardown(() => installation.remove());
  await installation.install(
    SDKS,
    [await pinned('typescript'), await pinned('@types/node')],
    ['--ignore-scripts'],
  );
  const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
  await installation.run(process.execPath, [tsc, '--init']);
  const entries = entriesOf([...SDKS, 'cluster-protocol']);
  const lines = entries.map(
    (entry, i) =>
      `import * as entry${i} from '${entry}';\nexport const names${i}: string[] = Object.keys(entry${i});`,
  );
  await installation.write('load.ts', `${lines.join('\n')}\n`);

  const { status, output } = await installation.run(process.execPath, [tsc, '--noEmit']);

  t.is(output, '');
  t.is(status, 0);
});

test('the tool installs with its scripts and tells its version', async t => {
  const installation = await Installation.create();
  t.teardown(() => installation.remove());
  await installation.install(['cli']);

  const { status, output } = await installation.run('npx', ['--no-install', 'coconet', '--version']);

  t.regex(output, /^\d+\.\d+\.\d+$/m);
  t.is(status, 0);
});

test('the programs of the README parse and have right types in an empty folder', async t => {
  const programs = await readmePrograms();
  if (programs.size === 0) {
    t.pass('the README has no named programs yet');
    return;
  }
  const installation = await Installation.create();
  t.teardown(() => installation.remove());
  await installation.install(
    SDKS,
    [await pinned('typescript'), await pinned('@types/node')],
    ['--ignore-scripts'],
  );
  const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
  await installation.run(process.execPath, [tsc, '--init', '--types', 'node']);
  for (const [name, code] of programs) await installation.write(name.replace(/\.js$/, '.ts'), code);

  const { status, output } = await installation.run(process.execPath, [tsc, '--noEmit']);

  t.is(output, '');
  t.is(status, 0);
});
