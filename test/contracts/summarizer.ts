import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SUMMARY_LENGTH, type Summarizable, type Summarizer } from "../../src/core/summarize.ts";

export type SummarizerUnderTest = { readonly summarizer: Summarizer; readonly close?: () => Promise<void> };

export const PAPERS: readonly Summarizable[] = [
  {
    title: "A language for agents' plans",
    abstract:
      "Agents are hard to trust. However, existing tools hide their plans. To address this, we introduce a small language that writes an agent's plan down. Code is available at https://github.com/a/b.",
    aiSummary: null,
  },
  {
    title: "Faster decoding",
    abstract:
      "Decoding is slow. We propose a cache that halves the time of decoding long texts on one machine.",
    aiSummary: "A cache makes decoding of long texts twice as fast.",
  },
  { title: "Nothing to read", abstract: "", aiSummary: null },
];

/** What every summarizer keeps to. */
export function summarizerContract(name: string, make: () => Promise<SummarizerUnderTest>): void {
  describe(`the summarizer ${name}`, () => {
    let under: SummarizerUnderTest;
    beforeEach(async () => {
      under = await make();
    });
    afterEach(() => under.close?.());

    test("answers each paper in its order, Hugging Face's own first, null where there is nothing to read", async () => {
      const [first, second, third] = await under.summarizer.summarize(PAPERS);
      expect(first?.text).toMatch(/language/);
      expect(first?.method).not.toBe("huggingface");
      expect(second).toEqual({ text: PAPERS[1]?.aiSummary, method: "huggingface" });
      expect(third).toBeNull();
    });

    test("answers no paper with no summary", async () => {
      expect(await under.summarizer.summarize([])).toEqual([]);
    });

    test("says the same twice", async () => {
      expect(await under.summarizer.summarize(PAPERS)).toEqual(await under.summarizer.summarize(PAPERS));
    });

    test("gives one line of at most 300 characters that can be seen, whatever the paper", async () => {
      const text = fc.string({ unit: "binary", maxLength: 800 });
      await fc.assert(
        fc.asyncProperty(text, text, fc.option(text), async (title, abstract, aiSummary) => {
          const [summary] = await under.summarizer.summarize([{ title, abstract, aiSummary }]);
          if (summary === null || summary === undefined) return;
          expect(summary.text.length).toBeLessThanOrEqual(SUMMARY_LENGTH);
          expect(summary.text.trim()).not.toBe("");
        }),
        { numRuns: 30 },
      );
    });

    test("lets others have their turn while it reads a list of a hundred", async () => {
      const papers = Array.from({ length: 100 }, () => PAPERS[1] ?? PAPERS[0]).flatMap(
        (paper) => paper ?? [],
      );
      let turns = 0;
      let running = true;
      const others = (async () => {
        while (running) {
          await new Promise((resolve) => setImmediate(resolve));
          turns++;
        }
      })();
      expect(await under.summarizer.summarize(papers)).toHaveLength(100);
      running = false;
      await others;
      expect(turns).toBeGreaterThan(20);
    });
  });
}
