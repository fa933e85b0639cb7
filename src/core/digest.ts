import { paperFacts, paperItem, paperSelect } from "./answer.ts";
import type { Context } from "./context.ts";
import { type Day, shortDate, dayForPeople } from "./day.ts";
import type { Message } from "./message.ts";
import { count, shortNumber } from "./numbers.ts";
import { type Candidate, type Ranked, rank } from "./rank.ts";
import type { StoredPaper } from "./store.ts";
import { type Topic, topicName } from "./topic.ts";

export type DigestQuery = {
  readonly day: Day;
  /** None: the general top list. */
  readonly topics: readonly Topic[];
};

/** What a channel would get for a day. */
export type Digest = {
  readonly day: Day;
  /** `quiet`: there is a list and nothing in it matched. `no-list`: a weekend, a holiday, or a day not stored. */
  readonly outcome: "sent" | "quiet" | "no-list";
  /** Papers on the list. */
  readonly listed: number;
  readonly topics: readonly string[];
  /** All that matched, best first. */
  readonly ranked: readonly Ranked[];
  /** ISO instant at which the list was last seen; null without a list. */
  readonly seenAt: string | null;
};

/** Reads the day's list, finds what the topics match (any one suffices) and ranks it. */
export async function planDigest(
  context: Pick<Context, "store" | "index">,
  query: DigestQuery,
): Promise<Digest> {
  const { day, topics } = query;
  const list = await context.store.list(day);
  const names = topics.map((topic) => topic.text);
  if (list === null || list.papers.length === 0) {
    return { day, outcome: "no-list", listed: 0, topics: names, ranked: [], seenAt: list?.seenAt ?? null };
  }
  const gains = await gainsSinceYesterday(context.store, list.papers, list.seenAt);
  const matches = await matchesOf(context.index, topics, list.papers);
  const candidates = list.papers.flatMap((paper): Candidate[] => {
    const matched = matches.get(paper.id) ?? [];
    if (topics.length > 0 && matched.length === 0) return [];
    return [{ paper, matches: matched, gain: gains.get(paper.id) ?? null }];
  });
  return {
    day,
    outcome: candidates.length > 0 ? "sent" : "quiet",
    listed: list.papers.length,
    topics: names,
    ranked: rank(candidates, { day, topics: names }),
    seenAt: list.seenAt,
  };
}

async function matchesOf(
  index: Context["index"],
  topics: readonly Topic[],
  papers: readonly StoredPaper[],
): Promise<ReadonlyMap<string, Candidate["matches"]>> {
  const among = papers.map((paper) => paper.id);
  const hits = await Promise.all(
    topics.map((topic) => index.search({ topic, match: "all", limit: 500, among })),
  );
  const matches = new Map<string, Candidate["matches"][number][]>();
  for (const [position, topic] of topics.entries()) {
    for (const { id, score } of hits[position] ?? []) {
      matches.set(id, [...(matches.get(id) ?? []), { topic: topic.text, name: topicName(topic), score }]);
    }
  }
  return matches;
}

const HOUR_MS = 3_600_000;

/** Against the last look that is 20 to 52 hours older than the list's. */
async function gainsSinceYesterday(
  store: Context["store"],
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

export type DigestPage = {
  /** The feed day now: dates of another year carry their year. */
  readonly today: Day;
  /** Papers on a page, 1 to 20. */
  readonly top: number;
  readonly offset?: number;
  /** The page buttons' id, beginning with `v1:`; null for a digest without pages. */
  readonly pagesId: string | null;
  readonly notice: string | null;
};

/** A digest in words. Null where there is no list: nothing is posted then. */
export function digestMessage(digest: Digest, page: DigestPage): Message | null {
  if (digest.outcome === "no-list") return null;
  const { top, today, offset = 0 } = page;
  const shown = digest.ranked.slice(offset, offset + top);
  const topics = digest.topics.length > 0 ? `topics ${digest.topics.join(", ")}` : null;
  const counts =
    digest.outcome === "quiet"
      ? `None of ${count(digest.listed, "paper")} matched`
      : offset > 0
        ? `${offset + 1} to ${offset + shown.length} of ${count(digest.ranked.length, "paper")}`
        : `${shown.length} of ${count(digest.listed, "paper")}`;
  return {
    title: `Daily Papers · ${dayForPeople(digest.day, today)}`,
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
      digest.seenAt === null
        ? null
        : `Hugging Face Daily Papers as of ${instantForPeople(digest.seenAt, today)}`,
  };
}

/** Such as `22 Apr, 12:00 UTC`. */
function instantForPeople(instant: string, today: Day): string {
  return `${shortDate(instant.slice(0, 10), today)}, ${instant.slice(11, 16)} UTC`;
}

/** Why a paper is in a digest, for programs: `matches agents; +38 since yesterday; code, 1.2k stars`. */
export function whyLine({ paper, why }: Ranked): string {
  const stars = paper.stars ? `, ${shortNumber(paper.stars)} stars` : "";
  return [...why, ...(paper.codeUrl === null ? [] : [`code${stars}`])].join("; ");
}
