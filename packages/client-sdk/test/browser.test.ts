import { fileURLToPath } from 'node:url';
import test from 'ava';
import { build } from 'esbuild';

test('the package bundles for the browser without a built-in of Node', async t => {
  const result = await build({
    entryPoints: [fileURLToPath(new URL('../src/index.ts', import.meta.url))],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'esm',
    metafile: true,
    conditions: ['coconet-source'],
  });

  const inputs = Object.entries(result.metafile.inputs);
  t.deepEqual(
    inputs.map(([path]) => path).filter(path => /platform\/node|nodejs|sodium/.test(path)),
    [],
  );
  t.deepEqual(
    inputs.flatMap(([, input]) => input.imports).filter(one => one.external),
    [],
  );
});
