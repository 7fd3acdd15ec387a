import { runCommands } from './commands.js';
import { runHandshake } from './handshakes.js';
import { runHousehold } from './household.js';
import { runNodes } from './nodes.js';
import type { Scenario } from './run.js';
import { runSessions } from './sessions.js';

/** A scenario as the command line knows it. */
export interface NamedScenario {
  readonly about: string;
  /** Seeds of a run that asks for no number. */
  readonly usual: number;
  readonly run: Scenario;
  /** Seeds that once failed: each found something that was mended. They come first in the test command. */
  readonly onceFailed: readonly number[];
}

/** All scenarios by their names. */
export const SCENARIOS: Readonly<Record<string, NamedScenario>> = {
  sessions: {
    about: 'two endpoints: messages, datagrams and streams over a bad link',
    usual: 2_000,
    run: runSessions,
    onceFailed: [33],
  },
  nodes: {
    about: 'two cluster nodes without an NMN, with stores that are kept, lost and put back',
    usual: 1_000,
    run: runNodes,
    onceFailed: [8],
  },
  handshakes: {
    about: 'one handshake over a link that loses 30 %',
    usual: 1_000,
    run: runHandshake,
    onceFailed: [],
  },
  household: {
    about: 'an NMN, a device and a client',
    usual: 200,
    run: runHousehold,
    onceFailed: [304],
  },
  commands: {
    about: 'a device and an app with their SDKs, and stores that are lost and put back',
    usual: 200,
    run: runCommands,
    onceFailed: [],
  },
};
