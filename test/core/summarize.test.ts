import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SUMMARY_LENGTH, summarize } from "../../src/core/summarize.ts";

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

  test("is null where there is nothing to read", () => {
    expect(of("")).toBeNull();
    expect(of("  ", "")).toBeNull();
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
    );
  });
});
