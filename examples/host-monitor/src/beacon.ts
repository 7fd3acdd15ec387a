/** What the beacon shows. */
export interface BeaconState {
  readonly on: boolean;
  readonly identifying: boolean;
}

/** How it makes itself noticeable. */
export type Effect = 'blink' | 'breathe' | 'beep' | 'vibrate' | 'unknown';

/** What a beacon needs of the world. */
export interface BeaconSurroundings {
  /** Calls `action` after so many ms, at most 2^31 − 1. Returns how to call that off. */
  readonly schedule: (delay: number, action: () => void) => () => void;
  /** Called with every change; `lit` also follows the blinking. */
  readonly show: (state: BeaconState & { readonly lit: boolean; readonly effect: Effect }) => void;
  /** Called when the state changes, and not for blinking. */
  readonly changed: (state: BeaconState) => void;
}

/** One half of a blink, in ms. */
const HALF_BLINK = 400;

/** Longest wait of one timer of Node. */
const LONGEST_WAIT = 0x7fff_ffff;

/** A light that this computer does not have: it is switched on and off, and blinks for a while to be found. */
export class Beacon {
  readonly #around: BeaconSurroundings;
  #on: boolean;
  #effect: Effect = 'blink';
  #identifying = false;
  #phase = false;
  #cancelOff: () => void = () => undefined;
  #cancelEnd: () => void = () => undefined;
  #cancelBlink: () => void = () => undefined;

  constructor(around: BeaconSurroundings, on: boolean) {
    this.#around = around;
    this.#on = on;
  }

  get state(): BeaconState {
    return { on: this.#on, identifying: this.#identifying };
  }

  /** `duration` in ms: then it goes off by itself. */
  turnOn(duration?: number): void {
    this.#switch(true);
    if (duration !== undefined) this.#cancelOff = this.#after(duration, () => this.#switch(false));
  }

  turnOff(): void {
    this.#switch(false);
  }

  toggle(): void {
    this.#switch(!this.#on);
  }

  /** Blinks for so many ms; 0 ends it. Another call replaces the one before. */
  identify(duration: number, effect: Effect = 'blink'): void {
    this.#cancelEnd();
    this.#cancelBlink();
    this.#effect = effect;
    this.#identifying = duration > 0;
    this.#phase = this.#identifying;
    this.#tell();
    if (!this.#identifying) return;
    this.#cancelEnd = this.#after(duration, () => this.identify(0, effect));
    this.#blinkSoon();
  }

  /** Stops all timers; shows nothing any more. */
  close(): void {
    this.#cancelOff();
    this.#cancelEnd();
    this.#cancelBlink();
  }

  #switch(on: boolean): void {
    this.#cancelOff();
    this.#cancelOff = () => undefined;
    this.#on = on;
    this.#tell();
  }

  #blinkSoon(): void {
    this.#cancelBlink = this.#around.schedule(HALF_BLINK, () => {
      this.#phase = !this.#phase;
      this.#show();
      this.#blinkSoon();
    });
  }

  #tell(): void {
    this.#around.changed(this.state);
    this.#show();
  }

  #show(): void {
    const lit = this.#identifying ? this.#phase : this.#on;
    this.#around.show({ ...this.state, lit, effect: this.#effect });
  }

  #after(delay: number, action: () => void): () => void {
    let cancel: () => void = () => undefined;
    const wait = (left: number): void => {
      const step = Math.min(left, LONGEST_WAIT);
      cancel = this.#around.schedule(step, () => {
        if (left > step) wait(left - step);
        else action();
      });
    };
    wait(delay);
    return () => cancel();
  }
}
