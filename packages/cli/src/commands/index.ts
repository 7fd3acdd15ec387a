import type { Command } from '../command.js';
import { callCommand } from './call.js';
import { devCommand } from './dev.js';
import { doctorCommand } from './doctor.js';
import { explainCommand } from './explain.js';
import { getCommand } from './get.js';
import { inviteClientCommand, inviteDeviceCommand } from './invite.js';
import { joinCommand } from './join.js';
import { lsCommand } from './ls.js';
import { networkCreateCommand } from './network-create.js';
import { networkListCommand } from './network-list.js';
import { nmnOperatorCommand } from './nmn-operator.js';
import { nmnStartCommand } from './nmn-start.js';
import { nmnStatusCommand } from './nmn-status.js';
import { nodesCommand } from './nodes.js';
import { pingCommand } from './ping.js';
import { revokeCommand } from './revoke.js';
import { setCommand } from './set.js';
import { upCommand } from './up.js';
import { watchCommand } from './watch.js';

/** All commands, in the order of the overview. */
export const COMMANDS: readonly Command[] = [
  devCommand,
  nmnStartCommand,
  nmnOperatorCommand,
  nmnStatusCommand,
  networkCreateCommand,
  networkListCommand,
  inviteDeviceCommand,
  inviteClientCommand,
  joinCommand,
  revokeCommand,
  upCommand,
  nodesCommand,
  lsCommand,
  getCommand,
  setCommand,
  callCommand,
  watchCommand,
  pingCommand,
  explainCommand,
  doctorCommand,
];
