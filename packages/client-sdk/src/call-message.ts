import type { ClientMessage } from '@coconet/capabilities';
import type { CallRequest } from './source.js';

/** The message that asks a device; `requestId` is of no meaning for a command. */
export function messageOf(request: CallRequest, requestId: number, timeout: number): ClientMessage {
  // 0 is for ever.
  const timeoutMs = timeout === Infinity ? 0 : Math.ceil(timeout);
  switch (request.kind) {
    case 'command': {
      const { commandId, params } = request;
      const expires = timeoutMs === 0 ? {} : { expiresInMs: timeoutMs };
      return { type: 'command', ...request.address, commandId, timeoutMs, params, ...expires };
    }
    case 'ask': {
      const { infoRequestId, params } = request;
      return { type: 'ask', requestId, ...request.address, infoRequestId, timeoutMs, params };
    }
    case 'read': {
      const { attributes } = request;
      return { type: 'read', requestId, ...request.address, ...(attributes && { attributes }) };
    }
  }
}
