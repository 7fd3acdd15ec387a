import type { Invitation, InvitationWish } from '@coconet/client-sdk';

import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { waiting, withNetwork } from '../network.js';
import { option } from '../option.js';

const EXPIRES = option.duration('how long it can be used, as in 30m or 24h; default 24h');

/** `coconet invite device` */
export const inviteDeviceCommand: Command = defineCommand({
  name: 'invite device',
  group: 'network',
  summary: 'makes an invitation for one device',
  details: [
    'It is printed as a URI that works once. Give it to the program of the device, as COCONET_JOIN for those that follow the README.',
  ],
  options: {
    name: option.text('NAME', 'name for the device, when it brings none of its own'),
    expires: EXPIRES,
  },
  examples: [
    { line: 'COCONET_JOIN="$(coconet invite device)" node lamp.js', says: 'a device on this machine joins' },
  ],
  run: async ({ name, expires }, context) => {
    const invitation = await invite(context, { kind: 'device', name, expiresIn: expires });
    show(context, invitation, { kind: 'device', role: 'none' });
    if (!context.out.json)
      context.out.note(
        `for one device, until ${invitation.expiresAt.toISOString()}; its program gets it as COCONET_JOIN`,
      );
  },
});

/** `coconet invite client` */
export const inviteClientCommand: Command = defineCommand({
  name: 'invite client',
  group: 'network',
  summary: 'makes an invitation for one app or person',
  details: ['It is printed as a URI that works once, and on a terminal as a QR code as well.'],
  options: {
    role: option.choice(['admin', 'guest'], 'admin: may invite and revoke, too; default guest'),
    name: option.text('NAME', 'name for the node, when it brings none of its own'),
    expires: EXPIRES,
  },
  examples: [
    { line: 'coconet invite client', says: 'a guest, by QR code' },
    { line: 'coconet invite client --role admin', says: 'somebody who runs the network with you' },
  ],
  run: async ({ role = 'guest', name, expires }, context) => {
    const { out } = context;
    const invitation = await invite(context, { kind: 'client', role, name, expiresIn: expires });
    show(context, invitation, { kind: 'client', role });
    const isDrawn = out.onTerminal && (await draw(context, invitation.uri));
    if (!out.json)
      out.note(
        `for one ${role}, until ${invitation.expiresAt.toISOString()}; to use it: coconet join 'URI'${isDrawn ? ', or scan it' : ''}`,
      );
  },
});

const invite = (context: Context, wish: InvitationWish): Promise<Invitation> =>
  withNetwork(context, network =>
    context.out.progress('waiting for the NMN', network.admin.createInvitation(wish, waiting(context))),
  );

function show(
  { out }: Context,
  { uri, nodeId, expiresAt }: Invitation,
  what: { readonly kind: string; readonly role: string },
): void {
  out.result({ uri, nodeId, ...what, expiresAt: expiresAt.toISOString() }, uri);
}

/** Draws the URI as a QR code, where there is room for it. */
async function draw({ out }: Context, uri: string): Promise<boolean> {
  const { qrCode } = await import('../qr-code.js');
  const code = qrCode(uri, { coloured: out.coloured, columns: out.columns });
  out.note(code ?? 'this terminal is too narrow for the QR code');
  return code !== undefined;
}
