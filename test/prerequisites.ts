// Says what a ring of tests needs and this machine lacks: `node --import=tsx test/prerequisites.ts RING`.
// These rings never skip a test by themselves: what is missing is named, and the exit status is 1.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program of the operating system and the Debian package that has it. */
interface Program {
  readonly name: string;
  readonly debian: string;
}

interface Ring {
  readonly root: boolean;
  readonly programs: readonly Program[];
}

const RINGS: Readonly<Record<string, Ring>> = {
  system: { root: false, programs: [{ name: 'tshark', debian: 'tshark' }] },
  nat: {
    root: true,
    programs: [
      { name: 'ip', debian: 'iproute2' },
      { name: 'nft', debian: 'nftables' },
      { name: 'dumpcap', debian: 'tshark' },
      { name: 'tshark', debian: 'tshark' },
    ],
  },
};

/**
 * System folders count even where an ordinary user's PATH lacks them; npm's own folder does not, because an npm package
 * brings another program called `nft`.
 */
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].filter(
  folder => !folder.includes('node_modules'),
);

function isInstalled(program: string): boolean {
  return FOLDERS.some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const [name = ''] = process.argv.slice(2);
const ring = RINGS[name];
if (!ring) throw new Error(`no ring of tests "${name}"; there are: ${Object.keys(RINGS).join(', ')}`);

const missing = ring.programs.filter(program => !isInstalled(program.name));
const complaints = missing.map(
  ({ name: program, debian }) => `the program "${program}" (Debian package ${debian})`,
);
if (ring.root && process.getuid?.() !== 0) complaints.push('root: run this as the user root');

if (complaints.length > 0) {
  process.stderr.write(`test:${name} needs ${complaints.join(', and ')}.\n`);
  const packages = missing.map(({ debian }) => debian);
  if (packages.length > 0) process.stderr.write(`To install: apt-get install -y ${packages.join(' ')}\n`);
  process.stderr.write('See docs/contributing/system-tests.md.\n');
  process.exitCode = 1;
}
