import type { Channel } from "./channel.ts";
import { nextLines, publishButtons, setPublish, undo } from "./channel-change.ts";
import { type Asker, type Command, type Desk, type Reply, sentence } from "./command.ts";
import { dayForPeople, feedDay } from "./day.ts";
import type { Delivery, Outcome } from "./delivery.ts";
import { count } from "./numbers.ts";
import type { Action } from "./paper-commands.ts";
import { explainProfile, readJudged, type Weighted } from "./profile.ts";
import { cutAtSentence, plainText } from "./readable.ts";
import { capitalized, say } from "./reply.ts";
import { timeForPeople } from "./schedule.ts";
import { preview, subscribe, subscriptions, unsubscribe } from "./subscription-commands.ts";
import { pause, resume, schedule } from "./schedule-commands.ts";
import { test } from "./test-command.ts";

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
  async run(desk, asker) {
    const { where } = asker;
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
    const state = { channel, subscriptions: subscribed };
    const reply = say(
      "Status",
      ...nextLines(desk, state),
      ...(channel.publish ? ["Digests are passed on to the channels that follow this one."] : []),
      list,
      ...(desk.remarks ?? []),
      ...(digests.length === 0 ? ["No digest was due yet."] : ["The last digests:"]),
      ...digests.map((each) => slotLine(each, channel, desk)),
      ...quietLines(digests),
    );
    return { ...reply, message: { ...reply.message, buttons: publishButtons(asker, state) } };
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
  uncertain: ({ ref }) =>
    ref === null ? "perhaps sent, since the chat did not answer" : "sent, perhaps twice",
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
  test,
  forget,
];

/** What the buttons under their answers do. */
export const channelActions: Readonly<
  Record<"undo" | "preview" | "publish", { readonly who: Command["who"]; readonly act: Action }>
> = {
  undo: { who: "settings", act: (desk, asker, parts) => undo(desk, asker, parts.join(":")) },
  preview: { who: "all", act: (desk, asker) => preview.run(desk, asker, {}) },
  publish: { who: "settings", act: (desk, asker, [wanted]) => setPublish(desk, asker, wanted === "on") },
};
