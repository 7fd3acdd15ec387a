import type { MemberRuntime } from '@coconet/cluster-protocol';
import { CommandRefused } from './errors.js';

/** What one test has found. */
export interface TestResult {
  readonly name: string;
  readonly passed: boolean;
  readonly message: string;
}

/** Store entry that is written, read and taken away again. */
const PROBE_KEY = 'device/self-test';
const PROBE = new Uint8Array([0xc0, 0xc0]);

type Finding = Omit<TestResult, 'name'>;
type Test = (runtime: MemberRuntime) => Finding | Promise<Finding>;

const TESTS: Readonly<Record<string, Test>> = {
  /** Whether the store takes something and gives it back. */
  store: async ({ store }) => {
    try {
      await store.write(new Map([[PROBE_KEY, PROBE]]));
      const read = await store.read(PROBE_KEY);
      await store.write(new Map([[PROBE_KEY, undefined]]));
      const passed = read?.length === PROBE.length && read.every((byte, index) => byte === PROBE[index]);
      const kind = store.durable ? 'written and read back' : 'kept in memory alone: lost with this process';
      return { passed, message: passed ? kind : 'what was written did not come back' };
    } catch (error) {
      return { passed: false, message: `cannot be written: ${String(error)}` };
    }
  },

  /** Whether there is a socket, and an address to be reached at. */
  udp: ({ links }) => {
    const outer = links.filter(({ addresses }) => addresses.some(({ internal }) => !internal));
    const families = [...new Set(outer.map(({ family }) => `IPv${family}`))];
    if (links.length === 0) return { passed: false, message: 'no UDP socket is open' };
    return families.length === 0
      ? { passed: false, message: 'this machine has no address that others could reach' }
      : { passed: true, message: `${families.join(' and ')}, port ${outer[0]?.port ?? 0}` };
  },

  /** Whether the NMN answers. */
  nmn: ({ node, host }) => {
    const nmn = node.nodes().find(({ kind }) => kind === 'nmn');
    if (nmn === undefined) return { passed: false, message: 'this network has no NMN' };
    const { path, sentence } = node.explain(host.now(), nmn.nodeId);
    return { passed: path !== undefined, message: sentence };
  },
};

/**
 * Runs all tests, or the one of that name.
 *
 * @throws {CommandRefused} `invalid` for a name that no test has.
 */
export async function runSelfTest(
  runtime: MemberRuntime,
  name: string | undefined,
): Promise<readonly TestResult[]> {
  if (name !== undefined && !Object.hasOwn(TESTS, name))
    throw new CommandRefused(
      'invalid',
      `there is no test '${name}'; there are ${Object.keys(TESTS).join(', ')}`,
      {
        field: 'name',
      },
    );
  const results: TestResult[] = [];
  // One after the other: what one finds explains what the next one does.
  for (const [each, test] of Object.entries(TESTS))
    if (name === undefined || name === each) results.push({ name: each, ...(await test(runtime)) });
  return results;
}
