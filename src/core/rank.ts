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
/** How alike some papers are. */
export type Similarity = {
  /** A paper's place among them by its id; undefined for one that is none of them, and like no other. */
  place(id: string): number | undefined;
  /** Cosine of a paper's words with those of each, 0 to 1, by their places. */
  toAll(place: number): Float64Array;
};
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
  const ordered = order(entries, leaders, similarity);
  const usual = usualOf(ordered);
  return ordered.map((entry, index) => ({
    paper: entry.candidate.paper,
    score: entry.score,
    terms: entry.terms,
    why: why(entry, index + 1, usual),
  }));
}

/** The words that tell papers apart: stems of title and abstract. */
export function wordsOf(paper: StoredPaper): ReadonlySet<string> {
  const known = knownWords.get(paper);
  if (known !== undefined) return known;
  const words = new Set(stems(`${paper.title} ${paper.abstract}`));
  knownWords.set(paper, words);
  return words;
}

/** The papers of a day are ranked again and again, and their words take longer than all else of it. */
const knownWords = new WeakMap<StoredPaper, ReadonlySet<string>>();

/**
 * Compares papers by TF-IDF among themselves: what they all speak of tells none apart. A paper is compared with all
 * others when it is first asked for, so that no step takes long however many papers there are.
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
  const weightOf = (sharing: number) => Math.log(1 + papers.length / sharing) ** 2;
  const shared = new Map([...having].map(([word, sharing]) => [word, Int32Array.from(sharing)]));
  const lengths = Float64Array.from(papers, ({ words }) => {
    let sum = 0;
    for (const word of words) sum += weightOf(having.get(word)?.length ?? 1);
    return sum;
  });
  const rows: Float64Array[] = [];

  function compare(place: number): Float64Array {
    const row = new Float64Array(papers.length);
    for (const word of papers[place]?.words ?? []) {
      const sharing = shared.get(word) ?? new Int32Array();
      const weight = weightOf(sharing.length);
      for (let at = 0; at < sharing.length; at++) {
        const other = sharing[at] ?? 0;
        row[other] = (row[other] ?? 0) + weight;
      }
    }
    const own = lengths[place] ?? 0;
    for (let other = 0; other < row.length; other++) {
      const both = own * (lengths[other] ?? 0);
      // Rounded: the last bits depend on the order of the sums, and must not decide between equals.
      row[other] = both > 0 ? Math.round(((row[other] ?? 0) / Math.sqrt(both)) * 1e9) / 1e9 : 0;
    }
    return row;
  }

  return {
    place: (id) => places.get(id),
    toAll(place) {
      rows[place] ??= compare(place);
      return rows[place];
    },
  };
}

type Entry = {
  readonly candidate: Candidate;
  readonly terms: Terms;
  readonly score: number;
  /** 1 for the most upvoted. */
  votesRank: number;
  /** To the one most like it of those above it, and how many of them are of its organization; once it has its place. */
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
  for (const [position, entry] of byVotes.entries()) {
    const before = byVotes[position - 1];
    const isTied = before?.candidate.paper.upvotes === entry.candidate.paper.upvotes;
    entry.votesRank = isTied ? before.votesRank : position + 1;
  }
  return entries.sort(
    (a, b) =>
      b.score - a.score ||
      b.candidate.paper.upvotes - a.candidate.paper.upvotes ||
      (a.candidate.paper.id < b.candidate.paper.id ? -1 : 1),
  );
}

/**
 * The best leader while there is one, then the best of all, each time less what those above cost it; of equals the
 * first. Every paper is held against all above it, so the numbers of hundreds lie side by side here.
 */
function order(
  entries: readonly Entry[],
  leaders: ReadonlySet<Entry>,
  similarity: Similarity,
): readonly Entry[] {
  const names = new Map<string, number>();
  const organizations = Int32Array.from(entries, ({ candidate }) => {
    const name = candidate.paper.organization?.name;
    if (name === undefined) return 0;
    if (!names.has(name)) names.set(name, names.size + 1);
    return names.get(name) ?? 0;
  });
  const places = Int32Array.from(entries, ({ candidate }) => similarity.place(candidate.paper.id) ?? -1);
  const leads = Uint8Array.from(entries, (entry) => Number(leaders.has(entry)));
  const worths = Float64Array.from(entries, ({ score }) => score);
  const mostAlike = new Float64Array(entries.length);
  const sameOrganization = new Int32Array(entries.length);
  const left = Int32Array.from(entries.keys());
  const ordered: Entry[] = [];
  let leadersLeft = leaders.size;
  let above = -1;
  for (let size = entries.length; size > 0; size--) {
    const alike = above < 0 || (places[above] ?? -1) < 0 ? null : similarity.toAll(places[above] ?? 0);
    const organization = above < 0 ? 0 : (organizations[above] ?? 0);
    let [best, bestPosition, most] = [-1, 0, Number.NEGATIVE_INFINITY];
    for (let position = 0; position < size; position++) {
      const entry = left[position] ?? 0;
      let worth = worths[entry] ?? 0;
      const likeness = alike === null ? 0 : (alike[places[entry] ?? -1] ?? 0);
      const isSame = organization !== 0 && organizations[entry] === organization;
      if (isSame || likeness > (mostAlike[entry] ?? 0)) {
        mostAlike[entry] = Math.max(mostAlike[entry] ?? 0, likeness);
        if (isSame) sameOrganization[entry] = (sameOrganization[entry] ?? 0) + 1;
        worth =
          (entries[entry]?.score ?? 0) -
          similarityCost(mostAlike[entry] ?? 0) -
          ORGANIZATION_COST * (sameOrganization[entry] ?? 0);
        worths[entry] = worth;
      }
      if (worth <= most || (leadersLeft > 0 && leads[entry] === 0)) continue;
      best = entry;
      bestPosition = position;
      most = worth;
    }
    left.copyWithin(bestPosition, bestPosition + 1, size);
    if (leads[best] === 1) leadersLeft--;
    above = best;
    const chosen = entries[best];
    if (chosen === undefined) break;
    chosen.similarity = mostAlike[best] ?? 0;
    chosen.sameOrganization = sameOrganization[best] ?? 0;
    ordered.push(chosen);
  }
  return ordered;
}

function similarityCost(similarity: number): number {
  return SIMILARITY_COST * Math.max(0, similarity - SHARED_BY_ANY);
}

/** A gain that is worth a word, and a share of the score that is. */
const NOTABLE_GAIN = 3;
const NOTABLE_SHARE = 0.01;

/** What reasons compare a paper with. */
type Usual = {
  readonly papers: number;
  /** How many have so many upvotes. */
  readonly withVotes: ReadonlyMap<number, number>;
  readonly average: Terms;
};

function usualOf(entries: readonly Entry[]): Usual {
  const withVotes = new Map<number, number>();
  for (const { candidate } of entries) {
    const { upvotes } = candidate.paper;
    withVotes.set(upvotes, (withVotes.get(upvotes) ?? 0) + 1);
  }
  const average = (term: keyof Terms) =>
    entries.reduce((sum, { terms }) => sum + terms[term], 0) / entries.length;
  return {
    papers: entries.length,
    withVotes,
    average: {
      match: average("match"),
      votes: average("votes"),
      growth: average("growth"),
      freshness: average("freshness"),
      code: average("code"),
      profile: average("profile"),
    },
  };
}

function why(entry: Entry, place: number, usual: Usual): readonly string[] {
  const { matches, gain } = entry.candidate;
  const names = [...new Set(matches.map(({ name }) => name))];
  const reasons: string[] = [];
  if (names.length > 0) reasons.push(`matches ${names.join(", ")}`);
  if (gain !== null && gain >= NOTABLE_GAIN) reasons.push(`+${gain} since yesterday`);
  if (reasons.length > 0) return reasons;
  const moved =
    place < entry.votesRank ? liftedBy(entry, usual) : place > entry.votesRank ? heldBackBy(entry) : null;
  return [moved === null ? byVotes(entry, usual) : `${byVotes(entry, usual)}, ${moved}`];
}

function byVotes({ candidate, votesRank }: Entry, { papers, withVotes }: Usual): string {
  const { upvotes } = candidate.paper;
  if (upvotes === 0) return "no votes yet";
  const tied = (withVotes.get(upvotes) ?? 0) > 1;
  const rank = votesRank === 1 ? "most upvoted" : ordinal(votesRank);
  return `${tied ? "tied " : ""}${rank} of ${papers}${votesRank === 1 ? "" : " by votes"}`;
}

const LIFTS = {
  growth: "lifted by new votes",
  freshness: "lifted as new on arXiv",
  code: "lifted by its code",
  profile: "lifted as this channel likes its kind",
} as const;

/** The term that puts it above others with more votes: the one in which it is furthest above the average. */
function liftedBy(entry: Entry, { average }: Usual): string | null {
  const terms = ["growth", "freshness", "code", "profile"] as const;
  const advantage = (term: (typeof terms)[number]) => WEIGHTS[term] * (entry.terms[term] - average[term]);
  const best = terms.reduce((a, b) => (advantage(b) > advantage(a) ? b : a));
  return advantage(best) >= NOTABLE_SHARE ? LIFTS[best] : null;
}

/** What puts it below others with fewer votes; null where they were lifted and it was not held back. */
function heldBackBy(entry: Entry): string | null {
  if (similarityCost(entry.similarity) >= NOTABLE_SHARE) return "after a similar paper";
  const organization = entry.candidate.paper.organization;
  return entry.sameOrganization > 0 && organization !== null
    ? `after another of ${organization.fullname}`
    : null;
}
