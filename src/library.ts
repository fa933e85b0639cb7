import { createReadStream, existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { setImmediate as breathe } from "node:timers/promises";
import type { Config } from "./config.ts";
import { catchUp } from "./core/catch-up.ts";
import type { ChannelStore } from "./core/channel.ts";
import type { Clock, Context } from "./core/context.ts";
import { shortDate } from "./core/day.ts";
import type { Ledger } from "./core/delivery.ts";
import { createHuggingFace } from "./core/hugging-face.ts";
import { createIngest, type Ingest, type IngestEvent } from "./core/ingest.ts";
import type { Installations } from "./core/installation.ts";
import type { SearchIndex } from "./core/search.ts";
import type { PaperSource } from "./core/source.ts";
import type { Store } from "./core/store.ts";
import type { ModelEvent } from "./core/model-summarizer.ts";
import { createReteller, type RetellReport, type Reteller } from "./core/retell.ts";
import { createSummarizer } from "./core/summarize.ts";
import { openLanguageModel } from "./model-endpoint.ts";
import { createChannelStore } from "./storage/channels.ts";
import { openSqlite } from "./storage/database.ts";
import { createInstallations } from "./storage/installations.ts";
import { createLedger } from "./storage/ledger.ts";
import { createMessageLog } from "./storage/message-log.ts";
import { createSearchIndex } from "./storage/search-index.ts";
import { createStore } from "./storage/store.ts";

/** All that lasts, its search index, and where papers come from, opened together. */
export type Library = {
  readonly store: Store;
  readonly channels: ChannelStore;
  readonly ledger: Ledger;
  readonly installations: Installations;
  readonly messages: ReturnType<typeof createMessageLog>;
  readonly source: PaperSource;
  readonly ingest: Ingest;
  /** What questions are answered from: the store, or, while it is empty, the bundled sample with a notice that says so. */
  context(): Promise<Context>;
  /** The store alone, also while it is empty: the sample is never shown in a chat. */
  own(): Context;
  /** Has the model, where one is set, write summaries of papers listed lately; null where none is. */
  retell(): Promise<RetellReport | null>;
  /** Brings the search index to where the store stands, so that the first search need not wait. */
  warmUp(): Promise<void>;
  /** Whether the store's file was deleted under the running program: what is written then is lost. */
  isGone(): boolean;
  /** Why the sample serves, as its notice ends: `while Hugging Face is out of reach`. */
  explainSample(reason: string): void;
  close(): Promise<void>;
};

export type LibraryOptions = {
  /** Hears what ingest does. */
  readonly report: (event: IngestEvent) => void;
  /** Gets a line when the search index broke or could not be kept. */
  readonly log: (line: string) => void;
  /** Hears of each answer of the summary model that is not used. */
  readonly reportModel?: (event: ModelEvent) => void;
  /** What commands take for now; papers are always fetched by the real time. */
  readonly clock?: Clock;
};

/** @throws DatabaseError where the store cannot be used */
export async function openLibrary(
  config: Pick<Config, "databasePath" | "hfEndpoint" | "hfToken" | "encryptionKeys" | "model">,
  { report, reportModel = () => {}, log, clock = () => new Date() }: LibraryOptions,
): Promise<Library> {
  const db = await openSqlite(config.databasePath);
  const store = createStore(db);
  const source = createHuggingFace({
    endpoint: config.hfEndpoint,
    token: config.hfToken,
    userAgent: "paperboy (+https://huggingface.co/papers)",
  });
  const ingest = createIngest({ source, store, clock: Date.now, summarizer, report });
  let reteller: Promise<Reteller | null> | null = null;
  let retold: Reteller | null = null;
  const snapshotFile = config.databasePath === ":memory:" ? null : `${config.databasePath}.search`;
  const index = createFreshIndex(store, snapshotFile, log);
  let isEmpty = true;
  let sample: Promise<Sample> | null = null;
  let reason = "until the first list is here";

  const remarks = (): readonly string[] => {
    const warning = retold?.warning() ?? null;
    return warning === null ? [] : [warning];
  };

  return {
    store,
    channels: createChannelStore(db),
    ledger: createLedger(db),
    installations: createInstallations(db, { keys: config.encryptionKeys }),
    messages: createMessageLog(db),
    source,
    ingest,
    async context() {
      isEmpty &&= (await store.size()).papers === 0;
      if (!isEmpty) return { store, index, source, clock, notice: null, remarks: remarks() };
      sample ??= openSample(log);
      const opened = await sample;
      return {
        store: opened.store,
        index: opened.index,
        source,
        clock,
        notice: `${opened.notice} ${reason}.`,
      };
    },
    own: () => ({ store, index, source, clock, notice: null, remarks: remarks() }),
    async retell() {
      reteller ??= openReteller(config.model, store, reportModel);
      retold = await reteller;
      return retold === null ? null : retold.retell();
    },
    warmUp: () => index.refresh(),
    isGone: () => config.databasePath !== ":memory:" && !existsSync(config.databasePath),
    explainSample(why) {
      reason = why;
    },
    async close() {
      try {
        await index.close();
        const opened = await sample;
        await opened?.index.close();
        await opened?.store.close();
      } finally {
        await store.close();
      }
    },
  };
}

const summarizer = createSummarizer(() => breathe());

/** Null where no model is set. */
async function openReteller(
  { baseUrl, apiKey, summary }: Config["model"],
  store: Store,
  report: (event: ModelEvent) => void,
): Promise<Reteller | null> {
  if (baseUrl === null || summary === null) return null;
  const model = await openLanguageModel({ baseUrl, apiKey }, summary);
  // It brings the SDK, which whoever has no model does not wait for.
  const { createModelSummarizer } = await import("./core/model-summarizer.ts");
  return createReteller({
    store,
    summarizer: createModelSummarizer({ model, fallback: summarizer, clock: Date.now, report }),
    clock: Date.now,
  });
}

type FreshIndex = Context["index"] & { refresh(): Promise<void>; close(): Promise<void> };

/** An index that is opened by the first search, and brought to where the store stands before each. */
function createFreshIndex(
  store: Store,
  snapshotFile: string | null,
  log: (line: string) => void,
): FreshIndex {
  let index: Promise<SearchIndex> | null = null;
  let catchingUp: Promise<void> | null = null;
  const open = async () => {
    const { id, revision } = await store.size();
    return createSearchIndex({ snapshotFile, store: { id, revision }, log });
  };
  const refreshed = async () => {
    index ??= open().catch((error: unknown) => {
      index = null;
      throw error;
    });
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
      await (await index?.catch(() => null))?.close();
    },
  };
}

type Sample = { readonly store: Store; readonly index: FreshIndex; readonly notice: string };

/** Three real list days that come with the program, in a store of their own: nothing of them is ever kept. */
async function openSample(log: (line: string) => void): Promise<Sample> {
  const store = createStore(await openSqlite(":memory:"));
  const file = createReadStream(new URL("../sample/daily-papers.jsonl", import.meta.url));
  const ingest = createIngest({ source: NO_SOURCE, store, clock: Date.now, summarizer });
  await ingest.importLines(createInterface({ input: file, crlfDelay: Number.POSITIVE_INFINITY }));
  const days = (await store.days({})).map(({ day }) => shortDate(day, ""));
  const notice = `This is the bundled sample, ${days.at(-1)} to ${days[0]} with abstracts retold, shown`;
  return { store, index: createFreshIndex(store, null, log), notice };
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
