import { Worker } from "node:worker_threads";
import type { SearchHit, SearchIndex } from "../core/search.ts";
import type { SearchAnswer, SearchCall, SearchWorkerData, StoreIdentity } from "./search-worker.ts";

export type SearchIndexOptions = {
  /** Where the index is kept between starts; null for nowhere. */
  readonly snapshotFile: string | null;
  readonly store: StoreIdentity;
  /** Gets a line when something went wrong that no call is told of. */
  readonly log?: (line: string) => void;
  /** The worker's program; tests give one that breaks. */
  readonly workerUrl?: URL;
};

/**
 * The search index in a worker thread. It begins as its snapshot file says, or empty where there is none that
 * can be used. Should the worker break, the calls under way are rejected and the next call finds a new, empty
 * index: `revision()` is 0 again, and the caller fills it again.
 */
export async function createSearchIndex(options: SearchIndexOptions): Promise<SearchIndex> {
  let revision = 0;
  let calls = 0;
  let closing: Promise<void> | null = null;
  let running: Running | null = null;

  function start(load: boolean): Running {
    const data: SearchWorkerData = {
      snapshotFile: options.snapshotFile,
      store: options.store,
      load,
    };
    const worker = new Worker(options.workerUrl ?? WORKER_URL, { workerData: data, name: "search" });
    const started: Running = { worker, pending: new Map() };
    worker.on("message", (answer: SearchAnswer) => settle(started, answer));
    worker.on("error", (error) => stop(started, error instanceof Error ? error.message : String(error)));
    worker.on("exit", (code) => stop(started, `exit code ${code}`));
    running = started;
    return started;
  }

  function settle(from: Running, answer: SearchAnswer): void {
    if ("log" in answer) {
      options.log?.(answer.log);
      return;
    }
    const pending = from.pending.get(answer.call);
    from.pending.delete(answer.call);
    if ("error" in answer) {
      pending?.reject(new Error(answer.error));
      return;
    }
    revision = answer.revision;
    pending?.resolve(answer.hits);
  }

  function stop(stopped: Running, reason: string): void {
    if (running !== stopped) return;
    running = null;
    if (closing === null) {
      revision = 0;
      options.log?.(`The search index stopped (${reason}) and begins again empty.`);
    }
    for (const { reject } of stopped.pending.values()) {
      reject(
        new Error(`The search index stopped (${reason}). It begins again empty: fill it and ask again.`),
      );
    }
  }

  function ask(to: Running, call: SearchCall): Promise<readonly SearchHit[]> {
    return new Promise((resolve, reject) => {
      to.worker.postMessage(call);
      to.pending.set(call.call, { resolve, reject });
    });
  }

  async function send(call: Ask): Promise<readonly SearchHit[]> {
    if (closing !== null) throw new Error("The search index is closed.");
    return ask(running ?? start(false), { call: ++calls, ...call });
  }

  async function end(last: Running | null): Promise<void> {
    if (last === null) return;
    // A worker that breaks while it closes has ended as well; its snapshot is the one before.
    await ask(last, { call: ++calls, kind: "close" }).catch(() => []);
    await last.worker.terminate();
  }

  const first = start(true);
  await new Promise((resolve, reject) => first.pending.set(0, { resolve, reject }));

  return {
    update: async (documents, newRevision) => {
      await send({ kind: "update", documents, revision: newRevision });
    },
    search: (query) => send({ kind: "search", query }),
    revision: () => revision,
    save: async () => {
      await send({ kind: "save" });
    },
    close: () => {
      closing ??= end(running);
      return closing;
    },
  };
}

const WORKER_URL = new URL("./search-worker.ts", import.meta.url);

type Running = { readonly worker: Worker; readonly pending: Map<number, Pending> };
type Pending = {
  readonly resolve: (hits: readonly SearchHit[]) => void;
  readonly reject: (error: Error) => void;
};
type Ask = SearchCall extends infer Call ? (Call extends SearchCall ? Omit<Call, "call"> : never) : never;
