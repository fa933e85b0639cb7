import type { SearchDocument, SearchHit, SearchQuery } from "./search.ts";
import {
  buildSegment,
  findTogether,
  type Lexicon,
  mergeSegments,
  type Postings,
  postingsOf,
  type Segment,
} from "./segment.ts";
import type { Alternative, Topic } from "./topic.ts";
import { isStopWord, nameParts, parseWord, tellingStems, type Word } from "./words.ts";

/** What a snapshot keeps of an index. The arrays are the index's own and are not to be changed. */
export type Bm25State = {
  /** Terms in the order of their numbers. */
  readonly terms: readonly string[];
  /** `dead` is 1 for each document of the segment that was replaced since. */
  readonly segments: readonly { readonly segment: Segment; readonly dead: Uint8Array }[];
};

/** Ranks documents by BM25. Everything is in memory, and nothing here waits. */
export type Bm25 = {
  /** Adds or replaces documents; the last one of an id counts. */
  update(documents: readonly SearchDocument[]): void;
  /** As `SearchIndex.search`. The ranking depends on the documents alone, not on how they came. */
  search(query: SearchQuery): readonly SearchHit[];
  size(): number;
  state(): Bm25State;
};

/**
 * An index, empty or as a state says. Okapi BM25 (Robertson and Zaragoza 2009, The Probabilistic Relevance
 * Framework) over Porter stems with the title counted three times, and adjacent words as weak terms.
 */
export function createBm25(state: Bm25State = { terms: [], segments: [] }): Bm25 {
  const lexicon: Lexicon = new Map(state.terms.map((term, number) => [term, number]));
  const places = new Map<string, { readonly part: Part; readonly doc: number }>();
  let parts: Part[] = [];
  /** What each document's length does to its scores; null until the next search after an update. */
  let norms: readonly Float64Array[] | null = null;
  for (const { segment, dead } of state.segments) parts.push(hold(segment, dead));

  function hold(segment: Segment, dead: Uint8Array): Part {
    const part: Part = { segment, dead, deadCount: dead.reduce((sum, flag) => sum + flag, 0) };
    segment.ids.forEach((id, doc) => {
      if (dead[doc] === 0) places.set(id, { part, doc });
    });
    return part;
  }

  function update(documents: readonly SearchDocument[]): void {
    const newest = [...new Map(documents.map((document) => [document.id, document])).values()];
    for (let i = 0; i < newest.length; i += LARGEST_BATCH) {
      const batch = newest.slice(i, i + LARGEST_BATCH);
      for (const { id } of batch) {
        const place = places.get(id);
        if (place === undefined) continue;
        place.part.dead[place.doc] = 1;
        place.part.deadCount++;
      }
      parts.push(hold(buildSegment(batch, lexicon), new Uint8Array(batch.length)));
      tidy();
    }
    norms = null;
  }

  /** Keeps the segments few: as many of a size as `FAN` become one, and one that is half dead is rewritten. */
  function tidy(): void {
    parts = parts.filter((part) => part.deadCount < part.segment.ids.length);
    for (;;) {
      const worn = parts.find((part) => part.deadCount * 2 > part.segment.ids.length);
      const tiers = Object.values(Object.groupBy(parts, (part) => String(tierOf(part))));
      const merged = worn === undefined ? tiers.find((tier) => (tier?.length ?? 0) >= FAN) : [worn];
      if (merged === undefined) return;
      const segment = mergeSegments(merged);
      const rest = parts.filter((part) => !merged.includes(part));
      parts = [...rest, hold(segment, new Uint8Array(segment.ids.length))];
    }
  }

  function search({ topic, match, limit, among }: SearchQuery): readonly SearchHit[] {
    if (places.size === 0) return [];
    const masks = parts.map((part) => maskOf(part, lexicon, topic, match));
    if (among !== undefined) keepAmong(masks, among);
    const scores = scoreTopic(topic);
    const best = new Best(Math.max(1, Math.min(500, limit)));
    parts.forEach((part, p) => {
      const { segment } = part;
      const mask = masks[p];
      const score = scores[p];
      for (let doc = 0; doc < segment.ids.length; doc++) {
        if (mask?.[doc] === 1) best.offer(segment, doc, score?.[doc] ?? 0);
      }
    });
    return best.hits();
  }

  function keepAmong(masks: readonly Uint8Array[], among: readonly string[]): void {
    const wanted = parts.map((part) => new Uint8Array(part.segment.ids.length));
    for (const id of among) {
      const place = places.get(id);
      const flags = place === undefined ? undefined : wanted[parts.indexOf(place.part)];
      if (flags !== undefined && place !== undefined) flags[place.doc] = 1;
    }
    masks.forEach((mask, p) => {
      keepBoth(mask, wanted[p] ?? mask);
    });
  }

  /** Every document's score, a segment each: the share of what a document with all the words would get at most. */
  function scoreTopic(topic: Topic): readonly Float64Array[] {
    const scores = parts.map((part) => new Float64Array(part.segment.ids.length));
    norms ??= normsOf(parts, places.size);
    const { terms, pairs } = scoredTerms(topic);
    let most = 0;
    const add = (
      weight: number,
      each: readonly { readonly docs: ArrayLike<number>; readonly weights: ArrayLike<number> }[],
    ): void => {
      const frequency = each.reduce((sum, { docs }, p) => sum + countLiving(parts[p], docs), 0);
      const idf = Math.log(1 + (places.size - frequency + 0.5) / (frequency + 0.5));
      const top = weight * idf * (K1 + 1);
      most += top;
      each.forEach(({ docs, weights }, p) => {
        const score = scores[p];
        const norm = norms?.[p];
        if (score === undefined || norm === undefined) return;
        for (let i = 0; i < docs.length; i++) {
          const doc = docs[i] ?? 0;
          const often = weights[i] ?? 0;
          score[doc] = (score[doc] ?? 0) + (top * often) / (often + (norm[doc] ?? 0));
        }
      });
    };
    for (const [term, count] of terms) {
      const each = parts.map(({ segment }) => {
        const { start, end } = postingsOf(segment, lexicon.get(term));
        return { docs: segment.docs.subarray(start, end), weights: segment.weights.subarray(start, end) };
      });
      add(count, each);
    }
    for (const { first, second, count } of pairs.values()) {
      const each = parts.map(({ segment }) =>
        findTogether(segment, [find(segment, lexicon, first), find(segment, lexicon, second)], 1),
      );
      add(count * PAIR_WEIGHT, each);
    }
    for (const score of scores) {
      for (let doc = 0; doc < score.length && most > 0; doc++) score[doc] = (score[doc] ?? 0) / most;
    }
    return scores;
  }

  return {
    update,
    search,
    size: () => places.size,
    state: () => ({
      terms: [...lexicon.keys()],
      segments: parts.map(({ segment, dead }) => ({ segment, dead: dead.slice() })),
    }),
  };
}

/** The usual values; others are no better on CACM, CISI, Cranfield, SciFact and SciTLDR together. */
const K1 = 1.2;
const B = 0.75;
/** What two adjacent words count beside the two alone; .05 to .3 do about as well on the same collections. */
const PAIR_WEIGHT = 0.1;
/** What a compound written as one word counts beside its parts. */
const JOINED_WEIGHT = 0.3;

/** Of prose pasted as a query the first ones count, so that it does not take long. */
const MOST_PAIRS = 200;

/** Documents read at a time, so that what is in work stays small beside the index. */
const LARGEST_BATCH = 2_000;
const FAN = 8;

type Part = { readonly segment: Segment; readonly dead: Uint8Array; deadCount: number };

function tierOf({ segment }: Part): number {
  return Math.floor(Math.log(segment.ids.length / 16 + 1) / Math.log(FAN));
}

function normsOf(parts: readonly Part[], documents: number): readonly Float64Array[] {
  let length = 0;
  for (const { segment, dead } of parts) {
    for (let doc = 0; doc < dead.length; doc++) length += dead[doc] === 0 ? (segment.lengths[doc] ?? 0) : 0;
  }
  const average = Math.max(1, length / documents);
  return parts.map(({ segment: { lengths } }) => {
    const norm = new Float64Array(lengths.length);
    for (let doc = 0; doc < norm.length; doc++)
      norm[doc] = K1 * (1 - B + (B * (lengths[doc] ?? 0)) / average);
    return norm;
  });
}

function countLiving(part: Part | undefined, docs: ArrayLike<number>): number {
  if (part === undefined || part.deadCount === 0) return docs.length;
  let count = 0;
  for (let i = 0; i < docs.length; i++) if (part.dead[docs[i] ?? 0] === 0) count++;
  return count;
}

function find(segment: Segment, lexicon: Lexicon, term: string): Postings {
  return postingsOf(segment, lexicon.get(term));
}

/** The words of an alternative that say something of the subject; all of them when none does. */
function wordsOf(alternative: Alternative): { readonly word: Word; readonly phrase: boolean }[] {
  if (alternative.kind !== "words") return [];
  const words = alternative.terms.flatMap(({ text, phrase }) => {
    const word = parseWord(text);
    return word === null ? [] : [{ word, phrase }];
  });
  const telling = words.filter(({ word, phrase }) => phrase || !isStopWord(word));
  return telling.length > 0 ? telling : words;
}

type Pair = { readonly first: string; readonly second: string; count: number };

/** Stems and pairs of adjacent stems, with how often the topic says them. */
function scoredTerms(topic: Topic): { terms: Map<string, number>; pairs: Map<string, Pair> } {
  const terms = new Map<string, number>();
  const pairs = new Map<string, Pair>();
  for (const alternative of topic.groups.flat()) {
    let previous: string | null = null;
    for (const { word } of wordsOf(alternative)) {
      for (const stem of tellingStems(word)) {
        terms.set(stem, (terms.get(stem) ?? 0) + 1);
        if (previous !== null && (pairs.size < MOST_PAIRS || pairs.has(`${previous} ${stem}`))) {
          const pair: Pair = pairs.get(`${previous} ${stem}`) ?? { first: previous, second: stem, count: 0 };
          pair.count++;
          pairs.set(`${previous} ${stem}`, pair);
        }
        previous = isStopWord(word) ? null : stem;
      }
      if (word.joined !== null) terms.set(word.joined, (terms.get(word.joined) ?? 0) + JOINED_WEIGHT);
    }
  }
  return { terms, pairs };
}

/** 1 for each living document that the topic lets pass. */
function maskOf(part: Part, lexicon: Lexicon, topic: Topic, match: "any" | "all"): Uint8Array {
  const { segment, dead } = part;
  const mask = dead.map((flag) => 1 - flag);
  for (const group of topic.groups) {
    const some = new Uint8Array(mask.length);
    for (const alternative of group) markAlternative(segment, lexicon, alternative, match, some);
    keepBoth(mask, some);
  }
  for (const { text } of topic.excluded) {
    const word = parseWord(text);
    if (word !== null) markWord(segment, lexicon, word, mask, 0);
  }
  const { min } = topic;
  if (min !== null) {
    segment.upvotes.forEach((upvotes, doc) => {
      if (upvotes < min) mask[doc] = 0;
    });
  }
  return mask;
}

/** Sets the flag of each document for which the alternative holds. */
function markAlternative(
  segment: Segment,
  lexicon: Lexicon,
  alternative: Alternative,
  match: "any" | "all",
  flags: Uint8Array,
): void {
  if (alternative.kind !== "words") {
    const { kind, value } = alternative;
    const parts = kind === "has" ? [value] : nameParts(value);
    const terms = parts.map((part) => find(segment, lexicon, `${kind}:${part}`));
    markTogether(segment, terms, 0, flags, 1);
    return;
  }
  const words = wordsOf(alternative);
  const binding = words.filter(({ phrase }) => phrase || match === "all");
  if (binding.length === 0) {
    for (const { word } of words) {
      for (const stem of tellingStems(word))
        markTogether(segment, [find(segment, lexicon, stem)], 0, flags, 1);
      markJoined(segment, lexicon, word, flags, 1);
    }
    return;
  }
  const all = new Uint8Array(flags.length).fill(1);
  for (const { word } of binding) {
    const some = new Uint8Array(flags.length);
    markWord(segment, lexicon, word, some, 1);
    keepBoth(all, some);
  }
  for (let doc = 0; doc < flags.length; doc++) if (all[doc] === 1) flags[doc] = 1;
}

/** Sets the flag of each document that has the word: its stems side by side, or written as one. */
function markWord(segment: Segment, lexicon: Lexicon, word: Word, flags: Uint8Array, flag: 0 | 1): void {
  const terms = word.stems.map((stem) => find(segment, lexicon, stem));
  markTogether(segment, terms, 1, flags, flag);
  markJoined(segment, lexicon, word, flags, flag);
}

function markJoined(segment: Segment, lexicon: Lexicon, word: Word, flags: Uint8Array, flag: 0 | 1): void {
  if (word.joined !== null) markTogether(segment, [find(segment, lexicon, word.joined)], 0, flags, flag);
}

function markTogether(
  segment: Segment,
  terms: readonly Postings[],
  step: 0 | 1,
  flags: Uint8Array,
  flag: 0 | 1,
): void {
  const [only, second] = terms;
  if (only !== undefined && second === undefined) {
    for (let i = only.start; i < only.end; i++) flags[segment.docs[i] ?? 0] = flag;
    return;
  }
  for (const doc of findTogether(segment, terms, step).docs) flags[doc] = flag;
}

function keepBoth(mask: Uint8Array, other: Uint8Array): void {
  for (let doc = 0; doc < mask.length; doc++) if (other[doc] === 0) mask[doc] = 0;
}

type Candidate = { readonly segment: Segment; readonly doc: number; readonly score: number };

/** The best few of many: a heap with the worst of them on top. */
class Best {
  readonly #limit: number;
  readonly #heap: Candidate[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  offer(segment: Segment, doc: number, score: number): void {
    const heap = this.#heap;
    const worst = heap[0];
    if (heap.length < this.#limit || worst === undefined) {
      heap.push({ segment, doc, score });
      this.#rise(heap.length - 1);
      return;
    }
    // Most are turned away here, before anything is made for them.
    if (score < worst.score) return;
    const upvotes = segment.upvotes[doc] ?? 0;
    if (score === worst.score && upvotes < (worst.segment.upvotes[worst.doc] ?? 0)) return;
    const candidate = { segment, doc, score };
    if (compare(candidate, worst) >= 0) return;
    heap[0] = candidate;
    this.#sink();
  }

  hits(): SearchHit[] {
    return this.#heap.toSorted(compare).map(({ segment, doc, score }) => ({ id: idOf(segment, doc), score }));
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0 && this.#swapIfWorse(at, (at - 1) >> 1)) at = (at - 1) >> 1;
  }

  #sink(): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const worse = this.#isWorse(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfWorse(worse, at)) return;
      at = worse;
    }
  }

  #swapIfWorse(below: number, above: number): boolean {
    if (!this.#isWorse(below, above)) return false;
    const heap = this.#heap;
    const [a, b] = [heap[below], heap[above]];
    if (a === undefined || b === undefined) return false;
    heap[above] = a;
    heap[below] = b;
    return true;
  }

  #isWorse(at: number, other: number): boolean {
    const [a, b] = [this.#heap[at], this.#heap[other]];
    return a !== undefined && b !== undefined && compare(a, b) > 0;
  }
}

/** Best first: by score, upvotes, newest listing, id. */
function compare(a: Candidate, b: Candidate): number {
  return (
    b.score - a.score ||
    (b.segment.upvotes[b.doc] ?? 0) - (a.segment.upvotes[a.doc] ?? 0) ||
    (b.segment.listed[b.doc] ?? 0) - (a.segment.listed[a.doc] ?? 0) ||
    (idOf(a.segment, a.doc) < idOf(b.segment, b.doc) ? -1 : 1)
  );
}

function idOf(segment: Segment, doc: number): string {
  return segment.ids[doc] ?? "";
}
