/** What one check of `coconet doctor` has found. */
export interface Finding {
  readonly check: 'clock' | 'udp' | 'store' | 'nmn' | 'drops';
  /** `warning`: not wrong, but worth knowing. */
  readonly state: 'ok' | 'warning' | 'failed';
  /** One sentence. */
  readonly detail: string;
  /** What to do; absent where nothing is. */
  readonly next?: string;
}
