import type { CommandOutcome, JobEvent, ShownPath, ShownValue } from './events.js';

/** Sentences that are remembered for people. */
const MAX_NOTICES = 3;

/** Commands that are remembered. */
const MAX_COMMANDS = 2;

/** Resource of the host monitor that says nothing of this machine. */
const BEACON = 'beacon';

/** What is known of the main job at one moment. */
export class Picture {
  /** UDP port of the NMN. */
  port: number | undefined;
  device: { readonly name: string; readonly nodeId: number } | undefined;
  online = false;
  path: ShownPath | undefined;
  command: CommandOutcome | undefined;
  /** Commands that were done over a direct path. */
  readonly directCommands: CommandOutcome[] = [];
  /** Attributes of this machine that the device has; `undefined`: it has not read all of them yet. */
  measured: number | undefined;
  beacon = { on: false, identifying: false };
  readonly notices: string[] = [];
  readonly tries: { readonly line: string; readonly says: string }[] = [];
  readonly #values = new Map<string, ShownValue>();

  /** Takes in what happened. */
  apply(event: JobEvent): void {
    switch (event.event) {
      case 'nmn':
        this.port = event.port;
        return;
      case 'device':
        this.device = { name: event.name, nodeId: event.nodeId };
        return;
      case 'presence':
        this.online = event.online;
        if (!event.online) this.path = undefined;
        return;
      case 'values':
        for (const value of event.values) this.#values.set(keyOf(value), value);
        return;
      case 'path':
        this.path = event;
        return;
      case 'command':
        this.command = event;
        if (event.failure === undefined && event.path === 'direct') this.#countDirect(event);
        return;
      case 'beacon':
        this.beacon = { on: event.on, identifying: event.identifying };
        return;
      case 'measured':
        this.measured = event.attributes;
        return;
      case 'notice':
        this.#note(event.text);
        return;
      case 'restart':
        this.#note(`${event.process} ended (${event.why}) and is started again`);
        return;
      case 'try':
        this.tries.push({ line: event.line, says: event.says });
        return;
      case 'client':
      case 'process':
      case 'done':
        return;
    }
  }

  /** Every attribute that the device has told, in the order in which they came first. */
  get values(): readonly ShownValue[] {
    return [...this.#values.values()];
  }

  /** Attributes of this machine that have a value. */
  get attributes(): number {
    return this.values.filter(({ address, value }) => value !== null && !address.endsWith(`/${BEACON}`))
      .length;
  }

  #countDirect(outcome: CommandOutcome): void {
    this.directCommands.push(outcome);
    if (this.directCommands.length > MAX_COMMANDS) this.directCommands.shift();
  }

  #note(text: string): void {
    if (this.notices.at(-1) === text) return;
    this.notices.push(text);
    if (this.notices.length > MAX_NOTICES) this.notices.shift();
  }
}

const keyOf = ({ address, capability, attribute }: ShownValue): string =>
  `${address} ${capability}.${attribute}`;
