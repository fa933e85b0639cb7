import { beforeEach, describe, expect, test } from "vitest";
import type { ModelSummarizer } from "../../src/core/model-summarizer.ts";
import { createReteller, type Reteller } from "../../src/core/retell.ts";
import type { Store } from "../../src/core/store.ts";
import { createSummarizer } from "../../src/core/summarize.ts";
import { openSqlite } from "../../src/storage/database.ts";
import { createStore } from "../../src/storage/store.ts";
import { madeUpPaper } from "../contracts/made-up-paper.ts";

/** A Wednesday noon in New York. */
const NOW = "2026-04-22T16:00:00.000Z";
const sentences = createSummarizer(async () => {});

let store: Store;
let asked: string[];
let isDown: boolean;
let refuses: boolean;
let reteller: Reteller;

beforeEach(async () => {
  store = createStore(await openSqlite(":memory:"));
  asked = [];
  isDown = false;
  refuses = false;
  const summarizer: ModelSummarizer = {
    warning: () => (isDown ? "The summary model does not answer." : null),
    async summarize(papers) {
      asked.push(...papers.map(({ title }) => title));
      if (isDown || refuses) return sentences.summarize(papers);
      return papers.map(({ title }) => ({ text: `Written of ${title}.`, method: "model" as const }));
    },
  };
  reteller = createReteller({ store, summarizer, clock: () => Date.parse(NOW) });
});

async function list(day: string, ids: readonly string[], seenAt = NOW, aiSummary: string | null = null) {
  const papers = ids.map((id) => madeUpPaper({ id, title: `Paper ${id}`, aiSummary }));
  const summaries = await sentences.summarize(papers);
  await store.saveList({
    day,
    seenAt,
    papers: papers.map((paper, index) => ({ paper, summary: summaries[index] ?? null })),
  });
}

const methodOf = async (id: string) => (await store.papers([id]))[0]?.summary?.method;

describe("retelling", () => {
  test("gives papers of the two newest lists a summary by the model, once", async () => {
    await list("2026-04-20", ["2604.00001"]);
    await list("2026-04-21", ["2604.00002"]);
    await list("2026-04-22", ["2604.00003"]);
    expect(await reteller.retell()).toEqual({ asked: 2, made: 2 });
    expect(await methodOf("2604.00001")).toBe("extractive");
    expect((await store.papers(["2604.00003"]))[0]?.summary).toEqual({
      text: "Written of Paper 2604.00003.",
      method: "model",
    });
    expect(await reteller.retell()).toEqual({ asked: 0, made: 0 });
  });

  test("stays through later sightings, until Hugging Face has a summary of its own", async () => {
    await list("2026-04-22", ["2604.00001"]);
    await reteller.retell();
    await list("2026-04-22", ["2604.00001"], "2026-04-22T17:00:00.000Z");
    expect(await methodOf("2604.00001")).toBe("model");
    await list("2026-04-22", ["2604.00001"], "2026-04-22T18:00:00.000Z", "Theirs, in a sentence.");
    expect(await methodOf("2604.00001")).toBe("huggingface");
    expect(await reteller.retell()).toEqual({ asked: 0, made: 0 });
  });

  test("holds where the list was read anew while the model wrote", async () => {
    await list("2026-04-22", ["2604.00001"]);
    const [paper] = await store.papers(["2604.00001"]);
    await list("2026-04-22", ["2604.00001"], "2026-04-22T17:00:00.000Z");
    await store.savePapers([{ paper: paper!, summary: { text: "Written.", method: "model" } }], NOW);
    expect(await methodOf("2604.00001")).toBe("model");
  });

  test("leaves an archive as it is", async () => {
    await list("2026-03-02", ["2603.00001"]);
    expect(await reteller.retell()).toEqual({ asked: 0, made: 0 });
  });

  test("asks for 30 papers a run", async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `2604.${String(index).padStart(5, "0")}`);
    await list("2026-04-22", ids);
    expect((await reteller.retell()).made).toBe(30);
    expect((await reteller.retell()).made).toBe(20);
  });

  test("asks twice for a paper of which the model makes no summary, and no more", async () => {
    await list("2026-04-22", ["2604.00001"]);
    refuses = true;
    for (let run = 0; run < 4; run++) await reteller.retell();
    expect(asked).toHaveLength(2);
  });

  test("asks again as long as the model does not answer", async () => {
    await list("2026-04-22", ["2604.00001"]);
    isDown = true;
    for (let run = 0; run < 4; run++) await reteller.retell();
    expect(asked).toHaveLength(4);
    expect(reteller.warning()).toMatch(/does not answer/);
    isDown = false;
    expect((await reteller.retell()).made).toBe(1);
  });

  test("a second call joins the one under way", async () => {
    await list("2026-04-22", ["2604.00001"]);
    const [one, other] = await Promise.all([reteller.retell(), reteller.retell()]);
    expect(one).toBe(other);
    expect(asked).toHaveLength(1);
  });
});
