import type { SearchIndex } from "./search.ts";
import type { PaperSource } from "./source.ts";
import type { Store } from "./store.ts";

/** The instant now. */
export type Clock = () => Date;

/** What questions about papers are answered from. */
export type Archive = {
  readonly store: Pick<Store, "days" | "list" | "papers" | "snapshots">;
  /** Stands where the store stands. */
  readonly index: Pick<SearchIndex, "search">;
};

/** What the product's functions work on. */
export type Context = {
  readonly store: Store;
  /** Stands where the store stands. */
  readonly index: Pick<SearchIndex, "search">;
  readonly source: PaperSource;
  readonly clock: Clock;
  /** A sentence that stands wherever papers are shown, such as that the bundled sample serves. */
  readonly notice: string | null;
  /** Sentences for `status`: what does not work as it is set up, and what serves instead. */
  readonly remarks?: readonly string[];
};
