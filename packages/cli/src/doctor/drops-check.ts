import type { Context } from '../context.js';
import { describeDrops } from '../drops.js';
import { withNetwork } from '../network.js';
import { holdsAnything } from '../store.js';
import type { Finding } from './finding.js';

/** What this node has dropped since it was started; nothing is said where there is no node that runs. */
export async function checkDrops(context: Context): Promise<Finding | undefined> {
  if (!(await holdsAnything(context.store.path))) return undefined;
  try {
    return await withNetwork(context, async network => ({
      check: 'drops',
      state: 'ok',
      detail: `dropped by this node${network.shared ? '' : ' in the last moments'}: ${describeDrops(await network.dropped())}`,
    }));
  } catch {
    // The checks before have said why.
    return undefined;
  }
}
