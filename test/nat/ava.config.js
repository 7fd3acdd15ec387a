import { common } from '../../ava.config.js';

/** Ring three: the NAT laboratory; root, iproute2 and nftables. */
export default {
  ...common,
  files: ['test/nat/**/*.test.ts'],
  timeout: '2m',
  serial: true,
  concurrency: 1,
};
