import type { Channel, ChannelState, Pause } from "./channel.ts";
import { type Change, type Changed, changeChannel, newChannel, nextLines } from "./channel-change.ts";
import {
  type Args,
  type Asker,
  type Choice,
  type Command,
  type Desk,
  type Reply,
  sentence,
} from "./command.ts";
import { addDays, type Day, dayForPeople, daysBetween, feedDay, parseDay } from "./day.ts";
import { cutAtSentence, plainText } from "./readable.ts";
import { capitalized, say } from "./reply.ts";
import {
  dueForPeople,
  isPaused,
  MOST_PAPERS,
  nextDueOf,
  parseSchedule,
  resolveZone,
  type Settings,
  scheduleForPeople,
  scheduleText,
  timeForPeople,
} from "./schedule.ts";
import { parseSpokenDay } from "./spoken-day.ts";

/** When a channel gets its digest, and how many papers. */
export const schedule: Command = {
  name: "schedule",
  summary: "When this channel's digest comes, and how many papers it has",
  usage: "schedule [time] [zone] [days] [top <papers>]",
  examples: [
    "schedule 09:00 Europe/Paris weekdays top 5",
    "schedule 17:30",
    "schedule weekly monday",
    "schedule top 10",
  ],
  options: [
    { name: "time", summary: "Such as 09:00 or 5pm", required: false, choices: null, complete: null },
    {
      name: "zone",
      summary: "A city or zone, such as Europe/Paris",
      required: false,
      choices: null,
      complete: completeZones,
    },
    {
      name: "days",
      summary: "weekdays, daily, or such as mon,wed,fri",
      required: false,
      choices: null,
      complete: null,
    },
    {
      name: "every",
      summary: "A digest every day, or one a week",
      required: false,
      choices: ["day", "week"],
      complete: null,
    },
    {
      name: "top",
      summary: `Papers in a digest, 1 to ${MOST_PAPERS}`,
      required: false,
      choices: null,
      range: { min: 1, max: MOST_PAPERS },
      complete: null,
    },
  ],
  who: "settings",
  // The words may stand in any order: `run` reads them together.
  parse: (text) => ({ time: text }),
  async run(desk, asker, args) {
    const text = scheduleArgs(args);
    const at = desk.clock();
    if (text === "") {
      const channel = (await desk.channels.channel(asker.where)) ?? newChannel(asker, at).channel;
      return say(
        `${capitalized(scheduleForPeople(channel.schedule))}, top ${channel.top}.`,
        "To change it:",
        `/papers schedule ${scheduleText(channel)}`,
      );
    }
    const changed = await changeChannel(
      desk,
      asker,
      (current): Change<ReturnType<typeof parseSchedule>> => {
        const state = current ?? newChannel(asker, at);
        const told = parseSchedule(text, state.channel);
        const isSame = "message" in told || scheduleText(told) === scheduleText(state.channel);
        return { to: isSame ? null : { ...state, channel: { ...state.channel, ...told } }, told };
      },
      (told) => ("message" in told ? "" : `Schedule set: ${setLine(told)}`),
    );
    return scheduledReply(desk, changed);
  },
};

function scheduledReply(
  desk: Desk,
  { now, told, undo: undoButton }: Changed<ReturnType<typeof parseSchedule>>,
): Reply {
  if ("message" in told) {
    return say(told.message, "Did you mean:", `/papers schedule ${told.suggestion}`);
  }
  if (undoButton === null) return say(`It is so already: ${setLine(told)}`, ...nextLines(desk, now));
  return {
    to: "channel",
    message: {
      ...sentence(`Schedule set: ${setLine(told)}`, ...(now === null ? [] : nextThree(desk, now))),
      buttons: [undoButton],
    },
  };
}

function setLine(settings: Settings): string {
  return `${scheduleForPeople(settings.schedule)}, top ${settings.top}.`;
}

function nextThree(desk: Desk, state: ChannelState): readonly string[] {
  const { channel } = state;
  if (channel.next === null || isPaused(channel, desk.clock())) return nextLines(desk, state);
  const second = nextDueOf(channel, new Date(channel.next.at));
  const third = second === null ? null : nextDueOf(channel, new Date(second.at));
  const dues = [channel.next, second, third].flatMap((due) =>
    due === null ? [] : [dueForPeople(due, channel.schedule.zone)],
  );
  return ["Next digests:", ...dues];
}

/** Discord's options as the text form has them. */
function scheduleArgs(args: Args): string {
  const { time = "", zone = "", days = "", every = "", top = "" } = args;
  const parts = [
    time,
    zone,
    days,
    every.trim() === "" ? "" : `every ${every}`,
    top.trim() === "" ? "" : /^\s*top/i.test(top) ? top : `top ${top}`,
  ];
  return plainText(parts.join(" "));
}

/** Zones whose city or name begins with what is typed, then those that have it; each with its time now. */
async function completeZones(desk: Desk, asker: Asker, typed: string): Promise<readonly Choice[]> {
  const wanted = plainText(typed.slice(0, 60)).toLowerCase().replaceAll(" ", "_");
  const resolved = wanted === "" ? asker.zone : resolveZone(wanted);
  const all = ["UTC", ...Intl.supportedValuesOf("timeZone")];
  const names = all.filter((zone) => zone.toLowerCase().includes(wanted));
  const begins = (zone: string) =>
    zone.toLowerCase().startsWith(wanted) || zone.toLowerCase().includes(`/${wanted}`);
  const ordered = [
    ...(resolved === null ? [] : [resolved]),
    ...names.filter(begins),
    ...names.filter((zone) => !begins(zone)),
  ];
  const now = { at: desk.clock().toISOString() };
  return [...new Set(ordered)].slice(0, 25).map((zone) => ({
    label: `${zone} · ${timeForPeople(now, zone).slice(0, 5)} now`,
    value: zone,
  }));
}

/** A pause that should last longer has no end. */
const LONGEST_PAUSE_DAYS = 366;

/** No digests for a while. */
export const pause: Command = {
  name: "pause",
  summary: "Stops this channel's digests, for good or up to a day",
  usage: "pause [until <day>]",
  examples: ["pause", "pause until 2026-05-04", "pause until monday"],
  options: [
    {
      name: "until",
      summary: "The last day without digests, such as 2026-05-04 or monday; none for no end",
      required: false,
      choices: null,
      complete: null,
    },
  ],
  who: "settings",
  parse: (text) => ({ until: text }),
  async run(desk, asker, args) {
    const asked = plainText(args["until"] ?? "").replace(/^(until|till|to|through)(?=\s|$)\s*/i, "");
    const at = desk.clock();
    const before = await desk.channels.channel(asker.where);
    const until = asked === "" ? null : readPauseEnd(asked, localDay(before, asker, at));
    if (until !== null && "message" in until) return until.message;
    const wanted: Pause = { until: until?.day ?? null, reason: null };
    const { now, undo: undoButton } = await changeChannel(
      desk,
      asker,
      (current): Change<null> => {
        if (current === null || current.subscriptions.length === 0) return { to: null, told: null };
        const { paused } = current.channel;
        const isSame = paused !== null && paused.until === wanted.until && isPaused(current.channel, at);
        return {
          to: isSame ? null : { ...current, channel: { ...current.channel, paused: wanted } },
          told: null,
        };
      },
      () => "This channel's digests were paused.",
    );
    if (now === null || now.subscriptions.length === 0) {
      return say("There is nothing to pause: no digest comes here.", "To begin:", "/papers subscribe agents");
    }
    if (undoButton === null) return say("It is paused already.", ...nextLines(desk, now));
    return {
      to: "channel",
      message: {
        ...sentence(
          "Paused this channel's digests.",
          ...nextLines(desk, now),
          ...(wanted.until === null ? [] : ["They come back by themselves; sooner with /papers resume."]),
        ),
        buttons: [undoButton],
      },
    };
  },
};

/** The day now where the channel is, or would be. */
function localDay(channel: Channel | null, asker: Asker, now: Date): Day {
  const { zone } = (channel ?? newChannel(asker, now).channel).schedule;
  // Swedish dates are ISO dates.
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format(now);
}

function readPauseEnd(asked: string, today: Day): { readonly day: Day } | { readonly message: Reply } {
  const refuse = (title: string) => ({
    message: say(title, "Such as:", `/papers pause until ${addDays(today, 7)}`, "/papers pause"),
  });
  const shown = cutAtSentence(asked, 60);
  const day = comingDay(asked, today);
  if (day === null) return refuse(`“${shown}” is no day.`);
  if (day < today) return refuse(`${capitalized(dayForPeople(day, today))} is past.`);
  if (daysBetween(today, day) > LONGEST_PAUSE_DAYS) {
    return refuse("A pause up to a day lasts a year at most; one without a day lasts until /papers resume.");
  }
  return { day };
}

/** As spoken of what is ahead: `monday` is the coming one, and `4 January` said in December is next year's. */
function comingDay(text: string, today: Day): Day | null {
  const day = parseSpokenDay(text, today);
  if (day === null || day >= today || /\d{4}|yesterday|last/i.test(text)) return day;
  if (!/\d/.test(text)) return addDays(day, 7);
  const nextYear = parseDay(`${Number(day.slice(0, 4)) + 1}${day.slice(4)}`);
  // What is just past is a slip rather than a pause of nearly a year.
  return nextYear === null || daysBetween(today, nextYear) > 300 ? day : nextYear;
}

/** Digests again. */
export const resume: Command = {
  name: "resume",
  summary: "Ends a pause",
  usage: "resume",
  examples: ["resume"],
  options: [],
  who: "settings",
  parse: () => ({}),
  async run(desk, asker) {
    const at = desk.clock();
    const { now, undo: undoButton } = await changeChannel(
      desk,
      asker,
      (current): Change<null> => ({
        to:
          current === null || !isPaused(current.channel, at)
            ? null
            : { ...current, channel: { ...current.channel, paused: null } },
        told: null,
      }),
      () => "This channel's digests were resumed.",
    );
    if (now === null) {
      return say(
        "There is nothing to resume: no digest comes here.",
        "To begin:",
        "/papers subscribe agents",
      );
    }
    if (undoButton === null) return say("It is not paused.", ...nextLines(desk, now));
    const today = feedDay(at);
    const from = now.channel.readFrom < today ? dayForPeople(now.channel.readFrom, today) : null;
    return {
      to: "channel",
      message: {
        ...sentence(
          "Resumed this channel's digests.",
          ...nextLines(desk, now),
          ...(from === null || now.subscriptions.length === 0
            ? []
            : [`It picks from what was listed since ${from}, two weeks back at most.`]),
        ),
        buttons: [undoButton],
      },
    };
  },
};
