import { paperFacts, paperItem, paperSelect } from "./answer.ts";
import { type ChannelState, DEFAULT_TOP, type Subscription } from "./channel.ts";
import {
  type Change,
  changeChannel,
  nameOf,
  newChannel,
  nextLines,
  publishButtons,
} from "./channel-change.ts";
import { type Asker, type Choice, type Command, type Desk, type Reply, sentence } from "./command.ts";
import { feedDay } from "./day.ts";
import { type Digest, digestMessage, planChannelDigest, readPool } from "./digest.ts";
import { editDistance } from "./edit-distance.ts";
import { completeTopic } from "./frequent-topics.ts";
import { LAST_SHOWN, type Button, type Message } from "./message.ts";
import { count } from "./numbers.ts";
import { createProfile, readJudged } from "./profile.ts";
import { cutAtSentence, plainText } from "./readable.ts";
import { say } from "./reply.ts";
import { lastDayOf } from "./digest-planner.ts";
import { dueForPeople } from "./schedule.ts";
import { parseTopic, type Topic, TopicError, topicName } from "./topic.ts";
import {
  type Neighbor,
  narrowerOrWider,
  rateForPeople,
  recentDays,
  type Volume,
  volumeForPeople,
  volumeOf,
} from "./volume.ts";

/** More could neither be told apart in a list nor matched in a digest's short time. */
const MOST_SUBSCRIPTIONS = 25;
const EXAMPLES = 2;
/** A longer suggestion would crowd out the other lines above the examples. */
const LONGEST_NEIGHBOR = 150;
const PREVIEW: Button = { label: "Preview", id: "v1:preview" };

export const subscribe: Command = {
  name: "subscribe",
  summary: "Brings a topic's papers here, or the day's top list",
  usage: "subscribe [topic]",
  examples: [
    "subscribe efficient inference",
    "subscribe agents -robotics has:code",
    "subscribe org:nvidia min:20",
    "subscribe",
  ],
  options: [
    {
      name: "topic",
      summary: 'Words, "phrases", -not, OR, org:, author:, has:, min:; none for the top list',
      required: false,
      choices: null,
      complete: (desk, _asker, typed) => completeTopic(desk.frequent, typed),
    },
  ],
  who: "settings",
  parse: (text) => ({ topic: text }),
  // `replaces`, the number of the subscription that the topic takes the place of, comes from forms alone: in words,
  // subscribing again to the same subject edits.
  async run(desk, asker, args) {
    const text = plainText(args["topic"] ?? "");
    const read = text === "" ? null : readTopic(text);
    if (read !== null && "message" in read) {
      return say(
        read.message,
        ...(read.suggestion === null ? [] : ["Try:", `/papers subscribe ${read.suggestion}`]),
      );
    }
    // Found out now rather than when the first digest is due.
    if (asker.rights.obstacle !== null) {
      return say(
        "Nothing was subscribed.",
        asker.rights.obstacle,
        "Then:",
        `/papers subscribe ${text}`.trim(),
      );
    }
    const replaces = args["replaces"];
    return subscribeTo(desk, asker, read, replaces === undefined ? null : Number(replaces));
  },
};

async function subscribeTo(
  desk: Desk,
  asker: Asker,
  topic: Topic | null,
  replaces: number | null,
): Promise<Reply> {
  const text = topic?.text ?? "";
  const at = desk.clock();
  const { now, undo, told } = await changeChannel(
    desk,
    asker,
    (current): Change<Outcome> => {
      const state = current ?? newChannel(asker, at);
      const { subscriptions } = state;
      const same = subscriptions.find((each) => each.topic === text);
      if (same !== undefined) return { to: null, told: { kind: "same", subscription: same } };
      const related = subscriptions.find((each) =>
        replaces === null ? subjectOf(each.topic) === subjectOf(text) : each.number === replaces,
      );
      if (replaces !== null && related === undefined) {
        return { to: null, told: { kind: "gone", number: replaces } };
      }
      if (related !== undefined) {
        const edited = { ...related, topic: text };
        return {
          to: { ...state, subscriptions: subscriptions.map((each) => (each === related ? edited : each)) },
          told: { kind: "edited", subscription: edited, before: related.topic },
        };
      }
      if (subscriptions.length >= MOST_SUBSCRIPTIONS) return { to: null, told: { kind: "full" } };
      const number = state.channel.lastNumber + 1;
      const added = { number, topic: text, createdBy: asker.person, createdAt: at.toISOString() };
      // What was listed before somebody wanted it is not news.
      const begins = subscriptions.length > 0 ? {} : { readFrom: feedDay(at), setUpBy: asker.person };
      return {
        to: {
          channel: { ...state.channel, ...begins, lastNumber: number },
          subscriptions: [...subscriptions, added],
        },
        told: { kind: "added", subscription: added, isFirst: current === null },
      };
    },
    titleOf,
  );
  return subscribedReply(desk, asker, { outcome: told, topic, now, undo });
}

type Outcome =
  | { readonly kind: "full" }
  | { readonly kind: "gone"; readonly number: number }
  | { readonly kind: "same"; readonly subscription: Subscription }
  | { readonly kind: "edited"; readonly subscription: Subscription; readonly before: string }
  | { readonly kind: "added"; readonly subscription: Subscription; readonly isFirst: boolean };

function titleOf(outcome: Outcome): string {
  if (outcome.kind === "full")
    return `This channel has ${MOST_SUBSCRIPTIONS} subscriptions, and no more fit.`;
  if (outcome.kind === "gone") {
    return `There is no subscription ${outcome.number} here any more, so nothing was changed.`;
  }
  const name = nameOf(outcome.subscription);
  if (outcome.kind === "same") return `This channel has ${name} already. Nothing changed.`;
  if (outcome.kind === "added") return `Subscribed this channel to ${name}.`;
  const [before, now] = [outcome.before, outcome.subscription.topic].map((text) => text || "top list");
  return `Changed ${outcome.subscription.number}: ${before} is now ${now}.`;
}

async function subscribedReply(
  desk: Desk,
  asker: Asker,
  {
    outcome,
    topic,
    now,
    undo,
  }: {
    readonly outcome: Outcome;
    readonly topic: Topic | null;
    readonly now: ChannelState | null;
    readonly undo: Button | null;
  },
): Promise<Reply> {
  const title = titleOf(outcome);
  if (outcome.kind === "full") {
    return say(title, "One that goes makes room for another:", "/papers unsubscribe 1");
  }
  if (outcome.kind === "gone") return say(title, "This shows what is:", "/papers subscriptions");
  const recent = await recentDays(desk.store, feedDay(desk.clock()));
  const volume = await volumeOf(desk, topic, recent);
  const before = outcome.kind === "edited" ? await volumeOf(desk, storedTopic(outcome.before), recent) : null;
  const isNews = outcome.kind !== "same";
  const neighbor = isNews ? await narrowerOrWider(desk, topic, recent) : null;
  const examples = isNews ? volume.papers.slice(0, EXAMPLES) : [];
  const zoneIsKnown = outcome.kind !== "added" || !outcome.isFirst || now?.channel.schedule.zone !== "UTC";
  return {
    to: isNews ? "channel" : "asker",
    message: {
      title,
      intro: [
        countsLine(volume, before, now),
        ...(isNews && volume.days > 0 && volume.papers.length === 0
          ? ["Nothing like it was listed lately: check the spelling, or undo."]
          : []),
        ...nextLines(desk, now),
        ...(desk.notice === null ? [] : [desk.notice]),
        ...(zoneIsKnown ? [] : ["UTC until you set a zone: /papers schedule 09:00 Europe/Paris weekdays"]),
        ...neighborLines(neighbor),
        ...(examples.length === 0 ? [] : ["The latest:"]),
      ],
      items: examples.map((paper) => ({ ...paperItem(paper), facts: paperFacts(paper) })),
      select: examples.length === 0 ? null : paperSelect(examples),
      buttons: [...(undo === null ? [] : [undo]), PREVIEW, ...publishButtons(asker, now)],
      pages: null,
      footer: null,
    },
  };
}

function countsLine(volume: Volume, before: Volume | null, now: ChannelState | null): string {
  const line = volumeForPeople(volume);
  if (before !== null) return line.replace(/\.$/, ` (before: ${rateForPeople(before.aDay)}).`);
  const top = now?.channel.top ?? DEFAULT_TOP;
  return volume.aDay > top ? `${line} A digest shows the best ${top}.` : line;
}

function neighborLines(neighbor: Neighbor | null): readonly string[] {
  if (neighbor === null || neighbor.topic.text.length > LONGEST_NEIGHBOR) return [];
  const { kind, topic, volume } = neighbor;
  const name = kind === "narrower" ? "Narrower" : "Wider";
  return [`${name}: ${topic.text} brings ${rateForPeople(volume.aDay)}.`, `/papers subscribe ${topic.text}`];
}

function readTopic(text: string): Topic | TopicError {
  try {
    return parseTopic(text);
  } catch (error) {
    if (error instanceof TopicError) return error;
    throw error;
  }
}

function storedTopic(text: string): Topic | null {
  return text === "" ? null : parseTopic(text);
}

/** What two topics share that differ in their filters alone: the words, or else the names, or else the filters. */
function subjectOf(text: string): string {
  const topic = storedTopic(text);
  if (topic === null) return "";
  const having = (kinds: readonly string[]) =>
    topic.groups.filter((group) => group.some(({ kind }) => kinds.includes(kind)));
  const [words, names] = [having(["words"]), having(["org", "author"])];
  const groups = words.length > 0 ? words : names.length > 0 ? names : topic.groups;
  return groups.length === 0 ? "min:" : topicName({ ...topic, groups });
}

export const unsubscribe: Command = {
  name: "unsubscribe",
  summary: "Ends one of this channel's subscriptions",
  usage: "unsubscribe <number or topic>",
  examples: ["unsubscribe 3", "unsubscribe agents"],
  options: [
    {
      name: "subscription",
      summary: "Its number, or its topic's words",
      required: true,
      choices: null,
      complete: completeSubscriptions,
    },
  ],
  who: "settings",
  parse: (text) => ({ subscription: text }),
  async run(desk, asker, args) {
    const wanted = plainText(args["subscription"] ?? "");
    const {
      now,
      undo,
      told: gone,
    } = await changeChannel(
      desk,
      asker,
      (current): Change<Subscription | null> => {
        const found = wanted === "" ? null : findSubscription(current?.subscriptions ?? [], wanted);
        if (current === null || found === null) return { to: null, told: null };
        const left = current.subscriptions.filter((each) => each !== found);
        return { to: { ...current, subscriptions: left }, told: found };
      },
      (found) => (found === null ? "" : `Unsubscribed this channel from ${nameOf(found)}.`),
    );
    if (gone === null) return notFound(now?.subscriptions ?? [], wanted);
    return {
      to: "channel",
      message: {
        ...sentence(`Unsubscribed this channel from ${nameOf(gone)}.`, ...nextLines(desk, now)),
        buttons: undo === null ? [] : [undo],
      },
    };
  },
};

function findSubscription(subscriptions: readonly Subscription[], wanted: string): Subscription | null {
  const number = /^#?(\d{1,9})$/.exec(wanted)?.[1];
  if (number !== undefined) {
    const found = subscriptions.find((each) => each.number === Number(number));
    if (found !== undefined) return found;
  }
  // As lists name it: `3 agents`.
  const named = subscriptions.find((each) => nameOf(each) === wanted.toLowerCase());
  if (named !== undefined) return named;
  if (/^((the )?(general )?top list|general)$/i.test(wanted)) {
    return subscriptions.find((each) => each.topic === "") ?? null;
  }
  const topic = readTopic(wanted);
  if ("message" in topic) return null;
  const related = subscriptions.filter((each) => subjectOf(each.topic) === subjectOf(topic.text));
  return (
    subscriptions.find((each) => each.topic === topic.text) ??
    (related.length === 1 ? (related[0] ?? null) : null)
  );
}

function notFound(subscriptions: readonly Subscription[], wanted: string): Reply {
  if (subscriptions.length === 0) {
    return say("Nothing is subscribed here.", "To begin:", "/papers subscribe agents");
  }
  const lines = subscriptions.map(
    (each) => `${cutAtSentence(nameOf(each), 80)}: /papers unsubscribe ${each.number}`,
  );
  if (wanted === "") return say("Which one? Its number suffices.", ...lines);
  const missing = `There is no subscription “${cutAtSentence(wanted, 100)}” here.`;
  const text = wanted.toLowerCase().slice(0, 100);
  const distance = ({ topic }: Subscription) => {
    const name = topic.slice(0, 100) || "top list";
    return Math.min(...[name, ...name.split(" ")].map((part) => editDistance(text, part)));
  };
  const [nearest] = subscriptions.toSorted((a, b) => distance(a) - distance(b));
  // A number is near no other, and what is more than half different names something else.
  if (nearest === undefined || /^#?\d+$/.test(wanted) || distance(nearest) > text.length / 2) {
    return say(`${missing} These are:`, ...lines);
  }
  return say(`${missing} The nearest is`, `${nameOf(nearest)}: /papers unsubscribe ${nearest.number}`);
}

async function completeSubscriptions(desk: Desk, asker: Asker, typed: string): Promise<readonly Choice[]> {
  const wanted = plainText(typed).toLowerCase();
  return (await desk.channels.subscriptions(asker.where))
    .filter((each) => nameOf(each).includes(wanted))
    .slice(0, MOST_SUBSCRIPTIONS)
    .map((each) => ({ label: cutAtSentence(nameOf(each), 100), value: String(each.number) }));
}

export const subscriptions: Command = {
  name: "subscriptions",
  summary: "What this channel gets, when, and what would come now",
  usage: "subscriptions",
  examples: ["subscriptions"],
  options: [],
  who: "all",
  parse: () => ({}),
  async run(desk, asker) {
    const state = await readState(desk, asker);
    if (state === null) return nothingYet();
    const recent = await recentDays(desk.store, feedDay(desk.clock()));
    const volumes = await Promise.all(
      state.subscriptions.map((each) => volumeOf(desk, storedTopic(each.topic), recent)),
    );
    // A platform's small print has room for some 900 characters above papers: each line has its share.
    const room = Math.max(14, Math.floor(640 / state.subscriptions.length) - 14);
    const lines = state.subscriptions.map(
      (each, position) =>
        `${cutAtSentence(nameOf(each), room)} · ${rateForPeople(volumes[position]?.aDay ?? 0)}`,
    );
    const { digest, message } = await digestNow(desk, state);
    return {
      to: "asker",
      message: {
        ...message,
        title: count(state.subscriptions.length, "subscription"),
        intro: [
          ...nextLines(desk, state),
          ...lines,
          comingLine(digest),
          ...(desk.notice === null ? [] : [desk.notice]),
        ],
        footer: null,
      },
    };
  },
};

function comingLine({ outcome, listed }: Digest): string {
  if (outcome === "no-list") return "No list is new since the last digest.";
  if (outcome === "quiet") return `Now none of ${count(listed, "paper")} would come.`;
  return `Now ${LAST_SHOWN} of ${count(listed, "paper")} would come:`;
}

export const preview: Command = {
  name: "preview",
  summary: "The next digest as it would be now; nothing is posted",
  usage: "preview",
  examples: ["preview"],
  options: [],
  who: "all",
  parse: () => ({}),
  async run(desk, asker) {
    const state = await readState(desk, asker);
    if (state === null) return nothingYet();
    const { message } = await digestNow(desk, state);
    return {
      to: "asker",
      message: {
        ...message,
        title: "Preview · nothing is posted",
        intro: [message.title, ...message.intro],
      },
    };
  },
};

/** Null where nothing is subscribed. */
async function readState(desk: Desk, { where }: Asker): Promise<ChannelState | null> {
  const [channel, subscribed] = await Promise.all([
    desk.channels.channel(where),
    desk.channels.subscriptions(where),
  ]);
  return channel === null || subscribed.length === 0 ? null : { channel, subscriptions: subscribed };
}

function nothingYet(): Reply {
  return say("Nothing is subscribed here yet.", "To begin:", "/papers subscribe agents", "/papers subscribe");
}

/** The digest as it would be now, in words. Nothing is recorded. */
async function digestNow(
  desk: Desk,
  { channel, subscriptions: subscribed }: ChannelState,
): Promise<{ readonly digest: Digest; readonly message: Message }> {
  const today = feedDay(desk.clock());
  const pool = await readPool(desk, { from: channel.readFrom < today ? channel.readFrom : today, to: today });
  const [had, judged, past] = await Promise.all([
    desk.ledger.delivered(
      channel,
      pool.papers.map(({ id }) => id),
    ),
    readJudged(desk, channel),
    desk.ledger.history(channel, 12),
  ]);
  const profile = judged.length === 0 ? null : createProfile(judged);
  const digest = await planChannelDigest(pool, {
    subscriptions: subscribed,
    had,
    after: lastDayOf(
      past.filter(({ kind }) => kind === "digest"),
      channel,
    ),
    profile,
  });
  const { next, schedule, top } = channel;
  const footer = next === null ? null : `Next: ${dueForPeople(next, schedule.zone)}`;
  const page = { today, top, pagesId: null, notice: desk.notice, footer };
  const message = digestMessage(digest, page) ?? {
    ...sentence("No list is new since the last digest", "Weekends and holidays have none."),
    footer,
  };
  return { digest, message };
}
