import { parentPort, workerData } from "node:worker_threads";
import { type Bm25, createBm25 } from "../core/bm25.ts";
import type { SearchDocument, SearchHit, SearchQuery } from "../core/search.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { readSnapshot, writeSnapshot } from "./search-snapshot.ts";

/** Which store an index is of, and that store's newest revision. */
export type StoreIdentity = { readonly id: string; readonly revision: number };

/** What the worker is started with. */
export type SearchWorkerData = {
  /** Null: nothing is kept. */
  readonly snapshotFile: string | null;
  readonly store: StoreIdentity;
  /** Whether it begins as the snapshot says; otherwise empty. */
  readonly load: boolean;
};

/** What it is asked; `call` numbers the answer. */
export type SearchCall = { readonly call: number } & (
  | { readonly kind: "update"; readonly documents: readonly SearchDocument[]; readonly revision: number }
  | { readonly kind: "search"; readonly query: SearchQuery }
  | { readonly kind: "save" }
  | { readonly kind: "close" }
);

/** What it answers. Call 0 is the start; `revision` is where the index stands from then on. */
export type SearchAnswer =
  | { readonly call: number; readonly hits: readonly SearchHit[]; readonly revision: number }
  | { readonly call: number; readonly error: string }
  | { readonly log: string };

/**
 * The first updates are kept soon after their burst is over, since much was built; later ones are few, and are kept
 * after an hour or at the end: the next start catches up with the rest.
 */
const FIRST_SAVE_DELAY_MS = 5_000;
const SAVE_DELAY_MS = 3_600_000;

if (parentPort !== null) serve(parentPort, workerData);

function serve(port: NonNullable<typeof parentPort>, { snapshotFile, store, load }: SearchWorkerData): void {
  const found = load && snapshotFile !== null ? readSnapshot(snapshotFile) : null;
  // One of another store, or from before this one was set back to a backup, tells of papers that are not there.
  const snapshot = found?.store === store.id && found.revision <= store.revision ? found : null;
  const index: Bm25 = createBm25(snapshot?.state);
  let revision = snapshot?.revision ?? 0;
  let unsaved = false;
  let saving: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let isFirst = true;

  function tell(answer: SearchAnswer): void {
    port.postMessage(answer);
  }

  /** One at a time; a call that has nothing new to write waits for the one under way. */
  function save(): Promise<void> {
    saving = saving
      .catch(() => {})
      .then(async () => {
        if (snapshotFile === null || !unsaved) return;
        unsaved = false;
        try {
          await writeSnapshot(snapshotFile, { state: index.state(), store: store.id, revision });
        } catch (error) {
          unsaved = true;
          throw new Error(`The search snapshot ${snapshotFile} could not be written: ${messageOf(error)}`);
        }
      });
    return saving;
  }

  function saveSoon(): void {
    unsaved = true;
    if (timer !== undefined && !isFirst) return;
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        timer = undefined;
        isFirst = false;
        save()
          .catch((error: unknown) => tell({ log: messageOf(error) }))
          .finally(collectGarbage);
      },
      isFirst ? FIRST_SAVE_DELAY_MS : SAVE_DELAY_MS,
    );
  }

  async function answer(call: SearchCall): Promise<readonly SearchHit[]> {
    if (call.kind === "search") return index.search(call.query);
    if (call.kind === "update") {
      index.update(call.documents);
      revision = call.revision;
      saveSoon();
    } else if (call.kind === "save") await save();
    else {
      clearTimeout(timer);
      await save().catch((error: unknown) => tell({ log: messageOf(error) }));
    }
    return [];
  }

  port.on("message", (call: SearchCall) => {
    answer(call).then(
      (hits) => tell({ call: call.call, hits, revision }),
      (error: unknown) => tell({ call: call.call, error: messageOf(error) }),
    );
  });
  tell({ call: 0, hits: [], revision });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
