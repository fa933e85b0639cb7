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

/** A candidate in its place. Terms are 0 to 1 before their weights, `profile` from -1; `score` is their weighted sum. */
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
 * - freshness: halves with every week since arXiv published it (papers are listed after 2 days, one in ten after 6)
 * - code: a half for having it, the rest by ln(1 + stars) up to 10,000 stars
 * - profile: how much the channel likes papers of its kind, -1 to 1; 0 where it never said
 */
const WEIGHTS = { match: 0.35, votes: 0.35, growth: 0.1, freshness: 0.1, code: 0.1, profile: 0.15 };

/**
 * What a paper loses to those above it: by how much its words are theirs, beyond what any two papers share, and a
 * little for each from its own organization, so that neither a theme nor a lab fills the top. A near-duplicate
 * loses more than most papers have.
 */
const SHARED_BY_ANY = 0.12;
const SIMILARITY_COST = 0.8;
const ORGANIZATION_COST = 0.06;

export type RankOptions = {
  /** The list's day, from which freshness counts. */
  readonly day: Day;
  /** Topics in the order of their subscriptions; an empty one is led by the best paper of all. */
  readonly topics: readonly string[];
  /** How alike papers are; worked out among the candidates where it is not given. */
  readonly similarity?: Similarity;
  /** How much a channel likes papers of this kind, -1 to 1. */
  readonly profile?: Profile;
};
/** Cosine of two papers' words, 0 to 1, by their ids; 0 for papers that it does not know. */
export type Similarity = (one: string, other: string) => number;
export type Profile = (paper: StoredPaper) => number;

/**
 * All candidates, best first: the best paper of each topic leads, then score less similarity decides. The same
 * input gives the same order: ties go to the higher votes, then to the lower id.
 */
export function rank(candidates: readonly Candidate[], options: RankOptions): readonly Ranked[] {
  const bags = () => candidates.map(({ paper }) => ({ id: paper.id, words: wordsOf(paper) }));
  const similarity = options.similarity ?? similarityAmong(bags());
  const entries = score(candidates, options);
  const leaders = new Set(
    options.topics.flatMap(
      (topic) =>
        entries.find(
          ({ candidate }) => topic === "" || candidate.matches.some((match) => match.topic === topic),
        ) ?? [],
    ),
  );
  const ordered: Entry[] = [];
  let left = entries;
  while (left.length > 0) {
    let best: Entry | undefined;
    for (const entry of left) {
      if (leaders.size > 0 && !leaders.has(entry)) continue;
      if (best === undefined || worth(entry) > worth(best)) best = entry;
    }
    if (best === undefined) break;
    const above = best;
    leaders.delete(above);
    ordered.push(above);
    left = left.filter((entry) => entry !== above);
    for (const entry of left) discount(entry, above, similarity);
  }
  return ordered.map((entry, index) => ({
    paper: entry.candidate.paper,
    score: entry.score,
    terms: entry.terms,
    why: why(entry, index + 1, ordered),
  }));
}

/** The words that tell papers apart: stems of title and abstract. */
export function wordsOf(paper: StoredPaper): ReadonlySet<string> {
  return new Set(stems(`${paper.title} ${paper.abstract}`));
}

/**
 * Compares papers by TF-IDF among themselves: what they all speak of tells none apart. All pairs at once, word by
 * word: two hundred papers take a few milliseconds.
 */
export function similarityAmong(
  papers: readonly { readonly id: string; readonly words: ReadonlySet<string> }[],
): Similarity {
  const places = new Map(papers.map(({ id }, place) => [id, place]));
  const having = new Map<string, number[]>();
  papers.forEach(({ words }, place) => {
    for (const word of words) {
      const others = having.get(word);
      if (others === undefined) having.set(word, [place]);
      else others.push(place);
    }
  });
  const size = papers.length;
  const products = new Float64Array(size * size);
  for (const sharing of having.values()) {
    const weight = Math.log(1 + size / sharing.length) ** 2;
    for (let i = 0; i < sharing.length; i++) {
      const row = (sharing[i] ?? 0) * size;
      for (let j = 0; j <= i; j++) {
        const cell = row + (sharing[j] ?? 0);
        products[cell] = (products[cell] ?? 0) + weight;
      }
    }
  }
  return (one, other) => {
    const [a, b] = [places.get(one), places.get(other)];
    if (a === undefined || b === undefined) return 0;
    const lengths = (products[a * size + a] ?? 0) * (products[b * size + b] ?? 0);
    const product = products[Math.max(a, b) * size + Math.min(a, b)] ?? 0;
    // Rounded: the last bits depend on the order of the sums, and must not decide between equals.
    return lengths > 0 ? Math.round((product / Math.sqrt(lengths)) * 1e9) / 1e9 : 0;
  };
}

type Entry = {
  readonly candidate: Candidate;
  readonly terms: Terms;
  readonly score: number;
  /** 1 for the most upvoted. */
  votesRank: number;
  similarity: number;
  sameOrganization: number;
};

function score(candidates: readonly Candidate[], { day, profile }: RankOptions): Entry[] {
  const bestOfTopic = new Map<string, number>();
  for (const { topic, score } of candidates.flatMap((each) => each.matches)) {
    bestOfTopic.set(topic, Math.max(score, bestOfTopic.get(topic) ?? 0));
  }
  const most = (values: readonly number[]) =>
    Math.max(1, ...values.map((value) => Math.log1p(Math.max(0, value))));
  const mostVotes = most(candidates.map(({ paper }) => paper.upvotes));
  const mostGain = most(candidates.map(({ gain }) => gain ?? 0));
  const entries = candidates.map((candidate): Entry => {
    const { paper, matches, gain } = candidate;
    const relative = matches.map(({ topic, score }) => {
      const best = bestOfTopic.get(topic) ?? 0;
      return best > 0 ? 0.5 + (0.5 * score) / best : 1;
    });
    const since = paper.publishedOn ?? paper.submittedOn;
    const age = since === null ? 0 : Math.max(0, daysBetween(since, day));
    const terms = {
      match: Math.max(0, ...relative),
      votes: Math.log1p(Math.max(0, paper.upvotes)) / mostVotes,
      growth: Math.log1p(Math.max(0, gain ?? 0)) / mostGain,
      freshness: 2 ** (-age / 7),
      code:
        paper.codeUrl === null
          ? 0
          : 0.5 + 0.5 * Math.min(1, Math.log1p(paper.stars ?? 0) / Math.log1p(10_000)),
      profile: Math.max(-1, Math.min(1, profile?.(paper) ?? 0)),
    };
    const sum =
      WEIGHTS.match * terms.match +
      WEIGHTS.votes * terms.votes +
      WEIGHTS.growth * terms.growth +
      WEIGHTS.freshness * terms.freshness +
      WEIGHTS.code * terms.code +
      WEIGHTS.profile * terms.profile;
    return {
      candidate,
      terms,
      score: sum,
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

function discount(entry: Entry, above: Entry, similarity: Similarity): void {
  const alike = similarity(entry.candidate.paper.id, above.candidate.paper.id);
  entry.similarity = Math.max(entry.similarity, alike);
  const organization = entry.candidate.paper.organization?.name;
  if (organization !== undefined && organization === above.candidate.paper.organization?.name)
    entry.sameOrganization++;
}

function worth(entry: Entry): number {
  return entry.score - similarityCost(entry) - ORGANIZATION_COST * entry.sameOrganization;
}

function similarityCost({ similarity }: Entry): number {
  return SIMILARITY_COST * Math.max(0, similarity - SHARED_BY_ANY);
}

/** A gain that is worth a word, and a share of the score that is. */
const NOTABLE_GAIN = 3;
const NOTABLE_SHARE = 0.01;

function why(entry: Entry, place: number, entries: readonly Entry[]): readonly string[] {
  const { matches, gain } = entry.candidate;
  const names = [...new Set(matches.map(({ name }) => name))];
  const reasons: string[] = [];
  if (names.length > 0) reasons.push(`matches ${names.join(", ")}`);
  if (gain !== null && gain >= NOTABLE_GAIN) reasons.push(`+${gain} since yesterday`);
  if (reasons.length > 0) return reasons;
  const moved =
    place < entry.votesRank ? liftedBy(entry, entries) : place > entry.votesRank ? heldBackBy(entry) : null;
  return [moved === null ? byVotes(entry, entries) : `${byVotes(entry, entries)}, ${moved}`];
}

function byVotes({ candidate, votesRank }: Entry, entries: readonly Entry[]): string {
  const { upvotes } = candidate.paper;
  if (upvotes === 0) return "no votes yet";
  const tied = entries.some(
    (other) => other.candidate !== candidate && other.candidate.paper.upvotes === upvotes,
  );
  const rank = votesRank === 1 ? "most upvoted" : ordinal(votesRank);
  return `${tied ? "tied " : ""}${rank} of ${entries.length}${votesRank === 1 ? "" : " by votes"}`;
}

const LIFTS = {
  growth: "lifted by new votes",
  freshness: "lifted as new on arXiv",
  code: "lifted by its code",
  profile: "lifted as this channel likes its kind",
} as const;

/** The term that puts it above others with more votes: the one in which it is furthest above the average. */
function liftedBy(entry: Entry, entries: readonly Entry[]): string | null {
  const terms = ["growth", "freshness", "code", "profile"] as const;
  const advantage = (term: (typeof terms)[number]) => {
    const average = entries.reduce((sum, other) => sum + other.terms[term], 0) / entries.length;
    return WEIGHTS[term] * (entry.terms[term] - average);
  };
  const best = terms.reduce((a, b) => (advantage(b) > advantage(a) ? b : a));
  return advantage(best) >= NOTABLE_SHARE ? LIFTS[best] : null;
}

/** What puts it below others with fewer votes; null where they were lifted and it was not held back. */
function heldBackBy(entry: Entry): string | null {
  if (similarityCost(entry) >= NOTABLE_SHARE) return "after a similar paper";
  const organization = entry.candidate.paper.organization;
  return entry.sameOrganization > 0 && organization !== null
    ? `after another of ${organization.fullname}`
    : null;
}
