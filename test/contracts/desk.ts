import { createBm25 } from "../../src/core/bm25.ts";
import { catchUp } from "../../src/core/catch-up.ts";
import { createFrequentTopics } from "../../src/core/frequent-topics.ts";
import { ALL_RIGHTS, type Asker, type Desk } from "../../src/core/command.ts";
import { createIngest } from "../../src/core/ingest.ts";
import type { SearchIndex } from "../../src/core/search.ts";
import { type PaperSource, SourceError } from "../../src/core/source.ts";
import { createSummarizer } from "../../src/core/summarize.ts";
import { createChannelStore } from "../../src/storage/channels.ts";
import { type Database, openSqlite } from "../../src/storage/database.ts";
import { createLedger } from "../../src/storage/ledger.ts";
import { createStore } from "../../src/storage/store.ts";
import { madeUpLists, weekdaysUntil } from "../peers/hugging-face.ts";

const summarizer = createSummarizer(async () => {});

/** A Wednesday in summer time; the made-up lists end with it. */
export const NOW = "2026-04-22T12:00:00.000Z";

export type TestDesk = Desk & {
  setNow(at: string): void;
  close(): Promise<void>;
};

/**
 * A desk over SQLite in memory whose clock stands still, with the real search ranking on this thread.
 * @param options.days how many made-up weekday lists, up to 22 April 2026
 * @param options.library another desk whose papers it shares: lists need not be made again
 */
export async function createDesk(
  options: {
    readonly days?: number;
    readonly perDay?: number;
    readonly library?: Pick<Desk, "store" | "index">;
  } = {},
): Promise<TestDesk> {
  const db = await openSqlite(":memory:");
  let now = NOW;
  const { store, index } = options.library ?? (await createLibrary(db, options));
  return {
    store,
    index,
    source: NO_SOURCE,
    channels: createChannelStore(db),
    ledger: createLedger(db),
    clock: () => new Date(now),
    notice: null,
    frequent: createFrequentTopics(store, () => new Date(now)),
    post: async () => {},
    setNow(at) {
      now = at;
    },
    close: () => db.destroy(),
  };
}

async function createLibrary(
  db: Database,
  { days = 16, perDay = 12 }: { readonly days?: number; readonly perDay?: number },
): Promise<Pick<Desk, "store" | "index">> {
  const store = createStore(db);
  const lists = days === 0 ? [] : madeUpLists({ days: weekdaysUntil("2026-04-22", days), perDay, seed: 7 });
  const ingest = createIngest({ source: NO_SOURCE, store, clock: () => Date.parse(NOW), summarizer });
  await ingest.importLines(
    (async function* () {
      for (const list of lists) yield JSON.stringify(list);
    })(),
  );
  return { store, index: createIndex(store) };
}

/** Somebody in a Slack channel who may change its settings. */
export function createAsker(changes: Partial<Asker> = {}): Asker {
  return {
    where: { platform: "slack", workspace: "T1", channel: "C1" },
    person: "U1",
    name: "Ada",
    maySet: true,
    zone: null,
    rights: ALL_RIGHTS,
    ...changes,
  };
}

function createIndex(store: Desk["store"]): Pick<SearchIndex, "search"> {
  const bm25 = createBm25();
  let revision = 0;
  const index = {
    update: async (documents: Parameters<SearchIndex["update"]>[0], at: number) => {
      bm25.update(documents);
      revision = at;
    },
    revision: () => revision,
  };
  return {
    async search(query) {
      await catchUp(store, index);
      return bm25.search(query);
    },
  };
}

const unreachable = () => Promise.reject(new SourceError("Hugging Face cannot be reached."));
const NO_SOURCE: PaperSource = {
  day: unreachable,
  period: unreachable,
  trending: unreachable,
  paper: unreachable,
  linked: unreachable,
  search: unreachable,
};
