import type { Choice } from "./command.ts";
import type { Archive, Clock } from "./context.ts";
import { feedDay } from "./day.ts";
import { cutAtSentence, plainText } from "./readable.ts";
import { recentDays } from "./volume.ts";

/** What many papers were about lately, the most frequent first. */
export type FrequentTopics = () => Promise<readonly FrequentTopic[]>;
export type FrequentTopic = { readonly topic: string; readonly papers: number };

/** Counted again after this. */
const FRESH_MS = 3_600_000;
const MOST_TOPICS = 500;
/** A keyword of one paper is no topic yet. */
const FEWEST_PAPERS = 2;
const LONGEST = 60;
const MOST_CHOICES = 25;

/** Counts the keywords of the last fourteen lists, once an hour at most. */
export function createFrequentTopics(store: Archive["store"], clock: Clock): FrequentTopics {
  let counted: { readonly at: number; readonly topics: Promise<readonly FrequentTopic[]> } | null = null;
  return () => {
    const at = clock().getTime();
    if (counted !== null && Math.abs(at - counted.at) < FRESH_MS) return counted.topics;
    const topics = countTopics(store, clock);
    topics.catch(() => {
      counted = null;
    });
    counted = { at, topics };
    return topics;
  };
}

async function countTopics(store: Archive["store"], clock: Clock): Promise<readonly FrequentTopic[]> {
  const counts = new Map<string, number>();
  for (const { papers } of await recentDays(store, feedDay(clock()))) {
    for (const { aiKeywords } of papers) {
      for (const keyword of new Set(aiKeywords.map(topicOf))) {
        if (keyword !== "") counts.set(keyword, (counts.get(keyword) ?? 0) + 1);
      }
    }
  }
  return [...counts]
    .map(([topic, papers]) => ({ topic, papers }))
    .filter(({ papers }) => papers >= FEWEST_PAPERS)
    .toSorted((a, b) => b.papers - a.papers || (a.topic < b.topic ? -1 : 1))
    .slice(0, MOST_TOPICS);
}

/** A keyword as a topic's words; empty where the topic language would read it as more than words. */
function topicOf(keyword: string): string {
  const words = plainText(keyword).toLowerCase();
  return words.length <= LONGEST && /^[\p{L}\p{N}][\p{L}\p{N} .+-]*$/u.test(words) ? words : "";
}

/**
 * What a topic that is being typed may become: frequent ones that begin so, then those with a word that does. Behind
 * other words only the last one is completed, so that `agents -rob` becomes `agents -robotics`.
 */
export async function completeTopic(frequent: FrequentTopics, typed: string): Promise<readonly Choice[]> {
  const all = await frequent();
  const text = plainText(typed).toLowerCase();
  const whole = matching(all, text).map(({ topic, papers }) => choice(topic, papers));
  const [, before = "", mark = "", last = ""] = /^(.*\s)?(-?)"?([^\s"]*)$/.exec(text) ?? [];
  const isPart = (before !== "" || mark !== "") && last !== "";
  const parts = isPart
    ? matching(all, last).map(({ topic, papers }) =>
        choice(`${before}${mark}${topic.includes(" ") ? `"${topic}"` : topic}`, papers),
      )
    : [];
  return [...new Map([...whole, ...parts].map((each) => [each.value, each])).values()].slice(0, MOST_CHOICES);
}

function matching(all: readonly FrequentTopic[], text: string): readonly FrequentTopic[] {
  const begins = all.filter(({ topic }) => topic.startsWith(text));
  const within = all.filter(({ topic }) => !topic.startsWith(text) && topic.includes(` ${text}`));
  return [...begins, ...within];
}

function choice(value: string, papers: number): Choice {
  return { label: cutAtSentence(`${value} · ${papers} papers lately`, 100), value };
}
