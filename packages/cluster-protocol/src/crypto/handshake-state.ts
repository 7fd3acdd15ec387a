import { assert, ClusterError, concatBytes, randomBytes, type RandomSource } from '../base/index.js';
import { CipherState, TAG_LENGTH } from './cipher-state.js';
import { type NoiseProtocol, parseProtocolName, type Role, type Token } from './patterns.js';
import type { CryptoProvider, KeyPair } from './provider.js';
import { SymmetricState } from './symmetric-state.js';
import type { TransportKeys } from './transport-keys.js';

/** Bytes of an X25519 public key (DHLEN). */
const DH_LENGTH = 32;

/** Bytes of a pre-shared key (Noise paper, section 9.1). */
const PSK_LENGTH = 32;

/** The largest Noise message (section 3). */
const MAX_MESSAGE_LENGTH = 65_535;

/** The largest payload: what is left of a message that carries both keys and both tags. */
const MAX_PAYLOAD_LENGTH: number = MAX_MESSAGE_LENGTH - 2 * (DH_LENGTH + TAG_LENGTH);

/** What a handshake begins with. Keys are copied; the caller overwrites its own when it wants. */
export interface HandshakeOptions {
  readonly provider: CryptoProvider;
  readonly random: RandomSource;
  /** For instance `Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b`; see {@link parseProtocolName}. */
  readonly protocolName: string;
  readonly role: Role;
  /** What both sides must agree on besides; may be empty. */
  readonly prologue: Uint8Array;
  /** Our static key pair, exactly when the pattern has one for our role. */
  readonly staticKeyPair?: KeyPair;
  /** The peer's static public key, exactly when the pattern says it is known beforehand. */
  readonly remoteStatic?: Uint8Array;
  /**
   * Pre-shared keys of 32 bytes in the order of the pattern's `psk` modifiers: the only one of `IKpsk2` is number 0.
   * One that is missing is handed in later with {@link HandshakeState.setPsk}.
   */
  readonly psks?: readonly (Uint8Array | undefined)[];
  /** A fixed ephemeral key pair, for test vectors alone: used twice it gives every secret away. */
  readonly ephemeral?: KeyPair;
}

/** Where a handshake is; `split` is `complete` with its transport keys handed out. */
type Progress = 'running' | 'complete' | 'split' | 'failed' | 'destroyed';

/**
 * HandshakeState of the Noise paper (revision 34, section 5.3), for every fundamental pattern with pre-shared keys.
 *
 * Errors: `INVALID_ARGUMENT` and `INVALID_STATE` are mistakes of the caller and change nothing. `HANDSHAKE_FAILED` means
 * that the peer's message was wrong; the handshake is then dead and its secrets are overwritten. Where anybody may send
 * a wrong message, read it with a {@link fork} first.
 */
export class HandshakeState {
  readonly #provider: CryptoProvider;
  readonly #random: RandomSource;
  readonly #protocol: NoiseProtocol;
  readonly #role: Role;
  readonly #psks: (Uint8Array | undefined)[];
  #symmetric: SymmetricState;
  #static: KeyPair | undefined;
  #ephemeral: KeyPair | undefined;
  #remoteStatic: Uint8Array | undefined;
  #remoteEphemeral: Uint8Array | undefined;
  #nextMessage = 0;
  #nextPsk = 0;
  /** Whether a DH or a psk was mixed in; until then the chaining key follows from what is public. */
  #secretShared = false;
  #progress: Progress = 'running';

  /** Throws `INVALID_ARGUMENT` for an unknown protocol name and for keys that are missing, of no use or malformed. */
  constructor(options: HandshakeOptions) {
    this.#provider = options.provider;
    this.#random = options.random;
    this.#role = options.role;
    this.#protocol = parseProtocolName(options.protocolName);
    this.#psks = new Array<Uint8Array | undefined>(this.#protocol.pskCount).fill(undefined);
    this.#acceptStatics(options);
    options.psks?.forEach((psk, index) => {
      if (psk !== undefined) this.setPsk(index, psk);
    });
    if (options.ephemeral !== undefined) this.#ephemeral = copyOf('ephemeral', options.ephemeral);
    this.#symmetric = SymmetricState.initialize(options.provider, this.#protocol.hash, this.#protocol.name);
    this.#symmetric.mixHash(options.prologue);
    for (const owner of this.#protocol.known) {
      const known = owner === this.#role ? this.#static?.publicKey : this.#remoteStatic;
      assert(known !== undefined, 'static keys known beforehand were checked');
      this.#symmetric.mixHash(known);
    }
  }

  /** Whether all handshake messages were exchanged. */
  get isComplete(): boolean {
    return this.#progress === 'complete' || this.#progress === 'split';
  }

  /**
   * The peer's static public key, once it is known; a copy. It is proved only by a later message of the peer, at the
   * latest by its first transport message.
   */
  get remoteStatic(): Uint8Array | undefined {
    return this.#remoteStatic?.slice();
  }

  /** The hash over the whole handshake, which names this session uniquely. `INVALID_STATE` before completion. */
  get handshakeHash(): Uint8Array {
    if (!this.isComplete)
      throw new ClusterError(
        'INVALID_STATE',
        `the handshake is ${this.#progress}; its hash exists once it is complete`,
      );
    return this.#symmetric.getHandshakeHash();
  }

  /** Hands in a pre-shared key any time before the message that mixes it in. `index` as in {@link HandshakeOptions.psks}. */
  setPsk(index: number, psk: Uint8Array): void {
    if (!(index in this.#psks))
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `psk number ${index} is of no use: ${this.#protocol.name} takes ${this.#psks.length}, the first is number 0`,
      );
    if (psk.length !== PSK_LENGTH)
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `a psk has ${PSK_LENGTH} bytes, but ${psk.length} were given`,
      );
    this.#requireRunning();
    this.#psks[index]?.fill(0);
    this.#psks[index] = psk.slice();
  }

  /**
   * Binds bytes that stand in clear beside the next handshake message, as the prologue binds those before the first: both
   * sides mix the same ones into the hash, or the message does not open.
   */
  bind(clear: Uint8Array): void {
    this.#requireRunning();
    this.#symmetric.mixHash(clear);
  }

  /** The next handshake message, around `payload` (at most 65,439 bytes). */
  writeMessage(payload: Uint8Array): Uint8Array {
    const tokens = this.#beginMessage('write');
    if (payload.length > MAX_PAYLOAD_LENGTH)
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `a handshake payload has at most ${MAX_PAYLOAD_LENGTH} bytes, but ${payload.length} were given`,
      );
    const parts: Uint8Array[] = [];
    for (const token of tokens) {
      if (token === 'e') parts.push(this.#writeEphemeral());
      else if (token === 's') parts.push(this.#writeStatic());
      else this.#mixSecret(token);
    }
    parts.push(this.#symmetric.encryptAndHash(payload));
    this.#endMessage();
    return concatBytes(...parts);
  }

  /** The payload of the peer's next handshake message; `HANDSHAKE_FAILED` when the message is wrong in any way. */
  readMessage(message: Uint8Array): Uint8Array {
    const tokens = this.#beginMessage('read');
    if (message.length > MAX_MESSAGE_LENGTH) throw this.#fail('it is too long');
    let at = 0;
    for (const token of tokens) {
      if (token === 'e') {
        this.#readEphemeral(message.slice(at, at + DH_LENGTH));
        at += DH_LENGTH;
      } else if (token === 's') {
        const length = DH_LENGTH + (this.#symmetric.hasKey() ? TAG_LENGTH : 0);
        this.#readStatic(message.subarray(at, at + length), length);
        at += length;
      } else {
        this.#mixSecret(token);
      }
    }
    const payload = this.#symmetric.decryptAndHash(message.subarray(at));
    if (payload === undefined) throw this.#fail('its payload is not authentic');
    this.#endMessage();
    return payload;
  }

  /**
   * An independent copy in the same state. Read a message that may be forged with a copy: when it throws, the original
   * still waits for the true one; when it does not, go on with the copy and destroy the original.
   */
  fork(): HandshakeState {
    this.#requireRunning();
    const remoteKnown = this.#protocol.known.some(owner => owner !== this.#role);
    const copy = new HandshakeState({
      provider: this.#provider,
      random: this.#random,
      protocolName: this.#protocol.name,
      role: this.#role,
      prologue: new Uint8Array(0),
      psks: this.#psks,
      ...(this.#static !== undefined && { staticKeyPair: this.#static }),
      ...(this.#ephemeral !== undefined && { ephemeral: this.#ephemeral }),
      ...(remoteKnown && this.#remoteStatic !== undefined && { remoteStatic: this.#remoteStatic }),
    });
    copy.#symmetric.destroy();
    copy.#symmetric = this.#symmetric.fork();
    copy.#remoteStatic = this.#remoteStatic;
    copy.#remoteEphemeral = this.#remoteEphemeral;
    copy.#nextMessage = this.#nextMessage;
    copy.#nextPsk = this.#nextPsk;
    copy.#secretShared = this.#secretShared;
    return copy;
  }

  /**
   * 32 secret bytes for the use that `label` names. Both sides get the same ones between the same two messages, and
   * after completion; each message changes them. `INVALID_STATE` while no secret is shared yet.
   */
  exportKey(label: string): Uint8Array {
    if (this.#progress === 'failed' || this.#progress === 'destroyed') throw this.#ended();
    if (!this.#secretShared)
      throw new ClusterError(
        'INVALID_STATE',
        'nothing secret is shared yet; export after a message with a DH or a psk',
      );
    return this.#symmetric.exportKey(label);
  }

  /**
   * The cipher states of the session, once. In a one-way pattern the direction that does not exist has no key: its
   * `hasKey()` is false and it must not be used.
   */
  split(): { readonly send: CipherState; readonly receive: CipherState } {
    const [sendKey, receiveKey] = this.#splitKeys();
    const send = new CipherState(this.#provider);
    const receive = new CipherState(this.#provider);
    if (!this.#protocol.oneWay || this.#role === 'initiator') send.initializeKey(sendKey);
    if (!this.#protocol.oneWay || this.#role === 'responder') receive.initializeKey(receiveKey);
    this.#provider.zero(sendKey);
    this.#provider.zero(receiveKey);
    return { send, receive };
  }

  /** The AEAD keys of the session, once, instead of {@link split}: for a transport that counts nonces itself. */
  transportKeys(): TransportKeys {
    if (this.#protocol.oneWay)
      throw new ClusterError(
        'INVALID_STATE',
        `${this.#protocol.name} goes one way and has no two transport keys`,
      );
    const [sendKey, receiveKey] = this.#splitKeys();
    const keys = { sendKey: this.#provider.aeadKey(sendKey), receiveKey: this.#provider.aeadKey(receiveKey) };
    this.#provider.zero(sendKey);
    this.#provider.zero(receiveKey);
    return keys;
  }

  /** Overwrites every secret. Keys that were handed out go on. */
  destroy(): void {
    this.#wipe();
    this.#progress = 'destroyed';
  }

  #acceptStatics({ staticKeyPair, remoteStatic }: HandshakeOptions): void {
    const name = this.#protocol.name;
    const needsOurs =
      this.#protocol.known.includes(this.#role) ||
      this.#protocol.messages.some((tokens, index) => senderOf(index) === this.#role && tokens.includes('s'));
    if (needsOurs && staticKeyPair === undefined)
      throw new ClusterError('INVALID_ARGUMENT', `the ${this.#role} of ${name} needs staticKeyPair`);
    if (!needsOurs && staticKeyPair !== undefined)
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `the ${this.#role} of ${name} has no static key; leave out staticKeyPair`,
      );
    if (staticKeyPair !== undefined) this.#static = copyOf('staticKeyPair', staticKeyPair);
    const needsTheirs = this.#protocol.known.some(owner => owner !== this.#role);
    if (needsTheirs && remoteStatic === undefined)
      throw new ClusterError('INVALID_ARGUMENT', `the ${this.#role} of ${name} needs remoteStatic`);
    if (!needsTheirs && remoteStatic !== undefined)
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `the ${this.#role} of ${name} cannot know the peer's static key beforehand; leave out remoteStatic and compare afterwards`,
      );
    if (remoteStatic !== undefined && remoteStatic.length !== DH_LENGTH)
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `remoteStatic has ${DH_LENGTH} bytes, not ${remoteStatic.length}`,
      );
    this.#remoteStatic = remoteStatic?.slice();
  }

  /** Checks that it is this side's turn to `verb` and that nothing is missing; changes nothing. */
  #beginMessage(verb: 'write' | 'read'): readonly Token[] {
    this.#requireRunning();
    const tokens = this.#protocol.messages[this.#nextMessage];
    assert(tokens !== undefined, 'a running handshake has a next message');
    const ours = senderOf(this.#nextMessage) === this.#role;
    if (ours !== (verb === 'write'))
      throw new ClusterError(
        'INVALID_STATE',
        `message ${this.#nextMessage + 1} of ${this.#protocol.name} is to be ${ours ? 'written' : 'read'} by the ${this.#role}`,
      );
    const pskEnd = this.#nextPsk + tokens.filter(token => token === 'psk').length;
    for (let index = this.#nextPsk; index < pskEnd; index++)
      if (this.#psks[index] === undefined)
        throw new ClusterError(
          'INVALID_STATE',
          `message ${this.#nextMessage + 1} of ${this.#protocol.name} mixes in psk number ${index}; call setPsk(${index}, …) first`,
        );
    return tokens;
  }

  #endMessage(): void {
    this.#nextMessage++;
    if (this.#nextMessage === this.#protocol.messages.length) this.#progress = 'complete';
  }

  #writeEphemeral(): Uint8Array {
    if (this.#ephemeral === undefined) {
      const privateKey = randomBytes(this.#random, DH_LENGTH);
      this.#ephemeral = this.#provider.dhKeyPair(privateKey);
      this.#provider.zero(privateKey);
    }
    this.#mixEphemeral(this.#ephemeral.publicKey);
    return this.#ephemeral.publicKey.slice();
  }

  #writeStatic(): Uint8Array {
    assert(this.#static !== undefined, 'our static key was checked');
    return this.#symmetric.encryptAndHash(this.#static.publicKey);
  }

  #readEphemeral(key: Uint8Array): void {
    if (key.length !== DH_LENGTH) throw this.#fail('it ends inside the ephemeral key');
    this.#remoteEphemeral = key;
    this.#mixEphemeral(key);
  }

  #mixEphemeral(publicKey: Uint8Array): void {
    this.#symmetric.mixHash(publicKey);
    // Section 9.2: else two messages under one psk would be encrypted under one key.
    if (this.#protocol.pskCount > 0) this.#symmetric.mixKey(publicKey);
  }

  #readStatic(encrypted: Uint8Array, length: number): void {
    if (encrypted.length !== length) throw this.#fail('it ends inside the static key');
    const key = this.#symmetric.decryptAndHash(encrypted);
    if (key === undefined) throw this.#fail('its static key is not authentic');
    this.#remoteStatic = key.slice();
  }

  /** A DH token names the initiator's key first; `psk` stands for the next pre-shared key. */
  #mixSecret(token: Exclude<Token, 'e' | 's'>): void {
    this.#secretShared = true;
    if (token === 'psk') {
      const psk = this.#psks[this.#nextPsk++];
      assert(psk !== undefined, 'the psks of a message were checked before it');
      this.#symmetric.mixKeyAndHash(psk);
      return;
    }
    const ours = this.#role === 'initiator' ? token[0] : token[1];
    const theirs = this.#role === 'initiator' ? token[1] : token[0];
    const pair = ours === 'e' ? this.#ephemeral : this.#static;
    const remote = theirs === 'e' ? this.#remoteEphemeral : this.#remoteStatic;
    assert(
      pair !== undefined && remote !== undefined,
      'a pattern uses a key only after it was sent or known',
    );
    const shared = this.#provider.dh(pair.privateKey, remote);
    if (shared === undefined) throw this.#fail("the peer's public key is of low order");
    this.#symmetric.mixKey(shared);
    this.#provider.zero(shared);
  }

  #splitKeys(): readonly [send: Uint8Array, receive: Uint8Array] {
    if (this.#progress !== 'complete')
      throw new ClusterError(
        'INVALID_STATE',
        this.#progress === 'split'
          ? 'the transport keys were handed out already; two users of one key would repeat nonces'
          : `the handshake is ${this.#progress}; transport keys exist once it is complete`,
      );
    this.#progress = 'split';
    const [initiatorKey, responderKey] = this.#symmetric.split();
    return this.#role === 'initiator' ? [initiatorKey, responderKey] : [responderKey, initiatorKey];
  }

  #requireRunning(): void {
    if (this.#progress === 'running') return;
    throw this.isComplete
      ? new ClusterError('INVALID_STATE', 'the handshake is complete; there is no further message')
      : this.#ended();
  }

  #ended(): ClusterError {
    return new ClusterError('INVALID_STATE', `the handshake is ${this.#progress}; begin a new one`);
  }

  #fail(why: string): ClusterError {
    const message = this.#nextMessage + 1;
    this.#wipe();
    this.#progress = 'failed';
    return new ClusterError(
      'HANDSHAKE_FAILED',
      `message ${message} of ${this.#protocol.name} is refused: ${why}`,
    );
  }

  #wipe(): void {
    this.#symmetric.destroy();
    for (const psk of this.#psks) psk?.fill(0);
    for (const pair of [this.#static, this.#ephemeral])
      if (pair !== undefined) this.#provider.zero(pair.privateKey);
  }
}

/** The initiator sends the messages of even index. */
function senderOf(messageIndex: number): Role {
  return messageIndex % 2 === 0 ? 'initiator' : 'responder';
}

function copyOf(what: string, pair: KeyPair): KeyPair {
  if (pair.publicKey.length !== DH_LENGTH || pair.privateKey.length !== DH_LENGTH)
    throw new ClusterError(
      'INVALID_ARGUMENT',
      `${what} has keys of ${DH_LENGTH} bytes each, not ${pair.publicKey.length} (public) and ${pair.privateKey.length} (private)`,
    );
  return { publicKey: pair.publicKey.slice(), privateKey: pair.privateKey.slice() };
}
