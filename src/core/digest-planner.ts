import type { Channel, ChannelKey, ChannelStore, Subscription } from "./channel.ts";
import { sentence } from "./command.ts";
import type { Archive, Clock } from "./context.ts";
import { addDays, type Day, feedDay, isWeekend } from "./day.ts";
import type { Delivery, Frozen, Ledger } from "./delivery.ts";
import {
  type Digest,
  digestMessage,
  type Freshness,
  type Pool,
  planChannelDigest,
  readPool,
} from "./digest.ts";
import type { Message } from "./message.ts";
import { count } from "./numbers.ts";
import type { Profile } from "./rank.ts";
import { dueForPeople, isPaused, timeForPeople } from "./schedule.ts";
import { parseTopic, topicName } from "./topic.ts";
import { narrowerOrWider, type RecentDays, recentDays } from "./volume.ts";

export type DigestPlannerOptions = Archive & {
  readonly channels: Pick<ChannelStore, "channel" | "subscriptions">;
  readonly ledger: Pick<Ledger, "history" | "delivered">;
  readonly clock: Clock;
  /** Lets others have the event loop. */
  readonly breathe: () => Promise<void>;
  /** How a day's list stands. */
  readonly freshness: (day: Day) => Freshness;
  /** While the bundled sample serves, the sentence that says so: its papers are never recorded as delivered. */
  readonly sampleNotice?: () => string | null;
  /** What a channel likes; null where it never said. */
  readonly profile?: (key: ChannelKey) => Promise<Profile | null>;
};

/** What a claimed delivery is to become: a message, a wait for its list, or an end without a message. */
export type Planned =
  | ({ readonly kind: "content" } & Omit<Frozen, "id">)
  | { readonly kind: "waiting"; readonly nextAttemptAt: number; readonly detail: string }
  | {
      readonly kind: "ended";
      readonly outcome: "quiet" | "no-list" | "skipped-late" | "failed";
      readonly detail: string;
      /** Whether the digest was about its days, so that the next one begins with the last of them. */
      readonly read: boolean;
      /** A line for the channel that comes of it; null for none. */
      readonly notice: Message | null;
    };

const MINUTE_MS = 60_000;
/** A digest is called late after this, and is not begun after that. */
export const LATE_MS = 30 * MINUTE_MS;
export const SKIP_MS = 12 * 60 * MINUTE_MS;
/** Why one is not begun; the beginning of a sentence. */
export const TOO_LATE = "It was more than 12 hours late";
/** How long a list may take to fill, and how often it is looked at. */
const FILL_MS = 90 * MINUTE_MS;
const FILL_LOOK_MS = 5 * MINUTE_MS;
/** What digests share is read again after this. */
const SHARED_MS = MINUTE_MS;
/** So many digests in a row that found nothing are worth a line, with so many topics made wider. */
const QUIET_RUN = 3;
const QUIET_TOPICS = 3;
/** Deliveries of a channel that are looked back at. */
const HISTORY = 12;

/** Decides what deliveries become. What the digests of the same days share is read once. */
export function createDigestPlanner(options: DigestPlannerOptions): {
  /** @throws what the stores throw, and TopicError where a subscription cannot be read */
  plan(delivery: Delivery): Promise<Planned>;
} {
  const { channels, ledger, store, clock, breathe, freshness } = options;
  const pools = new Map<string, Shared<Pool>>();
  const recents = new Map<string, Shared<RecentDays>>();

  async function plan(delivery: Delivery): Promise<Planned> {
    const now = clock();
    const lateMs = now.getTime() - Date.parse(delivery.dueAt);
    const tooLate = lateMs > SKIP_MS;
    if (tooLate && delivery.kind !== "digest") return ended("skipped-late", `${TOO_LATE}.`);
    const channel = await channels.channel(delivery);
    const subscriptions = await channels.subscriptions(delivery);
    if (channel === null || subscriptions.length === 0) {
      return ended("skipped-late", "The channel has no subscription any more.");
    }
    if (isPaused(channel, now)) return ended("skipped-late", "The channel is paused.");
    if (delivery.kind === "sample") return planSample(delivery, channel, subscriptions);
    if (delivery.kind === "notice") return ended("failed", "It had nothing to say.");

    const day = feedDay(new Date(delivery.dueAt));
    const fresh = freshness(day);
    // That a day had no list stays true, however late it is said.
    if (tooLate && fresh.state !== "closed") return SKIPPED;
    const closed = fresh.state === "closed" && (isWeekend(day) || feedDay(now) > day);
    const fillsUntil = Date.parse(delivery.dueAt) + FILL_MS;
    if (fresh.state !== "settled" && !closed && now.getTime() < fillsUntil) {
      const by = timeForPeople({ at: new Date(fillsUntil).toISOString() }, channel.schedule.zone);
      const proviso = fresh.state === "closed" ? " if there is a list" : "";
      return {
        kind: "waiting",
        nextAttemptAt: Math.min(fillsUntil, now.getTime() + FILL_LOOK_MS),
        detail: `${fresh.detail.replace(/\.$/, "")}: the digest comes by ${by}${proviso}.`,
      };
    }

    const past = (await ledger.history(delivery, HISTORY)).filter(
      ({ id, kind }) => id !== delivery.id && kind === "digest",
    );
    const pool = await shared(pools, `${channel.readFrom} ${day}`, () =>
      readPool(options, { from: channel.readFrom, to: day }, breathe),
    );
    const digest = await planChannelDigest(pool, {
      subscriptions,
      had: await hadBy(delivery, past, pool),
      after: lastDayOf(past, channel),
      profile: (await options.profile?.(delivery)) ?? null,
    });
    if (digest.outcome === "no-list") {
      if (fresh.state === "unreachable") return ended("failed", fresh.detail);
      const by = timeForPeople({ at: now.toISOString() }, channel.schedule.zone);
      const detail = fresh.state === "filling" ? `Nothing was on the list by ${by}.` : fresh.detail;
      return ended("no-list", detail || "There is no list since the last digest.", true);
    }
    if (tooLate) return SKIPPED;
    const note = fresh.state === "settled" || isWeekend(day) ? null : fresh.detail;
    if (digest.outcome === "quiet") {
      const counted = `0 of ${count(digest.listed, "paper")} matched.`;
      const detail = note === null ? counted : `${counted} ${note}`;
      return ended("quiet", detail, true, await quietNotice(subscriptions, past));
    }
    const due = dueForPeople({ at: delivery.dueAt }, channel.schedule.zone);
    const late = lateMs > LATE_MS ? `Late: this was due ${due}.` : null;
    const notices = [late, note].filter((line) => line !== null);
    return contentOf(delivery, channel, digest, notices.length === 0 ? null : notices.join(" "));
  }

  /** What the channel would get of the newest list. */
  async function planSample(
    delivery: Delivery,
    channel: Channel,
    subscriptions: readonly Subscription[],
  ): Promise<Planned> {
    const lists = await store.days({ to: feedDay(clock()), limit: 2 * HISTORY });
    const day = lists.find((list) => list.count > 0)?.day;
    if (day === undefined) return ended("no-list", "There is no list yet.");
    const pool = await shared(pools, `${day} ${day}`, () =>
      readPool(options, { from: day, to: day }, breathe),
    );
    const after = addDays(day, -1);
    const digest = await planChannelDigest(pool, { subscriptions, had: new Set(), after, profile: null });
    if (digest.outcome !== "sent") return ended("quiet", `0 of ${count(digest.listed, "paper")} matched.`);
    return contentOf(delivery, channel, digest, "A sample of the newest list.");
  }

  function contentOf(
    { id }: Delivery,
    { schedule, top, next }: Channel,
    digest: Digest,
    notice: string | null,
  ): Planned {
    const sample = options.sampleNotice?.() ?? null;
    const notices = [notice, sample].filter((line) => line !== null);
    const content = digestMessage(digest, {
      today: feedDay(clock()),
      top,
      pagesId: `v1:page:${id}`,
      notice: notices.length === 0 ? null : notices.join(" "),
      footer: next === null ? null : `Next: ${dueForPeople(next, schedule.zone)}`,
    });
    if (content === null) return ended("no-list", "There is no list.", true);
    const paperIds = digest.ranked.map(({ paper }) => paper.id);
    return { kind: "content", content, paperIds, shown: sample === null ? content.items.length : 0 };
  }

  /** What the channel has had, and what another digest of it has on the way. */
  async function hadBy(key: ChannelKey, past: readonly Delivery[], pool: Pool): Promise<ReadonlySet<string>> {
    const among = pool.papers.map(({ id }) => id);
    const onTheWay = past.filter(({ settledAt }) => settledAt === null);
    return new Set([
      ...(await ledger.delivered(key, among)),
      ...onTheWay.flatMap(({ paperIds, shown }) => paperIds.slice(0, shown)),
    ]);
  }

  /** After so many quiet digests in a row, one line, and what would widen the topics; null otherwise. */
  async function quietNotice(
    subscriptions: readonly Subscription[],
    past: readonly Delivery[],
  ): Promise<Message | null> {
    const spoken = past.filter(({ outcome }) => SPOKEN.has(outcome));
    const loud = spoken.findIndex(({ outcome }) => outcome !== "quiet");
    if ((loud < 0 ? spoken.length : loud) !== QUIET_RUN - 1) return null;
    const recent = await shared(recents, "recent", () => recentDays(store, feedDay(clock())));
    // The top list is quiet only where all of it was here before, and nothing is wider.
    const topList = subscriptions.some(({ topic }) => topic === "");
    const intro = topList ? ["Every paper on the newest list was in a digest before."] : [];
    for (const { number, topic: text } of topList ? [] : subscriptions.slice(0, QUIET_TOPICS)) {
      const topic = parseTopic(text);
      const wider = await narrowerOrWider(options, topic, recent);
      if (wider?.kind !== "wider") continue;
      const papers = count(wider.volume.papers.length, "paper");
      intro.push(
        `Wider than ${number} ${topicName(topic)}: ${wider.topic.text} (${papers} in the last ${count(recent.length, "list")})`,
      );
    }
    if (intro.length === 0) intro.push("Fewer words, or a smaller min:, would widen the topics.");
    return sentence(`Nothing matched in ${QUIET_RUN} digests in a row`, ...intro);
  }

  function shared<T>(cache: Map<string, Shared<T>>, key: string, read: () => Promise<T>): Promise<T> {
    const now = clock().getTime();
    for (const [other, { at }] of cache) if (now - at > SHARED_MS) cache.delete(other);
    const known = cache.get(key);
    if (known !== undefined) return known.value;
    const value = read();
    value.catch(() => cache.delete(key));
    cache.set(key, { at: now, value });
    return value;
  }

  return { plan };
}

type Shared<T> = { readonly at: number; readonly value: Promise<T> };

/** Digests that had lists to speak about. */
const SPOKEN: ReadonlySet<string> = new Set(["sent", "sent-late", "uncertain", "quiet"]);

/** The last list day that these digests of a channel were about. */
export function lastDayOf(past: readonly Delivery[], { readFrom }: Channel): Day {
  const days = past
    .filter(({ outcome }) => SPOKEN.has(outcome) || outcome === "no-list")
    .map(({ dueAt }) => feedDay(new Date(dueAt)));
  return [addDays(readFrom, -1), ...days].toSorted().at(-1) ?? readFrom;
}

/** The end of a digest that would come too late. */
const SKIPPED: Planned = {
  kind: "ended",
  outcome: "skipped-late",
  detail: `${TOO_LATE}; its papers come with the next digest.`,
  read: false,
  notice: null,
};

function ended(
  outcome: Extract<Planned, { kind: "ended" }>["outcome"],
  detail: string,
  read = false,
  notice: Message | null = null,
): Planned {
  return { kind: "ended", outcome, detail, read, notice };
}
