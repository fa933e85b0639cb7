import type { Paper, Summary } from "./paper.ts";
import { cutAtSentence, readable } from "./readable.ts";
import { bestSentence } from "./sentence-ranker.ts";

/** Characters that a summary has at most. */
export const SUMMARY_LENGTH = 300;

/** What a summary is made of. */
export type Summarizable = Pick<Paper, "title" | "abstract" | "aiSummary">;

/** Says in a sentence or two what papers do. */
export type Summarizer = {
  /**
   * A summary for each paper, in their order; null for one with nothing to read. Hugging Face's own comes first,
   * whatever the method. Never rejects, and never holds the event loop for 20 ms.
   */
  summarize(papers: readonly Summarizable[]): Promise<readonly (Summary | null)[]>;
};

/**
 * A paper in one or two sentences: Hugging Face's own, cut at a sentence, else the sentence of the abstract that
 * says best what the paper does. Null where there is neither. Takes under a millisecond.
 */
export function summarize({ title, abstract, aiSummary }: Summarizable): Summary | null {
  const theirs = cutAtSentence(readable(aiSummary ?? "").trim(), SUMMARY_LENGTH);
  if (theirs !== "") return { text: theirs, method: "huggingface" };
  const sentence = bestSentence(readable(title), readable(abstract));
  return sentence === null ? null : { text: cutAtSentence(sentence, SUMMARY_LENGTH), method: "extractive" };
}

/** `summarize`, one paper after the other. `breathe` resolves when others have had their turn. */
export function createSummarizer(breathe: () => Promise<void>): Summarizer {
  return {
    async summarize(papers) {
      const summaries: (Summary | null)[] = [];
      for (const paper of papers) {
        if (summaries.length > 0) await breathe();
        summaries.push(summarize(paper));
      }
      return summaries;
    },
  };
}
