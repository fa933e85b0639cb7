import type { Has } from "./paper.ts";
import type { Topic } from "./topic.ts";

/** What the index keeps of a paper. */
export type SearchDocument = {
  readonly id: string;
  readonly title: string;
  readonly abstract: string;
  /** Weak text beside the abstract. */
  readonly keywords: readonly string[];
  readonly authors: readonly string[];
  /** Name and full name; empty where there is none. */
  readonly organization: readonly string[];
  readonly has: readonly Has[];
  readonly upvotes: number;
  readonly listedOn: string | null;
};

export type SearchQuery = {
  readonly topic: Topic;
  /**
   * `any`: whatever shares a word with the topic, best first (a search). `all`: every word must be there (a
   * subscription). Phrases, filters and exclusions bind in both.
   */
  readonly match: "any" | "all";
  /** 1 to 500. */
  readonly limit: number;
  /** Only these papers. */
  readonly among?: readonly string[];
};

/** `score` is 0 to 1: the share of what a perfect match of the same words would get. Filters alone score 0. */
export type SearchHit = { readonly id: string; readonly score: number };

/** Ranking over words, held away from the event loop. Not part of the store; built from any store. */
export type SearchIndex = {
  /** Adds or replaces documents. `revision` is the store's revision that the index then stands at. */
  update(documents: readonly SearchDocument[], revision: number): Promise<void>;
  /** Best first; ties by upvotes, then by newest listing, then by id. */
  search(query: SearchQuery): Promise<readonly SearchHit[]>;
  /** The store's revision that it stands at; 0 for an empty index. */
  revision(): number;
  /** Writes the snapshot now; nothing happens where none is kept. */
  save(): Promise<void>;
  /** Ends it, after the calls before; later ones are refused. */
  close(): Promise<void>;
};
