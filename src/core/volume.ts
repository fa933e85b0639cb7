import type { Archive } from "./context.ts";
import type { Day } from "./day.ts";
import { count } from "./numbers.ts";
import type { StoredPaper } from "./store.ts";
import { parseTopic, type Term, type Topic, TopicError, topicName } from "./topic.ts";
import { stems } from "./words.ts";

/** The newest list days that have papers, newest first; a paper stands on the first of them that listed it. */
export type RecentDays = readonly { readonly day: Day; readonly papers: readonly StoredPaper[] }[];

const RECENT_DAYS = 14;

/** What a topic brought lately. */
export type Volume = {
  /** List days looked at; 0 while none is stored. */
  readonly days: number;
  /** Papers that matched, each counted once. */
  readonly papers: readonly StoredPaper[];
  readonly aDay: number;
  /** Days on which nothing new matched. */
  readonly emptyDays: number;
};

/** A topic near another, with what it would bring. */
export type Neighbor = {
  readonly kind: "narrower" | "wider";
  readonly topic: Topic;
  readonly volume: Volume;
};

type Desk = Archive;

/**
 * "The last 14 days": as many stored list days that have papers.
 * @param to the last of them at most; none for the newest stored
 */
export async function recentDays(store: Archive["store"], to?: Day): Promise<RecentDays> {
  // Weekends are stored too, as lists without papers.
  const stored = await store.days({ limit: 3 * RECENT_DAYS, ...(to === undefined ? {} : { to }) });
  const newest = stored.filter((each) => each.count > 0).slice(0, RECENT_DAYS);
  const lists = await Promise.all(newest.map(({ day }) => store.list(day)));
  const first = new Map<string, Day>();
  for (const list of lists.toReversed()) {
    for (const { id } of list?.papers ?? []) if (!first.has(id)) first.set(id, list?.day ?? "");
  }
  return newest.map(({ day }, position) => ({
    day,
    papers: (lists[position]?.papers ?? []).filter(({ id }) => first.get(id) === day),
  }));
}

/**
 * What a topic would have brought on these days, newest and most upvoted first.
 * @param topic null for the general top list, which every paper is on
 */
export async function volumeOf(desk: Desk, topic: Topic | null, recent: RecentDays): Promise<Volume> {
  const matched = topic === null ? null : await matchesOf(desk, topic, recent);
  const perDay = recent.map(({ papers }) =>
    papers
      .filter(({ id }) => matched === null || matched.has(id))
      .toSorted((a, b) => b.upvotes - a.upvotes || (a.id < b.id ? -1 : 1)),
  );
  const papers = perDay.flat();
  return {
    days: recent.length,
    papers,
    aDay: recent.length === 0 ? 0 : papers.length / recent.length,
    emptyDays: perDay.filter((own) => own.length === 0).length,
  };
}

/** Such as `Last 14 days: 31 papers, 2.2 a day, 4 days without.` */
export function volumeForPeople({ days, papers, aDay, emptyDays }: Volume): string {
  if (days === 0) return "There is no list here yet to count in.";
  const last = days === 1 ? "Last day" : `Last ${days} days`;
  if (papers.length === 0) return `${last}: no paper.`;
  const without = emptyDays === 0 ? "" : `, ${count(emptyDays, "day")} without`;
  return `${last}: ${count(papers.length, "paper")}, ${rateForPeople(aDay)}${without}.`;
}

/** Such as `2.2 a day`, or `28 a day` from ten on. */
export function rateForPeople(aDay: number): string {
  return `${aDay < 9.95 ? Number(aDay.toFixed(1)) : Math.round(aDay)} a day`;
}

/**
 * The best of a few topics around this one, each tried on the same days: a narrower one where it brings a paper a day
 * or more, a wider one where it brings less than one in two days. Null where none makes a difference worth a line.
 */
export async function narrowerOrWider(
  desk: Desk,
  topic: Topic | null,
  recent: RecentDays,
): Promise<Neighbor | null> {
  const volume = await volumeOf(desk, topic, recent);
  if (volume.days === 0) return null;
  const kind = topic !== null && volume.aDay < SPARSE ? "wider" : "narrower";
  if (kind === "narrower" && volume.aDay < 1) return null;
  const texts = kind === "wider" && topic !== null ? widerTexts(topic) : narrowerTexts(topic, volume);
  const topics = [...new Set(texts)].flatMap((text) => readable(text)).slice(0, MOST_TRIED);
  const tried = await Promise.all(
    topics.map(async (each) => ({ topic: each, volume: await volumeOf(desk, each, recent) })),
  );
  const [least, most] =
    kind === "wider"
      ? [volume.aDay * 1.2 + Number.EPSILON, WIDEST]
      : [volume.aDay * 0.1 + Number.EPSILON, volume.aDay * 0.8];
  const aim = kind === "wider" ? 1 : Math.min(NARROW, volume.aDay * 0.6);
  const distance = (own: Volume) => Math.abs(Math.log(own.aDay / aim));
  const [best] = tried
    .filter((each) => each.volume.aDay >= least && each.volume.aDay <= most)
    .sort((a, b) => distance(a.volume) - distance(b.volume));
  return best === undefined ? null : { kind, ...best };
}

/** Papers a day below which a topic could be wider. */
const SPARSE = 0.5;
/** No wider topic brings more than this, and a narrower one aims at no more than that. */
const WIDEST = 6;
const NARROW = 3;
/** Each costs one search. */
const MOST_TRIED = 8;
/** What one search gives at most. */
const LARGEST_SEARCH = 500;

async function matchesOf(desk: Desk, topic: Topic, recent: RecentDays): Promise<ReadonlySet<string>> {
  const ids = recent.flatMap(({ papers }) => papers.map((paper) => paper.id));
  const chunks: string[][] = [];
  for (let at = 0; at < ids.length; at += LARGEST_SEARCH) chunks.push(ids.slice(at, at + LARGEST_SEARCH));
  const hits = await Promise.all(
    chunks.map((among) => desk.index.search({ topic, match: "all", limit: LARGEST_SEARCH, among })),
  );
  return new Set(hits.flat().map((hit) => hit.id));
}

function readable(text: string): readonly Topic[] {
  try {
    return [parseTopic(text)];
  } catch (error) {
    if (error instanceof TopicError) return [];
    throw error;
  }
}

/** Without one of the words or filters, words for a phrase, one word or the other for both. */
function widerTexts(topic: Topic): readonly string[] {
  const { groups, excluded, min } = topic;
  const texts: string[] = [];
  if (min !== null && groups.length > 0) texts.push(print({ ...topic, min: null }));
  if (excluded.length > 0) texts.push(print({ ...topic, excluded: [] }));
  for (const [position, group] of groups.entries()) {
    if (groups.length > 1) texts.push(print({ ...topic, groups: groups.toSpliced(position, 1) }));
    const [alternative, ...others] = group;
    if (alternative?.kind !== "words" || others.length > 0) continue;
    const replace = (terms: readonly Term[]) =>
      print({ ...topic, groups: groups.with(position, [{ kind: "words", terms }]) });
    const { terms } = alternative;
    const single = (text: string) => ({ text, phrase: false });
    const words = terms.flatMap(({ text }) => text.split(" ").map(single));
    if (terms.length > 1) for (const left of terms.keys()) texts.push(replace(terms.toSpliced(left, 1)));
    if (terms.some(({ phrase }) => phrase)) texts.push(replace(words));
    const either = terms.length > 1 ? terms : words;
    if (either.length < 2) continue;
    const each = either.map((term) => ({ kind: "words" as const, terms: [term] }));
    texts.push(print({ ...topic, groups: groups.with(position, each) }));
  }
  return texts;
}

/** Without what many of its papers are also about, with code only, with more votes; of the top list, a subject of it. */
function narrowerTexts(topic: Topic | null, volume: Volume): readonly string[] {
  const base = topic?.text ?? "";
  const known = new Set(stems(base));
  const votes = volume.papers.map((paper) => paper.upvotes).sort((a, b) => b - a);
  const median = votes[Math.floor(votes.length / 2)] ?? 0;
  const min = median >= 10 ? Math.floor(median / 5) * 5 : median;
  return [
    ...subjectsOf(volume.papers)
      .filter((subject) => !stems(subject).some((stem) => known.has(stem)))
      .slice(0, MOST_TRIED - 2)
      .map((subject) => {
        const term = subject.includes(" ") ? `"${subject}"` : subject;
        return topic === null ? term : `${base} -${term}`;
      }),
    ...(/\bhas:code\b/.test(base) ? [] : [`${base} has:code`]),
    ...(min > (topic?.min ?? 0) ? [print({ ...(topic ?? EVERYTHING), min })] : []),
  ];
}

const EVERYTHING = { groups: [], excluded: [], min: null } as const;

/** Keywords of one or two words that a tenth to three fifths of the papers have, the most frequent first. */
function subjectsOf(papers: readonly StoredPaper[]): readonly string[] {
  const frequency = new Map<string, number>();
  for (const { aiKeywords } of papers) {
    for (const keyword of new Set(aiKeywords.map((each) => each.toLowerCase()))) {
      if (TOO_GENERAL.has(keyword) || !/^[\p{L}\p{N}-]{3,}(?: [\p{L}\p{N}-]{3,})?$/u.test(keyword)) continue;
      frequency.set(keyword, (frequency.get(keyword) ?? 0) + 1);
    }
  }
  return [...frequency]
    .filter(([, papersWithIt]) => papersWithIt >= 2 && papersWithIt <= papers.length * 0.6)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([keyword]) => keyword);
}

/** Keywords that name the field rather than a subject in it. */
const TOO_GENERAL: ReadonlySet<string> = new Set([
  "language model",
  "language models",
  "foundation models",
  "machine learning",
  "deep learning",
  "neural networks",
  "training",
  "inference",
  "benchmark",
  "benchmarks",
]);

function print(topic: Omit<Topic, "text">): string {
  const { groups, excluded, min } = topic;
  return [
    ...(groups.length === 0 ? [] : [topicName({ text: "", ...topic })]),
    ...excluded.map(({ text, phrase }) => (phrase ? `-"${text}"` : `-${text}`)),
    ...(min === null ? [] : [`min:${min}`]),
  ].join(" ");
}
