import { mkdtemp, rm } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test, { type ExecutionContext } from 'ava';

import { Lab, type LabProcess } from './lab.js';

const run = promisify(execFile);

/** What a program knows of its path. */
interface Facts {
  readonly path: string;
  readonly mtu: number;
  readonly sentence: string;
}

interface Captured {
  readonly packets: number;
  readonly fragments: number;
  /** The largest IP packet. */
  readonly largest: number;
}

/** Captures all IP packets with UDP in them at every interface of some nodes of the laboratory. */
class Capture {
  readonly #dumpcaps: { readonly file: string; readonly process: LabProcess }[] = [];

  static async start(lab: Lab, folder: string, nodes: readonly string[]): Promise<Capture> {
    const capture = new Capture();
    for (const node of nodes) {
      const file = join(folder, `${node}.pcap`);
      // Its first line on standard error, which joins ours, comes when it listens.
      const command = `dumpcap -q -i any -s 96 -B 32 -f "udp" -w ${file} 2>&1`;
      const process = lab.spawn(node, ['sh', '-c', `exec ${command}`]);
      await process.line(line => line.startsWith('File: '));
      capture.#dumpcaps.push({ file, process });
    }
    return capture;
  }

  /** Ends the capture: what was seen by each node. */
  async stop(): Promise<readonly Captured[]> {
    return Promise.all(
      this.#dumpcaps.map(async ({ file, process }) => {
        await process.stop('SIGINT');
        const fields = ['-T', 'fields', '-e', 'ip.len', '-e', 'ip.flags.mf', '-e', 'ip.frag_offset'];
        const { stdout } = await run('tshark', ['-r', file, '-o', 'ip.defragment:FALSE', ...fields], {
          maxBuffer: 64 * 1_024 * 1_024,
        });
        const packets = stdout
          .trim()
          .split('\n')
          .map(line => line.split('\t'));
        return {
          packets: packets.length,
          fragments: packets.filter(([, more, offset]) => more !== '0' || offset !== '0').length,
          largest: Math.max(...packets.map(([length]) => Number(length))),
        };
      }),
    );
  }
}

/** A device at site a and a client at site b move a stream and a message both ways, in each of some starts of the client. */
async function move(
  t: ExecutionContext,
  topology: string,
  wanted: string,
  starts: number,
): Promise<{ readonly facts: readonly Facts[]; readonly captured: readonly Captured[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'coconet-mtu-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const lab = Lab.up(topology);
  t.teardown(() => lab.down());
  const home = lab.node('server', 'test/nat/programs/home.ts', [lab.serverAddress]);
  const uris = JSON.parse(await home.line(line => line.startsWith('{'))) as Record<
    'device' | 'client',
    string
  >;
  const capture = await Capture.start(lab, folder, ['a1', 'b1', 'inet', 'server']);
  const bulk = (host: string, kind: 'device' | 'client', ...more: readonly string[]): LabProcess =>
    lab.node(host, 'test/nat/programs/bulk.ts', [kind, join(folder, kind), uris[kind], ...more]);
  const told = async (program: LabProcess): Promise<Facts> =>
    JSON.parse(await program.line(line => line.startsWith('{'))) as Facts;

  const device = bulk('a1', 'device');
  await device.line(line => line === 'ready');
  const facts: Facts[] = [];
  for (let start = 0; start < starts; start++) {
    const client = bulk('b1', 'client', wanted);
    facts.push(await told(client));
    t.is(await client.exited(), 0);
  }
  const captured = await capture.stop();
  device.end();
  await device.exited();
  home.end();
  await home.exited();
  for (const { path, mtu, sentence } of facts) t.log(`${path}, ${mtu} bytes: ${sentence}`);
  t.log(JSON.stringify(captured));
  return { facts, captured };
}

// A client that starts anew meets a system that has heard of the narrow link, and would cut what it sends.
for (const [title, topology, wanted, starts, mtu] of [
  ['directly at an MTU of 1500', 'a=portrestricted b=portrestricted', 'direct', 1, 1_452],
  ['directly over a link of 1280', 'a=portrestricted,mtu=1280 b=portrestricted', 'direct', 2, 1_200],
  ['over the relay and a link of 1280', 'a=symmetric,mtu=1280 b=symmetric', 'relay', 1, 1_200],
] as const)
  test(`no packet is sent in fragments ${title}, and explain tells what was found`, async t => {
    const { facts, captured } = await move(t, topology, wanted, starts);

    for (const { packets, fragments, largest } of captured) {
      t.true(packets > 100);
      t.is(fragments, 0);
      t.true(largest <= 1_500);
    }
    t.true(facts.every(fact => fact.mtu === mtu));
  });
