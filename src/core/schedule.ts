import { Temporal } from "temporal-polyfill";
import type { Channel, Due, Schedule } from "./channel.ts";
import type { Day } from "./day.ts";
import { editDistance } from "./edit-distance.ts";

/**
 * The first due instant strictly after another. A local time that a change of clocks leaves out falls on the first
 * instant after the gap, one that comes twice on its first occurrence. The slot is the scheduled local date, also
 * where the gap ends on the next one (Nuuk's begins at 23:00), so that every scheduled date has one slot.
 */
export function nextDue(schedule: Schedule, after: Date): Due {
  for (const due of dues(schedule, after)) return due;
  throw new RangeError(`The schedule "${scheduleForPeople(schedule)}" has no day.`);
}

/** The due instants after `from` up to and with `to`, oldest first, at most `limit`. */
export function duesBetween(schedule: Schedule, from: Date, to: Date, limit: number): readonly Due[] {
  const found: Due[] = [];
  for (const due of dues(schedule, from)) {
    if (Date.parse(due.at) > to.getTime() || found.length >= limit) break;
    found.push(due);
  }
  return found;
}

/** As `nextDue`, past the end of a pause; null for a pause without end. */
export function nextDueOf(
  { schedule, paused }: Pick<Channel, "schedule" | "paused">,
  after: Date,
): Due | null {
  if (paused === null) return nextDue(schedule, after);
  if (paused.until === null) return null;
  const { until } = paused;
  for (const due of dues(schedule, after)) if (due.slot > until) return due;
  return null;
}

/** Whether a pause still holds at an instant: one with an end is over by itself. */
export function isPaused({ schedule, paused }: Pick<Channel, "schedule" | "paused">, now: Date): boolean {
  if (paused === null) return false;
  return paused.until === null || localDate(schedule.zone, now).toString() <= paused.until;
}

function* dues({ time, zone, weekdays }: Schedule, after: Date): Generator<Due> {
  if (weekdays.length === 0) return;
  const wall = Temporal.PlainTime.from(time);
  for (let date = localDate(zone, after); ; date = date.add({ days: 1 })) {
    if (!weekdays.includes(date.dayOfWeek)) continue;
    const at = instantOf(date.toPlainDateTime(wall), zone);
    if (at > after.getTime()) yield { at: new Date(at).toISOString(), slot: date.toString() };
  }
}

/** Milliseconds since 1970. */
function instantOf(wall: Temporal.PlainDateTime, zone: string): number {
  const first = wall.toZonedDateTime(zone, { disambiguation: "earlier" });
  if (first.toPlainDateTime().equals(wall)) return first.epochMilliseconds;
  // In a gap, `earlier` gives an instant before it; the next change of clocks is the gap's end.
  return (first.getTimeZoneTransition("next") ?? first).epochMilliseconds;
}

/** The calendar day that it is in a zone at an instant. */
export function dayIn(zone: string, at: Date): Day {
  return localDate(zone, at).toString();
}

function localDate(zone: string, at: Date): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(zone).toPlainDate();
}

/** Whether the text is the exact IANA name of a zone that this machine knows. */
export function isZone(text: string): boolean {
  return ianaName(text) === text;
}

/**
 * The IANA name for a name or a city, whatever its case: `europe/paris` and `Paris` are `Europe/Paris`. Null for
 * anything else: an offset or an abbreviation (`+02:00`, `EST`) does not say when its clocks change.
 */
export function resolveZone(text: string): string | null {
  const name = text.trim().replace(/\s+/g, "_");
  return ianaName(name) ?? cityZones().get(name.toLowerCase()) ?? null;
}

function ianaName(text: string): string | null {
  if (/^(utc|gmt)$/i.test(text)) return "UTC";
  if (!/^[a-z]+(\/[a-z0-9_+-]+)+$/i.test(text)) return null;
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text).timeZoneId;
  } catch {
    return null;
  }
}

/** Zones by the lower-case name of their city, with blanks as `_`. */
function cityZones(): ReadonlyMap<string, string> {
  const zones = Intl.supportedValuesOf("timeZone").filter((zone) => zone.includes("/"));
  const cities = new Map<string, string>();
  for (const zone of zones) {
    const city = zone.slice(zone.lastIndexOf("/") + 1).toLowerCase();
    if (!cities.has(city)) cities.set(city, zone);
  }
  for (const [city, zone] of Object.entries(OTHER_CITIES)) cities.set(city, zone);
  return cities;
}

/** Cities that people type and that name no zone, or one that the machine lists by an older name. */
const OTHER_CITIES: Readonly<Record<string, string>> = {
  kolkata: "Asia/Kolkata",
  kyiv: "Europe/Kyiv",
  kathmandu: "Asia/Kathmandu",
  yangon: "Asia/Yangon",
  ho_chi_minh: "Asia/Ho_Chi_Minh",
  hanoi: "Asia/Ho_Chi_Minh",
  san_francisco: "America/Los_Angeles",
  seattle: "America/Los_Angeles",
  boston: "America/New_York",
  washington: "America/New_York",
  montreal: "America/Toronto",
  beijing: "Asia/Shanghai",
  shenzhen: "Asia/Shanghai",
  hangzhou: "Asia/Shanghai",
  mumbai: "Asia/Kolkata",
  delhi: "Asia/Kolkata",
  bangalore: "Asia/Kolkata",
  bengaluru: "Asia/Kolkata",
  munich: "Europe/Berlin",
  geneva: "Europe/Zurich",
  milan: "Europe/Rome",
  barcelona: "Europe/Madrid",
  edinburgh: "Europe/London",
  tel_aviv: "Asia/Jerusalem",
  abu_dhabi: "Asia/Dubai",
};

/** Such as `Paris` for `Europe/Paris`. */
export function zoneForPeople(zone: string): string {
  if (zone.startsWith("Etc/")) return zone.slice(4);
  return zone.slice(zone.lastIndexOf("/") + 1).replaceAll("_", " ");
}

/** Such as `weekdays at 09:00 Paris`, `Mondays at 09:00 Paris`, `Mon, Wed, Fri at 09:00 Paris`. */
export function scheduleForPeople({ time, zone, weekdays }: Schedule): string {
  const [only, ...others] = weekdays;
  const known = NAMED_DAYS.find(([, days]) => days.join() === weekdays.join());
  const days =
    known?.[0] ??
    (only !== undefined && others.length === 0
      ? `${WEEKDAYS[only - 1]}s`
      : weekdays.map((day) => WEEKDAYS[day - 1]?.slice(0, 3)).join(", "));
  return `${days} at ${time} ${zoneForPeople(zone)}`;
}

/** Such as `Thu 23 April, 09:00 Paris`. */
export function dueForPeople(due: Pick<Due, "at">, zone: string): string {
  const local = Temporal.Instant.from(due.at).toZonedDateTimeISO(zone);
  const day = WEEKDAYS[local.dayOfWeek - 1]?.slice(0, 3);
  return `${day} ${local.day} ${MONTHS[local.month - 1]}, ${timeForPeople(due, zone)}`;
}

/** Such as `09:00 Paris`. */
export function timeForPeople({ at }: Pick<Due, "at">, zone: string): string {
  const local = Temporal.Instant.from(at).toZonedDateTimeISO(zone);
  return `${local.toPlainTime().toString({ smallestUnit: "minute" })} ${zoneForPeople(zone)}`;
}

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const NAMED_DAYS: readonly (readonly [string, readonly number[]])[] = [
  ["daily", [1, 2, 3, 4, 5, 6, 7]],
  ["weekdays", [1, 2, 3, 4, 5]],
  ["weekends", [6, 7]],
];

/** A channel's schedule and how many papers its digest has, 1 to 20. */
export type Settings = Pick<Channel, "schedule" | "top">;
/** The most papers that a digest may have. */
export const MOST_PAPERS = 20;

/** What is wrong with a schedule's text, in a sentence, and the nearest text that can be read. */
export type ScheduleMistake = { readonly message: string; readonly suggestion: string };

/**
 * Reads `09:00 Europe/Paris weekdays top 5`, in any order; what is left out stays as it is. Times: `9:00`, `9.30`,
 * `0900`, `9am`, `9 p.m.`, `noon`, `midnight`. Days: `weekdays`, `weekends`, `daily`, `mon,wed,fri`, `mon-thu`, `weekly`
 * (Mondays, or the one day named), each also behind `every`. Zones as in `resolveZone`. Quotes around a value are
 * forgiven; values that contradict each other (`09:00 10:00`) are a mistake.
 */
export function parseSchedule(text: string, current: Settings): Settings | ScheduleMistake {
  const words = text
    .normalize("NFKC")
    .replace(/\p{Cf}/gu, "")
    .replace(/[\u2010-\u2015\u2212]/g, "-")
    .replace(/(?<![a-z])([ap])\.?m\.?(?![a-z0-9])/gi, "$1m")
    .split(/[\s,;]+/)
    .map((word) => word.replace(/^["'`«»‘-‟]+|["'`«»‘-‟]+$/g, ""))
    .filter((word) => word !== "");
  const found: Found = { days: new Set() };
  let wrong = -1;
  for (let at = 0; at < words.length; ) {
    const taken = readWords(words, at, found);
    if (taken === 0 && wrong < 0) wrong = at;
    // The number behind a `top` that cannot be read is no time of day.
    const isTop = taken === 0 && /^top:?$/i.test(words[at] ?? "") && /^\d+$/.test(words[at + 1] ?? "");
    at += isTop ? 2 : Math.max(1, taken);
  }
  const settings = combine(found, current);
  if (wrong >= 0) return mistake(words[wrong] ?? "", words[wrong + 1] ?? "", settings);
  const message = contradiction(found);
  return message === null ? settings : { message, suggestion: scheduleText(settings) };
}

/** A schedule's text form: `09:00 Europe/Paris weekdays top 5`. */
export function scheduleText({ schedule: { time, zone, weekdays }, top }: Settings): string {
  const known = NAMED_DAYS.find(([, days]) => days.join() === weekdays.join());
  const days = known?.[0] ?? weekdays.map((day) => WEEKDAYS[day - 1]?.slice(0, 3).toLowerCase()).join(",");
  return `${time} ${zone} ${days} top ${top}`;
}

type Found = {
  time?: string;
  zone?: string;
  top?: number;
  readonly days: Set<number>;
  every?: "day" | "week";
  /** A rhythm that a schedule cannot have, as it was written. */
  rare?: string;
  /** What is wrong with the first value that differs from one of its kind before it. */
  twice?: string;
};

/** The first value of a kind stands. */
function take<Kind extends "time" | "zone" | "top">(
  found: Found,
  kind: Kind,
  value: NonNullable<Found[Kind]>,
): void {
  const before = found[kind];
  if (before === undefined) found[kind] = value;
  else if (before !== value) {
    found.twice ??= `A schedule has one ${KINDS[kind]}, not both ${before} and ${value}.`;
  }
}

const KINDS = { time: "time of day", zone: "time zone", top: "number of papers" } as const;

/** How many words were understood from `at` on; 0 for none. */
function readWords(words: readonly string[], at: number, found: Found): number {
  const word = (words[at] ?? "").toLowerCase();
  const next = words[at + 1]?.toLowerCase();
  if (FILLERS.has(word)) return 1;
  const top = /^top:?-?(\d*)$/.exec(word);
  if (top !== null) {
    const joined = top[1] !== "";
    const digits = (joined ? top[1] : next) ?? "";
    const number = Number(digits);
    if (!/^\d{1,2}$/.test(digits) || number < 1 || number > MOST_PAPERS) return 0;
    take(found, "top", number);
    return joined ? 1 : 2;
  }
  const halves = next === "am" || next === "pm" ? next : "";
  const time = readTime(word + halves) ?? readTime(word);
  if (time !== null) {
    take(found, "time", time);
    return halves !== "" && readTime(word + halves) !== null ? 2 : 1;
  }
  const rare = RARE.exec(`${word} ${next ?? ""}`)?.[0].trim();
  if (rare !== undefined) {
    found.rare ??= rare;
    return rare.includes(" ") ? 2 : 1;
  }
  const days = readDays(word);
  if (days !== null) {
    for (const day of days) found.days.add(day);
    return 1;
  }
  const every = EVERY.get(word);
  if (every !== undefined) {
    // In `day monday` it is a label.
    const isLabel =
      word === "day" && !/^(every|each)$/i.test(words[at - 1] ?? "") && readDays(next ?? "") !== null;
    if (isLabel) return 1;
    if (found.every !== undefined && found.every !== every) {
      found.twice ??= "A schedule is daily or weekly, not both.";
    }
    found.every ??= every;
    return 1;
  }
  // A city's name can have several words: the longest that is one counts.
  for (let length = Math.min(4, words.length - at); length > 0; length--) {
    const zone = resolveZone(words.slice(at, at + length).join(" "));
    if (zone === null) continue;
    take(found, "zone", zone);
    return length;
  }
  return 0;
}

const FILLERS: ReadonlySet<string> = new Set(["at", "on", "in", "and", "every", "each", "the", "papers"]);
const EVERY: ReadonlyMap<string, "day" | "week"> = new Map([
  ["day", "day"],
  ["daily", "day"],
  ["everyday", "day"],
  ["week", "week"],
  ["weekly", "week"],
]);

/** Rhythms longer than a week, in one word or two. */
const RARE =
  /^(?:(?:bi-?weekly|fortnightly|fortnight|monthly|month)(?= )|(?:[2-9]|\d\d|two|three|four|other|second|third) weeks?$)/;

function readTime(word: string): string | null {
  if (word === "noon") return "12:00";
  if (word === "midnight") return "00:00";
  const match = /^(\d{1,2})(?:[:.h](\d{2}))?(am|pm)?$/.exec(word.replace(/^(\d\d)(?=\d\d$)/, "$1:"));
  if (match === null) return null;
  const [, hours = "", minutes, half] = match;
  if (minutes === undefined && half === undefined) return null;
  if (half !== undefined && (Number(hours) < 1 || Number(hours) > 12)) return null;
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (half === "pm" ? 12 : 0);
  if (hour > 23 || Number(minutes ?? 0) > 59) return null;
  return `${String(hour).padStart(2, "0")}:${minutes ?? "00"}`;
}

function readDays(word: string): readonly number[] | null {
  if (["weekday", "weekdays", "workday", "workdays"].includes(word)) return [1, 2, 3, 4, 5];
  if (word === "weekend" || word === "weekends") return [6, 7];
  const range = /^([a-z]+)-([a-z]+)$/.exec(word);
  const [first, last] = range === null ? [readDay(word), null] : [readDay(range[1]), readDay(range[2])];
  if (first === null) return null;
  if (range === null) return [first];
  if (last === null) return null;
  return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, i) => ((first - 1 + i) % 7) + 1);
}

/** `mon`, `monday`, `mondays`; also `tues`, `weds`, `thur`, `thurs`. */
function readDay(word: string | undefined): number | null {
  const day = /^(mon|tue|wed|thu|fri|sat|sun)([a-z]*)$/.exec(word ?? "");
  const index = WEEKDAYS.findIndex((name) => name.toLowerCase().startsWith(day?.[1] ?? "-"));
  const rest = day?.[2] ?? "";
  const ending = WEEKDAYS[index]?.slice(3).toLowerCase() ?? "-";
  return rest === "s" || ending.startsWith(rest) || `${ending}s` === rest ? index + 1 || null : null;
}

/** What was read, over what stands; where it contradicts itself, the nearest settings that do not. */
function combine({ time, zone, top, days, every, rare }: Found, current: Settings): Settings {
  const named = [...days].sort((a, b) => a - b);
  const isWeekly = every === "week" || rare !== undefined;
  const whole = isWeekly ? [1] : every === "day" ? [1, 2, 3, 4, 5, 6, 7] : current.schedule.weekdays;
  const weekdays = named.length === 0 ? whole : isWeekly ? named.slice(0, 1) : named;
  return {
    schedule: { time: time ?? current.schedule.time, zone: zone ?? current.schedule.zone, weekdays },
    top: top ?? current.top,
  };
}

/** A sentence; null for none. */
function contradiction({ days, every, rare, twice }: Found): string | null {
  if (rare !== undefined) return `"${rare}" is too rare: a digest comes once a week at least.`;
  if (twice !== undefined) return twice;
  if (every === "week" && days.size > 1) return "A weekly digest has one day.";
  if (every === "day" && days.size > 0 && days.size < 7) {
    return "A schedule is daily or has the days that are named, not both.";
  }
  return null;
}

/** The nearest valid form puts what the word was probably meant for in its place. */
function mistake(word: string, next: string, settings: Settings): ScheduleMistake {
  const { schedule, top } = settings;
  const shown = word.slice(0, 40);
  const suggest = (change: Partial<Schedule>, papers = top) =>
    scheduleText({ schedule: { ...schedule, ...change }, top: papers });
  if (/^top/i.test(word)) {
    const papers = Number(/^top:?-?(\d{1,9})$/i.exec(word + next)?.[1] ?? top);
    return {
      message: `"top" takes a number of papers from 1 to ${MOST_PAPERS}.`,
      suggestion: suggest({}, Math.max(1, Math.min(MOST_PAPERS, papers))),
    };
  }
  if (/^\d/.test(word)) {
    const hour = Number(/^\d{1,2}(?!\d)/.exec(word)?.[0] ?? Number.NaN);
    const time = hour <= 24 ? `${String(hour % 24).padStart(2, "0")}:00` : schedule.time;
    return {
      message: `"${shown}" is no time of day: write hours and minutes, from 00:00 to 23:59.`,
      suggestion: suggest({ time }),
    };
  }
  if (ABBREVIATED.test(word)) {
    return {
      message: `"${shown}" does not say when its clocks change: name a city's zone, such as Europe/Paris.`,
      suggestion: suggest({}),
    };
  }
  const day = WEEKDAYS.findIndex(
    (name) => shared(name, word) >= 3 || editDistance(name.toLowerCase(), shown.toLowerCase()) <= 2,
  );
  const zone = day >= 0 ? null : zoneLike(shown);
  if (zone !== null) {
    return { message: `"${shown}" is no time zone that is known.`, suggestion: suggest({ zone }) };
  }
  return {
    message: `"${shown}" is no time, time zone, day or "top N".`,
    suggestion: day >= 0 ? suggest({ weekdays: [day + 1] }) : suggest({}),
  };
}

/** The zone whose city begins with the word or is a slip of the hand away; what stands before the city may be wrong. */
function zoneLike(word: string): string | null {
  const typed = word.slice(word.lastIndexOf("/") + 1).toLowerCase();
  if (typed.length < 4) return null;
  let best: string | null = null;
  let least = typed.length < 8 ? 1 : 2;
  for (const [city, zone] of cityZones()) {
    const distance = city.startsWith(typed) ? 1 : editDistance(city, typed);
    if (distance > least || (distance === least && best !== null)) continue;
    [best, least] = [zone, distance];
  }
  return best;
}

/** Offsets, and the abbreviations that people try. */
const ABBREVIATED = /^(([+-]|(utc|gmt)[+-])\d.*|[ecmp][sd]t|cet|cest|eet|eest|bst|ist|jst|kst|msk|aest)$/i;

/** How many characters both begin with. */
function shared(one: string, other: string): number {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}
