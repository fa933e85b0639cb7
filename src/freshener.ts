import { addDays, type Day, feedDay, shortDate } from "./core/day.ts";
import { RECENT_DAYS, type RefreshReport } from "./core/ingest.ts";
import { SourceError } from "./core/source.ts";
import type { Events } from "./events.ts";
import type { Library } from "./library.ts";

/** Keeps the lists current, and knows how they stand. */
export type Freshener = {
  /** The current lists, and, until all are there, those of the last six weeks. */
  refresh(): Promise<void>;
  /** What the last refresh found; null before the first. */
  report(): RefreshReport | null;
  /** Whether the first lists of an empty store are on their way. */
  isLoading(): boolean;
  /** A sentence while Hugging Face cannot be reached; null while it can. */
  warning(): string | null;
};

export function createFreshener(library: Library, events: Events, signal: AbortSignal): Freshener {
  let last: RefreshReport | null = null;
  let isComplete = false;
  let isLoading = true;
  let warning: string | null = null;

  async function readRecent(): Promise<void> {
    const to = feedDay(new Date());
    try {
      const { kept, failed, stopped } = await library.ingest.backfill({
        from: addDays(to, -RECENT_DAYS),
        to,
        signal,
      });
      isComplete = failed.length === 0 && !stopped;
      events.recentListsRead({ kept, failedDays: failed.length });
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
    }
  }

  return {
    async refresh() {
      if (library.isGone()) events.storeGone();
      last = await library.ingest.refresh();
      events.refreshed(last);
      const isOut = last.days.some((day) => day.outcome === "failed");
      library.explainSample(isOut ? "while Hugging Face is out of reach" : "until the first list is here");
      warning = isOut ? await outOfReach(library, last.today) : null;
      if (!isOut && !isComplete) await readRecent();
      isLoading = false;
    },
    report: () => last,
    isLoading: () => isLoading,
    warning: () => warning,
  };
}

async function outOfReach(library: Library, today: Day): Promise<string | null> {
  const [newest] = await library.store.days({ limit: 1 });
  return newest === undefined
    ? null
    : `Hugging Face is out of reach: the last good list is of ${shortDate(newest.seenAt.slice(0, 10), today)}.`;
}
