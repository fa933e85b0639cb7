import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import type { Schedule } from "../../src/core/channel.ts";
import {
  dueForPeople,
  duesBetween,
  isPaused,
  isZone,
  nextDue,
  nextDueOf,
  parseSchedule,
  resolveZone,
  scheduleForPeople,
  scheduleText,
  timeForPeople,
  zoneForPeople,
} from "../../src/core/schedule.ts";

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];
const schedule = (time: string, zone: string, weekdays: readonly number[] = EVERY_DAY): Schedule => ({
  time,
  zone,
  weekdays,
});
const ZONES = Intl.supportedValuesOf("timeZone");
const anySchedule = fc.record({
  time: fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map(([hour, minute]) => `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`),
  zone: fc.constantFrom(...ZONES),
  weekdays: fc.subarray(EVERY_DAY, { minLength: 1 }),
});

/** An independent answer: every minute of the day is asked which local time it shows. */
function firstMinuteShowing(zone: string, date: string, time: string): number | null {
  const clock = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  const start = Date.parse(`${date}T${time}:00Z`) - 15 * 3_600_000;
  for (let at = start; at < start + 30 * 3_600_000; at += 15 * 60_000) {
    // All offsets of our days are quarters of an hour.
    if (clock.format(at) === `${date}, ${time}`) return at;
  }
  return null;
}

describe("a schedule's due instants", () => {
  test("are at the local time, the slot being the local date", () => {
    expect(nextDue(schedule("09:00", "Europe/Paris"), new Date("2026-04-22T06:59:59Z"))).toEqual({
      at: "2026-04-22T07:00:00.000Z",
      slot: "2026-04-22",
    });
    expect(nextDue(schedule("23:30", "America/Los_Angeles"), new Date("2026-04-22T12:00:00Z"))).toEqual({
      at: "2026-04-23T06:30:00.000Z",
      slot: "2026-04-22",
    });
  });

  test("are strictly after the instant asked from", () => {
    const due = nextDue(schedule("09:00", "UTC"), new Date("2026-04-22T09:00:00Z"));
    expect(due.slot).toBe("2026-04-23");
  });

  test("keep to the weekdays", () => {
    const weekdays = schedule("09:00", "UTC", [1, 2, 3, 4, 5]);
    expect(nextDue(weekdays, new Date("2026-04-24T10:00:00Z")).slot).toBe("2026-04-27");
    const fridays = schedule("09:00", "UTC", [5]);
    expect(nextDue(fridays, new Date("2026-04-24T10:00:00Z")).slot).toBe("2026-05-01");
  });

  test("fall on the first instant after a gap, and on the first of two", () => {
    const spring = new Date("2026-03-28T12:00:00Z");
    for (const time of ["02:00", "02:30", "02:59"]) {
      expect(nextDue(schedule(time, "Europe/Paris"), spring)).toEqual({
        at: "2026-03-29T01:00:00.000Z",
        slot: "2026-03-29",
      });
    }
    expect(nextDue(schedule("03:00", "Europe/Paris"), spring).at).toBe("2026-03-29T01:00:00.000Z");
    expect(nextDue(schedule("02:30", "Europe/Paris"), new Date("2026-10-24T12:00:00Z")).at).toBe(
      "2026-10-25T00:30:00.000Z",
    );
    // Half an hour, on Lord Howe Island.
    expect(nextDue(schedule("02:15", "Australia/Lord_Howe"), new Date("2026-10-03T00:00:00Z")).at).toBe(
      "2026-10-03T15:30:00.000Z",
    );
  });

  test("keep their date where a gap ends at midnight, as in Nuuk", () => {
    const late = schedule("23:30", "America/Nuuk");
    const dues = duesBetween(late, new Date("2026-03-27T12:00:00Z"), new Date("2026-03-30T12:00:00Z"), 9);
    expect(dues).toEqual([
      { at: "2026-03-28T01:30:00.000Z", slot: "2026-03-27" },
      { at: "2026-03-29T01:00:00.000Z", slot: "2026-03-28" },
      { at: "2026-03-30T00:30:00.000Z", slot: "2026-03-29" },
    ]);
  });

  test("are listed up to a limit, the end included", () => {
    const daily = schedule("09:00", "UTC");
    const [from, to] = [new Date("2026-04-20T09:00:00Z"), new Date("2026-04-23T09:00:00Z")];
    expect(duesBetween(daily, from, to, 10).map(({ slot }) => slot)).toEqual([
      "2026-04-21",
      "2026-04-22",
      "2026-04-23",
    ]);
    expect(duesBetween(daily, from, to, 2)).toHaveLength(2);
    expect(duesBetween(daily, to, from, 2)).toEqual([]);
  });

  test("skip no scheduled date and double none over two years, whatever the zone", () => {
    const [from, to] = [Date.UTC(2026, 0, 1), Date.UTC(2028, 0, 1)];
    fc.assert(
      fc.property(anySchedule, (each) => {
        const dues = duesBetween(each, new Date(from), new Date(to), 1000);
        const slots = dues.map(({ slot }) => slot);
        expect(new Set(slots).size).toBe(slots.length);
        for (const [position, { at }] of dues.entries()) {
          expect(Date.parse(at)).toBeGreaterThan(Date.parse(dues[position - 1]?.at ?? "2025-01-01"));
        }
        const expected: string[] = [];
        let date = Temporal.PlainDate.from(slots[0] ?? "2026-01-01");
        for (; expected.length < slots.length; date = date.add({ days: 1 })) {
          if (each.weekdays.includes(date.dayOfWeek)) expected.push(date.toString());
        }
        expect(slots).toEqual(expected);
        expect(slots.length).toBeGreaterThanOrEqual(each.weekdays.length * 104 - 1);
        for (const { at, slot } of dues) {
          const local = Temporal.Instant.from(at).toZonedDateTimeISO(each.zone);
          const shown = `${local.toPlainDate()} ${local.toPlainTime().toString({ smallestUnit: "minute" })}`;
          if (shown === `${slot} ${each.time}`) continue;
          // Only in a gap: nowhere else does the zone lack this time, and the clocks change just then.
          const before = local.subtract({ nanoseconds: 1 });
          expect(before.offsetNanoseconds).toBeLessThan(local.offsetNanoseconds);
          expect(before.toPlainDateTime().toString() < `${slot}T${each.time}`).toBe(true);
          expect(local.toPlainDateTime().toString() > `${slot}T${each.time}`).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("agree with a clock that is asked every quarter of an hour", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.integer({ min: 0, max: 729 }),
        fc.integer({ min: 0, max: 95 }),
        (zone, day, quarter) => {
          const date = Temporal.PlainDate.from("2026-01-01").add({ days: day }).toString();
          const time = `${String(quarter >> 2).padStart(2, "0")}:${String((quarter & 3) * 15).padStart(2, "0")}`;
          const first = firstMinuteShowing(zone, date, time);
          if (first === null) return;
          expect(nextDue(schedule(time, zone), new Date(first - 1))).toEqual({
            at: new Date(first).toISOString(),
            slot: date,
          });
        },
      ),
      { numRuns: 150 },
    );
  });

  test("come after a pause, and not at all in one without end", () => {
    const now = new Date("2026-04-22T12:00:00Z");
    const daily = schedule("09:00", "Europe/Paris");
    expect(nextDueOf({ schedule: daily, paused: null }, now)?.slot).toBe("2026-04-23");
    const until = { until: "2026-05-04", reason: null };
    expect(nextDueOf({ schedule: daily, paused: until }, now)?.slot).toBe("2026-05-05");
    expect(nextDueOf({ schedule: daily, paused: { until: null, reason: "gone" } }, now)).toBeNull();
    expect(isPaused({ schedule: daily, paused: until }, new Date("2026-05-04T21:59:00Z"))).toBe(true);
    expect(isPaused({ schedule: daily, paused: until }, new Date("2026-05-04T22:00:00Z"))).toBe(false);
    expect(isPaused({ schedule: daily, paused: null }, now)).toBe(false);
  });
});

describe("a zone", () => {
  test.each([
    ["Europe/Paris", "Europe/Paris"],
    ["europe/paris", "Europe/Paris"],
    ["paris", "Europe/Paris"],
    ["New York", "America/New_York"],
    ["new_york", "America/New_York"],
    ["San Francisco", "America/Los_Angeles"],
    ["kolkata", "Asia/Kolkata"],
    ["buenos aires", "America/Argentina/Buenos_Aires"],
    ["US/Pacific", "US/Pacific"],
    ["utc", "UTC"],
  ])("is found by %s", (text, zone) => {
    expect(resolveZone(text)?.replace("America/Buenos", "America/Argentina/Buenos")).toBe(zone);
    expect(isZone(resolveZone(text) ?? "")).toBe(true);
  });

  test.each([
    "+02:00",
    "EST",
    "UTC+2",
    "Atlantis",
    "",
    "Europe",
    "Europe/Atlantis",
    "a/../b",
    "Europe/Paris\n",
  ])("is not %j", (text) => {
    expect(isZone(text)).toBe(false);
    expect(text.trim() === "Europe/Paris" ? null : resolveZone(text)).toBeNull();
  });

  test("of every name that the machine lists is one, and has a name for people", () => {
    for (const zone of ZONES) {
      expect(resolveZone(zone.toLowerCase())).not.toBeNull();
      expect(zoneForPeople(zone)).toMatch(/^[A-Za-z .'-]+[\d+-]*$/);
    }
    expect(zoneForPeople("America/Argentina/Buenos_Aires")).toBe("Buenos Aires");
    expect(zoneForPeople("Etc/GMT+5")).toBe("GMT+5");
    expect(zoneForPeople("UTC")).toBe("UTC");
  });
});

describe("a schedule in words", () => {
  test.each([
    [[1, 2, 3, 4, 5], "weekdays at 09:00 Paris"],
    [EVERY_DAY, "daily at 09:00 Paris"],
    [[1], "Mondays at 09:00 Paris"],
    [[1, 3, 5], "Mon, Wed, Fri at 09:00 Paris"],
    [[6, 7], "weekends at 09:00 Paris"],
  ])("of days %j is %s", (days, text) => {
    expect(scheduleForPeople(schedule("09:00", "Europe/Paris", days))).toBe(text);
  });

  test("names a due instant as the channel's clock shows it", () => {
    const due = { at: "2026-04-23T07:00:00.000Z" };
    expect(dueForPeople(due, "Europe/Paris")).toBe("Thu 23 April, 09:00 Paris");
    expect(dueForPeople(due, "Asia/Kolkata")).toBe("Thu 23 April, 12:30 Kolkata");
    expect(timeForPeople(due, "UTC")).toBe("07:00 UTC");
  });
});

describe("a schedule's text form", () => {
  const current = { schedule: schedule("09:00", "UTC", [1, 2, 3, 4, 5]), top: 5 };
  const read = (text: string) => {
    const parsed = parseSchedule(text, current);
    return "message" in parsed ? parsed : scheduleText(parsed);
  };

  test.each([
    ["09:00 Europe/Paris weekdays top 5", "09:00 Europe/Paris weekdays top 5"],
    ["top 3 weekdays 9:30 paris", "09:30 Europe/Paris weekdays top 3"],
    ["", "09:00 UTC weekdays top 5"],
    ["9am", "09:00 UTC weekdays top 5"],
    ["12am", "00:00 UTC weekdays top 5"],
    ["12pm", "12:00 UTC weekdays top 5"],
    ["7 PM new york", "19:00 America/New_York weekdays top 5"],
    ["noon", "12:00 UTC weekdays top 5"],
    ["at 8.15 in San Francisco every day", "08:15 America/Los_Angeles daily top 5"],
    ["daily top:10", "09:00 UTC daily top 10"],
    ["mon,wed,fri", "09:00 UTC mon,wed,fri top 5"],
    ["Monday and Thursdays", "09:00 UTC mon,thu top 5"],
    ["mon-thu", "09:00 UTC mon,tue,wed,thu top 5"],
    ["fri–mon", "09:00 UTC mon,fri,sat,sun top 5"],
    ["weekly", "09:00 UTC mon top 5"],
    ["weekly friday", "09:00 UTC fri top 5"],
    ["every week", "09:00 UTC mon top 5"],
    ["fri every week", "09:00 UTC fri top 5"],
    ["every weekday", "09:00 UTC weekdays top 5"],
    ["day monday", "09:00 UTC mon top 5"],
    ["weekends", "09:00 UTC weekends top 5"],
    ["0900", "09:00 UTC weekdays top 5"],
    ["1330 tokyo", "13:30 Asia/Tokyo weekdays top 5"],
    ["9:00 p.m.", "21:00 UTC weekdays top 5"],
    ["9 P.M. paris", "21:00 Europe/Paris weekdays top 5"],
    ["9p.m., Paris", "21:00 Europe/Paris weekdays top 5"],
    ["noon 12:00 paris Europe/Paris top 3 top 3", "12:00 Europe/Paris weekdays top 3"],
    ["“10:00” Europe/Paris", "10:00 Europe/Paris weekdays top 5"],
    ["\"10:00\" 'New York' ‘weekends’", "10:00 America/New_York weekends top 5"],
    ["TUES", "09:00 UTC tue top 5"],
  ])("%j is %s", (text, canonical) => {
    expect(read(text)).toBe(canonical);
  });

  test.each([
    ["9", '"9" is no time of day', "09:00 UTC weekdays top 5"],
    ["25:00 paris", '"25:00" is no time of day', "09:00 Europe/Paris weekdays top 5"],
    ["25:00 10:00", '"25:00" is no time of day', "10:00 UTC weekdays top 5"],
    ["24:00", '"24:00" is no time of day', "00:00 UTC weekdays top 5"],
    ["0975", '"0975" is no time of day', "09:00 UTC weekdays top 5"],
    ["2:00 3:00", "one time of day, not both 02:00 and 03:00", "02:00 UTC weekdays top 5"],
    ["Paris Tokyo", "not both Europe/Paris and Asia/Tokyo", "09:00 Europe/Paris weekdays top 5"],
    ["top 3 top 6", "one number of papers, not both 3 and 6", "09:00 UTC weekdays top 3"],
    ["weekdays daily", "daily or has the days that are named", "09:00 UTC weekdays top 5"],
    ["every day mon", "daily or has the days that are named", "09:00 UTC mon top 5"],
    ["daily weekly", "daily or weekly, not both", "09:00 UTC daily top 5"],
    ["top 1e1", '"top" takes a number', "09:00 UTC weekdays top 5"],
    ["top 1230", '"top" takes a number', "09:00 UTC weekdays top 20"],
    ["biweekly", '"biweekly" is too rare', "09:00 UTC mon top 5"],
    ["bi-weekly fri", '"bi-weekly" is too rare', "09:00 UTC fri top 5"],
    ["fortnightly", '"fortnightly" is too rare', "09:00 UTC mon top 5"],
    ["every 2 weeks 10:00", '"2 weeks" is too rare', "10:00 UTC mon top 5"],
    ["every other week", '"other week" is too rare', "09:00 UTC mon top 5"],
    ["montag", '"montag" is no time, time zone, day', "09:00 UTC mon top 5"],
    ["dienstag", '"dienstag" is no time, time zone, day', "09:00 UTC weekdays top 5"],
    ["martes", '"martes" is no time, time zone, day', "09:00 UTC weekdays top 5"],
    ["lunes", '"lunes" is no time, time zone, day', "09:00 UTC weekdays top 5"],
    ["Europe/Pariss", '"Europe/Pariss" is no time zone', "09:00 Europe/Paris weekdays top 5"],
    ["barcel", '"barcel" is no time zone', "09:00 Europe/Madrid weekdays top 5"],
    ["9:75", '"9:75" is no time of day', "09:00 UTC weekdays top 5"],
    ["13pm", '"13pm" is no time of day', "13:00 UTC weekdays top 5"],
    ["top 50", '"top" takes a number of papers from 1 to 20', "09:00 UTC weekdays top 20"],
    ["top 0", '"top" takes', "09:00 UTC weekdays top 1"],
    ["top", '"top" takes', "09:00 UTC weekdays top 5"],
    ["09:30 pariss", '"pariss" is no time zone', "09:30 Europe/Paris weekdays top 5"],
    ["10:00 EST", '"EST" does not say when its clocks change', "10:00 UTC weekdays top 5"],
    ["10:00 +02:00", '"+02:00" does not say', "10:00 UTC weekdays top 5"],
    ["mondey 10:00", '"mondey" is no time', "10:00 UTC mon top 5"],
    ["sometimes", '"sometimes" is no time', "09:00 UTC weekdays top 5"],
    ["constructor", '"constructor" is no time', "09:00 UTC weekdays top 5"],
    ["weekly mon fri", "A weekly digest has one day.", "09:00 UTC mon top 5"],
  ])("%j is refused: %s", (text, message, suggestion) => {
    const parsed = read(text);
    expect(parsed).toMatchObject({ message: expect.stringContaining(message), suggestion });
    expect(read(suggestion)).toBe(suggestion);
  });

  test("reads back what it prints, and answers anything with settings or a line that can be copied", () => {
    fc.assert(
      fc.property(anySchedule, fc.integer({ min: 1, max: 20 }), (each, top) => {
        expect(parseSchedule(scheduleText({ schedule: each, top }), current)).toEqual({
          schedule: each,
          top,
        });
      }),
    );
    const word = fc.oneof(
      fc.constantFrom(
        "top",
        "9",
        "weekly",
        "mon",
        "paris",
        "at",
        "pm",
        "toString",
        "constructor",
        "__proto__",
      ),
      fc.string({ unit: "grapheme", maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        const parsed = parseSchedule(words.join(" "), current);
        if ("message" in parsed) expect(parseSchedule(parsed.suggestion, current)).toHaveProperty("schedule");
        else expect(parseSchedule(scheduleText(parsed), current)).toEqual(parsed);
      }),
    );
  });
});
