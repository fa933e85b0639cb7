import type { SearchDocument } from "./search.ts";
import { eachStem, nameParts } from "./words.ts";

/**
 * Documents and, for each term, where it stands in them: immutable, in typed arrays. Terms are stems, and
 * `author:`, `org:` and `has:` with a name's part or a kind; a term's number is its place in the lexicon that
 * all segments of an index share.
 */
export type Segment = {
  readonly ids: readonly string[];
  /** Words in title, abstract and keywords, a document each. */
  readonly lengths: Uint32Array;
  readonly upvotes: Uint32Array;
  /** The newest listing as the number YYYYMMDD, 0 for none. */
  readonly listed: Uint32Array;
  /** Terms in ascending order; the postings of the term at `i` are those from `starts[i]` to `starts[i + 1]`. */
  readonly terms: Uint32Array;
  readonly starts: Uint32Array;
  /** The document of each posting, ascending within a term. */
  readonly docs: Uint32Array;
  /** How often the term stands there, in the title three times each; at most 255. */
  readonly weights: Uint8Array;
  /** The places of the posting at `i` are those from `placeStarts[i]` to `placeStarts[i + 1]`, ascending. */
  readonly placeStarts: Uint32Array;
  readonly places: Uint16Array;
};

/** Term to its number, which is the order in which it was first seen. */
export type Lexicon = Map<string, number>;

/** A term's postings in a segment, from `start` to before `end`. */
export type Postings = { readonly start: number; readonly end: number };

/** Documents in which terms stand together, ascending, and how often (title three times each). */
export type Together = { readonly docs: readonly number[]; readonly weights: readonly number[] };

/** Builds a segment; new terms are added to the lexicon. Ids must differ. */
export function buildSegment(documents: readonly SearchDocument[], lexicon: Lexicon): Segment {
  const tokens = new Tokens(lexicon);
  const lengths = Uint32Array.from(documents, (document, doc) => readDocument(document, doc, tokens));
  const order = tokens.byTerm();
  const terms: number[] = [];
  const starts: number[] = [];
  const docs = new Uint32Array(order.length);
  const weights = new Uint8Array(order.length);
  const placeStarts = new Uint32Array(order.length + 1);
  const places = new Uint16Array(order.length);
  let postings = 0;
  let lastTerm = -1;
  let lastDoc = -1;
  order.forEach((token, place) => {
    const term = tokens.terms[token] ?? 0;
    const doc = tokens.docs[token] ?? 0;
    const at = tokens.places[token] ?? 0;
    if (term !== lastTerm) {
      terms.push(term);
      starts.push(postings);
    }
    if (term !== lastTerm || doc !== lastDoc) {
      docs[postings] = doc;
      placeStarts[postings] = place;
      postings++;
    }
    weights[postings - 1] = Math.min(255, (weights[postings - 1] ?? 0) + weightAt(at));
    places[place] = at;
    lastTerm = term;
    lastDoc = doc;
  });
  placeStarts[postings] = order.length;
  starts.push(postings);
  return {
    ids: documents.map((document) => document.id),
    lengths,
    upvotes: Uint32Array.from(documents, (document) => document.upvotes),
    listed: Uint32Array.from(documents, (document) => Number((document.listedOn ?? "0").replaceAll("-", ""))),
    terms: Uint32Array.from(terms),
    starts: Uint32Array.from(starts),
    docs: docs.slice(0, postings),
    weights: weights.slice(0, postings),
    placeStarts: placeStarts.slice(0, postings + 1),
    places,
  };
}

/** One segment of the documents that are not dead, in the order given. Term by term, no text is read again. */
export function mergeSegments(
  parts: readonly { readonly segment: Segment; readonly dead: Uint8Array }[],
): Segment {
  const ids: string[] = [];
  const kept: { from: Segment; doc: number }[] = [];
  const sources = parts.map(({ segment, dead }) => {
    const renumbered = new Int32Array(segment.ids.length).fill(-1);
    segment.ids.forEach((id, doc) => {
      if (dead[doc] !== 0) return;
      renumbered[doc] = ids.length;
      ids.push(id);
      kept.push({ from: segment, doc });
    });
    return { segment, renumbered, at: 0, ...countLiving(segment, renumbered) };
  });
  const postings = sources.reduce((sum, source) => sum + source.postings, 0);
  const placeCount = sources.reduce((sum, source) => sum + source.placeCount, 0);
  const terms: number[] = [];
  const starts: number[] = [];
  const docs = new Uint32Array(postings);
  const weights = new Uint8Array(postings);
  const placeStarts = new Uint32Array(postings + 1);
  const places = new Uint16Array(placeCount);
  let posting = 0;
  let place = 0;
  for (;;) {
    let term = Number.POSITIVE_INFINITY;
    for (const { segment, at } of sources) term = Math.min(term, segment.terms[at] ?? term);
    if (term === Number.POSITIVE_INFINITY) break;
    const first = posting;
    for (const source of sources) {
      const { segment, renumbered } = source;
      if (segment.terms[source.at] !== term) continue;
      const end = segment.starts[source.at + 1] ?? 0;
      for (let i = segment.starts[source.at] ?? 0; i < end; i++) {
        const doc = renumbered[segment.docs[i] ?? 0] ?? -1;
        if (doc < 0) continue;
        docs[posting] = doc;
        weights[posting] = segment.weights[i] ?? 0;
        placeStarts[posting] = place;
        posting++;
        const lastPlace = segment.placeStarts[i + 1] ?? 0;
        for (let j = segment.placeStarts[i] ?? 0; j < lastPlace; j++)
          places[place++] = segment.places[j] ?? 0;
      }
      source.at++;
    }
    if (posting > first) {
      terms.push(term);
      starts.push(first);
    }
  }
  placeStarts[posting] = place;
  starts.push(posting);
  return {
    ids,
    lengths: Uint32Array.from(kept, ({ from, doc }) => from.lengths[doc] ?? 0),
    upvotes: Uint32Array.from(kept, ({ from, doc }) => from.upvotes[doc] ?? 0),
    listed: Uint32Array.from(kept, ({ from, doc }) => from.listed[doc] ?? 0),
    terms: Uint32Array.from(terms),
    starts: Uint32Array.from(starts),
    docs,
    weights,
    placeStarts,
    places,
  };
}

const NONE: Postings = { start: 0, end: 0 };

/** The postings of a term, by its number; none for a term that the lexicon does not know. */
export function postingsOf(segment: Segment, term: number | undefined): Postings {
  if (term === undefined) return NONE;
  const { terms, starts } = segment;
  let low = 0;
  let high = terms.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((terms[middle] ?? 0) < term) low = middle + 1;
    else high = middle;
  }
  return terms[low] === term ? { start: starts[low] ?? 0, end: starts[low + 1] ?? 0 } : NONE;
}

/**
 * Where terms stand together: with `step` 1 one after the other, with 0 in the same place, which for the parts
 * of a name is the same name.
 */
export function findTogether(segment: Segment, terms: readonly Postings[], step: 0 | 1): Together {
  const found: { docs: number[]; weights: number[] } = { docs: [], weights: [] };
  // Led by the rarest term: the others are looked up.
  const rarest = terms.reduce(
    (best, { start, end }) => Math.min(best, end - start),
    Number.POSITIVE_INFINITY,
  );
  const lead = terms.findIndex(({ start, end }) => end - start === rarest);
  const from = terms[lead];
  if (from === undefined) return found;
  const { docs, places, placeStarts } = segment;
  const at = terms.map(({ start }) => start);
  for (let i = from.start; i < from.end; i++) {
    const doc = docs[i] ?? 0;
    at[lead] = i;
    let everywhere = true;
    for (let t = 0; t < terms.length && everywhere; t++) {
      if (t === lead) continue;
      const next = seek(docs, at[t] ?? 0, terms[t]?.end ?? 0, doc);
      at[t] = next;
      everywhere = next < (terms[t]?.end ?? 0) && docs[next] === doc;
    }
    if (!everywhere) continue;
    let weight = 0;
    const lastPlace = placeStarts[i + 1] ?? 0;
    for (let j = placeStarts[i] ?? 0; j < lastPlace; j++) {
      const first = (places[j] ?? 0) - lead * step;
      let together = true;
      for (let t = 0; t < terms.length && together; t++) {
        if (t !== lead) together = standsAt(segment, at[t] ?? 0, first + t * step);
      }
      if (together) weight += weightAt(first);
    }
    if (weight > 0) {
      found.docs.push(doc);
      found.weights.push(weight);
    }
  }
  return found;
}

/** Where the abstract begins; a title has fewer words. */
const ABSTRACT_PLACE = 1024;
/** Words after it are not read: ten times the longest abstract on arXiv. */
const LAST_PLACE = 20_000;
const TITLE_WEIGHT = 3;

function weightAt(place: number): number {
  return place < ABSTRACT_PLACE ? TITLE_WEIGHT : 1;
}

/** Returns the document's length. */
function readDocument(document: SearchDocument, doc: number, tokens: Tokens): number {
  let length = 0;
  let place = 0;
  const readText = (text: string, end: number): void => {
    eachStem(text, (stem, joined) => {
      if (place >= end) return;
      if (joined) {
        tokens.add(stem, doc, place - 1);
        return;
      }
      tokens.add(stem, doc, place++);
      length++;
    });
  };
  readText(document.title, ABSTRACT_PLACE - 1);
  place = ABSTRACT_PLACE;
  readText(document.abstract, LAST_PLACE);
  for (const keyword of document.keywords) {
    // A gap, so that no phrase runs from one keyword into the next.
    place++;
    readText(keyword, LAST_PLACE);
  }
  const readNames = (field: string, names: readonly string[]): void => {
    names.slice(0, LAST_PLACE).forEach((name, nth) => {
      for (const part of nameParts(name)) tokens.add(`${field}:${part}`, doc, nth);
    });
  };
  readNames("author", document.authors);
  readNames("org", document.organization);
  for (const has of new Set(document.has)) tokens.add(`has:${has}`, doc, 0);
  return length;
}

/** Terms, documents and places in the order in which they were read. */
class Tokens {
  terms = new Uint32Array(1024);
  docs = new Uint32Array(1024);
  places = new Uint16Array(1024);
  readonly #lexicon: Lexicon;
  #count = 0;

  constructor(lexicon: Lexicon) {
    this.#lexicon = lexicon;
  }

  add(term: string, doc: number, place: number): void {
    if (this.#count === this.terms.length) {
      this.terms = grown(this.terms, new Uint32Array(this.#count * 2));
      this.docs = grown(this.docs, new Uint32Array(this.#count * 2));
      this.places = grown(this.places, new Uint16Array(this.#count * 2));
    }
    let number = this.#lexicon.get(term);
    if (number === undefined) {
      number = this.#lexicon.size;
      this.#lexicon.set(term, number);
    }
    this.terms[this.#count] = number;
    this.docs[this.#count] = doc;
    this.places[this.#count] = place;
    this.#count++;
  }

  /** The tokens' numbers by term, then as read: a counting sort. */
  byTerm(): Uint32Array {
    const next = new Uint32Array(this.#lexicon.size + 1);
    for (let i = 0; i < this.#count; i++) {
      const after = (this.terms[i] ?? 0) + 1;
      next[after] = (next[after] ?? 0) + 1;
    }
    for (let i = 1; i < next.length; i++) next[i] = (next[i] ?? 0) + (next[i - 1] ?? 0);
    const order = new Uint32Array(this.#count);
    for (let i = 0; i < this.#count; i++) {
      const term = this.terms[i] ?? 0;
      const at = next[term] ?? 0;
      order[at] = i;
      next[term] = at + 1;
    }
    return order;
  }
}

function grown<T extends Uint32Array | Uint16Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

function countLiving(segment: Segment, renumbered: Int32Array): { postings: number; placeCount: number } {
  let postings = 0;
  let placeCount = 0;
  segment.docs.forEach((doc, i) => {
    if ((renumbered[doc] ?? -1) < 0) return;
    postings++;
    placeCount += (segment.placeStarts[i + 1] ?? 0) - (segment.placeStarts[i] ?? 0);
  });
  return { postings, placeCount };
}

/** The first posting from `at` on whose document is not before `doc`: steps that double, then halves. */
function seek(docs: Uint32Array, at: number, end: number, doc: number): number {
  let low = at;
  let step = 1;
  while (low + step < end && (docs[low + step] ?? 0) < doc) {
    low += step;
    step *= 2;
  }
  let high = Math.min(end, low + step + 1);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((docs[middle] ?? 0) < doc) low = middle + 1;
    else high = middle;
  }
  return low;
}

function standsAt({ places, placeStarts }: Segment, posting: number, place: number): boolean {
  const end = placeStarts[posting + 1] ?? 0;
  for (let i = placeStarts[posting] ?? 0; i < end; i++) {
    if (places[i] === place) return true;
  }
  return false;
}
