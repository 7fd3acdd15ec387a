import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import type { Surroundings } from '../src/context.js';
import { chooseStore, dataFolder, defaultNmnFolder } from '../src/places.js';

const linux: Surroundings = {
  folder: '/nonexistent/here',
  variables: {},
  platform: 'linux',
  home: '/home/ada',
};

test('each system has its own place for the data of a user', t => {
  const windows = { ...linux, platform: 'win32' as const, home: '/users/ada' };

  t.is(dataFolder(linux), '/home/ada/.local/share/coconet');
  t.is(dataFolder({ ...linux, variables: { XDG_DATA_HOME: '/data' } }), '/data/coconet');
  t.is(dataFolder({ ...linux, variables: { XDG_DATA_HOME: 'relative' } }), '/home/ada/.local/share/coconet');
  t.is(dataFolder({ ...linux, platform: 'darwin' }), '/home/ada/Library/Application Support/coconet');
  t.is(dataFolder(windows), join('/users/ada', 'AppData', 'Local', 'coconet'));
  t.is(dataFolder({ ...windows, variables: { LOCALAPPDATA: '/local' } }), join('/local', 'coconet'));
});

test('the store is that of the option, else of the environment, else the data folder', t => {
  const variables = { COCONET_HOME: 'mine' };

  t.deepEqual(chooseStore('./s', { ...linux, variables }), {
    path: '/nonexistent/here/s',
    chosenBy: 'option',
  });
  t.deepEqual(chooseStore(undefined, { ...linux, variables }), {
    path: '/nonexistent/here/mine',
    chosenBy: 'environment',
  });
  t.deepEqual(chooseStore(undefined, { ...linux, variables: { COCONET_HOME: '' } }), {
    path: '/home/ada/.local/share/coconet/client',
    chosenBy: 'default',
  });
});

test('in a folder where coconet dev has run, its client is the store', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'coconet-cli-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, '.coconet/client'), { recursive: true });

  const here = chooseStore(undefined, { ...linux, folder });
  const byEnvironment = chooseStore(undefined, { ...linux, folder, variables: { COCONET_HOME: '/mine' } });

  t.deepEqual(here, { path: join(folder, '.coconet/client'), chosenBy: 'dev' });
  t.is(byEnvironment.path, '/mine');
});

test('the data of an NMN and of a node are never in one folder', t => {
  const store = chooseStore(undefined, linux).path;

  t.false(store.startsWith(defaultNmnFolder(linux)));
  t.false(defaultNmnFolder(linux).startsWith(store));
});
