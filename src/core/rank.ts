import { type Day, daysBetween } from "./day.ts";
import { ordinal } from "./numbers.ts";
import type { StoredPaper } from "./store.ts";
import { stems } from "./words.ts";

/** A paper that may stand in a digest, with what is known of it there. */
export type Candidate = {
  readonly paper: StoredPaper;
  /** The topics that it matches, each with the name that a reason gives it and its search score, 0 to 1. */
  readonly matches: readonly { readonly topic: string; readonly name: string; readonly score: number }[];
  /** Upvotes won since the day before; null where nobody looked then. */
  readonly gain: number | null;
};

/** A candidate in its place. Terms are 0 to 1 before their weights; `score` is their weighted sum. */
export type Ranked = {
  readonly paper: StoredPaper;
  readonly score: number;
  readonly terms: Terms;
  /** Why it is here, read off the same numbers: short phrases, never none. */
  readonly why: readonly string[];
};
export type Terms = Readonly<Record<keyof typeof WEIGHTS, number>>;

/**
 * The formula: score = Σ weight × term, with
 * - match: the best of the paper's topic scores, each divided by the best that its topic reaches here
 * - votes: ln(1 + upvotes), divided by the largest here
 * - growth: the same of the upvotes won since yesterday
 * - freshness: halves with every two days since the paper was submitted to the daily lists
 * - code: a half for having it, the rest by ln(1 + stars) up to 10,000 stars
 */
const WEIGHTS = { match: 0.35, votes: 0.35, growth: 0.1, freshness: 0.1, code: 0.1 };

/**
 * What a paper loses to those above it: by how much its words are theirs, beyond what any two papers share, and a
 * little for each from its own organization, so that neither a theme nor a lab fills the top. A near-duplicate
 * goes to the end.
 */
const SHARED_BY_ANY = 0.12;
const SIMILARITY_COST = 0.6;
const ORGANIZATION_COST = 0.06;
const NEAR_DUPLICATE = 0.6;

/**
 * All candidates, best first: the best paper of each topic leads, then score less similarity decides. The same
 * input gives the same order: ties go to the higher votes, then to the lower id.
 * @param options.day the list's day, from which freshness counts
 */
export function rank(
  candidates: readonly Candidate[],
  options: { readonly day: Day; readonly topics: readonly string[] },
): readonly Ranked[] {
  const entries = score(candidates, options.day);
  const leaders = new Set(
    options.topics.flatMap(
      (topic) =>
        entries.find(({ candidate }) => candidate.matches.some((match) => match.topic === topic)) ?? [],
    ),
  );
  const ordered: Entry[] = [];
  for (const group of [leaders, new Set(entries)]) {
    for (const entry of ordered) group.delete(entry);
    while (group.size > 0) {
      let best: Entry | undefined;
      for (const entry of entries) {
        if (group.has(entry) && (best === undefined || worth(entry) > worth(best))) best = entry;
      }
      if (best === undefined) break;
      group.delete(best);
      ordered.push(best);
      for (const entry of entries) if (entry !== best) discount(entry, best);
    }
  }
  return ordered.map((entry) => ({
    paper: entry.candidate.paper,
    score: entry.score,
    terms: entry.terms,
    why: why(entry, candidates.length),
  }));
}

type Entry = {
  readonly candidate: Candidate;
  readonly terms: Terms;
  readonly score: number;
  /** Weighted stems of unit length. */
  readonly words: ReadonlyMap<string, number>;
  /** 1 for the most upvoted. */
  votesRank: number;
  similarity: number;
  sameOrganization: number;
};

function score(candidates: readonly Candidate[], day: Day): Entry[] {
  const bestOfTopic = new Map<string, number>();
  for (const { topic, score } of candidates.flatMap((each) => each.matches)) {
    bestOfTopic.set(topic, Math.max(score, bestOfTopic.get(topic) ?? 0));
  }
  const most = (values: readonly number[]) =>
    Math.max(1, ...values.map((value) => Math.log1p(Math.max(0, value))));
  const mostVotes = most(candidates.map(({ paper }) => paper.upvotes));
  const mostGain = most(candidates.map(({ gain }) => gain ?? 0));
  const words = wordVectors(candidates.map(({ paper }) => paper));
  const entries = candidates.map((candidate, index): Entry => {
    const { paper, matches, gain } = candidate;
    const relative = matches.map(({ topic, score }) => {
      const best = bestOfTopic.get(topic) ?? 0;
      return best > 0 ? 0.5 + (0.5 * score) / best : 1;
    });
    const age = paper.submittedOn === null ? 0 : Math.max(0, daysBetween(paper.submittedOn, day));
    const terms = {
      match: Math.max(0, ...relative),
      votes: Math.log1p(Math.max(0, paper.upvotes)) / mostVotes,
      growth: Math.log1p(Math.max(0, gain ?? 0)) / mostGain,
      freshness: 2 ** (-age / 2),
      code:
        paper.codeUrl === null
          ? 0
          : 0.5 + 0.5 * Math.min(1, Math.log1p(paper.stars ?? 0) / Math.log1p(10_000)),
    };
    const sum =
      WEIGHTS.match * terms.match +
      WEIGHTS.votes * terms.votes +
      WEIGHTS.growth * terms.growth +
      WEIGHTS.freshness * terms.freshness +
      WEIGHTS.code * terms.code;
    return {
      candidate,
      terms,
      score: sum,
      words: words[index] ?? new Map(),
      votesRank: 0,
      similarity: 0,
      sameOrganization: 0,
    };
  });
  const byVotes = entries.toSorted((a, b) => b.candidate.paper.upvotes - a.candidate.paper.upvotes);
  for (const entry of entries) {
    entry.votesRank =
      1 + byVotes.findIndex((each) => each.candidate.paper.upvotes === entry.candidate.paper.upvotes);
  }
  return entries.sort(
    (a, b) =>
      b.score - a.score ||
      b.candidate.paper.upvotes - a.candidate.paper.upvotes ||
      (a.candidate.paper.id < b.candidate.paper.id ? -1 : 1),
  );
}

/** TF-IDF over the candidates themselves: what they all speak of tells none apart. */
function wordVectors(papers: readonly StoredPaper[]): readonly ReadonlyMap<string, number>[] {
  const bags = papers.map((paper) => new Set(stems(`${paper.title} ${paper.abstract}`)));
  const frequency = new Map<string, number>();
  for (const bag of bags) for (const stem of bag) frequency.set(stem, (frequency.get(stem) ?? 0) + 1);
  return bags.map((bag) => {
    const weights = new Map(
      [...bag].map((stem) => [stem, Math.log(1 + papers.length / (frequency.get(stem) ?? 1))] as const),
    );
    const length = Math.hypot(...weights.values());
    return new Map([...weights].map(([stem, weight]) => [stem, weight / length]));
  });
}

function cosine(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [stem, weight] of a) sum += weight * (b.get(stem) ?? 0);
  return sum;
}

function discount(entry: Entry, above: Entry): void {
  entry.similarity = Math.max(entry.similarity, cosine(entry.words, above.words));
  const organization = entry.candidate.paper.organization?.name;
  if (organization !== undefined && organization === above.candidate.paper.organization?.name)
    entry.sameOrganization++;
}

function worth(entry: Entry): number {
  return (
    entry.score -
    SIMILARITY_COST * Math.max(0, entry.similarity - SHARED_BY_ANY) -
    ORGANIZATION_COST * entry.sameOrganization -
    (entry.similarity >= NEAR_DUPLICATE ? 1 : 0)
  );
}

/** A gain that is worth a word. */
const NOTABLE_GAIN = 3;

function why(entry: Entry, candidates: number): readonly string[] {
  const { matches, gain } = entry.candidate;
  const names = [...new Set(matches.map(({ name }) => name))];
  const reasons: string[] = [];
  if (names.length > 0) reasons.push(`matches ${names.join(", ")}`);
  if (gain !== null && gain >= NOTABLE_GAIN) reasons.push(`+${gain} since yesterday`);
  if (reasons.length > 0) return reasons;
  if (entry.votesRank <= 10 || entry.terms.code === 0) {
    return [
      entry.votesRank === 1
        ? `most upvoted of ${candidates}`
        : `${ordinal(entry.votesRank)} of ${candidates} by votes`,
    ];
  }
  return ["picked for its code"];
}
