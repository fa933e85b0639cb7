import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBm25 } from "../../src/core/bm25.ts";
import { HAS } from "../../src/core/paper.ts";
import type { SearchDocument, SearchQuery } from "../../src/core/search.ts";
import { parseSearch, parseTopic, type Alternative, type Term, TopicError } from "../../src/core/topic.ts";
import { isStopWord, nameParts, parseWord, stems, trimToWords } from "../../src/core/words.ts";

describe("stems", () => {
  test.each([
    ["Planning planned PLANS", ["plan", "plan", "plan"]],
    ["GPT-4o, llama-3.1 in 3D", ["gpt", "4o", "llama", "3", "1", "in", "3d"]],
    ["C++ and c#, not abc++", ["c++", "and", "c#", "not", "abc"]],
    ["naïve Łukasz’s model's", ["naiv", "lukasz", "model"]],
    ["机器学习 is", ["机", "器", "学", "习", "is"]],
    ["ｆｕｌｌ ﬁne 😀 ???", ["full", "fine"]],
  ])("of %s are known", (text, expected) => {
    expect(stems(text)).toEqual(expected);
  });

  test("any text has them, and trimming keeps them all", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        const plain = text.normalize("NFKC");
        expect(stems(trimToWords(plain))).toEqual(stems(plain));
      }),
    );
  });

  test("a run without blanks is one short stem", () => {
    expect(stems("9".repeat(100_000))).toEqual(["9".repeat(40)]);
  });
});

const WORDS = [
  "agent",
  "agents",
  "plan",
  "the",
  "deep",
  "learning",
  "deep-learning",
  "GPT-4o",
  "学习",
  "c++",
];
const NAMES = ["Song Han", "Song Li", "Wei Han", "Yann LeCun", "NVIDIA", "alibaba-inc"];
const sentence = fc.array(fc.constantFrom(...WORDS), { maxLength: 7 }).map((words) => words.join(" "));
const documents = fc.array(
  fc.record<SearchDocument>({
    id: fc.constantFrom(..."abcdefghij"),
    title: sentence,
    abstract: sentence,
    keywords: fc.array(sentence, { maxLength: 2 }),
    authors: fc.subarray(NAMES),
    organization: fc.subarray(NAMES, { maxLength: 2 }),
    has: fc.subarray([...HAS]),
    upvotes: fc.nat(4),
    listedOn: fc.constantFrom(null, "2026-04-21", "2026-04-22"),
  }),
  { maxLength: 25 },
);
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...WORDS) },
  sentence.map((text) => `"${text}"`),
  fc.constantFrom(...WORDS).map((text) => `-${text}`),
  fc.constantFrom(...NAMES).map((name) => `author:"${name}"`),
  fc.constantFrom(...NAMES).map((name) => `org:"${name}"`),
  fc.constantFrom(...HAS).map((has) => `has:${has}`),
  fc.constantFrom("min:2", "OR", "OR"),
);
const queries = fc
  .record({
    text: fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(" ")),
    match: fc.constantFrom("any" as const, "all" as const),
    limit: fc.constantFrom(3, 500),
    among: fc.option(fc.subarray([..."abcdefghij"]), { nil: undefined }),
  })
  .map(({ text, match, limit, among }): SearchQuery | null => {
    try {
      return { topic: parseTopic(text), match, limit, ...(among === undefined ? {} : { among }) };
    } catch (error) {
      if (error instanceof TopicError) return null;
      throw error;
    }
  })
  .filter((query) => query !== null);

describe("the ranking", () => {
  test("finds exactly what a reading of each document finds", () => {
    fc.assert(
      fc.property(documents, queries, (all, query) => {
        const index = createBm25();
        index.update(all);
        const newest = new Map(all.map((document) => [document.id, document]));
        const expected = [...newest.values()]
          .filter((document) => passes(document, query))
          .map(({ id }) => id);
        const found = index.search({ ...query, limit: 500 }).map(({ id }) => id);
        expect(found.toSorted()).toEqual(expected.toSorted());
      }),
      { numRuns: 500 },
    );
  });

  test("does not depend on the order of updates, on what was replaced, or on a snapshot", () => {
    fc.assert(
      fc.property(documents, queries, fc.integer({ min: 1, max: 4 }), (all, query, size) => {
        const newest = [...new Map(all.map((document) => [document.id, document])).values()];
        const fresh = createBm25();
        fresh.update(newest);
        let piecemeal = createBm25();
        for (let i = 0; i < all.length; i += size) {
          piecemeal.update(all.slice(i, i + size));
          piecemeal = createBm25(piecemeal.state());
        }
        expect(piecemeal.search(query)).toEqual(fresh.search(query));
        expect(piecemeal.size()).toBe(newest.length);
      }),
      { numRuns: 300 },
    );
  });

  test("is best first, within 0 and 1, and a smaller limit gives the beginning of it", () => {
    fc.assert(
      fc.property(documents, queries, (all, query) => {
        const index = createBm25();
        index.update(all);
        const hits = index.search({ ...query, limit: 500 });
        const scores = hits.map(({ score }) => score);
        expect(scores).toEqual(scores.toSorted((a, b) => b - a));
        expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true);
        expect(index.search({ ...query, limit: 3 })).toEqual(hits.slice(0, 3));
      }),
    );
  });

  test("counts a word that is said twice twice", () => {
    const index = createBm25();
    const filler = { keywords: [], authors: [], organization: [], has: [], upvotes: 0, listedOn: null };
    index.update([
      { id: "a", title: "sparse", abstract: "", ...filler },
      { id: "b", title: "dense", abstract: "", ...filler },
    ]);
    const first = (text: string): string | undefined =>
      index.search({ topic: parseTopic(text), match: "any", limit: 1 })[0]?.id;
    expect(first("sparse dense")).toBe("a");
    expect(first("sparse dense dense")).toBe("b");
  });

  test("keeps few segments, however many updates there are", () => {
    const index = createBm25();
    const filler = {
      abstract: "",
      keywords: [],
      authors: [],
      organization: [],
      has: [],
      upvotes: 0,
      listedOn: null,
    };
    for (let i = 0; i < 400; i++) index.update([{ id: String(i % 150), title: `paper ${i}`, ...filler }]);
    expect(index.state().segments.length).toBeLessThan(16);
    expect(index.search({ topic: parseTopic("paper"), match: "all", limit: 500 })).toHaveLength(150);
    expect(index.search({ topic: parseTopic("399"), match: "all", limit: 9 }).map(({ id }) => id)).toEqual([
      "99",
    ]);
  });

  test("answers whatever is searched for, or the search is refused with a TopicError", () => {
    const index = createBm25();
    const filler = { keywords: [], authors: [], organization: [], has: [], upvotes: 0, listedOn: null };
    index.update([{ id: "a", title: "GPT-4o and C++ for 大语言模型", abstract: "the of", ...filler }]);
    for (const text of ["GPT-4o", "C++", "模型", "the of", `gpt ${"x y ".repeat(5_000)}`]) {
      expect(index.search({ topic: parseSearch(text), match: "any", limit: 5 })).toHaveLength(1);
    }
    expect(index.search({ topic: parseSearch("a:b"), match: "any", limit: 5 })).toEqual([]);
    for (const text of ['"', "(((", "😀", "-x"]) expect(() => parseSearch(text)).toThrow(TopicError);
  });
});

/** What a topic means, read naively. */
function passes(document: SearchDocument, { topic, match, among }: SearchQuery): boolean {
  const fields = [document.title, document.abstract, ...document.keywords].map(spellings);
  const has = (text: string): boolean => {
    const word = parseWord(text);
    if (word === null) return false;
    if (
      word.joined !== null &&
      fields.some((field) => field.some((line) => line.includes(word.joined ?? "")))
    ) {
      return true;
    }
    const { length } = word.stems;
    return fields.some((field) =>
      field.some((line) => line.some((_, i) => line.slice(i, i + length).join(" ") === word.stems.join(" "))),
    );
  };
  const named = (value: string, names: readonly string[]): boolean =>
    names.some((name) => nameParts(value).every((part) => nameParts(name).includes(part)));
  const holds = (alternative: Alternative): boolean => {
    if (alternative.kind === "has") return document.has.includes(alternative.value);
    if (alternative.kind === "author") return named(alternative.value, document.authors);
    if (alternative.kind === "org") return named(alternative.value, document.organization);
    const telling = alternative.terms.filter(({ text, phrase }) => phrase || !isStop(text));
    const terms: readonly Term[] = telling.length > 0 ? telling : alternative.terms;
    const phrases = terms.filter(({ phrase }) => phrase);
    if (match === "all") return terms.every(({ text }) => has(text));
    if (phrases.length > 0) return phrases.every(({ text }) => has(text));
    return terms.some(({ text }) => {
      const parts = stems(text).filter((stem) => isStop(text) || !isStop(stem));
      return has(text) || parts.some((stem) => has(stem));
    });
  };
  return (
    (among?.includes(document.id) ?? true) &&
    document.upvotes >= (topic.min ?? 0) &&
    topic.groups.every((group) => group.some(holds)) &&
    !topic.excluded.some(({ text }) => has(text))
  );
}

/** A text's stems, and the same with the second part of each compound replaced by the whole. */
function spellings(text: string): string[][] {
  const joined = stems(
    text.replaceAll("deep-learning", "deep deeplearning").replaceAll("GPT-4o", "gpt gpt4o"),
  );
  return [stems(text), joined];
}

function isStop(text: string): boolean {
  const word = parseWord(text);
  return word !== null && isStopWord(word);
}
