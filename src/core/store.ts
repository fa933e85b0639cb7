import type { Paper, Snapshot, Summary } from "./paper.ts";

/** A paper as the store keeps it. */
export type StoredPaper = Paper & {
  readonly summary: Summary | null;
  /** Newest day it was listed on; null for a paper that never was (found by search or id). */
  readonly listedOn: string | null;
  /** ISO instant at which votes, comments and stars were seen. */
  readonly seenAt: string;
  /** Grows with every change in the store; for catching up. */
  readonly revision: number;
};

/** A day's list. A day without papers (weekend, holiday) is kept too, so that it is not asked again. */
export type StoredList = {
  readonly day: string;
  /** ISO instant at which it was last seen. */
  readonly seenAt: string;
  readonly papers: readonly StoredPaper[];
};

export type ListedDay = { readonly day: string; readonly count: number; readonly seenAt: string };

export type SummarizedPaper = { readonly paper: Paper; readonly summary: Summary | null };

/** All that lasts. Every call is one transaction. */
export type Store = {
  /**
   * Adds a day's list: new papers, newer facts of known ones, their listings and snapshots. A list only grows;
   * older facts never replace newer ones, and what is missing never erases what is known; a summary that a model
   * wrote yields to Hugging Face's own alone. Safe to repeat.
   */
  saveList(list: {
    readonly day: string;
    readonly seenAt: string;
    readonly papers: readonly SummarizedPaper[];
  }): Promise<void>;
  /** Papers outside any list: by id, by search, trending. */
  savePapers(papers: readonly SummarizedPaper[], seenAt: string): Promise<void>;
  /** Null: that day was never fetched. Papers in the order of the list. */
  list(day: string): Promise<StoredList | null>;
  /** Newest first. */
  days(query: {
    readonly from?: string;
    readonly to?: string;
    readonly limit?: number;
  }): Promise<readonly ListedDay[]>;
  /** In the order of `ids`; unknown ids are left out. */
  papers(ids: readonly string[]): Promise<readonly StoredPaper[]>;
  /** The next papers after a revision, in its order. */
  changedSince(revision: number, limit: number): Promise<readonly StoredPaper[]>;
  /** Snapshots of these papers from an instant on, oldest first. */
  snapshots(ids: readonly string[], from: string): Promise<readonly Snapshot[]>;
  /** How many papers, the newest revision, and an id that no other store has. */
  size(): Promise<{ readonly papers: number; readonly revision: number; readonly id: string }>;
  close(): Promise<void>;
};
