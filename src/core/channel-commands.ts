import type { Channel, ChannelState, Pause } from "./channel.ts";
import { type Change, type Changed, changeChannel, newChannel, nextLines, undo } from "./channel-change.ts";
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
import type { Delivery, Outcome } from "./delivery.ts";
import { count } from "./numbers.ts";
import type { Action } from "./paper-commands.ts";
import { explainProfile, readJudged, type Weighted } from "./profile.ts";
import { cutAtSentence, plainText } from "./readable.ts";
import { say } from "./reply.ts";
import {
  dueForPeople,
  isPaused,
  nextDueOf,
  parseSchedule,
  resolveZone,
  type Settings,
  scheduleForPeople,
  scheduleText,
  timeForPeople,
} from "./schedule.ts";
import { parseSpokenDay } from "./spoken-day.ts";
import { preview, subscribe, subscriptions, unsubscribe } from "./subscription-commands.ts";

/** Slots that `status` tells of. */
const SLOTS = 7;
/** All slots and the hint under them fit into one message with details of this length. */
const LONGEST_DETAIL = 120;
/** So many digests in a row without a match are worth a word. */
const QUIET_RUN = 3;

const status: Command = {
  name: "status",
  summary: "The next digest, how the last ones ended, how fresh the list is",
  usage: "status",
  examples: ["status"],
  options: [],
  who: "all",
  parse: () => ({}),
  async run(desk, { where }) {
    const [channel, subscribed, history] = await Promise.all([
      desk.channels.channel(where),
      desk.channels.subscriptions(where),
      desk.ledger.history(where, 2 * SLOTS),
    ]);
    const list = await newestListLine(desk);
    if (channel === null) {
      return say("Nothing is subscribed here yet.", list, "To begin:", "/papers subscribe agents");
    }
    const digests = history.filter(({ kind }) => kind === "digest").slice(0, SLOTS);
    return say(
      "Status",
      ...nextLines(desk, { channel, subscriptions: subscribed }),
      list,
      ...(digests.length === 0 ? ["No digest was due yet."] : ["The last digests:"]),
      ...digests.map((each) => slotLine(each, channel, desk)),
      ...quietLines(digests),
    );
  },
};

async function newestListLine(desk: Desk): Promise<string> {
  const now = desk.clock();
  const today = feedDay(now);
  const newest = (await desk.store.days({ to: today, limit: 14 })).find((each) => each.count > 0);
  if (newest === undefined) return "No list is here yet.";
  const day = dayForPeople(newest.day, today);
  // A clock that was set back stands before what was looked at.
  const ageMs = Math.max(0, now.getTime() - Date.parse(newest.seenAt));
  return `Newest list: ${day}, ${count(newest.count, "paper")}, looked at ${ageForPeople(ageMs)}.`;
}

/** Such as `12 minutes ago`. */
function ageForPeople(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 90) return `${count(minutes, "minute")} ago`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${count(hours, "hour")} ago` : `${count(Math.round(hours / 24), "day")} ago`;
}

/** Such as `Wed 22 April: sent, 5 papers.` */
function slotLine(delivery: Delivery, { schedule }: Channel, desk: Desk): string {
  const { slot, outcome, nextAttemptAt } = delivery;
  const day = dayForPeople(slot, feedDay(desk.clock()));
  const detail = shortDetail(delivery);
  const more = detail === "" ? "" : ` ${capitalized(detail).replace(/(?<![.…])$/, ".")}`;
  const again = ["pending", "waiting"].includes(outcome)
    ? ` Next try ${timeForPeople({ at: nextAttemptAt }, schedule.zone)}.`
    : "";
  return `${day}: ${OUTCOME_WORDS[outcome](delivery)}.${more}${again}`;
}

/** Of a digest that was sent the counts alone: the topics behind them are the same every day. */
function shortDetail({ outcome, detail }: Delivery): string {
  const isSent = outcome === "sent" || outcome === "sent-late";
  return cutAtSentence(isSent ? (detail.split(" · ", 1)[0] ?? "") : detail, LONGEST_DETAIL);
}

const OUTCOME_WORDS: Readonly<Record<Outcome, (delivery: Delivery) => string>> = {
  pending: ({ attempts }) =>
    attempts === 0 ? "due, and about to be sent" : `not sent yet, ${count(attempts, "attempt")} so far`,
  waiting: () => "waiting",
  sending: () => "being sent",
  sent: ({ shown }) => `sent, ${count(shown, "paper")}`,
  "sent-late": ({ shown }) => `sent late, ${count(shown, "paper")}`,
  quiet: () => "quiet, nothing matched",
  "no-list": () => "no list that day",
  "skipped-late": () => "skipped",
  rejected: () => "refused by the chat",
  failed: () => "failed",
  uncertain: () => "perhaps sent: the chat did not answer, and sending again could have doubled it",
};

function quietLines(digests: readonly Delivery[]): readonly string[] {
  const spoken = digests.filter(({ outcome }) =>
    ["sent", "sent-late", "uncertain", "quiet"].includes(outcome),
  );
  const other = spoken.findIndex(({ outcome }) => outcome !== "quiet");
  const run = other < 0 ? spoken.length : other;
  if (run < QUIET_RUN) return [];
  return [
    `Nothing matched ${run} times in a row. Fewer words find more; this shows each topic's volume:`,
    "/papers subscriptions",
  ];
}

const schedule: Command = {
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
    { name: "top", summary: "Papers in a digest, 1 to 20", required: false, choices: null, complete: null },
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

const pause: Command = {
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

const resume: Command = {
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

/** Of each kind, so many are told. */
const TOLD = 8;

const profile: Command = {
  name: "profile",
  summary: "What “More like this” and “Less like this” moved here",
  usage: "profile [reset]",
  examples: ["profile", "profile reset"],
  options: [
    {
      name: "action",
      summary: "explain, or reset to take all such words back",
      required: false,
      choices: ["explain", "reset"],
      complete: null,
    },
  ],
  who: "all",
  parse: (text) => ({ action: text }),
  async run(desk, asker, args) {
    const action = plainText(args["action"] ?? "").toLowerCase();
    if (action === "reset") return resetProfile(desk, asker);
    if (action !== "" && action !== "explain") {
      return say(
        `“${cutAtSentence(action, 60)}” is neither explain nor reset.`,
        "/papers profile",
        "/papers profile reset",
      );
    }
    const judged = await readJudged(desk, asker.where);
    if (judged.length === 0) {
      return say(
        "Nobody here has said “More like this” or “Less like this” yet.",
        "The buttons are on a paper's card. They move this channel's digests a little:",
        "/papers today",
      );
    }
    const { organizations, words } = explainProfile(judged);
    const [more = 0, less = 0] = [1, -1].map(
      (sign) =>
        new Set(judged.filter(({ value }) => Math.sign(value) === sign).map(({ paper }) => paper.id)).size,
    );
    const terms = [...organizations, ...words];
    return say(
      "What this channel likes",
      `From ${count(more, "paper")} with more and ${less} with less like this:`,
      ...termLines(
        "More",
        terms.filter(({ weight }) => weight > 0),
      ),
      ...termLines(
        "Less",
        terms.filter(({ weight }) => weight < 0),
      ),
      terms.length === 0
        ? "They share nothing that tells yet. To begin anew:"
        : "Papers that share more of these stand higher or lower. To begin anew:",
      "/papers profile reset",
    );
  },
};

/** Such as `More: Example Lab +0.6, agents +0.3`. */
function termLines(name: "More" | "Less", terms: readonly Weighted[]): readonly string[] {
  if (terms.length === 0) return [];
  const told = terms
    .toSorted((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
    .slice(0, TOLD)
    .map(
      ({ name, weight }) =>
        `${cutAtSentence(plainText(name), 40)} ${weight > 0 ? "+" : "−"}${Math.abs(weight).toFixed(1)}`,
    );
  const left = terms.length - told.length;
  return [`${name}: ${told.join(", ")}${left > 0 ? ` and ${left} weaker` : ""}`];
}

async function resetProfile(desk: Desk, asker: Asker): Promise<Reply> {
  if (!asker.maySet) return refuseSettings(asker);
  const words = await desk.channels.resetFeedback(asker.where);
  if (words === 0) return say("There was nothing to take back.");
  return {
    to: "channel",
    message: sentence(
      "This channel's profile begins anew.",
      `${count(words, "word")} on papers ${words === 1 ? "was" : "were"} taken back; digests go by topics and votes alone.`,
    ),
  };
}

/** Who may do it, and what everybody may. */
export function refuseSettings({ where }: Pick<Asker, "where">): Reply {
  const isPlayground = where.platform === "playground";
  const client = isPlayground ? where.workspace : where.platform;
  return say(
    client === "discord"
      ? "Only who may manage this channel can change this (Manage Channels)."
      : "Only full members of this channel can change this.",
    isPlayground
      ? "Ada (admin) may. You can look, search and save:"
      : "Ask one of them. You can look, search and save, and have digests of your own in a direct message with Paperboy:",
    "/papers subscriptions",
    "/papers preview",
  );
}

const forget: Command = {
  name: "forget",
  summary: "Deletes what is kept of you: saved papers and words on papers",
  usage: "forget",
  examples: ["forget"],
  options: [],
  who: "own",
  parse: () => ({}),
  async run(desk, { where, person }) {
    const { platform, workspace } = where;
    const { saved, feedback } = await desk.channels.forget({ platform, workspace, person });
    const rest = "That you set channels up or subscribed them stays with those channels.";
    if (saved + feedback === 0) return say("There was nothing to delete.", rest);
    return say(
      "Deleted what was yours alone.",
      `${count(saved, "saved paper")} and ${count(feedback, "word")} on papers (“More like this”, “Less like this”).`,
      rest,
    );
  },
};

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The commands that belong to a channel, in the order of their help. */
export const channelCommands: readonly Command[] = [
  subscribe,
  unsubscribe,
  subscriptions,
  preview,
  status,
  schedule,
  pause,
  resume,
  profile,
  forget,
];

/** What the buttons under their answers do. */
export const channelActions: Readonly<
  Record<"undo" | "preview", { readonly who: Command["who"]; readonly act: Action }>
> = {
  undo: { who: "settings", act: (desk, asker, parts) => undo(desk, asker, parts.join(":")) },
  preview: { who: "all", act: (desk, asker) => preview.run(desk, asker, {}) },
};
