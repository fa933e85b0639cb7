import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseList } from "../src/core/hugging-face-rows.ts";
import { summarize } from "../src/core/summarize.ts";

const lists = readFileSync("sample/daily-papers.jsonl", "utf8")
  .trimEnd()
  .split("\n")
  .map((line): { date: string; items: unknown[] } => JSON.parse(line));

describe("the bundled sample", () => {
  test("holds three list days and at least 36 papers, each of which can be read", () => {
    expect(lists).toHaveLength(3);
    expect(lists.flatMap(({ items }) => parseList(items).dropped)).toEqual([]);
    expect(lists.flatMap(({ items }) => parseList(items).papers).length).toBeGreaterThanOrEqual(36);
  });

  test("tells each paper in two to four sentences, of which one becomes its summary", () => {
    const sentences = new Intl.Segmenter("en", { granularity: "sentence" });
    for (const paper of lists.flatMap(({ items }) => parseList(items).papers)) {
      const count = [...sentences.segment(paper.abstract)].length;
      expect({ id: paper.id, inRange: count >= 2 && count <= 5 }).toEqual({ id: paper.id, inRange: true });
      expect(summarize(paper)).toMatchObject({ method: "extractive", text: expect.stringMatching(/\.$/) });
      expect(paper.aiSummary).toBeNull();
    }
  });
});
