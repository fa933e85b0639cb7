export type PaceOptions = {
  /** The platform's limit: never so many calls as this in any second. */
  readonly perSecond: number;
  /** Milliseconds. */
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
};

/** The part of a limit that is used: the rest is for clocks and networks that are not even. */
const SHARE = 0.97;
const WINDOW_MS = 1010;

/**
 * Spreads calls evenly under a platform's limit. It begins empty: a bucket that begins full sends twice its limit in
 * the first second.
 * @returns resolves when the caller may go on, in the order of the calls
 */
export function createPace({ perSecond, now, wait }: PaceOptions): () => Promise<void> {
  const gapMs = 1000 / (perSecond * SHARE);
  const most = Math.max(1, Math.round(perSecond * 0.98));
  /** The instants of the last calls, the oldest first. */
  const recent: number[] = [];
  let slot = now() + gapMs;
  let last: Promise<void> = Promise.resolve();

  async function step(): Promise<void> {
    const oldest = recent.length < most ? undefined : recent.shift();
    const at = Math.max(slot, oldest === undefined ? 0 : oldest + WINDOW_MS);
    const ms = at - now();
    if (ms > 0) await wait(ms);
    const went = now();
    recent.push(went);
    // A timer that rang late is made up for, by one call at a time.
    slot = Math.max(at, went - gapMs) + gapMs;
  }

  return () => {
    last = last.then(step);
    return last;
  };
}
