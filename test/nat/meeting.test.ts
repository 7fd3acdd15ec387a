import test, { type ExecutionContext } from 'ava';

import { Lab } from './lab.js';

interface Seen {
  readonly first: string;
  readonly path: string;
  readonly sentence: string;
  readonly commands: number;
  readonly ms: number;
}

/** A device at site a and an app at site b meet through an NMN on the server, and talk until the path is `wanted`. */
async function meet(
  t: ExecutionContext,
  topology: string,
  wanted: string,
): Promise<Seen & { switched: number }> {
  const lab = Lab.up(topology);
  t.teardown(() => lab.down());
  const home = lab.node('server', 'test/nat/programs/home.ts', [lab.serverAddress]);
  const uris = JSON.parse(await home.line(line => line.startsWith('{'))) as {
    device: string;
    client: string;
  };
  const lamp = lab.node('a1', 'test/nat/programs/lamp.ts', [uris.device]);
  await lamp.line(line => line === 'ready');

  const phone = lab.node('b1', 'test/nat/programs/phone.ts', [uris.client, wanted]);
  const seen = JSON.parse(await phone.line(line => line.startsWith('{'))) as Seen;
  t.is(await phone.exited(), 0);
  lamp.end();
  const switched = Number((await lamp.line(line => line.startsWith('switched'))).split(' ')[1]);
  home.end();
  await home.exited();
  t.log(`${topology}: ${seen.first}, then ${seen.path} after ${seen.ms} ms and ${seen.commands} commands`);
  return { ...seen, switched };
}

test('two different port-restricted NATs: the first command over the relay, then directly', async t => {
  const seen = await meet(t, 'a=portrestricted b=portrestricted', 'direct');

  t.is(seen.path, 'direct', seen.sentence);
  t.is(seen.switched, seen.commands);
});

test('two symmetric NATs: everything works over the relay, and explain says so', async t => {
  const seen = await meet(t, 'a=symmetric b=symmetric', 'relay');

  t.is(seen.path, 'relay', seen.sentence);
  t.regex(seen.sentence, /relay/);
  t.is(seen.switched, seen.commands);
});

test('a full-cone NAT and a host without any: directly', async t => {
  const seen = await meet(t, 'a=fullcone b=none', 'direct');

  t.is(seen.path, 'direct', seen.sentence);
  t.is(seen.switched, seen.commands);
});
