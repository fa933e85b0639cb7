/** A calendar day, `YYYY-MM-DD`; lists belong to days of New York. */
export type Day = string;

const NEW_YORK = new Intl.DateTimeFormat("en-CA", {
  timeZone: "America/New_York",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
});

/** Hugging Face opens the next list at 21:30 New York time, 90 minutes after arXiv announces. */
const ROLLOVER_MS = 2.5 * 60 * 60 * 1000;

/** Hugging Face has daily lists from this day on. */
export const FIRST_DAY: Day = "2023-05-04";

/** The day whose list is the current one at an instant. */
export function feedDay(now: Date): Day {
  return NEW_YORK.format(new Date(now.getTime() + ROLLOVER_MS));
}

/** The same day as `YYYY-MM-DD`, or null where the text is no real day. */
export function parseDay(text: string): Day | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) ? text : null;
}

export function addDays(day: Day, days: number): Day {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

/** Saturdays and Sundays have no list. */
export function isWeekend(day: Day): boolean {
  return [0, 6].includes(new Date(`${day}T00:00:00Z`).getUTCDay());
}

const WITH_WEEKDAY = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  weekday: "long",
  day: "numeric",
  month: "long",
});
const SHORT = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" });

/** Such as `Wednesday 22 April`; with the year where it is not this year's. */
export function dayForPeople(day: Day, today: Day): string {
  return inYear(WITH_WEEKDAY, day, today);
}

/** Such as `22 Apr`; with the year where it is not this year's. */
export function shortDate(day: Day, today: Day): string {
  return inYear(SHORT, day, today);
}

function inYear(format: Intl.DateTimeFormat, day: Day, today: Day): string {
  const text = format.format(new Date(`${day}T00:00:00Z`)).replace(",", "");
  return day.slice(0, 4) === today.slice(0, 4) ? text : `${text} ${day.slice(0, 4)}`;
}

/** Whole days from `from` to `to`; negative where `to` is the earlier one. */
export function daysBetween(from: Day, to: Day): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);
}
