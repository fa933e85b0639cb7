import { isWeekend } from "./core/day.ts";
import type { Store } from "./core/store.ts";

/**
 * A clock that can be moved ahead, so that a visitor need not wait for tomorrow's digest. It never goes back: what was
 * delivered at a later time would be in the future. Where it stands is kept, so that a restart finds the same time.
 */
export type PlaygroundClock = {
  now(): Date;
  /** Whether it shows another time than the real one. */
  isMoved(): boolean;
  moveTo(instant: Date): Promise<void>;
  /** To where it stood; at first to where it starts. */
  restore(store: Pick<Store, "days">): Promise<void>;
  /**
   * To where it starts: the real time, or, where the newest list is days old (the bundled sample, an archive), the
   * morning of the last list but one, so that there are digests to come.
   */
  startOver(store: Pick<Store, "days">): Promise<void>;
};

/** Where the offset is kept, in seconds. */
export type OffsetLog = {
  clockOffset(): Promise<number | null>;
  keepClockOffset(seconds: number): Promise<void>;
};

const DAY_MS = 86_400_000;
const OLD_MS = 5 * DAY_MS;

export function createPlaygroundClock(
  log: () => OffsetLog,
  realNow: () => number = Date.now,
): PlaygroundClock {
  let offsetMs = 0;
  const clock: PlaygroundClock = {
    now: () => new Date(realNow() + offsetMs),
    isMoved: () => offsetMs !== 0,
    async moveTo(instant) {
      // Up to a whole second: a rounded-down one would stand just before the instant, and what is due at it would not be.
      offsetMs = Math.ceil((instant.getTime() - realNow()) / 1000) * 1000;
      await log().keepClockOffset(offsetMs / 1000);
    },
    async restore(store) {
      const kept = await log().clockOffset();
      if (kept === null) await clock.startOver(store);
      else offsetMs = kept * 1000;
    },
    async startOver(store) {
      offsetMs = 0;
      const lists = (await store.days({ limit: 10 })).filter(
        ({ day, count }) => count > 0 && !isWeekend(day),
      );
      const newest = lists[0];
      const start = lists[1] ?? newest;
      if (newest === undefined || start === undefined) return;
      if (realNow() - Date.parse(newest.day) > OLD_MS) await clock.moveTo(new Date(`${start.day}T06:00:00Z`));
    },
  };
  return clock;
}
