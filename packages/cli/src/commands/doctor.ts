import { argument } from '../argument.js';
import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import { checkClock } from '../doctor/clock-check.js';
import { checkDrops } from '../doctor/drops-check.js';
import { checkNmn } from '../doctor/nmn-check.js';
import type { Finding } from '../doctor/finding.js';
import { checkStore } from '../doctor/store-check.js';
import { checkUdp } from '../doctor/udp-check.js';
import { CliError } from '../errors.js';
import { printable } from '../printable.js';

const STYLES = { ok: 'green', warning: 'yellow', failed: 'red' } as const;

/** `coconet doctor` */
export const doctorCommand: Command = defineCommand({
  name: 'doctor',
  group: 'look',
  summary: 'looks for what keeps this node from its network: clock, store, UDP, NMN',
  arguments: {
    uri: argument.optional(
      'URI',
      'an invitation or an operator URI, or HOST:PORT of an NMN: is it there? Nothing of it is used up',
    ),
  },
  examples: [
    { line: 'coconet doctor', says: 'this node and its NMN' },
    {
      line: "coconet doctor 'coconet://192.0.2.1:28620/#…'",
      says: 'before joining: can the NMN be reached from here?',
    },
  ],
  run: async ({ uri }, context) => {
    const { out } = context;
    const findings: Finding[] = [];
    // One after the other: each explains the next.
    for (const check of [checkClock, checkUdp, checkStore])
      findings.push(await out.progress('looking', check(context)));
    findings.push(await out.progress('asking the NMN', checkNmn(context, uri)));
    const drops = uri === undefined ? await checkDrops(context) : undefined;
    if (drops) findings.push(drops);
    const failed = findings.filter(({ state }) => state === 'failed').length;
    out.result({ ok: failed === 0, checks: findings }, () =>
      findings
        .map(({ check, state, detail, next }) => {
          const advice = next === undefined ? '' : `\n         ${printable(next)}`;
          return `${out.style(STYLES[state], state.padEnd(8))} ${check.padEnd(6)} ${printable(detail)}${advice}`;
        })
        .join('\n'),
    );
    if (failed > 0)
      throw new CliError('CHECKS_FAILED', `${failed} of ${findings.length} checks failed`, {
        next: 'what to do stands beside each',
      });
  },
});
