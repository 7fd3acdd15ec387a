import { ClusterError, decodeText, encodeText, fromBase64Url, toBase64Url } from '../base/index.js';
import { isSmallOrder } from '../crypto/index.js';
import { CLAIM_LENGTH } from './claim.js';
import { KEY_LENGTH } from './identity.js';
import { NETWORK_ID_LENGTH } from './network-id.js';

/** Most addresses of an NMN in one URI: more would not fit a QR code that a phone reads at arm's length. */
export const MAX_HOSTS = 8;

/** Longest URI that is looked at, in characters. */
export const MAX_JOIN_URI_LENGTH = 2048;

/** Bytes of an operator token. */
export const OPERATOR_TOKEN_LENGTH = 16;

/** Version of the URI's content that this program writes and understands. */
export const JOIN_URI_VERSION = 1;

/** Where an NMN may be reached: an IP address or a name, which the driver resolves. */
export interface HostPort {
  /** IPv4 or IPv6 address without brackets, or a DNS name. */
  readonly host: string;
  /** 1–65535. */
  readonly port: number;
}

/** Everything a node needs to join a network. */
export interface JoinUri {
  readonly network: Uint8Array;
  /** X25519 static key of the NMN. */
  readonly nmnKey: Uint8Array;
  /** The claim secret, {@link CLAIM_LENGTH} bytes. */
  readonly claim: Uint8Array;
  /** At least one, at most {@link MAX_HOSTS}, the best first. A wrong one costs time, never trust. */
  readonly hosts: readonly HostPort[];
  /** `https:` address for networks that let no UDP out. */
  readonly webSocket?: string;
  /** Name of the network, to show to people. */
  readonly name?: string;
}

/** What the operator of an NMN hands to whoever may create a network on it. */
export interface OperatorUri {
  readonly nmnKey: Uint8Array;
  /** Used once, {@link OPERATOR_TOKEN_LENGTH} bytes. */
  readonly token: Uint8Array;
  readonly hosts: readonly HostPort[];
}

const JOIN_SCHEME = 'coconet://';
const OPERATOR_SCHEME = 'coconet-operator://';

/** `coconet://HOST:PORT/#v=1&net=…&key=…&claim=…[&host=…][&ws=…][&name=…]` (docs/spec/05-network.md, section 8). */
export function formatJoinUri(uri: JoinUri): string {
  const parameters = [
    `net=${toBase64Url(uri.network)}`,
    `key=${toBase64Url(uri.nmnKey)}`,
    `claim=${toBase64Url(uri.claim)}`,
    ...uri.hosts.slice(1).map(host => `host=${formatHostPort(host)}`),
    ...(uri.webSocket === undefined ? [] : [`ws=${escape(uri.webSocket)}`]),
    ...(uri.name === undefined ? [] : [`name=${escape(uri.name)}`]),
  ];
  return format(JOIN_SCHEME, uri.hosts, parameters);
}

/** `coconet-operator://HOST:PORT/#v=1&key=…&token=…[&host=…]`. */
export function formatOperatorUri(uri: OperatorUri): string {
  return format(OPERATOR_SCHEME, uri.hosts, [
    `key=${toBase64Url(uri.nmnKey)}`,
    `token=${toBase64Url(uri.token)}`,
    ...uri.hosts.slice(1).map(host => `host=${formatHostPort(host)}`),
  ]);
}

/** `host:port`, an IPv6 address in brackets. */
export const formatHostPort = ({ host, port }: HostPort): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Reads a join URI. Throws `JOIN_URI_INVALID` with a sentence that says what is wrong with it. */
export function parseJoinUri(text: string): JoinUri {
  const { hosts, parameter } = parse(text, JOIN_SCHEME, 'join URI');
  const uri = {
    network: keyOf(parameter('net'), 'net', 'the network id', NETWORK_ID_LENGTH),
    nmnKey: nmnKeyOf(parameter('key')),
    claim: keyOf(parameter('claim'), 'claim', 'the claim', CLAIM_LENGTH),
    hosts,
  };
  const webSocket = parameter('ws');
  if (webSocket !== undefined && !/^https:\/\/[^/\s]+/.test(webSocket))
    throw invalid(`ws=${webSocket} is not an https:// address`);
  const name = parameter('name');
  return { ...uri, ...(webSocket !== undefined && { webSocket }), ...(name !== undefined && { name }) };
}

/** Reads an operator URI. Throws `JOIN_URI_INVALID` with a sentence that says what is wrong with it. */
export function parseOperatorUri(text: string): OperatorUri {
  const { hosts, parameter } = parse(text, OPERATOR_SCHEME, 'operator URI');
  return {
    nmnKey: nmnKeyOf(parameter('key')),
    token: keyOf(parameter('token'), 'token', 'the operator token', OPERATOR_TOKEN_LENGTH),
    hosts,
  };
}

/** Reads `host:port` or `[IPv6]:port`. Throws `JOIN_URI_INVALID`. */
export function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([^\]]*)\]|([^:[]*))(?::([^:]*))?$/.exec(text);
  if (match === null)
    throw invalid(
      `the address ${text} has several colons: an IPv6 address stands in brackets, as in [::1]:47700`,
    );
  const [, ipv6, plain, portText] = match;
  const host = ipv6 ?? plain ?? '';
  if (host === '') throw invalid(`the address ${text} has no host`);
  if (ipv6 === undefined ? !isHostName(host) : !isIpv6(ipv6))
    throw invalid(`${host} is not a host name or IP address`);
  if (portText === undefined || portText === '') throw invalid(`the address ${text} has no port`);
  const port = Number(portText);
  if (!/^\d+$/.test(portText) || port < 1 || port > 65535)
    throw invalid(`the port ${portText} of ${host} is not a number from 1 to 65535`);
  return { host, port };
}

const invalid = (what: string): ClusterError =>
  new ClusterError('JOIN_URI_INVALID', `${what}. Copy the whole URI again, or ask for a new invitation.`);

const isHostName = (host: string): boolean =>
  host.length <= 253 &&
  /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(host);

function isIpv6(host: string): boolean {
  const halves = host.split('::');
  if (halves.length > 2 || !/^[0-9a-f:]+(\d+\.\d+\.\d+\.\d+)?$/i.test(host)) return false;
  const groups = halves.flatMap(half => (half === '' ? [] : half.split(':')));
  const count = groups.length + (groups.at(-1)?.includes('.') === true ? 1 : 0);
  if (!groups.every(group => group.includes('.') || /^[0-9a-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? count < 8 : count === 8;
}

function format(scheme: string, hosts: readonly HostPort[], parameters: readonly string[]): string {
  const [first] = hosts;
  if (first === undefined || hosts.length > MAX_HOSTS)
    throw new ClusterError(
      'INVALID_ARGUMENT',
      `a URI names 1 to ${MAX_HOSTS} addresses, not ${hosts.length}`,
    );
  return `${scheme}${formatHostPort(first)}/#v=${JOIN_URI_VERSION}&${parameters.join('&')}`;
}

function parse(
  text: string,
  scheme: string,
  what: string,
): { hosts: readonly HostPort[]; parameter: (name: string) => string | undefined } {
  const uri = text.trim();
  if (uri === '') throw invalid(`The ${what} is empty`);
  if (uri.length > MAX_JOIN_URI_LENGTH)
    throw invalid(`The ${what} is longer than ${MAX_JOIN_URI_LENGTH} characters`);
  const start = uri.slice(0, scheme.length).toLowerCase();
  if (start !== scheme) {
    const other = [JOIN_SCHEME, OPERATOR_SCHEME].find(known => uri.toLowerCase().startsWith(known));
    if (other === JOIN_SCHEME) throw invalid(`An ${what} is needed, and this is a join URI`);
    if (other === OPERATOR_SCHEME)
      throw invalid(`A ${what} is needed, and this is an operator URI, which creates networks`);
    throw invalid(`A ${what} begins with ${scheme}, this one does not`);
  }
  const hash = uri.indexOf('#');
  if (hash < 0)
    throw invalid(`The ${what} ends before its #: a shell cuts it there unless it stands in quotes`);
  const [address = '', ...path] = uri.slice(scheme.length, hash).split('/');
  if (path.join('') !== '') throw invalid(`The ${what} has a path between its address and its #`);

  const parameters = parseParameters(uri.slice(hash + 1), what);
  checkVersion(parameters.get('v')?.[0], what);
  const hosts = [address, ...(parameters.get('host') ?? [])].map(parseHostPort);
  if (hosts.length > MAX_HOSTS)
    throw invalid(`The ${what} names ${hosts.length} addresses; ${MAX_HOSTS} are allowed`);
  for (const [name, values] of parameters)
    if (values.length > 1 && name !== 'host') throw invalid(`The ${what} has ${name}= more than once`);
  return { hosts, parameter: name => parameters.get(name)?.[0] };
}

/** Names that this version does not know are kept and never looked at: a later minor version may add some. */
function parseParameters(fragment: string, what: string): Map<string, string[]> {
  const parameters = new Map<string, string[]>();
  const parts = fragment.split('&').filter(part => part !== '');
  for (const [place, part] of parts.entries()) {
    const at = part.indexOf('=');
    // The text itself is not shown: it may be the claim.
    if (at < 1) throw invalid(`The ${what} has no = in part ${place + 1} behind its #`);
    const name = part.slice(0, at);
    const value = unescape(part.slice(at + 1));
    if (value === undefined) throw invalid(`The ${what} has a wrong percent sign in ${name}=`);
    parameters.set(name, [...(parameters.get(name) ?? []), value]);
  }
  return parameters;
}

function checkVersion(version: string | undefined, what: string): void {
  if (version === undefined) throw invalid(`The ${what} has no v=, the version of its form`);
  if (!/^[1-9]\d{0,8}$/.test(version)) throw invalid(`v=${version} is not a version`);
  if (Number(version) > JOIN_URI_VERSION)
    throw new ClusterError(
      'JOIN_URI_INVALID',
      `The ${what} is of version ${version}, and this program understands version ${JOIN_URI_VERSION}: update the program.`,
    );
}

function keyOf(text: string | undefined, name: string, meaning: string, length: number): Uint8Array {
  const letters = Math.ceil((length * 4) / 3);
  if (text === undefined) throw invalid(`The URI has no ${name}=, ${meaning}: it is incomplete`);
  if (text.length < letters)
    throw invalid(
      `${name}=, ${meaning}, has ${text.length} characters instead of ${letters}: it was cut off`,
    );
  if (text.length > letters)
    throw invalid(
      `${name}=, ${meaning}, has ${text.length} characters instead of ${letters}: something was added`,
    );
  const bytes = fromBase64Url(text);
  if (bytes === undefined) throw invalid(`${name}=, ${meaning}, holds a character that cannot be there`);
  return bytes;
}

/** A key with which no handshake can succeed is a wrong URI, not a failed handshake later. */
function nmnKeyOf(text: string | undefined): Uint8Array {
  const key = keyOf(text, 'key', 'the key of the NMN', KEY_LENGTH);
  if (isSmallOrder(key)) throw invalid('key=, the key of the NMN, is none that an NMN can have');
  return key;
}

/** Percent-encodes every byte of UTF-8 that RFC 3986 does not call unreserved, but for `:` and `/`, which read better plain. */
const escape = (text: string): string =>
  Array.from(encodeText(text), byte => {
    const letter = String.fromCharCode(byte);
    return /[A-Za-z0-9._~:/-]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');

function unescape(text: string): string | undefined {
  const bytes: number[] = [];
  for (const piece of text.match(/%[0-9a-f]{2}|[^%]+|%/gi) ?? []) {
    if (piece === '%') return undefined;
    if (piece.startsWith('%')) bytes.push(Number.parseInt(piece.slice(1), 16));
    else bytes.push(...encodeText(piece));
  }
  return decodeText(Uint8Array.from(bytes));
}
