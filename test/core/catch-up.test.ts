import { expect, test } from "vitest";
import { catchUp } from "../../src/core/catch-up.ts";
import type { SearchDocument, SearchIndex } from "../../src/core/search.ts";
import { openSqlite } from "../../src/storage/database.ts";
import { createStore } from "../../src/storage/store.ts";
import { madeUpPaper } from "../contracts/made-up-paper.ts";

test("an index catches up with all that changed, step by step, and then asks no more", async () => {
  const store = createStore(await openSqlite(":memory:"));
  const papers = Array.from({ length: 450 }, (_, index) => madeUpPaper({ id: `2604.${10_000 + index}` }));
  await store.savePapers(
    papers.map((paper) => ({ paper, summary: null })),
    "2026-04-22T12:00:00.000Z",
  );
  const taken: SearchDocument[] = [];
  let revision = 0;
  const index: Pick<SearchIndex, "update" | "revision"> = {
    update: async (documents, next) => {
      taken.push(...documents);
      revision = next;
    },
    revision: () => revision,
  };
  await catchUp(store, index);
  expect(taken.map(({ id }) => id)).toEqual(papers.map(({ id }) => id));
  await catchUp(store, index);
  expect(taken).toHaveLength(450);
  expect(taken[0]).toMatchObject({
    organization: ["example-lab", "Example Lab"],
    authors: ["Ada Example"],
    has: [],
  });
  await store.close();
});
