import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import test from 'ava';

import { COCONET, startDevNetwork } from '../../main-job/test/support/dev-network.js';
import { Program, ROOT } from '../../main-job/test/support/program.js';

const SOURCE = `--import=${pathToFileURL(join(ROOT, 'packages/cli/bin/source.js')).href}`;
const example = (name: string): string => join(ROOT, 'examples/lamp', name);
const text = (name: string): string => readFileSync(example(name), 'utf8');
const code = (name: string): readonly string[] =>
  text(name)
    .split('\n')
    .filter(line => line !== '');

test('the device has eight lines, the app no more than ten', t => {
  t.is(code('lamp.js').length, 8);
  t.true(code('phone.js').length <= 10);
});

test('in TypeScript they read the same', t => {
  t.is(text('src/lamp.ts'), text('lamp.js'));
  t.is(text('src/phone.ts'), text('phone.js'));
});

test('the README shows them as they are', t => {
  const readme = text('README.md');

  for (const name of ['lamp.js', 'phone.js']) t.true(readme.includes(text(name)), name);
});

for (const [language, lamp, phone] of [
  ['JavaScript', 'lamp.js', 'phone.js'],
  ['TypeScript', 'src/lamp.ts', 'src/phone.ts'],
] as const)
  test.serial(`in ${language}, the phone switches the lamp on, and sees that it is on`, async t => {
    const { folder, joinUris } = await startDevNetwork(t);
    const variables = (join: string) => ({ folder, variables: { COCONET_JOIN: join } });
    new Program(t, ['node', SOURCE, example(lamp)], variables(joinUris.command));

    const app = new Program(t, ['node', SOURCE, example(phone)], variables(joinUris.client));

    t.regex(await app.line(/^true /), /^true (true|false)$/);
  });

test.serial('the tool switches it off, and the phone sees that too', async t => {
  const { folder, joinUris } = await startDevNetwork(t);
  const variables = (join: string) => ({ folder, variables: { COCONET_JOIN: join } });
  new Program(t, ['node', SOURCE, example('lamp.js')], variables(joinUris.command));
  const app = new Program(t, ['node', SOURCE, example('phone.js')], variables(joinUris.client));
  await app.line(/^true /);

  const tool = new Program(t, ['node', COCONET, 'call', 'Desk/lamp', 'onOff.turnOff'], { folder });

  t.is(await tool.end(), 0, tool.errors.join('\n'));
  t.is(await app.line(/^false /), 'false true');
});
