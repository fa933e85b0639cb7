import type { Linked, Paper } from "./paper.ts";

/** A day's list as it came, parsed row by row. */
export type PaperList = {
  readonly papers: readonly Paper[];
  /** Rows that could not be understood, with the reason; the rest of the list stands. */
  readonly dropped: readonly Dropped[];
};
export type Dropped = { readonly reason: string; readonly row: string };

/** Where papers come from. Every call may throw `SourceError`. */
export type PaperSource = {
  /** The list of a day (`YYYY-MM-DD`), most upvoted first. Null: Hugging Face has no such day (400). */
  day(day: string): Promise<PaperList | null>;
  /** A week `YYYY-Www` or a month `YYYY-MM`. */
  period(period: string): Promise<PaperList | null>;
  trending(): Promise<PaperList>;
  /** One paper by arXiv id; null where Hugging Face does not know it. */
  paper(id: string): Promise<Paper | null>;
  linked(id: string): Promise<Linked | null>;
  /** Search by meaning, at most 120 papers. `query` is cut to 250 characters. */
  search(query: string, limit: number): Promise<PaperList>;
};

/** Hugging Face could not be reached or did not answer in form. `retryAfterMs` where it said so. */
export class SourceError extends Error {
  readonly retryAfterMs: number | null;
  constructor(message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "SourceError";
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}
