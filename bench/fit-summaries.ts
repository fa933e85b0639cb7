import { readFileSync } from "node:fs";
import { z } from "zod";
import { readable } from "../src/core/readable.ts";
import {
  FORM_FEATURES,
  rankedForms,
  readAbstract,
  type ReadAbstract,
  WORD_FEATURES,
  wordWorth,
} from "../src/core/sentence-ranker.ts";
import { stems } from "../src/core/words.ts";
import { rouge, rougeText } from "./rouge.ts";

/** A paper with summaries that people wrote of it. */
export type TldrPaper = {
  readonly title: string;
  readonly abstract: string;
  readonly references: readonly string[];
};

/** The weights, as `src/core/summary-weights.json` keeps them. */
export type SummaryWeights = {
  readonly words: Readonly<Record<string, number>>;
  readonly forms: Readonly<Record<string, number>>;
};

/** ROUGE-1, 2 and L, 0 to 100, of what weights choose. */
export type Score = readonly [number, number, number];

const row = z.object({
  title: z.string(),
  source: z.array(z.string()),
  target: z.array(z.string()).min(1),
});

/** The papers of a file of SciTLDR (https://github.com/allenai/scitldr), abstracts only. */
export function readTldrs(file: string): readonly TldrPaper[] {
  const lines = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const { title, source, target } = row.parse(JSON.parse(line));
    return { title, abstract: source.join(" "), references: target };
  });
}

/**
 * Weights for the sentence ranker, the same for the same papers. First a logistic regression says of each word of an
 * abstract how likely a person's summary has it; its own training papers get that from a model that has not seen
 * them. Then the forms of each paper's sentences are ranked: the softmax of their scores is drawn to the softmax of
 * their ROUGE.
 */
export function fitSummaries(papers: readonly TldrPaper[]): SummaryWeights {
  const lessons = papers.map(lessonOf);
  const unseen = new Map<Lesson, Float64Array>();
  for (let part = 0; part < WORD_PARTS; part++) {
    const others = lessons.filter((_, index) => index % WORD_PARTS !== part);
    const ofOthers = fitWords(others.length > 0 ? others : lessons);
    for (const [index, lesson] of lessons.entries())
      if (index % WORD_PARTS === part) unseen.set(lesson, ofOthers);
  }
  const words = fitWords(lessons);
  const forms = fitForms(lessons.map((lesson) => formsOfLesson(lesson, unseen.get(lesson) ?? words)));
  return { words: named(WORD_FEATURES, words), forms: named(FORM_FEATURES, forms) };
}

/** What the weights choose for papers that they may not have seen. */
export function scoreWeights(papers: readonly TldrPaper[], { words, forms }: SummaryWeights): Score {
  const [ofWords, ofForms] = [inOrder(WORD_FEATURES, words), inOrder(FORM_FEATURES, forms)];
  const sum = [0, 0, 0];
  for (const paper of papers) {
    let best: Choice | null = null;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const choice of formsOfLesson(lessonOf(paper), ofWords)) {
      const score = dot(choice.features, ofForms);
      if (score > bestScore) [best, bestScore] = [choice, score];
    }
    for (const [at, each] of (best?.rouge ?? [0, 0, 0]).entries()) sum[at] = (sum[at] ?? 0) + each;
  }
  const [one = 0, two = 0, l = 0] = sum.map((each) => (100 * each) / Math.max(1, papers.length));
  return [one, two, l];
}

/** The mean of `scoreWeights` over five parts, each with weights fitted to the other four. */
export function crossValidate(papers: readonly TldrPaper[]): Score {
  const parts = Array.from({ length: 5 }, (_, part) => {
    const weights = fitSummaries(papers.filter((_, index) => index % 5 !== part));
    return scoreWeights(
      papers.filter((_, index) => index % 5 === part),
      weights,
    );
  });
  const mean = (at: 0 | 1 | 2) => parts.reduce((sum, part) => sum + part[at], 0) / parts.length;
  return [mean(0), mean(1), mean(2)];
}

const WORD_PARTS = 4;
/** Chosen by cross-validation on the train split; anything near them scores the same to .2. */
const WORDS = { rounds: 3, rate: 0.1 };
const FORMS = {
  rounds: 20,
  rate: 0.01,
  batch: 32,
  decay: 1e-3,
  temperature: 0.1,
  one: 0.8,
  two: 0.1,
  l: 0.1,
};

type Lesson = {
  readonly text: ReadAbstract;
  readonly references: readonly ReturnType<typeof rougeText>[];
  readonly referenceStems: ReadonlySet<string>;
};
type Choice = { readonly features: Float64Array; readonly rouge: readonly [number, number, number] };

function lessonOf({ title, abstract, references }: TldrPaper): Lesson {
  return {
    text: readAbstract(readable(title), readable(abstract)),
    references: references.map(rougeText),
    referenceStems: new Set(references.flatMap((reference) => stems(reference))),
  };
}

function formsOfLesson({ text, references }: Lesson, words: Float64Array): readonly Choice[] {
  const worths = text.words.map(({ features }) => wordWorth(features, words));
  return Array.from(rankedForms(text, worths), ({ form, features }) => {
    const { one, two, l } = rouge(rougeText(form.text), references);
    return { features, rouge: [one, two, l] as const };
  });
}

/** Logistic regression by AdaGrad. */
function fitWords(lessons: readonly Lesson[]): Float64Array {
  const weights = new Float64Array(WORD_FEATURES.length);
  const squares = new Float64Array(WORD_FEATURES.length).fill(1e-6);
  const random = createRandom(7);
  for (let round = 0; round < WORDS.rounds; round++) {
    for (const { text, referenceStems } of shuffled(lessons, random)) {
      for (const { word, features } of text.words) {
        const error = wordWorth(features, weights) - Number(referenceStems.has(word.stem));
        for (const [at, feature] of features.entries()) {
          const gradient = error * feature;
          squares[at] = (squares[at] ?? 0) + gradient * gradient;
          weights[at] = (weights[at] ?? 0) - (WORDS.rate * gradient) / Math.sqrt(squares[at] ?? 1);
        }
      }
    }
  }
  return weights;
}

/** A listwise ranker by Adam (Kingma and Ba 2015), over features brought to one scale. */
function fitForms(lists: readonly (readonly Choice[])[]): Float64Array {
  const width = FORM_FEATURES.length;
  const scale = scalesOf(lists.flat(), width);
  const weights = new Float64Array(width);
  const [mean, square, gradient] = [
    new Float64Array(width),
    new Float64Array(width),
    new Float64Array(width),
  ];
  const random = createRandom(1);
  let step = 0;
  for (let round = 0; round < FORMS.rounds; round++) {
    const order = shuffled(
      lists.filter((choices) => choices.length > 1),
      random,
    );
    const rate = FORMS.rate * (1 - round / FORMS.rounds);
    for (let from = 0; from < order.length; from += FORMS.batch) {
      const batch = order.slice(from, from + FORMS.batch);
      gradient.fill(0);
      for (const choices of batch) {
        const ours = softmax(choices.map(({ features }) => dot(features, weights, scale)));
        const theirs = softmax(choices.map((choice) => worthOf(choice) / FORMS.temperature));
        for (const [index, { features }] of choices.entries()) {
          const error = ((ours[index] ?? 0) - (theirs[index] ?? 0)) / batch.length;
          for (let at = 0; at < width; at++) {
            gradient[at] = (gradient[at] ?? 0) + error * (features[at] ?? 0) * (scale[at] ?? 0);
          }
        }
      }
      step++;
      for (let at = 0; at < width; at++) {
        const slope = (gradient[at] ?? 0) + FORMS.decay * (weights[at] ?? 0);
        mean[at] = 0.9 * (mean[at] ?? 0) + 0.1 * slope;
        square[at] = 0.999 * (square[at] ?? 0) + 0.001 * slope * slope;
        const [first, second] = [
          (mean[at] ?? 0) / (1 - 0.9 ** step),
          (square[at] ?? 0) / (1 - 0.999 ** step),
        ];
        weights[at] = (weights[at] ?? 0) - (rate * first) / (Math.sqrt(second) + 1e-8);
      }
    }
  }
  return weights.map((weight, at) => weight * (scale[at] ?? 0));
}

function worthOf({ rouge: [one, two, l] }: Choice): number {
  return FORMS.one * one + FORMS.two * two + FORMS.l * l;
}

/** One over each feature's deviation; a paper's own mean does not move its ranking. */
function scalesOf(choices: readonly Choice[], width: number): Float64Array {
  const count = Math.max(1, choices.length);
  const [sums, squares] = [new Float64Array(width), new Float64Array(width)];
  for (const { features } of choices) {
    for (const [at, feature] of features.entries()) {
      sums[at] = (sums[at] ?? 0) + feature;
      squares[at] = (squares[at] ?? 0) + feature * feature;
    }
  }
  return sums.map((sum, at) => {
    const variance = (squares[at] ?? 0) / count - (sum / count) ** 2;
    return 1 / (Math.sqrt(Math.max(0, variance)) + 0.05);
  });
}

function dot(features: Float64Array, weights: Float64Array, scale?: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < features.length; at++) {
    sum += (features[at] ?? 0) * (weights[at] ?? 0) * (scale === undefined ? 1 : (scale[at] ?? 0));
  }
  return sum;
}

function softmax(scores: readonly number[]): readonly number[] {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function named(names: readonly string[], weights: Float64Array): Readonly<Record<string, number>> {
  return Object.fromEntries(names.map((name, at) => [name, Number((weights[at] ?? 0).toFixed(4))]));
}

function inOrder(names: readonly string[], weights: Readonly<Record<string, number>>): Float64Array {
  return Float64Array.from(names, (name) => weights[name] ?? 0);
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const order = [...values];
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    const [one, two] = [order[at], order[other]];
    if (one !== undefined && two !== undefined) [order[at], order[other]] = [two, one];
  }
  return order;
}

/** Mulberry32: the same numbers on every machine. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
