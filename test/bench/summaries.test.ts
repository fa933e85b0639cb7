import { mkdtempSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evalSummaries } from "../../bench/eval-summaries.ts";
import { fitSummaries, readTldrs, scoreWeights, type TldrPaper } from "../../bench/fit-summaries.ts";
import { rouge, rougeText } from "../../bench/rouge.ts";
import { FORM_FEATURES, rankedForms, readAbstract, WORD_FEATURES } from "../../src/core/sentence-ranker.ts";
import weights from "../../src/core/summary-weights.json" with { type: "json" };

/** Papers whose point always stands in the same kind of sentence, and never first. */
const PAPERS: readonly TldrPaper[] = [
  "pruning",
  "parsing",
  "planning",
  "ranking",
  "routing",
  "sorting",
].flatMap((task, at) =>
  ["networks", "graphs", "robots", "agents"].map((kind) => ({
    title: `Fast ${task} of ${kind}`,
    abstract: [
      `The ${task} of ${kind} has a history of many years.`,
      at % 2 === 0 ? `Large ${kind} are hard to handle.` : `Users of ${kind} wait for hours.`,
      `In this paper, we propose a fast method for the ${task} of ${kind}, which needs no tuning.`,
      "Experiments on five public datasets confirm all claims.",
    ].join(" "),
    references: [`A fast method for ${task} of ${kind} is proposed.`],
  })),
);

describe("ROUGE", () => {
  test("counts words, pairs and the longest common run, stemmed, against the nearest reference", () => {
    const score = rouge(rougeText("We propose faster networks."), [
      rougeText("Nothing of the kind"),
      rougeText("We proposed fast networks"),
    ]);
    expect(score.one).toBeCloseTo(0.75);
    expect(score.two).toBeCloseTo(1 / 3);
    expect(score.l).toBeCloseTo(0.75);
  });

  test("is 0 where there is nothing to compare", () => {
    expect(rouge(rougeText(""), [rougeText("a b")])).toEqual({ one: 0, two: 0, l: 0 });
    expect(rouge(rougeText("a b"), [])).toEqual({ one: 0, two: 0, l: 0 });
  });
});

describe("fitting the ranker", () => {
  test("gives the same weights each time, and they find the sentence that first sentences miss", () => {
    const fitted = fitSummaries(PAPERS.slice(0, 16));
    expect(fitSummaries(PAPERS.slice(0, 16))).toEqual(fitted);
    const [one] = scoreWeights(PAPERS.slice(16), fitted);
    expect(one).toBeGreaterThan(65);
  });

  test("weighs the features that there are, and the weights that ship are of them", () => {
    const fitted = fitSummaries(PAPERS.slice(0, 2));
    for (const { words, forms } of [fitted, weights]) {
      expect(Object.keys(words)).toEqual(WORD_FEATURES);
      expect(Object.keys(forms)).toEqual(FORM_FEATURES);
    }
    const text = readAbstract(PAPERS[0]!.title, PAPERS[0]!.abstract);
    for (const { features } of text.words) expect(features).toHaveLength(WORD_FEATURES.length);
    for (const { features } of rankedForms(text, [])) expect(features.every(Number.isFinite)).toBe(true);
  });
});

describe("evaluating summaries", () => {
  test("has a row for each method, of which the sentence that ships beats the first one", () => {
    const data = mkdtempSync(join(tmpdir(), "paperboy-eval-"));
    mkdirSync(join(data, "scitldr"));
    const lines = PAPERS.map(({ title, abstract, references }) =>
      JSON.stringify({ title, source: [abstract], target: references }),
    );
    writeFileSync(join(data, "scitldr", "dev.jsonl"), `${lines.join("\n")}\n`);
    expect(readTldrs(join(data, "scitldr", "dev.jsonl"))).toEqual(PAPERS);
    const [ours, first] = evalSummaries(data);
    expect(ours).toMatchObject({ papers: 24 });
    expect(ours!.rouge1).toBeGreaterThan(first!.rouge1 + 20);
  });

  test("has none without the papers", () => {
    expect(evalSummaries(mkdtempSync(join(tmpdir(), "paperboy-eval-")))).toEqual([]);
  });
});
