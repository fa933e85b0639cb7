import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addDays, dayForPeople, FIRST_DAY, feedDay, isWeekend, parseDay } from "../../src/core/day.ts";

const days = fc
  .date({ min: new Date("2023-05-04T00:00:00Z"), max: new Date("2040-01-01T00:00:00Z"), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

describe("feedDay", () => {
  test.each([
    ["2026-04-22T01:29:59Z", "2026-04-21", "a second before 21:30 in summer"],
    ["2026-04-22T01:30:00Z", "2026-04-22", "21:30 in summer"],
    ["2026-01-15T02:29:59Z", "2026-01-14", "a second before 21:30 in winter"],
    ["2026-01-15T02:30:00Z", "2026-01-15", "21:30 in winter"],
    ["2026-04-22T16:00:00Z", "2026-04-22", "noon"],
    ["2026-03-08T02:30:00Z", "2026-03-08", "the evening before the clocks go forward"],
    ["2026-03-09T01:30:00Z", "2026-03-09", "the evening after"],
    ["2026-11-01T01:30:00Z", "2026-11-01", "the evening before the clocks go back"],
    ["2026-11-02T02:29:00Z", "2026-11-01", "the evening after, one minute early"],
    ["2027-01-01T02:30:00Z", "2027-01-01", "the new year"],
  ])("at %s it is %s: %s", (instant, day) => {
    expect(feedDay(new Date(instant))).toBe(day);
  });

  test("the day that it names is real, and never goes back", () => {
    const instants = fc.integer({ min: Date.parse("2023-05-05"), max: Date.parse("2040-01-01") });
    fc.assert(
      fc.property(instants, fc.integer({ min: 0, max: 90_000_000 }), (at, later) => {
        const day = feedDay(new Date(at));
        expect(parseDay(day)).toBe(day);
        expect(feedDay(new Date(at + later)) >= day).toBe(true);
      }),
    );
  });
});

describe("parseDay", () => {
  test.each(["2026-04-22", "2024-02-29", FIRST_DAY])("%s is a day", (text) => {
    expect(parseDay(text)).toBe(text);
  });

  test.each([
    "",
    "2026-02-29",
    "2026-02-30",
    "2026-13-01",
    "2026-00-10",
    "2026-4-2",
    "22-04-2026",
    "2026-04-22T00:00Z",
  ])("%j is none", (text) => {
    expect(parseDay(text)).toBeNull();
  });
});

test("days added and taken away again lead back", () => {
  fc.assert(
    fc.property(days, fc.integer({ min: -2_000, max: 2_000 }), (day, count) => {
      expect(addDays(addDays(day, count), -count)).toBe(day);
    }),
  );
  expect(addDays("2024-02-28", 1)).toBe("2024-02-29");
  expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
});

test("five days of any seven in a row have a list", () => {
  fc.assert(
    fc.property(days, (day) => {
      const week = Array.from({ length: 7 }, (_, at) => addDays(day, at));
      expect(week.filter((each) => !isWeekend(each))).toHaveLength(5);
    }),
  );
  expect(isWeekend("2026-04-25")).toBe(true);
  expect(isWeekend("2026-04-24")).toBe(false);
});

test("a day is written for people, with the year where it is another", () => {
  expect(dayForPeople("2026-04-22", "2026-04-30")).toBe("Wednesday 22 April");
  expect(dayForPeople("2025-12-31", "2026-01-01")).toBe("Wednesday 31 December 2025");
});
