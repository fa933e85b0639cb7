import { setImmediate as breathe } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSummarizer, SUMMARY_LENGTH, summarize } from "../../src/core/summarize.ts";
import { summarizerContract } from "../contracts/summarizer.ts";

summarizerContract("of sentences", async () => ({ summarizer: createSummarizer(() => breathe()) }));

const of = (abstract: string, aiSummary: string | null = null, title = "A language for agents' plans") =>
  summarize({ title, abstract, aiSummary });

describe("a summary", () => {
  test("is Hugging Face's own where there is one", () => {
    expect(of("Abstract.", "A small language for plans.")).toEqual({
      text: "A small language for plans.",
      method: "huggingface",
    });
  });

  test("is cut at a sentence within 300 characters", () => {
    const sentence = "This sentence has exactly fifty characters in it.. ";
    const text = of("", sentence.repeat(12))?.text ?? "";
    expect(text.length).toBeLessThanOrEqual(SUMMARY_LENGTH);
    expect(text.endsWith(".")).toBe(true);
  });

  test("is else the sentence that says what the paper does, without its lead-in", () => {
    expect(
      of(
        "Agents are hard to trust. However, existing tools hide their plans. To address this, we introduce a small language that writes an agent's plan down. Code is available at https://github.com/a/b.",
      ),
    ).toEqual({
      text: "We introduce a small language that writes an agent's plan down.",
      method: "extractive",
    });
  });

  test("is neither a question nor where the code is, unless there is nothing else", () => {
    const question =
      "Can we propose a small language that writes an agent's plan down in a way that people trust?";
    const code =
      "Code of the small language for agents' plans that we propose is available at https://a.io/b.";
    expect(of(`${question} Plans are hard. ${code}`)?.text).toBe("Plans are hard.");
    expect(of(question)?.text).toBe(question);
  });

  test("keeps a name that an abbreviation would cut", () => {
    expect(of("We propose a language for plans, following Smith et al. in spirit.")?.text).toMatch(
      /^We propose a language for plans/,
    );
  });

  test("is null where there is nothing to read", () => {
    expect(of("")).toBeNull();
    expect(of("  ", "\t")).toBeNull();
    expect(of("", "\\label{a}")).toBeNull();
  });

  test("is never longer than 300 characters nor empty, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 2000 }),
        fc.option(fc.string({ maxLength: 900 })),
        (abstract, ai) => {
          const summary = of(abstract, ai);
          if (summary === null) return;
          expect(summary.text.length).toBeLessThanOrEqual(SUMMARY_LENGTH);
          expect(summary.text).not.toBe("");
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each([
    ["blanks", `a${" ".repeat(200_000)}b`],
    ["sentences", "we propose a thing, which works, showing that it is good (so we say). ".repeat(5_000)],
    ["commas", "we propose a, which ".repeat(20_000)],
    ["brackets", "(".repeat(100_000)],
    ["lead-ins", "in this paper, ".repeat(20_000)],
    ["one word", "x".repeat(200_000)],
  ])("takes bounded work for 200,000 characters of %s", (_, abstract) => {
    const before = process.cpuUsage();
    of(abstract);
    // Far above what it takes; work that grew with the square of the length would take minutes.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2_000);
  });
});
