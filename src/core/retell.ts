import { addDays, feedDay } from "./day.ts";
import type { ModelSummarizer } from "./model-summarizer.ts";
import type { Store, StoredPaper } from "./store.ts";

export type RetellerOptions = {
  readonly store: Pick<Store, "days" | "list" | "savePapers">;
  readonly summarizer: ModelSummarizer;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
};

/** Gives papers that were listed lately a summary by a model. */
export type Reteller = {
  /**
   * Asks for papers of the two newest lists whose summary is a sentence of the abstract, and saves what the model
   * wrote; so a paper has a summary before, and one of its own once. Archives are never retold: a backfill of
   * thousands would cost thousands of calls. A call while another is under way joins it.
   */
  retell(): Promise<RetellReport>;
  /** A sentence while the model does not answer; else null. */
  warning(): string | null;
};

export type RetellReport = { readonly asked: number; readonly made: number };

/** Lists whose papers are retold, if they are no older than so many days: a weekend and a holiday lie between. */
const LISTS = 2;
const RECENT_DAYS = 6;
/** A list has at most 100 papers; several runs get through it. */
const PAPERS_A_RUN = 30;
/** How often a paper is asked for, until the next start, when the model answers without a summary. */
const MOST_TRIES = 2;

export function createReteller({ store, summarizer, clock }: RetellerOptions): Reteller {
  const tries = new Map<string, number>();
  let underWay: Promise<RetellReport> | null = null;

  async function retell(): Promise<RetellReport> {
    const papers = await untold();
    if (papers.length === 0) return { asked: 0, made: 0 };
    const summaries = await summarizer.summarize(papers);
    let made = 0;
    for (const [index, paper] of papers.entries()) {
      const summary = summaries[index] ?? null;
      if (summary?.method === "model") {
        made++;
        // Votes and comments are still those of `seenAt`: a list read meanwhile is not set back.
        await store.savePapers([{ paper, summary }], paper.seenAt);
      } else if (summarizer.warning() === null) tries.set(paper.id, (tries.get(paper.id) ?? 0) + 1);
    }
    return { asked: papers.length, made };
  }

  async function untold(): Promise<readonly StoredPaper[]> {
    const from = addDays(feedDay(new Date(clock())), -RECENT_DAYS);
    const found = new Map<string, StoredPaper>();
    for (const { day } of await store.days({ from, limit: LISTS })) {
      for (const paper of (await store.list(day))?.papers ?? []) {
        if (paper.summary?.method !== "extractive" || (tries.get(paper.id) ?? 0) >= MOST_TRIES) continue;
        found.set(paper.id, paper);
        if (found.size === PAPERS_A_RUN) return [...found.values()];
      }
    }
    return [...found.values()];
  }

  return {
    retell() {
      underWay ??= retell().finally(() => {
        underWay = null;
      });
      return underWay;
    },
    warning: () => summarizer.warning(),
  };
}
