import { expect, test } from "vitest";
import type { ListedDay } from "../src/core/store.ts";
import { createPlaygroundClock } from "../src/playground-clock.ts";

const NOW = Date.parse("2026-11-23T10:00:00Z");
const store = (...days: readonly string[]) => ({
  days: async (): Promise<readonly ListedDay[]> =>
    days.map((day) => ({ day, count: 5, seenAt: `${day}T12:00:00.000Z` })),
});
function createLog() {
  let kept: number | null = null;
  return {
    clockOffset: async () => kept,
    keepClockOffset: async (seconds: number) => {
      kept = seconds;
    },
  };
}

test("a playground with today's lists keeps the real time", async () => {
  const clock = createPlaygroundClock(createLog, () => NOW);
  await clock.restore(store("2026-11-23", "2026-11-20"));
  expect(clock.now().getTime()).toBe(NOW);
  expect(clock.isMoved()).toBe(false);
});

test("one with old lists alone begins on the morning of the last but one", async () => {
  const log = createLog();
  const clock = createPlaygroundClock(
    () => log,
    () => NOW,
  );
  await clock.restore(store("2026-04-29", "2026-04-28", "2026-04-27"));
  expect(clock.now().toISOString()).toBe("2026-04-28T06:00:00.000Z");
  expect(clock.isMoved()).toBe(true);
});

test("it stands after a restart where it stood, and starts over when told", async () => {
  const log = createLog();
  const lists = store("2026-04-29", "2026-04-28");
  const first = createPlaygroundClock(
    () => log,
    () => NOW,
  );
  await first.restore(lists);
  await first.moveTo(new Date("2026-05-04T09:00:00Z"));
  const second = createPlaygroundClock(
    () => log,
    () => NOW + 60_000,
  );
  await second.restore(lists);
  expect(second.now().toISOString()).toBe("2026-05-04T09:01:00.000Z");
  await second.startOver(lists);
  expect(second.now().toISOString()).toBe("2026-04-28T06:00:00.000Z");
});

test("a clock moved to an instant has reached it, at whatever part of a second it is moved", async () => {
  const log = createLog();
  for (const realNow of [NOW, NOW + 1, NOW + 499, NOW + 501, NOW + 999]) {
    const clock = createPlaygroundClock(
      () => log,
      () => realNow,
    );
    await clock.moveTo(new Date("2026-05-04T09:00:00Z"));
    const pastMs = clock.now().getTime() - Date.parse("2026-05-04T09:00:00Z");
    expect(pastMs).toBeGreaterThanOrEqual(0);
    expect(pastMs).toBeLessThan(1000);
  }
});
