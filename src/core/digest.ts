import { paperFacts, paperItem, paperSelect } from "./answer.ts";
import type { Subscription } from "./channel.ts";
import type { Archive } from "./context.ts";
import { addDays, type Day, dayForPeople, isWeekend, shortDate } from "./day.ts";
import type { RefreshReport } from "./ingest.ts";
import { LAST_SHOWN, type Message } from "./message.ts";
import { count, shortNumber } from "./numbers.ts";
import {
  type Candidate,
  type Profile,
  type Ranked,
  rank,
  type Similarity,
  similarityAmong,
  wordsOf,
} from "./rank.ts";
import type { SearchHit } from "./search.ts";
import type { ListedDay, StoredPaper } from "./store.ts";
import { parseTopic, type Topic, topicName } from "./topic.ts";

export type DigestQuery = {
  readonly day: Day;
  /** None: the general top list. */
  readonly topics: readonly Topic[];
};

/** What a channel would get for a day, or for the days since its last digest. */
export type Digest = {
  /** The newest day with papers; the last day asked for where there is none. */
  readonly day: Day;
  /** The oldest day with papers that no digest before was about. */
  readonly firstDay: Day;
  /** `quiet`: there is a list and nothing in it matched. `no-list`: a weekend, a holiday, or a day not stored. */
  readonly outcome: "sent" | "quiet" | "no-list";
  /** Papers on the lists, without those that the channel has had. */
  readonly listed: number;
  /** How the topics are called in the digest; none for the general top list alone. */
  readonly topics: readonly string[];
  /** All that matched, best first. */
  readonly ranked: readonly Ranked[];
  /** ISO instant at which the newest list was last seen; null without a list. */
  readonly seenAt: string | null;
};

/** Reads the day's list, finds what the topics match (any one suffices) and ranks it. */
export async function planDigest(context: Archive, { day, topics }: DigestQuery): Promise<Digest> {
  const pool = await readPool(context, { from: day, to: day });
  const names = topics.map((topic) => topic.text);
  return choose(pool, topics.length === 0 ? [null] : topics, names, { after: addDays(day, -1) });
}

/** What the digests of the same days share; read once for all of them, and of no use once the lists have grown. */
export type Pool = {
  readonly to: Day;
  /** Lists that have papers, newest first. */
  readonly lists: readonly ListedDay[];
  /** The papers of all lists, each once. */
  readonly papers: readonly StoredPaper[];
  /** Upvotes won since the day before; without those that nobody looked at then. */
  readonly gains: ReadonlyMap<string, number>;
  readonly similarity: Similarity;
  /** Which of the papers a topic matches; asked once a topic. */
  hits(topic: Topic): Promise<readonly SearchHit[]>;
};

/** A digest looks no further back than two weekly ones: its own day and those before it. */
export const MOST_DAYS = 14;

/** Reads the lists of some days, at least of `to`. `breathe` lets others have the event loop between its steps. */
export async function readPool(
  { store, index }: Archive,
  { from, to }: { readonly from: Day; readonly to: Day },
  breathe: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve)),
): Promise<Pool> {
  const [, first = to] = [addDays(to, 1 - MOST_DAYS), from, to].toSorted();
  const lists = (await store.days({ from: first, to })).filter((list) => list.count > 0);
  const byId = new Map<string, StoredPaper>();
  for (const { day } of lists) {
    for (const paper of (await store.list(day))?.papers ?? []) byId.set(paper.id, paper);
    await breathe();
  }
  const papers = [...byId.values()];
  const bags = [];
  for (const [position, paper] of papers.entries()) {
    bags.push({ id: paper.id, words: wordsOf(paper) });
    if (position % 10 === 9) await breathe();
  }
  const among = papers.map((paper) => paper.id);
  const asked = new Map<string, Promise<readonly SearchHit[]>>();
  const [newest] = lists;
  return {
    to,
    lists,
    papers,
    gains: newest === undefined ? new Map() : await gainsSinceYesterday(store, papers, newest.seenAt),
    similarity: similarityAmong(bags),
    hits(topic) {
      let hits = asked.get(topic.text);
      if (hits === undefined) {
        hits = index.search({ topic, match: "all", limit: 500, among });
        asked.set(topic.text, hits);
        // A failed search is asked again by the next digest.
        hits.catch(() => asked.delete(topic.text));
      }
      return hits;
    },
  };
}

export type ChannelQuery = {
  /** At least one. */
  readonly subscriptions: readonly Subscription[];
  /** Papers that the channel has had. */
  readonly had: ReadonlySet<string>;
  /** The last list day that a digest before was about: with no list after it there is nothing to send. */
  readonly after: Day;
  /** What the channel likes; null where it never said. */
  readonly profile: Profile | null;
};

/**
 * A channel's digest out of a pool: what any of its subscriptions matches and the channel has not had, each
 * subscription's best first.
 * @throws TopicError where a subscription's topic cannot be read
 */
export function planChannelDigest(pool: Pool, query: ChannelQuery): Promise<Digest> {
  const { subscriptions } = query;
  const topics = subscriptions.map(({ topic }) => (topic === "" ? null : parseTopic(topic)));
  const names = subscriptions.map(
    ({ number }, position) => `${number} ${subscriptionName(topics[position] ?? null)}`,
  );
  return choose(pool, topics, topics.every((topic) => topic === null) ? [] : names, query);
}

function subscriptionName(topic: Topic | null): string {
  return topic === null ? "top list" : topicName(topic);
}

/** @param topics null for the general top list, which every paper is on */
async function choose(
  pool: Pool,
  topics: readonly (Topic | null)[],
  names: readonly string[],
  query: { readonly after: Day; readonly had?: ReadonlySet<string>; readonly profile?: Profile | null },
): Promise<Digest> {
  const { after, had, profile } = query;
  const papers = had === undefined ? pool.papers : pool.papers.filter(({ id }) => !had.has(id));
  const day = pool.lists[0]?.day ?? pool.to;
  const fresh = pool.lists.filter((list) => list.day > after);
  const digest = {
    day,
    firstDay: fresh.at(-1)?.day ?? day,
    topics: names,
    seenAt: pool.lists[0]?.seenAt ?? null,
  };
  if (fresh.length === 0) return { ...digest, outcome: "no-list", listed: 0, ranked: [] };
  const matches = await matchesOf(pool, topics);
  const all = topics.includes(null);
  const candidates = papers.flatMap((paper): Candidate[] => {
    const matched = matches.get(paper.id) ?? [];
    if (!all && matched.length === 0) return [];
    return [{ paper, matches: matched, gain: pool.gains.get(paper.id) ?? null }];
  });
  return {
    ...digest,
    outcome: candidates.length > 0 ? "sent" : "quiet",
    listed: papers.length,
    ranked: rank(candidates, {
      day,
      topics: topics.map((topic) => topic?.text ?? ""),
      similarity: pool.similarity,
      ...(profile ? { profile } : {}),
    }),
  };
}

async function matchesOf(
  pool: Pool,
  topics: readonly (Topic | null)[],
): Promise<ReadonlyMap<string, Candidate["matches"]>> {
  const found = await Promise.all(
    topics.flatMap((topic) => (topic === null ? [] : [pool.hits(topic).then((hits) => ({ topic, hits }))])),
  );
  const matches = new Map<string, Candidate["matches"][number][]>();
  for (const { topic, hits } of found) {
    const name = topicName(topic);
    for (const { id, score } of hits) {
      const match = { topic: topic.text, name, score };
      const others = matches.get(id);
      if (others === undefined) matches.set(id, [match]);
      else others.push(match);
    }
  }
  return matches;
}

const HOUR_MS = 3_600_000;

/** Against the last look that is 20 to 52 hours older than the list's. */
export async function gainsSinceYesterday(
  store: Archive["store"],
  papers: readonly StoredPaper[],
  seenAt: string,
): Promise<ReadonlyMap<string, number>> {
  const before = (hours: number) => new Date(Date.parse(seenAt) - hours * HOUR_MS).toISOString();
  const snapshots = await store.snapshots(
    papers.map((paper) => paper.id),
    before(52),
  );
  const then = new Map(
    snapshots
      .filter(({ takenAt }) => takenAt <= before(20))
      .map(({ paperId, upvotes }) => [paperId, upvotes]),
  );
  return new Map(
    papers.flatMap((paper) => {
      const upvotes = then.get(paper.id);
      return upvotes === undefined ? [] : [[paper.id, paper.upvotes - upvotes] as const];
    }),
  );
}

/**
 * Whether a day's list may be sent. `settled`: it is complete enough. `filling`: papers are still coming. `closed`:
 * Hugging Face has no such list, or not yet. `unreachable`: nobody knows.
 */
export type Freshness = {
  readonly state: "settled" | "filling" | "closed" | "unreachable";
  /** A sentence for people; empty with `settled`. */
  readonly detail: string;
};

/** How a day's list stands after the last refresh; null while there was none since the start. */
export function freshnessOf(report: RefreshReport | null, day: Day): Freshness {
  if (isWeekend(day)) return { state: "closed", detail: "Weekends have no list." };
  const refreshed = report?.days.find((each) => each.day === day);
  // A report looks at the current list and the one before: older ones no longer change.
  if (report !== null && day < report.today && refreshed === undefined) {
    return { state: "settled", detail: "" };
  }
  if (refreshed?.outcome === "failed" || (refreshed === undefined && report?.failure)) {
    const [newest] =
      report?.days
        .flatMap(({ asOf }) => asOf ?? [])
        .toSorted()
        .reverse() ?? [];
    const last =
      newest === undefined
        ? ""
        : `: the last good list is as of ${instantForPeople(newest, report?.today ?? day)}`;
    return { state: "unreachable", detail: `Hugging Face is out of reach${last}.` };
  }
  if (refreshed?.settled) return { state: "settled", detail: "" };
  if (refreshed?.outcome === "closed") {
    return { state: "closed", detail: "Hugging Face has no list for the day." };
  }
  return { state: "filling", detail: "The day's list is still filling." };
}

export type DigestPage = {
  /** The feed day now: dates of another year carry their year. */
  readonly today: Day;
  /** Papers on a page, 1 to 20. */
  readonly top: number;
  readonly offset?: number;
  /** The page buttons' id, beginning with `v1:`; null for a digest without pages. */
  readonly pagesId: string | null;
  readonly notice: string | null;
  /** Takes the place of the line that says when the list was seen. */
  readonly footer?: string | null;
};

/** A digest in words. Null where there is no list: nothing is posted then. */
export function digestMessage(digest: Digest, page: DigestPage): Message | null {
  if (digest.outcome === "no-list") return null;
  const { top, today } = page;
  // A page that is no longer there is the last one that is.
  const offset = Math.min(page.offset ?? 0, Math.max(0, digest.ranked.length - 1));
  const shown = digest.ranked.slice(offset, offset + top);
  const topics = digest.topics.length > 0 ? `topics ${digest.topics.join(", ")}` : null;
  const counts =
    digest.outcome === "quiet"
      ? `None of ${count(digest.listed, "paper")} matched`
      : offset > 0
        ? `${offset + 1} to ${LAST_SHOWN} of ${count(digest.ranked.length, "paper")}`
        : `${LAST_SHOWN} of ${count(digest.listed, "paper")}`;
  return {
    title: `Daily Papers · ${daysForPeople(digest, today)}`,
    intro: [
      [counts, topics].filter((part) => part !== null).join(" · "),
      ...(page.notice === null ? [] : [page.notice]),
    ],
    items: shown.map(({ paper, why }, index) => ({
      ...paperItem(paper),
      rank: offset + index + 1,
      facts: [...paperFacts(paper), ...why],
    })),
    select: shown.length > 0 ? paperSelect(shown.map(({ paper }) => paper)) : null,
    buttons: [],
    pages:
      page.pagesId === null || digest.outcome === "quiet"
        ? null
        : { id: page.pagesId, offset, total: digest.ranked.length },
    footer:
      page.footer !== undefined
        ? page.footer
        : digest.seenAt === null
          ? null
          : `Hugging Face Daily Papers as of ${instantForPeople(digest.seenAt, today)}`,
  };
}

function daysForPeople({ firstDay, day }: Digest, today: Day): string {
  const last = dayForPeople(day, today);
  return firstDay === day ? last : `${dayForPeople(firstDay, today)} to ${last}`;
}

/** Such as `09:05 UTC` today, else `22 Apr`. */
function instantForPeople(instant: string, today: Day): string {
  const day = instant.slice(0, 10);
  return day === today ? `${instant.slice(11, 16)} UTC` : shortDate(day, today);
}

/** Why a paper is in a digest, for programs: `matches agents; +38 since yesterday; code, 1.2k stars`. */
export function whyLine({ paper, why }: Ranked): string {
  const stars = paper.stars ? `, ${shortNumber(paper.stars)} stars` : "";
  return [...why, ...(paper.codeUrl === null ? [] : [`code${stars}`])].join("; ");
}
