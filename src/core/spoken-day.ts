import { addDays, type Day, daysBetween, parseDay } from "./day.ts";
import { plainText } from "./readable.ts";

/**
 * The day that someone names: `today`, `yesterday`, `2026-04-22`, `22 April`, `Apr 22nd, 2025`, `monday` (the last
 * one, today included), or the link of a day's list. Without a year it is this year's, unless that lies more than
 * a month ahead. Null where it names no real day.
 */
export function parseSpokenDay(text: string, today: Day): Day | null {
  if (text.length > 200) return null;
  const spoken = plainText(text.normalize("NFKC"))
    .toLowerCase()
    .replace(/[^\p{L}\p{N}/:-]+/gu, " ")
    .trim();
  if (spoken === "today" || spoken === "now") return today;
  if (spoken === "yesterday") return addDays(today, -1);
  if (spoken === "tomorrow") return addDays(today, 1);
  const iso = /(?:^|\/papers\/date\/)(\d{4})[-/ ](\d{1,2})[-/ ](\d{1,2})$/.exec(spoken);
  if (iso !== null) return dayOf(iso[1], Number(iso[2]), iso[3]);
  const named =
    /^(?<date>\d{1,2})(?:st|nd|rd|th)?(?: of)? (?<month>\p{L}+)(?: (?<year>\d{4}))?$/u.exec(spoken) ??
    /^(?<month>\p{L}+) (?<date>\d{1,2})(?:st|nd|rd|th)?(?: (?<year>\d{4}))?$/u.exec(spoken);
  if (named?.groups !== undefined) {
    const { date, month, year } = named.groups;
    const number = 1 + startingWith(MONTHS, month ?? "");
    const thisYear = dayOf(year ?? today.slice(0, 4), number, date);
    if (year !== undefined || thisYear === null || daysBetween(today, thisYear) <= 31) return thisYear;
    return dayOf(String(Number(today.slice(0, 4)) - 1), number, date);
  }
  const weekday = startingWith(WEEKDAYS, spoken.replace(/^last /, ""));
  if (weekday < 0) return null;
  const back = (new Date(`${today}T00:00:00Z`).getUTCDay() - weekday + 7) % 7;
  return addDays(today, back === 0 && spoken.startsWith("last ") ? -7 : -back);
}

const MONTHS = "january february march april may june july august september october november december".split(
  " ",
);
const WEEKDAYS = "sunday monday tuesday wednesday thursday friday saturday".split(" ");

/** Three letters suffice. */
function startingWith(names: readonly string[], word: string): number {
  return word.length < 3 ? -1 : names.findIndex((name) => name.startsWith(word));
}

function dayOf(year: string | undefined, month: number, date: string | undefined): Day | null {
  return parseDay(`${year}-${String(month).padStart(2, "0")}-${(date ?? "").padStart(2, "0")}`);
}
