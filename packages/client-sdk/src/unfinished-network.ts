import { ClusterError, type Store } from '@coconet/cluster-protocol';
import {
  decodeManagement,
  encodeManagement,
  encodeWith,
  formatOperatorUri,
  type ManagementContent,
  type OperatorUri,
  parseOperatorUri,
  Reader,
} from '@coconet/cluster-protocol/core';

/** The store's entry of a network that was asked for and never answered. */
export const UNFINISHED_KEY = 'node/unfinished-network';

const FORMAT = 1;
/** A join URI has 2,048 characters at most; a path 4,096 bytes (PATH_MAX of Linux). */
const MAX_TEXT = 4_096;
/** Three certificates of 1,024 bytes with their issuers, keys and names. */
const MAX_REQUEST = 8_192;

/** A request to create a network. */
export type CreationRequest = Extract<ManagementContent, { type: 'createNetwork' }>;

/** A network that an NMN was asked to serve; whether it does is not known until it has answered. */
export interface UnfinishedNetwork {
  readonly operator: OperatorUri;
  /** Where its root key is. */
  readonly rootFile: string;
  /** What the root key signed. Sent again, it gives the same network. */
  readonly request: CreationRequest;
}

/** The entry as bytes. */
export function encodeUnfinished({ operator, rootFile, request }: UnfinishedNetwork): Uint8Array {
  return encodeWith(2 * MAX_TEXT + MAX_REQUEST, writer =>
    writer
      .uint8(FORMAT)
      .text(formatOperatorUri(operator))
      .text(rootFile)
      .block(encodeManagement({ ...request, requestId: 0 })),
  );
}

/** What a store holds of a creation that was interrupted. @throws {ClusterError} `STORE_UNUSABLE`. */
export async function loadUnfinished(store: Store): Promise<UnfinishedNetwork | undefined> {
  const bytes = await store.read(UNFINISHED_KEY);
  if (!bytes) return undefined;
  const reader = new Reader(bytes);
  const format = reader.uint8();
  const operator = reader.text(MAX_TEXT);
  const rootFile = reader.text(MAX_TEXT);
  const decoded = decodeManagement(reader.block(MAX_REQUEST));
  if (format !== FORMAT || !reader.complete || !decoded.ok || decoded.value.type !== 'createNetwork')
    throw new ClusterError(
      'STORE_UNUSABLE',
      `the entry ${UNFINISHED_KEY} of the store cannot be read: the store is damaged; use another one`,
    );
  return { operator: parseOperatorUri(operator), rootFile, request: decoded.value };
}
