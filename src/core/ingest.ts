import { addDays, type Day, FIRST_DAY, feedDay, isWeekend, parseDay } from "./day.ts";
import { parseList, RowError } from "./hugging-face-rows.ts";
import type { Linked } from "./paper.ts";
import { type Dropped, type PaperList, type PaperSource, SourceError } from "./source.ts";
import type { Store } from "./store.ts";
import type { Summarizer } from "./summarize.ts";

export type IngestOptions = {
  readonly source: PaperSource;
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Says what a digest says of each paper, in slices. */
  readonly summarizer: Summarizer;
  /** Called as things happen, for logs and metrics; must not throw. */
  readonly report?: (event: IngestEvent) => void;
  /** Resolves after so many milliseconds, or at once when the signal aborts. */
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<void>;
};

export type IngestEvent =
  | {
      readonly kind: "list-saved";
      readonly day: Day;
      readonly kept: number;
      readonly dropped: readonly Dropped[];
    }
  | {
      readonly kind: "list-failed" | "details-failed";
      /** The list's day, or the paper's newest. */
      readonly day: Day;
      readonly message: string;
      readonly retryAfterMs: number | null;
    };

/** Brings papers from the source into the store. */
export type Ingest = {
  /**
   * Reads today's list, and the one before it again, since lists grow; then the pages of some papers whose models,
   * datasets and spaces are unknown. What the source refuses stands in the report; what the store holds stays.
   * A call while another is under way joins it.
   */
  refresh(): Promise<RefreshReport>;
  /**
   * Reads every weekday's list from `from` to `to`, newest first, that the store lacks or holds from before the day
   * had closed; so it can be stopped and repeated. Waits where the source says how long. A day that cannot be read
   * is left out and named; three in a row end it with the last one's `SourceError`.
   */
  backfill(query: {
    readonly from: Day;
    readonly to: Day;
    readonly onDay?: (progress: BackfillProgress) => void;
    readonly signal?: AbortSignal;
  }): Promise<BackfillReport>;
  /** Reads lines of `{"date", "items": […]}`. A line or row that cannot be read is counted; safe to repeat. */
  importLines(
    lines: AsyncIterable<string>,
    options?: { readonly onDay?: (progress: ImportProgress) => void; readonly signal?: AbortSignal },
  ): Promise<IngestReport>;
};

export type RefreshReport = {
  /** The day whose list is current. */
  readonly today: Day;
  /** Newest first. */
  readonly days: readonly RefreshedDay[];
  /** How many papers learned their models, datasets and spaces. */
  readonly details: number;
  /** Why it stopped short, in one sentence; null where it did not. */
  readonly failure: string | null;
  readonly retryAfterMs: number | null;
};

type RefreshedDay = {
  readonly day: Day;
  /** `closed`: Hugging Face has no such day, or not yet. */
  readonly outcome: "read" | "closed" | "failed";
  /** Papers of the day in the store, and since when: the instant of the last good list, null for none. */
  readonly count: number;
  readonly asOf: string | null;
  /** Whether the list is complete enough for a digest: `isSettled`. */
  readonly settled: boolean;
};

/** Rows read, papers kept, and why the others were not, most frequent first. */
export type IngestReport = {
  readonly read: number;
  readonly kept: number;
  readonly dropped: readonly { readonly reason: string; readonly count: number }[];
};
type BackfillReport = IngestReport & {
  /** Days that could not be read. */
  readonly failed: readonly { readonly day: Day; readonly message: string }[];
  /** Whether the signal ended it early. */
  readonly stopped: boolean;
};
type BackfillProgress = {
  readonly day: Day;
  /** Days read or failed so far, of those that were to be read. */
  readonly done: number;
  readonly total: number;
  /** Of this day. */
  readonly kept: number;
  readonly dropped: number;
};
type ImportProgress = {
  readonly day: Day;
  readonly done: number;
  readonly kept: number;
  readonly dropped: number;
};

/** Six weeks before today hold the thirty lists that a store has at least. */
export const RECENT_DAYS = 41;

/** Papers whose own page is read in one refresh: 20 every few minutes stay far below 500 calls in five. */
const DETAILS_A_RUN = 20;
/** Lists that a settling one is compared with, and whose papers get their details. */
const RECENT_LISTS = 10;
const POLITE_MS = 200;
const MAX_WAITS = 5;
const MAX_FAILURES = 3;

export function createIngest({
  source,
  store,
  clock,
  summarizer,
  report = () => {},
  wait = waitFor,
}: IngestOptions): Ingest {
  let underWay: Promise<RefreshReport> | null = null;
  /** Papers whose pages failed: passed over until the next start, so that they do not hold up the others. */
  const unreadable = new Set<string>();
  /** Sizes of the current list at each poll, for `isSettled`. */
  let polled: { readonly day: Day; readonly sizes: readonly number[] } = { day: "", sizes: [] };

  async function refresh(): Promise<RefreshReport> {
    const today = feedDay(new Date(clock()));
    const days: RefreshedDay[] = [];
    let failure: SourceError | null = null;
    for (const day of [today, listDayBefore(today)].filter((each) => !isWeekend(each))) {
      let outcome: RefreshedDay["outcome"] = "failed";
      try {
        if (failure === null) outcome = (await readDay(day)) === null ? "closed" : "read";
      } catch (error) {
        failure = reported("list-failed", day, error);
      }
      days.push(await refreshed(day, today, outcome));
    }
    let details = 0;
    if (failure === null) ({ details, failure } = await readDetails());
    return {
      today,
      days,
      details,
      failure: failure?.message ?? null,
      retryAfterMs: failure?.retryAfterMs ?? null,
    };
  }

  /** Null: there is no such day. Throws `SourceError`, also where no row at all could be understood. */
  async function readDay(day: Day): Promise<PaperList | null> {
    const list = await source.day(day);
    if (list === null) return null;
    if (list.papers.length === 0 && list.dropped.length > 0) {
      const reasons = [...new Set(list.dropped.map(({ reason }) => reason))].join(", ");
      throw new SourceError(
        `None of the ${list.dropped.length} rows of ${day} could be understood: ${reasons}.`,
      );
    }
    await save(day, new Date(clock()).toISOString(), list);
    return list;
  }

  async function save(day: Day, seenAt: string, { papers, dropped }: PaperList): Promise<void> {
    const summaries = await summarizer.summarize(papers);
    await store.saveList({
      day,
      seenAt,
      papers: papers.map((paper, index) => ({ paper, summary: summaries[index] ?? null })),
    });
    report({ kind: "list-saved", day, kept: papers.length, dropped });
  }

  async function refreshed(day: Day, today: Day, outcome: RefreshedDay["outcome"]): Promise<RefreshedDay> {
    const [stored] = await store.days({ from: day, to: day });
    const count = stored?.count ?? 0;
    const asOf = stored?.seenAt ?? null;
    if (day !== today) return { day, outcome, count, asOf, settled: count > 0 };
    if (polled.day !== day) polled = { day, sizes: [] };
    if (outcome === "read") polled = { day, sizes: [...polled.sizes.slice(-2), count] };
    const before = await store.days({ to: addDays(day, -1), limit: 2 * RECENT_LISTS });
    const recent = before.map((list) => list.count).filter((size) => size > 0);
    return { day, outcome, count, asOf, settled: isSettled(polled.sizes, recent.slice(0, RECENT_LISTS)) };
  }

  async function readDetails(): Promise<{ readonly details: number; readonly failure: SourceError | null }> {
    let details = 0;
    let failures = 0;
    for (const { day } of await store.days({ limit: RECENT_LISTS })) {
      const list = await store.list(day);
      for (const paper of list?.papers ?? []) {
        if (paper.linked !== null || unreadable.has(paper.id)) continue;
        if (details === DETAILS_A_RUN) return { details, failure: null };
        try {
          const linked = (await source.linked(paper.id)) ?? NONE_LINKED;
          // Votes and comments are still those of `seenAt`: a list read meanwhile is not set back.
          await store.savePapers([{ paper: { ...paper, linked }, summary: paper.summary }], paper.seenAt);
          details++;
        } catch (error) {
          const failure = reported("details-failed", day, error);
          if (failure.retryAfterMs !== null) return { details, failure };
          unreadable.add(paper.id);
          if (++failures === MAX_FAILURES) return { details, failure };
        }
      }
    }
    return { details, failure: null };
  }

  function reported(kind: "list-failed" | "details-failed", day: Day, error: unknown): SourceError {
    if (!(error instanceof SourceError)) throw error;
    report({ kind, day, message: error.message, retryAfterMs: error.retryAfterMs });
    return error;
  }

  return {
    refresh() {
      underWay ??= refresh().finally(() => {
        underWay = null;
      });
      return underWay;
    },

    async backfill({ from, to, onDay, signal }) {
      const days = await daysToRead(store, from, to, feedDay(new Date(clock())));
      const tally = createTally();
      const failed: { day: Day; message: string }[] = [];
      let inARow = 0;
      let done = 0;
      for (const day of days) {
        if (done > 0) await wait(POLITE_MS, signal);
        let list: PaperList | null = null;
        for (let waits = 0; !signal?.aborted; waits++) {
          try {
            list = await readDay(day);
            inARow = 0;
            break;
          } catch (error) {
            const failure = reported("list-failed", day, error);
            if (failure.retryAfterMs !== null && waits < MAX_WAITS) {
              await wait(failure.retryAfterMs, signal);
              continue;
            }
            if (++inARow === MAX_FAILURES) throw failure;
            failed.push({ day, message: failure.message });
            break;
          }
        }
        if (signal?.aborted && list === null) break;
        done++;
        tally.add(list);
        const [kept, dropped] = [list?.papers.length ?? 0, list?.dropped.length ?? 0];
        onDay?.({ day, done, total: days.length, kept, dropped });
      }
      return { ...tally.report(), failed, stopped: done < days.length };
    },

    async importLines(lines, { onDay, signal } = {}) {
      const tally = createTally();
      let done = 0;
      for await (const line of lines) {
        if (signal?.aborted) break;
        if (line.trim() === "") continue;
        const parsed = parseLine(line, feedDay(new Date(clock())));
        if (typeof parsed === "string") {
          tally.add({ papers: [], dropped: [{ reason: parsed, row: line.slice(0, 80) }] });
          continue;
        }
        const { day, list } = parsed;
        await save(day, `${day}T12:00:00.000Z`, list);
        tally.add(list);
        onDay?.({ day, done: ++done, kept: list.papers.length, dropped: list.dropped.length });
        // Reading and saving a line block the event loop for some milliseconds each: others get their turn between.
        await wait(0, signal);
      }
      return tally.report();
    },
  };
}

/**
 * Whether a day's list is complete enough for a digest, since an early one can be a single paper: it has five papers
 * and two fifths of the usual number, or has not grown for two polls.
 *
 * @param sizes the list's size at each poll so far, oldest first
 * @param recent sizes of about ten earlier lists
 */
export function isSettled(sizes: readonly number[], recent: readonly number[]): boolean {
  const size = sizes.at(-1) ?? 0;
  if (size === 0) return false;
  const sorted = [...recent].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
  return (
    size >= Math.max(5, 0.4 * median) || (sizes.length >= 3 && sizes.slice(-3).every((each) => each === size))
  );
}

const NONE_LINKED: Linked = { models: 0, datasets: 0, spaces: 0, modelIds: [], datasetIds: [], spaceIds: [] };

function listDayBefore(day: Day): Day {
  let before = addDays(day, -1);
  while (isWeekend(before)) before = addDays(before, -1);
  return before;
}

/** Weekdays of the range, newest first, without those whose list was read after the day had closed. */
async function daysToRead(store: Store, from: Day, to: Day, today: Day): Promise<readonly Day[]> {
  const [first, last] = [from < FIRST_DAY ? FIRST_DAY : from, to > today ? today : to];
  const stored = await store.days({ from: first, to: last });
  const complete = new Set(
    stored.filter(({ day, seenAt }) => feedDay(new Date(seenAt)) > day).map(({ day }) => day),
  );
  const days: Day[] = [];
  for (let day = last; day >= first; day = addDays(day, -1)) {
    if (!isWeekend(day) && !complete.has(day)) days.push(day);
  }
  return days;
}

/** The reason where the line is none. */
function parseLine(line: string, today: Day): { readonly day: Day; readonly list: PaperList } | string {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return "a line that is no JSON";
  }
  if (typeof json !== "object" || json === null || !("date" in json) || !("items" in json)) {
    return "a line without date and items";
  }
  const day = typeof json.date === "string" ? parseDay(json.date) : null;
  if (day === null) return "a line without date and items";
  if (day < FIRST_DAY || day > today) return "a day that has no list";
  try {
    return { day, list: parseList(json.items) };
  } catch (error) {
    if (error instanceof RangeError) return "a line that is nested too deeply";
    if (!(error instanceof RowError)) throw error;
    return "a line without date and items";
  }
}

function createTally(): { add(list: PaperList | null): void; report(): IngestReport } {
  let kept = 0;
  const reasons = new Map<string, number>();
  return {
    add(list) {
      kept += list?.papers.length ?? 0;
      for (const { reason } of list?.dropped ?? []) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    },
    report() {
      const dropped = [...reasons].map(([reason, count]) => ({ reason, count }));
      dropped.sort((one, other) => other.count - one.count);
      return { read: dropped.reduce((sum, { count }) => sum + count, kept), kept, dropped };
    },
  };
}

/** Resolves after so many milliseconds, or at once when the signal aborts. */
export function waitFor(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}
