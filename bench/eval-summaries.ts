import { existsSync } from "node:fs";
import { join } from "node:path";
import { sentencesOf } from "../src/core/sentence-forms.ts";
import { summarize } from "../src/core/summarize.ts";
import { stems } from "../src/core/words.ts";
import { readTldrs, type TldrPaper } from "./fit-summaries.ts";
import { rouge, rougeText } from "./rouge.ts";

/** A method's figures on the dev split of SciTLDR, abstracts only. */
export type SummaryRow = {
  readonly method: string;
  readonly papers: number;
  /** ROUGE F1, 0 to 100, against the reference with the best ROUGE-1. */
  readonly rouge1: number;
  readonly rouge2: number;
  readonly rougeL: number;
  /** CPU time, the mean over the papers once all were seen: the clock would measure what else the machine does. */
  readonly msPerPaper: number;
};

/**
 * One-sentence summaries beside the two that anybody would try first and the best that a sentence can be. None of
 * them sees a paper of `dev.jsonl` before.
 * @param dir laid out as `scitldr/dev.jsonl`; without that file there are no rows
 */
export function evalSummaries(dir: string): readonly SummaryRow[] {
  const file = join(dir, "scitldr", "dev.jsonl");
  if (!existsSync(file)) return [];
  const papers = readTldrs(file);
  return [
    rowOf("Paperboy, the sentence that ships", papers, ({ title, abstract }) => {
      return summarize({ title, abstract, aiSummary: null })?.text ?? "";
    }),
    rowOf("the first sentence", papers, ({ abstract }) => sentencesOf(abstract)[0] ?? ""),
    rowOf("the first sentence with “we propose”", papers, ({ abstract }) => {
      const sentences = sentencesOf(abstract);
      return sentences.find((sentence) => PROPOSAL.test(sentence)) ?? sentences[0] ?? "";
    }),
    rowOf("cues, title and centrality, weighed by hand", papers, weighedByHand),
    rowOf("the best sentence, chosen by ROUGE-1 (an upper bound)", papers, ({ abstract, references }) => {
      const known = references.map(rougeText);
      const scored = sentencesOf(abstract).map((text) => ({ text, one: rouge(rougeText(text), known).one }));
      return scored.reduce((best, each) => (each.one > best.one ? each : best), { text: "", one: -1 }).text;
    }),
  ];
}

const PROPOSAL =
  /\b(?:we|this (?:paper|work|study))\s+(?:\w+ly\s+)?(?:also\s+)?(?:propose|present|introduce|develop|describe|study|investigate|show)s?\b/i;

const BACKGROUND =
  /^(?:however|recent(?:ly)?|despite|while|although|existing|previous|current|traditional|moreover|furthermore)\b/i;

function weighedByHand({ title, abstract }: TldrPaper): string {
  const sentences = sentencesOf(abstract).map((text) => ({ text, words: new Set(stems(text)) }));
  const titleWords = new Set(stems(title));
  const shared = (one: ReadonlySet<string>, other: ReadonlySet<string>) =>
    one.intersection(other).size / Math.sqrt(Math.max(1, one.size * other.size));
  let best = { text: "", score: Number.NEGATIVE_INFINITY };
  for (const [index, { text, words }] of sentences.entries()) {
    const others = sentences.map((each) => shared(words, each.words)).reduce((sum, each) => sum + each, 0);
    const score =
      (PROPOSAL.test(text) ? 2 : 0) -
      (BACKGROUND.test(text) ? 0.8 : 0) -
      (text.length < 50 ? 1 : 0) -
      0.5 * (index / sentences.length) +
      1.5 * shared(words, titleWords) +
      0.5 * (others / sentences.length);
    if (score > best.score) best = { text, score };
  }
  return best.text;
}

function rowOf(method: string, papers: readonly TldrPaper[], of: (paper: TldrPaper) => string): SummaryRow {
  for (const paper of papers) of(paper);
  const before = process.cpuUsage();
  const texts = papers.map(of);
  const { user, system } = process.cpuUsage(before);
  const msPerPaper = (user + system) / 1000 / papers.length;
  const sum = { one: 0, two: 0, l: 0 };
  for (const [index, { references }] of papers.entries()) {
    const { one, two, l } = rouge(rougeText(texts[index] ?? ""), references.map(rougeText));
    sum.one += one;
    sum.two += two;
    sum.l += l;
  }
  const mean = (total: number) => (100 * total) / papers.length;
  return {
    method,
    papers: papers.length,
    rouge1: mean(sum.one),
    rouge2: mean(sum.two),
    rougeL: mean(sum.l),
    msPerPaper,
  };
}
