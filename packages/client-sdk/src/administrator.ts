import {
  ClusterError,
  type Duration,
  formatJoinUri,
  type MemberRuntime,
  milliseconds,
  randomBytes,
  wallTime,
} from '@coconet/cluster-protocol';
import {
  CLAIM_LENGTH,
  claimIdOf,
  claimPskOf,
  type InvitationGrant,
  type ManagementContent,
  MAX_REASON_LENGTH,
  nodeNameProblem,
} from '@coconet/cluster-protocol/core';
import { ClientError } from './errors.js';
import type { Invitation, InvitationWish } from './network.js';
import type { Patience } from './source.js';

/** Default life of an invitation: 24 h. */
const INVITATION_LIFE = 86_400_000;

/** Asks the NMN for what owners and admins may have, and signs what it cannot. */
export class Administrator {
  readonly #runtime: MemberRuntime;
  readonly #asked = new Map<number, (answer: ManagementContent | ClientError) => void>();

  constructor(runtime: MemberRuntime) {
    this.#runtime = runtime;
  }

  async invite(wish: InvitationWish, patience: Patience): Promise<Invitation> {
    const { host, nmnHosts, membership } = this.#runtime;
    const { kind, name = '', user = '', expiresIn = INVITATION_LIFE } = wish;
    const role = wish.role ?? (kind === 'client' ? 'guest' : 'none');
    const problem = name === '' ? undefined : nodeNameProblem(name);
    if (problem !== undefined) throw wrong(`name: ${JSON.stringify(name)} ${problem}`);
    if (!Number.isFinite(expiresIn) || expiresIn <= 0)
      throw wrong(`expiresIn: ${expiresIn} is no time in ms above 0`);
    if (role === 'admin' && kind !== 'client')
      throw wrong(`role: only a client can be an admin, not a ${kind}`);
    if (nmnHosts.length === 0)
      throw new ClusterError(
        'NMN_UNREACHABLE',
        'this store knows no address of an NMN to put into the invitation',
      );

    // Made here: the NMN gets what is derived from it and cannot be turned back.
    const claim = randomBytes(host.random, CLAIM_LENGTH);
    const expiresAt = wallTime(Math.floor(host.wallTime() + expiresIn));
    const grant: InvitationGrant =
      role === 'admin'
        ? {
            type: 'signed',
            invitation: this.#runtime.do(node =>
              node.authorship.invitation(host.random, host.wallTime(), {
                claim,
                kind,
                role,
                user,
                notAfter: expiresAt,
              }),
            ),
          }
        : { type: 'plain', kind, role, user, expiresAt };
    const answer = await this.#ask(
      {
        type: 'createInvitation',
        claimId: claimIdOf(host.crypto, claim),
        claimPsk: claimPskOf(host.crypto, claim),
        name,
        grant,
      },
      patience,
    );
    if (answer.type !== 'invitationCreated') throw unexpected(answer);
    const { network, nmnStaticKey } = membership;
    const uri = formatJoinUri({ network, nmnKey: nmnStaticKey, claim, hosts: nmnHosts });
    return { uri, nodeId: answer.nodeId, expiresAt: new Date(expiresAt) };
  }

  async revoke(nodeId: number, reason: string, patience: Patience): Promise<void> {
    const { host } = this.#runtime;
    if (new TextEncoder().encode(reason).length > MAX_REASON_LENGTH)
      throw wrong(`reason: longer than ${MAX_REASON_LENGTH} bytes`);
    const record = this.#runtime.do(node => node.authorship.revocation(host.wallTime(), nodeId, reason));
    const answer = await this.#ask({ type: 'revoke', record }, patience);
    if (answer.type !== 'revoked') throw unexpected(answer);
  }

  async leave(patience: Patience): Promise<void> {
    const answer = await this.#ask({ type: 'leave' }, patience).catch((error: unknown) => {
      // The end of the membership may be faster than the answer that announces it.
      if (error instanceof ClientError && error.code === 'EXPELLED') return { type: 'left' } as const;
      throw error;
    });
    if (answer.type !== 'left') throw unexpected(answer);
    const { store } = this.#runtime;
    const keys = await store.list('');
    await store.write(new Map(keys.map(key => [key, undefined])));
  }

  /** The NMN's answer to a request of this node. */
  handleAnswer(requestId: number, content: ManagementContent): void {
    this.#asked.get(requestId)?.(content);
  }

  /** Nothing is answered any more, because of `error`. */
  end(error: ClientError): void {
    for (const settle of this.#asked.values()) settle(error);
  }

  async #ask(question: ManagementContent, { timeout, signal }: Patience): Promise<ManagementContent> {
    if (signal?.aborted === true) throw calledOff(signal);
    const { host } = this.#runtime;
    const expiresIn: Duration = milliseconds(timeout);
    let requestId: number | undefined;
    let callOff: () => void = () => undefined;
    let abort: () => void = () => undefined;
    try {
      const answer = await new Promise<ManagementContent | ClientError>(settle => {
        abort = (): void => {
          settle(calledOff(signal));
        };
        signal?.addEventListener('abort', abort, { once: true });
        callOff = host.schedule(expiresIn, () => {
          settle(
            new ClientError(
              'TIMEOUT',
              `the NMN did not answer within ${timeout / 1_000} s: it may be off, or may not be reached from here`,
            ),
          );
        });
        this.#runtime.do((node, now) => {
          requestId = node.request(now, question, expiresIn);
          this.#asked.set(requestId, settle);
        });
      });
      if (answer instanceof ClientError) throw answer;
      if (answer.type === 'error')
        throw new ClientError('ADMIN_REFUSED', `the NMN refused: ${answer.message}`);
      return answer;
    } finally {
      callOff();
      signal?.removeEventListener('abort', abort);
      if (requestId !== undefined) this.#asked.delete(requestId);
    }
  }
}

const wrong = (what: string): ClientError => new ClientError('INVALID_OPTION', what);

const unexpected = ({ type }: ManagementContent): ClientError =>
  new ClientError(
    'MALFORMED_ANSWER',
    `the NMN answered something else (${type}): it may be of another version`,
  );

const calledOff = (signal: AbortSignal | undefined): ClientError =>
  new ClientError('CANCELLED', 'called off; the NMN may have done it nevertheless', {
    cause: signal?.reason,
  });
