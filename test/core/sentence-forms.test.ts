import { describe, expect, test } from "vitest";
import { formsOf, sentencesOf } from "../../src/core/sentence-forms.ts";

const textsOf = (sentence: string) => formsOf(sentence).map(({ text }) => text);

describe("the sentences of a text", () => {
  test("end where sentences end, not at abbreviations", () => {
    expect(
      sentencesOf("We follow Smith et al. closely, e.g. in Fig. 2. It works (approx. twice as fast). End"),
    ).toEqual([
      "We follow Smith et al. closely, e.g. in Fig. 2.",
      "It works (approx. twice as fast).",
      "End",
    ]);
  });

  test("are at most 24", () => {
    expect(sentencesOf("One more. ".repeat(100))).toHaveLength(24);
  });
});

describe("the forms of a sentence", () => {
  test.each([
    [
      "In this paper, we present a new way to prune large networks.",
      "We present a new way to prune large networks.",
    ],
    [
      "In this work we present a new way to prune large networks.",
      "We present a new way to prune large networks.",
    ],
    [
      "To this end, we propose a new way to prune large networks.",
      "We propose a new way to prune large networks.",
    ],
    [
      "This paper presents a new way to prune large networks.",
      "We present a new way to prune large networks.",
    ],
    [
      "This work studies how to prune large networks in one step.",
      "We study how to prune large networks in one step.",
    ],
    [
      "This paper addresses the pruning of very large networks.",
      "We address the pruning of very large networks.",
    ],
    [
      "This study establishes a bound for pruning large networks.",
      "We establish a bound for pruning large networks.",
    ],
    [
      "This paper focuses on pruning of large networks by hand.",
      "We focus on pruning of large networks by hand.",
    ],
    [
      "We also show that pruning makes large networks faster.",
      "We show that pruning makes large networks faster.",
    ],
    [
      "However, pruning makes large networks slower than before.",
      "Pruning makes large networks slower than before.",
    ],
    [
      "To address this gap, we introduce a benchmark of a thousand pruned networks.",
      "We introduce a benchmark of a thousand pruned networks.",
    ],
  ])("begin without what ties it to others: %s", (sentence, form) => {
    expect(textsOf(sentence)[0]).toBe(form);
    expect(textsOf(sentence)).not.toContain(sentence);
  });

  test("leave out an opening, and also keep it where it says something", () => {
    const sentence = "Unlike methods that prune by weight, we prune large networks by what they do on data.";
    expect(textsOf(sentence)).toEqual(["We prune large networks by what they do on data.", sentence]);
  });

  test("leave out brackets, a relative clause, a participle, what follows a semicolon", () => {
    const forms = textsOf(
      "We present Prune (PR), a small tool that removes weights from networks, which are large, making them faster; it is free.",
    );
    expect(forms).toContain("We present Prune, a small tool that removes weights from networks.");
    expect(forms).toContain(
      "We present Prune, a small tool that removes weights from networks, which are large.",
    );
    expect(forms).toContain(
      "We present Prune, a small tool that removes weights from networks, which are large, making them faster.",
    );
  });

  test("begin with the thing that is proposed", () => {
    expect(textsOf("We propose a small tool that removes weights from large networks.")).toContain(
      "A small tool that removes weights from large networks.",
    );
  });

  test.each([
    "When a very large network is rewarded only for its final answer, making it larger hurts.",
    "We test three kinds of conditions that go from dense to sparse: masks, bounding boxes, and points.",
    "We present a tool (small, making no fuss about it, and useful) that removes weights.",
  ])("never end in the middle: %s", (sentence) => {
    for (const text of textsOf(sentence)) expect(text).toMatch(/(hurts|points|weights|to sparse)\.$/);
  });

  test("keep the case of a name", () => {
    expect(textsOf("Here, eBPF-based tools watch a network while it learns.")[0]).toMatch(/^eBPF-based/);
  });
});
