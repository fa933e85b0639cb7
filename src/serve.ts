import cron from "node-cron";
import { startPlayground } from "./bots/playground/server.ts";
import type { Config } from "./config.ts";
import { paperMessage, searchMessage, searchPapers } from "./core/answer.ts";
import { addDays, feedDay, shortDate } from "./core/day.ts";
import { digestMessage, planDigest } from "./core/digest.ts";
import type { RefreshReport } from "./core/ingest.ts";
import { parsePaperId } from "./core/paper.ts";
import { SourceError } from "./core/source.ts";
import { parseTopic } from "./core/topic.ts";
import type { Events } from "./events.ts";
import type { Library } from "./library.ts";
import { collectGarbage } from "./storage/collect-garbage.ts";

export type Service = {
  /** Where the page is, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  close(): Promise<void>;
};

/** Six weeks hold the thirty lists that a new store begins with. */
const FIRST_LISTS_DAYS = 41;
/** Results that a search can be paged through, and those of a page. */
const MAX_RESULTS = 50;
const RESULTS_A_PAGE = 5;

/**
 * Serves the playground and keeps the store fresh: the last thirty lists into a new store, then the current ones
 * every five minutes. Resolves once the page can be opened; the rest goes on behind it.
 * @throws the system's error where the port cannot be had
 */
export async function serve(
  config: Pick<Config, "host" | "port">,
  library: Library,
  events: Events,
): Promise<Service> {
  let loading = (await library.store.size()).papers === 0;
  let warning: string | null = null;
  const playground = await startPlayground({
    host: config.host,
    port: config.port,
    now: () => new Date(),
    onError: events.pageFailed,
    product: createProduct(library, () => ({ loading, warning })),
  });
  const stopping = new AbortController();
  const refresh = async () => {
    try {
      const report = await library.ingest.refresh();
      events.refreshed(report);
      warning = await outOfReach(library, report);
    } catch (error) {
      if (!stopping.signal.aborted) events.unexpected("reading the current lists", error);
    }
  };
  const begin = async () => {
    await library.warmUp().catch((error: unknown) => events.unexpected("building the search index", error));
    collectGarbage();
    await refresh();
    if (loading) await readFirstLists(library, events, stopping.signal);
    loading = false;
  };
  const begun = begin();
  // A minute of our own, so that not every Paperboy asks at the same one.
  const offset = Math.floor(Math.random() * 5);
  const task = cron.schedule(`${offset}-59/5 * * * *`, refresh, { noOverlap: true });
  return {
    url: playground.url,
    async close() {
      stopping.abort();
      await task.destroy();
      await playground.close();
      await Promise.race([begun, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
    },
  };
}

async function readFirstLists(library: Library, events: Events, signal: AbortSignal): Promise<void> {
  const today = feedDay(new Date());
  try {
    const { kept, failed } = await library.ingest.backfill({
      from: addDays(today, -FIRST_LISTS_DAYS),
      to: today,
      signal,
    });
    events.firstListsRead({ kept, failedDays: failed.length });
  } catch (error) {
    if (error instanceof SourceError) library.explainSample("while Hugging Face is out of reach");
    else if (!signal.aborted) events.unexpected("reading the first lists", error);
  }
}

/** What stands above all lists while Hugging Face cannot be reached; null while it can. */
async function outOfReach(library: Library, report: RefreshReport): Promise<string | null> {
  const unread = report.days.some((day) => day.outcome === "failed");
  library.explainSample(unread ? "while Hugging Face is out of reach" : "until the first list is here");
  const [newest] = await library.store.days({ limit: 1 });
  if (!unread || newest === undefined) return null;
  const seenOn = shortDate(newest.seenAt.slice(0, 10), report.today);
  return `Hugging Face is out of reach: the last good list is as of ${seenOn}, ${newest.seenAt.slice(11, 16)} UTC.`;
}

type Product = Parameters<typeof startPlayground>[0]["product"];

/** The playground's questions, answered from the library. */
function createProduct(
  library: Library,
  state: () => { readonly loading: boolean; readonly warning: string | null },
): Product {
  let notice: string | null = null;
  const open = async () => {
    const context = await library.context();
    notice = context.notice;
    return context;
  };
  return {
    loading: () => state().loading,
    async days() {
      const { store } = await open();
      return (await store.days({})).filter(({ count }) => count > 0);
    },
    async digest({ day, topics, top, offset }) {
      const context = await open();
      const digest = await planDigest(context, { day, topics: topics.map((topic) => parseTopic(topic)) });
      return digestMessage(digest, {
        today: feedDay(context.clock()),
        top,
        offset,
        pagesId: "v1:page",
        notice: context.notice,
      });
    },
    async search({ query, offset }) {
      const context = await open();
      const found = await searchPapers(context, query, MAX_RESULTS);
      const page = found.slice(offset, offset + RESULTS_A_PAGE);
      return searchMessage(page, { query, offset, total: found.length }, context);
    },
    async paper(text) {
      const context = await open();
      const id = parsePaperId(text);
      const [paper] = id === null ? [] : await context.store.papers([id]);
      return paper === undefined ? null : paperMessage(paper, context);
    },
    notice: () => notice ?? state().warning,
  };
}
