import type { Context } from '../context.js';
import { failureOf } from '../failure.js';
import { withNetwork } from '../network.js';
import { describeStore, holdsAnything } from '../store.js';
import type { Finding } from './finding.js';

/** Whether the store can be used, and of which network it is. */
export async function checkStore(context: Context): Promise<Finding> {
  const where = describeStore(context.store);
  if (!(await holdsAnything(context.store.path)))
    return {
      check: 'store',
      state: 'warning',
      detail: `this node is in no network: there is nothing in ${where}`,
      next: 'join with `coconet join URI`, or create a network with `coconet network create NAME`',
    };
  try {
    return await withNetwork(context, async ({ name, nodeId, networkId, role, shared }) => ({
      check: 'store',
      state: 'ok',
      detail:
        `${name} (#${nodeId}), ${role === 'none' ? 'no role' : role} in network ${networkId}; ${where}` +
        (shared ? '; another program holds it, and this one goes through it' : ''),
    }));
  } catch (error) {
    const { message, next } = failureOf(error);
    return { check: 'store', state: 'failed', detail: message, ...(next !== undefined && { next }) };
  }
}
