import test from 'ava';

import { Place } from '../support/tool-process.js';

test('a device and an app that were both killed find each other again while the NMN is gone for good', async t => {
  t.timeout(240_000);
  const place = await Place.make(t);
  const owner = ['--store', 'owner'];
  const nmn = place.start(['nmn', 'start', '--data', 'nmn', '--port', '0', '--bind', '127.0.0.1', '--json']);
  await nmn.line(/listening/);
  await place.json(['network', 'create', 'home', '--data', 'nmn', '--root-file', 'root.key', ...owner]);
  const { uri } = (await place.json(['invite', 'device', ...owner])) as { readonly uri: string };
  const lamp = place.lamp(uri);
  await lamp.line(/^ready/);
  const watch = place.start(['watch', 'Desk/lamp', 'onOff.on', '--json', ...owner]);
  t.like(JSON.parse(await watch.line(/"attribute":"on"/)), { value: false });

  for (const victim of [nmn, lamp, watch]) {
    victim.kill('SIGKILL');
    await victim.ended();
  }
  const again = place.lamp(uri);
  await again.line(/^ready/);
  const called = await place.run(['call', 'Desk/lamp', 'onOff.turnOn', ...owner]);
  const explained = await place.json(['explain', 'Desk', ...owner]);

  t.like(called, { status: 0, stdout: 'done\n' });
  t.like(explained, { path: 'direct', nmn: 'away' });
  t.is((await place.run(['get', 'Desk/lamp', 'onOff.on', ...owner])).stdout, 'true\n');
});
