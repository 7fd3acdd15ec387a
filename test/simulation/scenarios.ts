import { INTEROP } from '../../packages/cluster-protocol/test/interop/scenarios.js';
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
  /** No datagrams pass that a chart or a trace could show. */
  readonly unseen?: boolean;
  /** Whether it is run only where it is asked for. */
  readonly onDemand?: boolean;
}

/** Those of the QUIC interop runner: `interop/NAME`, and `interop` for all of them. */
const interop = Object.entries(INTEROP).map(
  ([name, { title, run, unseen = false }]): [string, NamedScenario] => [
    `interop/${name}`,
    {
      about: title,
      usual: 100,
      run: (seed, crypto, recorder) => run({ seed, crypto, ...(recorder && { recorder }) }),
      onceFailed: [],
      unseen,
      onDemand: true,
    },
  ],
);

/** All scenarios by their names. A part of a name before a slash stands for all that begin so. */
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
  ...Object.fromEntries(interop),
};

/** The names that a name asks for: itself, or its group; `undefined`: all but those that are run on demand. */
export const namesOf = (wanted: string | undefined): readonly string[] =>
  Object.entries(SCENARIOS).flatMap(([name, { onDemand = false }]) =>
    (wanted === undefined ? !onDemand : name === wanted || name.startsWith(`${wanted}/`)) ? [name] : [],
  );
