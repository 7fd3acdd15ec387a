import { CAPABILITY_DECODERS } from './decoders/capabilities.js';
import { decoderTarget } from './decoders/decoder.js';
import { LOCAL_DECODERS } from './decoders/local.js';
import { NETWORK_DECODERS } from './decoders/network.js';
import { WIRE_DECODERS } from './decoders/wire.js';
import { ENDPOINT_SCENES } from './machines/endpoint-scenes.js';
import { memberScenes, nmnScenes } from './machines/house-scenes.js';
import { MachineSubject } from './machines/machine-subject.js';
import type { SceneMaker } from './machines/scene.js';
import type { Target } from './subject.js';

const DECODERS = { ...WIRE_DECODERS, ...NETWORK_DECODERS, ...CAPABILITY_DECODERS, ...LOCAL_DECODERS };

const machine = (
  about: string,
  weight: number,
  scenes: () => Promise<Readonly<Record<string, SceneMaker>>>,
): Target => ({ about, weight, open: async () => new MachineSubject(await scenes()) });

/** Everything that is fuzzed, by name. */
export const TARGETS: Readonly<Record<string, Target>> = {
  ...Object.fromEntries(Object.entries(DECODERS).map(([name, decoder]) => [name, decoderTarget(decoder)])),
  endpoint: machine('an endpoint in every state of its handshakes and sessions', 4, () =>
    Promise.resolve(ENDPOINT_SCENES),
  ),
  member: machine('a member of a network among other members and with an NMN', 0.5, memberScenes),
  nmn: machine('an NMN with members', 0.5, nmnScenes),
};
