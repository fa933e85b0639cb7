import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SearchDocument, SearchIndex } from "../../src/core/search.ts";
import { parseTopic } from "../../src/core/topic.ts";

/** A document with an id and whatever a test cares for. */
export function documentOf(id: string, facts: Partial<SearchDocument> = {}): SearchDocument {
  const none = { title: "", abstract: "", keywords: [], authors: [], organization: [], has: [] };
  return { id, ...none, upvotes: 0, listedOn: null, ...facts };
}

/** The ids that a query finds, best first. */
export async function find(
  index: SearchIndex,
  query: string,
  options: { match?: "any" | "all"; limit?: number; among?: readonly string[] } = {},
): Promise<string[]> {
  const hits = await index.search({ topic: parseTopic(query), match: "any", limit: 500, ...options });
  return hits.map(({ id }) => id);
}

/** What every search index does. `create` gives an empty one; each test has its own. */
export function searchIndexContract(name: string, create: () => Promise<SearchIndex>): void {
  describe(`the search index ${name}`, () => {
    let index: SearchIndex;
    beforeEach(async () => {
      index = await create();
    });
    afterEach(async () => {
      await index.close();
    });

    test("it is empty at revision 0, and then stands where the last update put it", async () => {
      expect(index.revision()).toBe(0);
      expect(await find(index, "agents")).toEqual([]);
      await index.update([documentOf("a", { title: "Agents" })], 7);
      expect(index.revision()).toBe(7);
      await index.update([], 9);
      expect(index.revision()).toBe(9);
      expect(await find(index, "agents")).toEqual(["a"]);
    });

    test("a word is found in any of its forms, in title, abstract and keywords, titles first", async () => {
      const filler = "and much else that has nothing to do with it";
      await index.update(
        [
          documentOf("abstract", { title: `Robots ${filler}`, abstract: `Planning ${filler}` }),
          documentOf("title", { title: `Plans ${filler}`, abstract: `Robots ${filler}` }),
          documentOf("keyword", { title: `Robots ${filler}`, abstract: filler, keywords: ["planned"] }),
          documentOf("none", { title: `Robots ${filler}`, authors: ["Plan Planner"] }),
        ],
        1,
      );
      const found = await find(index, "Plan");
      expect(found[0]).toBe("title");
      expect(found.toSorted()).toEqual(["abstract", "keyword", "title"]);
    });

    test("a search needs one of the words, a subscription all of them", async () => {
      await index.update(
        [
          documentOf("both", { title: "Sparse attention" }),
          documentOf("apart", { title: "Sparse", keywords: ["attention"] }),
          documentOf("one", { title: "Sparse things" }),
          documentOf("neither", { title: "Dense" }),
        ],
        1,
      );
      expect(await find(index, "the sparse attention")).toEqual(["both", "apart", "one"]);
      expect(await find(index, "the sparse attention", { match: "all" })).toEqual(["both", "apart"]);
      expect(await find(index, '"sparse attention"')).toEqual(["both"]);
      expect(await find(index, '"sparse attention"', { match: "all" })).toEqual(["both"]);
    });

    test("of a topic that is all stop words each one counts", async () => {
      await index.update([documentOf("a", { title: "The Who" }), documentOf("b", { title: "Who" })], 1);
      expect(await find(index, "the who", { match: "all" })).toEqual(["a"]);
    });

    test("a compound is found however it is written, and a phrase only side by side", async () => {
      await index.update(
        [
          documentOf("hyphen", { title: "Fine-tuning models" }),
          documentOf("blank", { title: "Fine tuning models" }),
          documentOf("one", { title: "Finetuning models" }),
          documentOf("apart", { title: "Tuning a fine model" }),
        ],
        1,
      );
      const whole = ["blank", "hyphen", "one"];
      expect((await find(index, "fine-tuning", { match: "all" })).toSorted()).toEqual(whole);
      expect((await find(index, "finetuning", { match: "all" })).toSorted()).toEqual(["hyphen", "one"]);
      expect((await find(index, '"finetuning models"')).toSorted()).toEqual(["hyphen", "one"]);
      expect((await find(index, '"fine tuning"')).toSorted()).toEqual(["blank", "hyphen"]);
      expect(await find(index, "models -fine-tuning")).toEqual(["apart"]);
    });

    test("a phrase never runs from one field or keyword into the next", async () => {
      await index.update(
        [documentOf("a", { title: "large", abstract: "language", keywords: ["model", "zoo"] })],
        1,
      );
      for (const phrase of ['"large language"', '"language model"', '"model zoo"']) {
        expect(await find(index, phrase)).toEqual([]);
      }
    });

    test("filters take names whole, folded and each of one name", async () => {
      await index.update(
        [
          documentOf("a", {
            organization: ["deepmind", "Google DeepMind"],
            authors: ["Song Han", "Yann LeCun"],
          }),
          documentOf("b", { organization: ["alibaba-inc"], authors: ["Song Li", "Wei Han"] }),
          documentOf("c", { organization: ["googly"], authors: ["Łukasz Kaiser", "Geoffrey É. Hinton"] }),
        ],
        1,
      );
      expect(await find(index, "org:google")).toEqual(["a"]);
      expect(await find(index, "org:Alibaba-Inc")).toEqual(["b"]);
      expect(await find(index, 'org:"google inc"')).toEqual([]);
      expect(await find(index, 'author:"Song Han"')).toEqual(["a"]);
      expect(await find(index, "author:lecun")).toEqual(["a"]);
      expect(await find(index, "author:song")).toEqual(["a", "b"]);
      expect(await find(index, "author:łukasz OR author:lukasz")).toEqual(["c"]);
      expect(await find(index, 'author:"geoffrey e hinton"')).toEqual(["c"]);
    });

    test("filters and exclusions bind in a search as in a subscription", async () => {
      await index.update(
        [
          documentOf("code", { title: "Agents", has: ["code"], upvotes: 30 }),
          documentOf("games", { title: "Agents", abstract: "for video games", has: ["code"], upvotes: 30 }),
          documentOf("few", { title: "Agents", has: ["code"], upvotes: 29 }),
          documentOf("no code", { title: "Agents", has: ["model"], upvotes: 30 }),
          documentOf("other", { title: "Vision", has: ["code"], upvotes: 30 }),
        ],
        1,
      );
      for (const match of ["any", "all"] as const) {
        expect(await find(index, "agents has:code min:30 -game", { match })).toEqual(["code"]);
        expect(await find(index, 'agents -"video games" min:30', { match })).toEqual(["code", "no code"]);
        expect(await find(index, "vision OR has:model", { match })).toEqual(["other", "no code"]);
      }
    });

    test("filters alone list all that passes, by upvotes, then newest, then id, with score 0", async () => {
      await index.update(
        [
          documentOf("d", { upvotes: 2, listedOn: "2026-04-21" }),
          documentOf("c", { upvotes: 2, listedOn: "2026-04-21" }),
          documentOf("e", { upvotes: 2, listedOn: "2026-04-22" }),
          documentOf("a", { upvotes: 2 }),
          documentOf("b", { upvotes: 3 }),
          documentOf("z", { upvotes: 1 }),
        ],
        1,
      );
      expect(await find(index, "min:2")).toEqual(["b", "e", "c", "d", "a"]);
      const [first] = await index.search({ topic: parseTopic("min:2"), match: "all", limit: 1 });
      expect(first).toEqual({ id: "b", score: 0 });
    });

    test("scores are between 0 and 1, and best first", async () => {
      await index.update(
        [
          documentOf("a", { title: "Sparse attention for long contexts" }),
          documentOf("b", { title: "Sparse things", abstract: "no more of it" }),
        ],
        1,
      );
      const hits = await index.search({ topic: parseTopic("sparse attention"), match: "any", limit: 10 });
      const [a, b] = hits.map(({ score }) => score);
      expect(hits.map(({ id }) => id)).toEqual(["a", "b"]);
      expect(a).toBeLessThan(1);
      expect(a).toBeGreaterThan(b ?? 1);
      expect(b).toBeGreaterThan(0);
    });

    test("among and limit bound what is found", async () => {
      await index.update(
        ["a", "b", "c", "d"].map((id) => documentOf(id, { title: "Agents" })),
        1,
      );
      expect(await find(index, "agents", { among: ["d", "b", "unknown"] })).toEqual(["b", "d"]);
      expect(await find(index, "agents", { among: [] })).toEqual([]);
      expect(await find(index, "agents", { limit: 2 })).toEqual(["a", "b"]);
    });

    test("a document that comes again replaces the one before", async () => {
      await index.update([documentOf("a", { title: "Agents" }), documentOf("b", { title: "Agents" })], 1);
      await index.update([documentOf("a", { title: "Vision" }), documentOf("a", { title: "Speech" })], 2);
      expect(await find(index, "agents")).toEqual(["b"]);
      expect(await find(index, "vision")).toEqual([]);
      expect(await find(index, "speech")).toEqual(["a"]);
    });

    test("calls are answered in the order in which they were made", async () => {
      const answers = await Promise.all([
        find(index, "agents"),
        index.update([documentOf("a", { title: "Agents" })], 1),
        find(index, "agents"),
      ]);
      expect(answers).toEqual([[], undefined, ["a"]]);
    });

    test("once closed it refuses calls and can be closed again", async () => {
      await index.close();
      await expect(find(index, "agents")).rejects.toThrow("closed");
      await expect(index.update([], 1)).rejects.toThrow("closed");
      await index.close();
    });
  });
}
