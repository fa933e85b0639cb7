import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Config } from "./config.ts";
import { catchUp } from "./core/catch-up.ts";
import type { Context } from "./core/context.ts";
import { shortDate } from "./core/day.ts";
import { createHuggingFace } from "./core/hugging-face.ts";
import { createIngest, type Ingest, type IngestEvent } from "./core/ingest.ts";
import type { SearchIndex } from "./core/search.ts";
import type { PaperSource } from "./core/source.ts";
import type { Store } from "./core/store.ts";
import { summarize } from "./core/summarize.ts";
import { openSqlite } from "./storage/database.ts";
import { createSearchIndex } from "./storage/search-index.ts";
import { createStore } from "./storage/store.ts";

/** The store, its index and where papers come from, opened together. */
export type Library = {
  readonly store: Store;
  readonly source: PaperSource;
  readonly ingest: Ingest;
  /**
   * What questions are answered from: the store, or, while it is empty, the bundled sample with a notice that says
   * so.
   */
  context(): Promise<Context>;
  /** Brings the search index to where the store stands, so that the first search need not wait. */
  warmUp(): Promise<void>;
  /** Why the sample serves, as its notice ends: `while Hugging Face is out of reach`. */
  explainSample(reason: string): void;
  close(): Promise<void>;
};

/**
 * @param report hears what ingest does
 * @throws DatabaseError where the store cannot be used
 */
export async function openLibrary(
  config: Pick<Config, "databasePath" | "hfEndpoint" | "hfToken">,
  report: (event: IngestEvent) => void,
): Promise<Library> {
  const store = createStore(await openSqlite(config.databasePath));
  const source = createHuggingFace({
    endpoint: config.hfEndpoint,
    token: config.hfToken,
    userAgent: "paperboy (+https://huggingface.co/papers)",
  });
  const clock = () => new Date();
  const ingest = createIngest({ source, store, clock: Date.now, summarize, report });
  const snapshotFile = config.databasePath === ":memory:" ? null : `${config.databasePath}.search`;
  const index = createFreshIndex(store, snapshotFile);
  let sample: Promise<{ store: Store; index: FreshIndex }> | null = null;
  let reason = "until the first list is here";

  return {
    store,
    source,
    ingest,
    async context() {
      const { papers } = await store.size();
      if (papers > 0) return { store, index, source, clock, notice: null };
      sample ??= openSample();
      const opened = await sample;
      return { ...opened, source, clock, notice: `${await sampleNotice(opened.store)} ${reason}.` };
    },
    warmUp: () => index.refresh(),
    explainSample(why) {
      reason = why;
    },
    async close() {
      await index.close();
      if (sample !== null) {
        const opened = await sample;
        await opened.index.close();
        await opened.store.close();
      }
      await store.close();
    },
  };
}

type FreshIndex = Context["index"] & { refresh(): Promise<void>; close(): Promise<void> };

/** An index that is opened by the first search, and brought to where the store stands before each. */
function createFreshIndex(store: Store, snapshotFile: string | null): FreshIndex {
  let index: Promise<SearchIndex> | null = null;
  let catchingUp: Promise<void> | null = null;
  const refreshed = async () => {
    index ??= store
      .size()
      .then(({ id, revision }) => createSearchIndex({ snapshotFile, store: { id, revision } }));
    const opened = await index;
    // Searches that come together wait for one and the same.
    catchingUp ??= catchUp(store, opened).finally(() => {
      catchingUp = null;
    });
    await catchingUp;
    return opened;
  };
  return {
    async search(query) {
      const opened = await refreshed();
      try {
        return await opened.search(query);
      } catch (error) {
        // Its thread broke and a new one begins empty: it is filled and asked once more.
        if (opened.revision() > 0) throw error;
        return (await refreshed()).search(query);
      }
    },
    async refresh() {
      await refreshed();
    },
    async close() {
      await (await index)?.close();
    },
  };
}

/** Three real list days that come with the program, in a store of their own: nothing of them is ever kept. */
async function openSample(): Promise<{ store: Store; index: FreshIndex }> {
  const store = createStore(await openSqlite(":memory:"));
  const file = createReadStream(new URL("../sample/daily-papers.jsonl", import.meta.url));
  const ingest = createIngest({ source: NO_SOURCE, store, clock: Date.now, summarize });
  await ingest.importLines(createInterface({ input: file, crlfDelay: Number.POSITIVE_INFINITY }));
  return { store, index: createFreshIndex(store, null) };
}

async function sampleNotice(store: Store): Promise<string> {
  const days = (await store.days({})).map(({ day }) => day);
  return `This is the bundled sample, ${shortDate(days.at(-1) ?? "", "")} to ${shortDate(days[0] ?? "", "")}, shown`;
}

const refuse = () => Promise.reject(new Error("The bundled sample has no source."));
const NO_SOURCE: PaperSource = {
  day: refuse,
  period: refuse,
  trending: refuse,
  paper: refuse,
  linked: refuse,
  search: refuse,
};
