/**
 * The cloud side of a laboratory: an NMN and the owner who invites a device and a client. Says one JSON line with both
 * join URIs, and ends with its standard input.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createNetwork } from '@coconet/client-sdk';
import { startNmn } from '@coconet/nmn';

const folder = await mkdtemp(join(tmpdir(), 'coconet-nat-'));
const nmn = await startNmn({
  config: { dataFolder: join(folder, 'nmn'), publicHosts: [process.argv[2]!], http: { enabled: false } },
});
const store = join(folder, 'owner');
await createNetwork({
  operator: await nmn.operatorUri(),
  name: 'Laboratory',
  user: 'owner',
  store,
  rootFile: join(folder, 'root.key'),
});
const network = await connect({ store });
const device = await network.admin.createInvitation({ kind: 'device', name: 'Desk' });
const client = await network.admin.createInvitation({ kind: 'client', name: 'Phone' });
console.log(JSON.stringify({ device: device.uri, client: client.uri }));

process.stdin.resume().once('end', () => {
  void network
    .close()
    .then(() => nmn.close())
    .then(() => rm(folder, { recursive: true }));
});
