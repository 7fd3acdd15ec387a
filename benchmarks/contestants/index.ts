import type { Contestant } from '../contestant.js';
import { coap } from './coap.js';
import { coconet, coconet1452 } from './coconet.js';
import { dgram } from './dgram.js';
import { hyperdht } from './hyperdht.js';
import { libp2p } from './libp2p.js';
import { mqtt } from './mqtt.js';
import { nats } from './nats.js';
import { secretStream } from './secret-stream.js';
import { tcp } from './tcp.js';
import { tls } from './tls.js';
import { ws } from './ws.js';

/** Ours: path MTU as found, and held to what an Ethernet carries. */
export const OURS = ['coconet', 'coconet-1452'] as const;

/** Who needs nothing but Node, in the order of the table. */
export const BUILT_IN: Readonly<Record<string, Contestant>> = {
  coconet,
  'coconet-1452': coconet1452,
  dgram,
  tcp,
  tls,
};

/** Who has to be installed first. */
export const PEERS: Readonly<Record<string, Contestant>> = {
  ws,
  'secret-stream': secretStream,
  hyperdht,
  libp2p,
  mqtt,
  coap,
  nats,
};

/** Everybody by name. */
export const CONTESTANTS: Readonly<Record<string, Contestant>> = { ...BUILT_IN, ...PEERS };
