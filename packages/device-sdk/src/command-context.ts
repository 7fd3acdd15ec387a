import type { Role } from '@coconet/capabilities';
import type { NodeKind } from '@coconet/cluster-protocol';

/** Whoever wants something of this device. */
export interface CommandSender {
  readonly nodeId: number;
  readonly name: string;
  readonly kind: NodeKind;
  /** Whom it acts for; may be empty. */
  readonly user: string;
}

/** What a handler knows besides its parameters. */
export interface CommandContext {
  readonly sender: CommandSender;
  /** Proved by the sender's certificate. */
  readonly role: Role;
  /** Aborted when the sender takes the command back, or the device is closed: stop where that is safe, and throw. */
  readonly signal: AbortSignal;
  /** Tells the sender how far it is, 0…100 %; only the newest counts. An info request has no progress: does nothing. */
  progress(percent: number, message?: string): void;
}
