import type { ChannelKey, ChannelStore } from "./channel.ts";
import type { Archive } from "./context.ts";
import type { Profile } from "./rank.ts";
import type { StoredPaper } from "./store.ts";
import { isStopWord, parseWord, stems } from "./words.ts";

/** A paper with somebody's word on it: above 0 for more like it, below for less. */
export type Judged = { readonly paper: StoredPaper; readonly value: number };

/** What tells most of what a profile goes by, the weightiest first. Weights are -1 to 1 and never 0. */
export type ProfileTerms = {
  readonly organizations: readonly Weighted[];
  readonly words: readonly Weighted[];
};
export type Weighted = { readonly name: string; readonly weight: number };

/** The channel's newest words on papers, at most 500; those on papers that are not stored are left out. */
export async function readJudged(
  {
    store,
    channels,
  }: { readonly store: Archive["store"]; readonly channels: Pick<ChannelStore, "feedback"> },
  key: ChannelKey,
): Promise<readonly Judged[]> {
  const feedback = (await channels.feedback(key)).slice(0, 500);
  const ids = [...new Set(feedback.map(({ paperId }) => paperId))];
  const papers = new Map((await store.papers(ids)).map((paper) => [paper.id, paper]));
  return feedback.flatMap(({ paperId, value }) => {
    const paper = papers.get(paperId);
    return paper === undefined ? [] : [{ paper, value }];
  });
}

/**
 * How a paper fits what was judged before, -1 to 1; 0 where that says nothing. The order of the judged is of no
 * account. An organization, and each word of a title or a keyword, weighs the sum of its papers' words over their
 * number plus two: one word alone says a third, and none says all. The fit is the hyperbolic tangent of the
 * organization's weight and the words' weights over the root of their number.
 */
export function createProfile(judged: readonly Judged[]): Profile {
  const { organizations, words } = tally(judged);
  return (paper) => {
    const own = wordsOf(paper);
    let sum = 0;
    for (const stem of own.keys()) sum += weightOf(words.get(stem));
    const organization =
      paper.organization === null ? 0 : weightOf(organizations.get(paper.organization.name));
    return Math.tanh(organization + sum / Math.sqrt(Math.max(1, own.size)));
  };
}

/**
 * What tells most of what `createProfile` of the same goes by: from three judged papers on what two of them share,
 * and of a paper that has keywords no word that stands in titles alone.
 */
export function explainProfile(judged: readonly Judged[]): ProfileTerms {
  const { organizations, words } = tally(judged);
  const least = new Set(judged.map(({ paper }) => paper.id)).size < 3 ? 1 : 2;
  const telling = new Set(
    judged.flatMap(({ paper: { title, aiKeywords } }) => [
      ...wordsOf(aiKeywords.length === 0 ? { title, aiKeywords } : { title: "", aiKeywords }).keys(),
    ]),
  );
  return {
    organizations: weigh([...organizations.values()], least),
    words: weigh(
      [...words].flatMap(([stem, each]) => (telling.has(stem) ? [each] : [])),
      least,
    ),
  };
}

function tally(judged: readonly Judged[]) {
  const organizations = new Map<string, Tally>();
  const words = new Map<string, Tally>();
  for (const { paper, value } of judged) {
    const word = Math.sign(value);
    if (paper.organization !== null) {
      const { name, fullname } = paper.organization;
      add(organizations, name, { name: fullname, word, paperId: paper.id });
    }
    for (const [stem, name] of wordsOf(paper)) add(words, stem, { name, word, paperId: paper.id });
  }
  return { organizations, words };
}

/** `judged` counts what was said, `paperIds` are the papers that it was said of. */
type Tally = { readonly name: string; sum: number; judged: number; readonly paperIds: Set<string> };

function add(
  tallies: Map<string, Tally>,
  key: string,
  { name, word, paperId }: { readonly name: string; readonly word: number; readonly paperId: string },
): void {
  const tally = tallies.get(key) ?? { name: name || key, sum: 0, judged: 0, paperIds: new Set() };
  tally.sum += word;
  tally.judged += 1;
  tally.paperIds.add(paperId);
  tallies.set(key, tally);
}

function weightOf(tally: Tally | undefined): number {
  return tally === undefined ? 0 : tally.sum / (tally.judged + 2);
}

/** @param least papers that share a term */
function weigh(tallies: readonly Tally[], least: number): readonly Weighted[] {
  return tallies
    .filter(({ paperIds }) => paperIds.size >= least)
    .map((tally) => ({ name: tally.name, weight: weightOf(tally) }))
    .filter(({ weight }) => weight !== 0)
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight) || (a.name < b.name ? -1 : 1));
}

/** The telling words of title and keywords: stem → as it is written there first. */
function wordsOf(paper: Pick<StoredPaper, "title" | "aiKeywords">): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const spelling of `${paper.title} ${paper.aiKeywords.join(" ")}`.toLowerCase().match(WORD) ?? []) {
    const word = parseWord(spelling);
    const [stem] = stems(spelling);
    if (word === null || stem === undefined || isStopWord(word) || found.has(stem)) continue;
    found.set(stem, spelling);
  }
  return found;
}

const WORD = /[\p{L}\p{N}]{3,}/gu;
