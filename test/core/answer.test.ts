import { beforeEach, describe, expect, test } from "vitest";
import {
  cardMessage,
  looserSearches,
  paperByTitle,
  paperMessage,
  searchMessage,
  searchPapers,
  similarPapers,
} from "../../src/core/answer.ts";
import { createBm25 } from "../../src/core/bm25.ts";
import { catchUp } from "../../src/core/catch-up.ts";
import type { Context } from "../../src/core/context.ts";
import type { Paper } from "../../src/core/paper.ts";
import type { Store } from "../../src/core/store.ts";
import { summarize } from "../../src/core/summarize.ts";
import { parseSearch } from "../../src/core/topic.ts";
import { openSqlite } from "../../src/storage/database.ts";
import { createStore } from "../../src/storage/store.ts";
import { madeUpPaper } from "../contracts/made-up-paper.ts";

const AT = "2026-04-22T12:00:00.000Z";
const context = { clock: () => new Date(AT), notice: null };

let library: Pick<Context, "store" | "index">;
let store: Store;

beforeEach(async () => {
  store = createStore(await openSqlite(":memory:"));
});

/** The store and its index with these papers. */
async function hold(...papers: readonly Partial<Paper>[]): Promise<void> {
  await store.savePapers(
    papers.map((fields) => {
      const paper = madeUpPaper({ abstract: "", ...fields });
      return { paper, summary: summarize(paper) };
    }),
    AT,
  );
  const bm25 = createBm25();
  let revision = 0;
  await catchUp(store, {
    update: async (documents, at) => {
      bm25.update(documents);
      revision = at;
    },
    revision: () => revision,
  });
  library = { store, index: { search: async (query) => bm25.search(query) } };
}

async function stored(id: string) {
  const [paper] = await store.papers([id]);
  if (paper === undefined) throw new Error(`no paper ${id}`);
  return paper;
}

test("a search by id finds that paper alone", async () => {
  await hold({ id: "2604.00001" }, { id: "2604.00002" });
  const found = await searchPapers(library, "arXiv:2604.00002v3", 10);
  expect(found.map(({ paper, score }) => [paper.id, score])).toEqual([["2604.00002", 1]]);
});

test("a row leaves out what is not known", async () => {
  await hold({ authors: [], organization: null, publishedOn: null, comments: 0, abstract: "" });
  const paper = await stored("2604.00001");
  const message = searchMessage([{ paper, score: 1 }], { query: "x", offset: 0, total: 1 }, context);
  expect(message.items[0]).toMatchObject({ body: null, facts: ["▲ 10"] });
  expect(message.pages?.id).toBe("v1:page");
});

describe("looser searches", () => {
  test("are tried for real, and what brings most comes first", async () => {
    await hold(
      { id: "2604.00001", title: "Agents one", upvotes: 5 },
      { id: "2604.00002", title: "Agents two", upvotes: 5 },
      {
        id: "2604.00003",
        title: "Robots",
        organization: { name: "nvidia", fullname: "NVIDIA" },
        upvotes: 900,
      },
    );
    expect(await looserSearches(library.index, parseSearch("agents org:nvidia"))).toEqual([
      { how: "without org:nvidia", query: "agents", total: 2 },
      { how: "without agents", query: "org:nvidia", total: 1 },
    ]);
    expect(await looserSearches(library.index, parseSearch("agents -one -two"))).toEqual([
      { how: "without -one", query: "agents -two", total: 1 },
      { how: "without -two", query: "agents -one", total: 1 },
    ]);
    expect(await looserSearches(library.index, parseSearch("agents org:nobody min:400"))).toEqual([
      { how: "with the words alone", query: "agents", total: 2 },
    ]);
    expect(await looserSearches(library.index, parseSearch("nothing"))).toEqual([]);
    expect(await looserSearches(library.index, parseSearch('"two agents"'))).toEqual([
      { how: "without the quotes", query: "two agents", total: 2 },
    ]);
  });

  test("quoted text that is a filter without its quotes is left alone", async () => {
    await hold({ title: "Agents" });
    expect(await looserSearches(library.index, parseSearch('"has:nonsense"'))).toEqual([]);
  });
});

describe("a paper by its title", () => {
  test("is sure where it is the whole title, or the only one with all the words", async () => {
    await hold(
      { id: "2604.00001", title: "Attention" },
      { id: "2604.00002", title: "Attention Is All You Need" },
      { id: "2604.00003", title: "Linear Attention" },
    );
    expect((await paperByTitle(library, "ATTENTION!")).paper?.id).toBe("2604.00001");
    expect((await paperByTitle(library, "linear attention")).paper?.id).toBe("2604.00003");
    expect((await paperByTitle(library, "all you need attention")).paper?.id).toBe("2604.00002");
    expect(await paperByTitle(library, "the")).toEqual({ paper: null, near: [] });
    expect((await paperByTitle(library, "attention zebra")).near).toHaveLength(3);
  });
});

describe("similar papers", () => {
  const words = "A planner writes steps down and a checker reads them before the robot moves its arm.";

  test("are ordered by shared words, without the paper and its second listing", async () => {
    await hold(
      { id: "2604.00001", title: "Planning for Robot Arms", abstract: words },
      { id: "2604.00002", title: "Planning for robot arms", abstract: words },
      {
        id: "2604.00003",
        title: "A Checker of Plans",
        abstract: "The checker reads steps that a planner made.",
      },
      { id: "2604.00004", title: "Speech in Noise", abstract: "Voices are separated from a street's noise." },
      {
        id: "2604.00005",
        title: "Robot Arms that Learn",
        abstract: "Arms learn from a robot that moves before.",
      },
    );
    const found = await similarPapers(library, await stored("2604.00001"), 10);
    expect(found.map(({ id }) => id)).toEqual(["2604.00005", "2604.00003"]);
  });

  test("a title that reads as the topic language asks for nothing but its words", async () => {
    await hold(
      { id: "2604.00001", title: 'min:5 -robots OR has:nothing "quoted planner" org:x' },
      { id: "2604.00002", title: "A planner of robots", upvotes: 0 },
      { id: "2604.00003", title: "", abstract: "" },
    );
    const found = await similarPapers(library, await stored("2604.00001"), 10);
    expect(found.map(({ id }) => id)).toEqual(["2604.00002"]);
    expect(await similarPapers(library, await stored("2604.00003"), 10)).toEqual([]);
  });
});

describe("a card", () => {
  test("says a title for people", async () => {
    await hold({ title: "Around $\\pi_0$" });
    expect(paperMessage(await stored("2604.00001"), context).title).toBe("Around π₀");
  });

  test("has ten buttons at most, and tells the links that have none", async () => {
    await hold({
      codeUrl: "https://github.com/a/b",
      projectUrl: "https://a.example",
      abstract: "We present a card.",
      linked: { models: 1, datasets: 2, spaces: 3, modelIds: [], datasetIds: [], spaceIds: [] },
    });
    const actions = ["a", "b", "c", "d", "e"].map((id) => ({ label: id, id: `v1:${id}` }));
    const message = cardMessage(await stored("2604.00001"), actions, context);
    expect(message.buttons).toHaveLength(10);
    expect(message.buttons.slice(0, 5)).toEqual(actions);
    expect(message.items[0]?.facts.slice(-2)).toEqual(["2 datasets", "3 spaces"]);
  });
});
