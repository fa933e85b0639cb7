import { formsOf, type SentenceForm, sentencesOf } from "./sentence-forms.ts";
import weights from "./summary-weights.json" with { type: "json" };
import { isStopStem, stems } from "./words.ts";

/**
 * The sentence of an abstract that tells best what a paper does, in its best form (`formsOf`); null where there is
 * none. A linear ranker over `FORM_FEATURES`, fitted by `npm run fit-summaries`; docs/summaries.md is its card.
 */
export function bestSentence(title: string, abstract: string): string | null {
  const text = readAbstract(title, abstract);
  const worths = text.words.map(({ features }) => wordWorth(features, WORD_WEIGHTS));
  let best: string | null = null;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const { form, features } of rankedForms(text, worths)) {
    let score = 0;
    for (let at = 0; at < features.length; at++) score += (features[at] ?? 0) * (FORM_WEIGHTS[at] ?? 0);
    if (TELLS_NOTHING.test(form.text)) score -= LAST_RESORT;
    if (score > bestScore) [best, bestScore] = [form.text, score];
  }
  return best;
}

/** A question, a hope, or where to find the code: only where there is no other sentence. */
const TELLS_NOTHING =
  /\?["”’)]*$|https?:|\b(?:available|released|found) at\b|^(?:code|our code|the code|project page|demo|data|we (?:hope|expect|believe|envision))\b/i;
/** More than scores differ by. */
const LAST_RESORT = 1_000;

/** An abstract as the ranker sees it. */
export type ReadAbstract = {
  readonly sentences: readonly ReadSentence[];
  readonly title: Bag;
  readonly titleStems: readonly string[];
  /** What stands before the title's colon, which is often a name. */
  readonly titleHead: Bag;
  /** Its different stems with `WORD_FEATURES`. */
  readonly words: readonly { readonly stem: string; readonly features: Float64Array }[];
};
type ReadSentence = {
  readonly text: string;
  readonly stems: readonly string[];
  readonly bag: Bag;
  readonly cues: Uint8Array;
};
/** How often each stem occurs, where a stop word counts little, and the length of that as a vector. */
type Bag = { readonly times: ReadonlyMap<string, number>; readonly norm: number };

/** How much a stop word counts beside another. */
const STOP_WEIGHT = 0.15;
/** Words that a one-sentence summary has, as people write them. */
const USUAL_LENGTH = 19;

const OF_THE_PAPER =
  "(?:we|this (?:paper|work|study|report)|the authors)\\s+(?:(?:\\w+ly|also|then|first|therefore|thus|instead|further)\\s+)*";
/** What a sentence says of itself. */
const CUES: Readonly<Record<string, RegExp>> = {
  proposes: new RegExp(
    `\\b${OF_THE_PAPER}(?:propose|present|introduce|develop|describe|design|offer|devise|create|provide|suggest|formulate)s?\\b`,
    "i",
  ),
  studies: new RegExp(
    `\\b${OF_THE_PAPER}(?:study|studies|investigates?|explores?|address(?:es)?|considers?|analy[sz]es?|examines?|revisits?|argues?|focus(?:es)?|aims?|tackles?|takes?)\\b`,
    "i",
  ),
  shows: new RegExp(
    `\\b${OF_THE_PAPER}(?:show|demonstrate|find|prove|observe|discover|establish|reveal|identify|illustrate|derive)s?\\b`,
    "i",
  ),
  uses: new RegExp(
    `\\b${OF_THE_PAPER}(?:use|apply|train|leverage|extend|employ|adopt|build|combine|learn|evaluate|compare|test|conduct|perform)s?\\b`,
    "i",
  ),
  we: /\bwe\b/i,
  beginsWithWe: /^we\b/i,
  ours: /\bour\s+(?:proposed\s+)?(?:\w+\s+)?(?:method|approach|model|framework|algorithm|system|technique|architecture|work|analysis|findings?|contributions?)\b/i,
  results: /\bour\s+(?:\w+\s+)?(?:results?|experiments?|evaluations?|empirical)\b/i,
  isProposed: /\b(?:is|are) (?:proposed|presented|introduced|developed|described)\b/i,
  isKind:
    /\b(?:is|are) (?:a|an|the first) (?:new|novel|benchmark|framework|method|model|dataset|system|family|large|unified|open|simple|general|principled)\b/i,
  called: /\b(?:called|termed|dubbed|named|namely|coined|referred to as)\b/i,
  isNew: /\b(?:new|novel)\b/i,
  aNew: /\ban? (?:new|novel|simple|general|principled|unified)\b/i,
  method: /\b(?:method|approach|framework|algorithm|model|technique|architecture)\b/i,
  background:
    /^(?:however|recent(?:ly)?|despite|while|although|existing|previous|prior|current|traditional|moreover|furthermore|many|most|unfortunately|yet|often|one of|deep|in recent|there (?:is|are|has))\b/i,
  trouble: /\b(?:however|unfortunately|but|challeng\w+|difficult|limited|lack|fail|suffer)\b/i,
  available:
    /\b(?:available at|github|https?:|our code|code is|project page|open-?source[ds]?|publicly|source code|release)\b/i,
  better: /\b(?:state[- ]of[- ]the[- ]art|sota|outperform\w*|superior|improv\w+|better|competitive)\b/i,
  experiments: /\b(?:experiments?|empirical\w*|datasets?|benchmarks?|mnist|cifar|imagenet|evaluat\w+)\b/i,
  digits: /\d/,
  percent: /\d\s?(?:%|×|x\b)|percent/,
  question: /\?/,
  pointsBack:
    /^(?:it|this|these|they|such|those|its|their|the former|the latter|both|then|the (?:proposed|resulting|key|main|idea|method|model|approach|algorithm|framework))\b/i,
  thisWork: /\bthis (?:paper|work|study|article|report)\b/i,
  goesOn:
    /^(?:moreover|furthermore|additionally|in addition|finally|further|also|specifically|in particular|more (?:specifically|precisely)|for example|for instance|first|second|third|concretely)\b/i,
  concludes:
    /^(?:therefore|thus|hence|to (?:this|that) end|to (?:address|tackle|solve|overcome|mitigate|alleviate|remedy|resolve)|motivated|inspired|in this|here)\b/i,
  inThisWork: /^in (?:this|the present|our) (?:paper|work|study|article|report)/i,
  toAddress:
    /^to (?:address|tackle|solve|overcome|mitigate|alleviate|remedy|resolve|bridge|fill|close|this end)/i,
  can: /\b(?:can|could|may|allows?|enables?)\b/i,
  by: /\bby \w+ing\b/i,
  that: /\bthat\b/i,
  which: /\bwhich\b/i,
  using: /\b(?:using|via|through|based on|with)\b/i,
  purpose: /\bfor\b/i,
  theory: /\b(?:prove|theor\w+|bound|convergence|provabl\w+)\b/i,
  colon: /:/,
  quotes: /["“”]/,
  acronym: /\b[A-Z][A-Za-z]*[A-Z]\w*\b/,
  newAcronym: /\([A-Z][\w-]*[A-Z]\w*s?\)/,
  point: /\b(?:key|main|insight|goal|idea|contribution)\b/i,
};
const CUE_NAMES = Object.keys(CUES);
const CUE_PATTERNS = Object.values(CUES);
const PROPOSES = CUE_NAMES.indexOf("proposes");
const STUDIES = CUE_NAMES.indexOf("studies");
const SHOWS = CUE_NAMES.indexOf("shows");
const WE = CUE_NAMES.indexOf("we");
const IS_PROPOSED = CUE_NAMES.indexOf("isProposed");
const BACKGROUND = CUE_NAMES.indexOf("background");
const TROUBLE = CUE_NAMES.indexOf("trouble");

export function readAbstract(title: string, abstract: string): ReadAbstract {
  const titleStems = stems(title);
  const sentences = sentencesOf(abstract).map((text) => {
    const own = stems(text);
    const cues = Uint8Array.from(CUE_PATTERNS, (pattern) => Number(pattern.test(text)));
    return { text, stems: own, bag: bagOf(own), cues };
  });
  const titleHead = bagOf(stems(/^([^:]{2,40}):/.exec(title)?.[1] ?? ""));
  return {
    sentences,
    title: bagOf(titleStems),
    titleStems,
    titleHead,
    words: wordsOf(sentences, new Set(titleStems)),
  };
}

export const WORD_FEATURES: readonly string[] = [
  "one",
  "inTitle",
  "inTitleAndProposal",
  "tellingInTitle",
  "inProposal",
  "once",
  "twice",
  "thrice",
  "oftener",
  "share",
  "logCount",
  "inFirst",
  "inLast",
  "depth",
  "stop",
  "tellingInProposal",
  "inTitleAndTwice",
  "inProposalAndTwice",
  "digits",
  "length",
  "besideProposal",
  "noProposal",
  "noProposalInFirst",
  "noProposalInLast",
  "proposalIsLast",
  "titleShare",
  "proposalShare",
  "sentences",
];

/** For each stem how it stands in the abstract. */
function wordsOf(sentences: readonly ReadSentence[], title: ReadonlySet<string>): ReadAbstract["words"] {
  const count = sentences.length;
  const proposal = sentences.findIndex(
    ({ cues }) => cues[PROPOSES] === 1 || cues[STUDIES] === 1 || cues[SHOWS] === 1,
  );
  const known = new Map<
    string,
    { in: number; first: number; last: number; times: number; inProposal: boolean; beside: boolean }
  >();
  for (const [index, sentence] of sentences.entries()) {
    for (const stem of sentence.stems) {
      let word = known.get(stem);
      if (word === undefined) {
        word = { in: 0, first: index, last: -1, times: 0, inProposal: false, beside: false };
        known.set(stem, word);
      }
      word.times++;
      if (word.last !== index) word.in++;
      word.last = index;
      if (index === proposal) word.inProposal = true;
      if (proposal >= 0 && Math.abs(index - proposal) === 1) word.beside = true;
    }
  }
  return Array.from(known, ([stem, word]) => {
    const inTitle = title.has(stem);
    const stop = isStopStem(stem);
    const none = proposal < 0;
    const inLast = word.last === count - 1 && count > 1;
    const features = Float64Array.of(
      1,
      Number(inTitle),
      Number(inTitle && word.inProposal),
      Number(inTitle && !stop),
      Number(word.inProposal),
      Number(word.in === 1),
      Number(word.in === 2),
      Number(word.in === 3),
      Number(word.in > 3),
      word.in / count,
      Math.log(word.times),
      Number(word.first === 0),
      Number(inLast),
      word.first / count,
      Number(stop),
      Number(word.inProposal && !inTitle && !stop),
      Number(inTitle && word.in > 1),
      Number(word.inProposal && word.in > 1),
      Number(/\d/.test(stem)),
      Math.min(stem.length, 16) / 8,
      Number(!word.inProposal && word.beside),
      Number(none),
      Number(none && word.first === 0),
      Number(none && inLast),
      Number(word.inProposal && proposal === count - 1),
      inTitle ? word.in / count : 0,
      word.inProposal ? word.in / count : 0,
      count / 10,
    );
    return { stem, features };
  });
}

/** How likely a person's summary has the word, 0 to 1. */
export function wordWorth(features: Float64Array, of: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < features.length; at++) sum += (features[at] ?? 0) * (of[at] ?? 0);
  return 1 / (1 + Math.exp(-sum));
}

const LENGTHS = [6, 10, 14, 18, 22, 26, 30, 36, 44];
export const FORM_FEATURES: readonly string[] = [
  ...CUE_NAMES,
  "firstProposal",
  "firstStudy",
  "firstResult",
  "firstWe",
  "firstOfAll",
  "beforeWe",
  "noWe",
  "afterProposal",
  "farAfterProposal",
  "noProposalFirst",
  "noProposalLast",
  "first",
  "second",
  "third",
  "fourth",
  "last",
  "lastButOne",
  "depth",
  "only",
  "firstOfFew",
  "centrality",
  "centralityBeside",
  "mostCentral",
  "titleBeside",
  "nearestTitle",
  "secondNearestTitle",
  "likeOthers",
  "afterTrouble",
  ...LENGTHS.map((length) => `over${length}Words`),
  "logLength",
  "telling",
  "tooLong",
  "openingOut",
  "bracketsOut",
  "proposalOut",
  "endOut",
  "relativeOut",
  "clauseOut",
  "participleOut",
  "resultOut",
  "afterColonOut",
  "titleRecall",
  "titlePrecision",
  "titleLikeness",
  "titlePairs",
  "titlePairsCount",
  "titleHead",
  "beginsWithTitleHead",
  "formCentrality",
  "shared",
  "rare",
  "formWe",
  "formBeginsWithWe",
  "formOur",
  "formDigits",
  "formCommas",
  "formThat",
  "formBrackets",
  "worth",
  "worthMean",
  "worthShare",
  "tellingWorth",
  "pairWorth",
  "pairWorthBalanced",
  "unworthy",
  "worthBeside",
];

/** Each form of each sentence with its `FORM_FEATURES`, given the worth of each of the abstract's words. */
export function* rankedForms(
  text: ReadAbstract,
  worths: readonly number[],
): Generator<{ readonly form: SentenceForm; readonly features: Float64Array }> {
  const { sentences, title, titleHead } = text;
  const count = sentences.length;
  const worth = new Map(text.words.map(({ stem }, at) => [stem, worths[at] ?? 0]));
  const all = worths.reduce((sum, each) => sum + each, 0);
  const whole = bagOf(sentences.flatMap((sentence) => sentence.stems));
  const inSentences = new Map<string, number>();
  for (const { bag } of sentences)
    for (const stem of bag.times.keys()) inSentences.set(stem, (inSentences.get(stem) ?? 0) + 1);
  const titlePairs = pairsOf(text.titleStems, title);
  const centralities = sentences.map(({ bag }) => likeness(bag, whole));
  const titleLikenesses = sentences.map(({ bag }) => likeness(bag, title));
  const mostCentral = Math.max(...centralities, 1e-9);
  const nearest = Math.max(...titleLikenesses, 1e-9);
  const likeAll = likenessToAll(sentences);
  const firstWith = (cue: number) => sentences.findIndex(({ cues }) => cues[cue] === 1);
  const [proposal, study, result, we] = [
    firstWith(PROPOSES),
    firstWith(STUDIES),
    firstWith(SHOWS),
    firstWith(WE),
  ];
  const firstOfAll = sentences.findIndex(
    ({ cues }) => cues[PROPOSES] === 1 || cues[STUDIES] === 1 || cues[IS_PROPOSED] === 1,
  );

  const drafts: { readonly form: SentenceForm; readonly features: Float64Array; readonly value: number }[] =
    [];
  for (const [index, sentence] of sentences.entries()) {
    const before = sentences[index - 1];
    const centrality = centralities[index] ?? 0;
    const titleLikeness = titleLikenesses[index] ?? 0;
    const titleRank = titleLikenesses.filter((each) => each > titleLikeness).length;
    const likeOthers = (likeAll[index] ?? 1) - 1;
    const ofSentence = [
      Number(proposal === index),
      Number(study === index),
      Number(result === index),
      Number(we === index),
      Number(firstOfAll === index),
      Number(index < we),
      Number(we < 0),
      Number(proposal >= 0 && index === proposal + 1),
      Number(proposal >= 0 && index > proposal + 1),
      Number(proposal < 0 && index === 0),
      Number(proposal < 0 && index === count - 1),
      Number(index === 0),
      Number(index === 1),
      Number(index === 2),
      Number(index === 3),
      Number(index === count - 1),
      Number(index === count - 2),
      count > 1 ? index / (count - 1) : 0,
      Number(count === 1),
      Number(count <= 3 && index === 0),
      centrality,
      centrality / mostCentral,
      Number(centrality === mostCentral),
      titleLikeness / nearest,
      Number(titleRank === 0),
      Number(titleRank === 1),
      count > 1 ? likeOthers / (count - 1) : 0,
      Number(before?.cues[BACKGROUND] === 1 || before?.cues[TROUBLE] === 1),
    ];
    for (const form of formsOf(sentence.text)) {
      const own = stems(form.text);
      const bag = bagOf(own);
      const length = Math.max(1, own.length);
      const titleShared = sharedWith(bag, title);
      let telling = 0;
      let shared = 0;
      let rare = 0;
      for (const stem of bag.times.keys()) {
        if (isStopStem(stem)) continue;
        telling++;
        const times = inSentences.get(stem) ?? 1;
        shared += times - 1;
        if (times === 1 && !title.times.has(stem)) rare++;
      }
      let value = 0;
      let tellingWorth = 0;
      let pairWorth = 0;
      let unworthy = 0;
      let previous = 0;
      const seen = new Set<string>();
      for (const stem of own) {
        const each = worth.get(stem) ?? 0.1;
        value += seen.has(stem) ? 0.3 * each : each;
        if (!seen.has(stem) && !isStopStem(stem)) tellingWorth += each;
        seen.add(stem);
        pairWorth += previous * each;
        previous = each;
        if (each < 0.1) unworthy++;
      }
      let pairs = 0;
      for (const pair of pairsOf(own, title)) if (titlePairs.has(pair)) pairs++;
      const score = (2 * value) / (length + USUAL_LENGTH);
      const features = new Float64Array(FORM_FEATURES.length);
      features.set(sentence.cues);
      features.set(ofSentence, CUE_NAMES.length);
      const ofForm = [
        Math.log(length + 1),
        telling / length,
        Number(form.text.length > 300),
        Number(form.opening),
        Number(form.brackets),
        Number(form.thing),
        Number(form.ending > 0),
        Number(form.ending === 1),
        Number(form.ending === 2),
        Number(form.ending === 3),
        Number(form.ending === 4),
        Number(form.ending === 5),
        title.times.size === 0 ? 0 : titleShared / title.times.size,
        titleShared / Math.max(1, bag.times.size),
        likeness(bag, title),
        titlePairs.size === 0 ? 0 : pairs / titlePairs.size,
        Math.min(3, pairs) / 3,
        titleHead.times.size === 0 ? 0 : sharedWith(titleHead, bag) / titleHead.times.size,
        Number(titleHead.times.has(own[0] ?? "")),
        likeness(bag, whole),
        telling > 0 && count > 1 ? shared / telling / (count - 1) : 0,
        telling > 0 ? rare / telling : 0,
        Number(/\bwe\b/i.test(form.text)),
        Number(/^we\b/i.test(form.text)),
        Number(/\bour\b/i.test(form.text)),
        Number(/\d/.test(form.text)),
        Math.min(3, form.text.split(",").length - 1) / 3,
        Number(/\bthat\b/.test(form.text)),
        Number(form.text.includes("(")),
        score,
        value / length,
        all > 0 ? value / all : 0,
        tellingWorth / length,
        pairWorth / length,
        (2 * pairWorth) / (length + USUAL_LENGTH - 2),
        unworthy / length,
      ];
      const start = CUE_NAMES.length + ofSentence.length;
      for (const [at, from] of LENGTHS.entries()) {
        features[start + at] = Math.max(0, Math.min(1, (length - from) / 4));
      }
      features.set(ofForm, start + LENGTHS.length);
      drafts.push({ form, features, value: score });
    }
  }
  const most = Math.max(...drafts.map(({ value }) => value), 1e-9);
  for (const { form, features, value } of drafts) {
    features[features.length - 1] = value / most;
    yield { form, features };
  }
}

function bagOf(words: readonly string[]): Bag {
  const times = new Map<string, number>();
  for (const stem of words) times.set(stem, (times.get(stem) ?? 0) + (isStopStem(stem) ? STOP_WEIGHT : 1));
  let squares = 0;
  for (const each of times.values()) squares += each * each;
  return { times, norm: Math.sqrt(squares) };
}

/** The cosine of two bags. */
function likeness(one: Bag, other: Bag): number {
  let product = 0;
  for (const [stem, times] of one.times) product += times * (other.times.get(stem) ?? 0);
  return product === 0 ? 0 : product / (one.norm * other.norm);
}

/** For each sentence the sum of its likenesses to all, itself included. */
function likenessToAll(sentences: readonly ReadSentence[]): Float64Array {
  const sums = new Float64Array(sentences.length).fill(1);
  for (let one = 0; one < sentences.length; one++) {
    for (let other = one + 1; other < sentences.length; other++) {
      const [first, second] = [sentences[one], sentences[other]];
      const each = first === undefined || second === undefined ? 0 : likeness(first.bag, second.bag);
      sums[one] = (sums[one] ?? 0) + each;
      sums[other] = (sums[other] ?? 0) + each;
    }
  }
  return sums;
}

/** How many telling stems two bags share. */
function sharedWith(one: Bag, other: Bag): number {
  let shared = 0;
  for (const stem of one.times.keys()) if (other.times.has(stem) && !isStopStem(stem)) shared++;
  return shared;
}

/** Different pairs of adjacent words that both are in `among`. */
function pairsOf(words: readonly string[], among: Bag): ReadonlySet<string> {
  const pairs = new Set<string>();
  for (let at = 1; at < words.length; at++) {
    const [one = "", other = ""] = [words[at - 1], words[at]];
    if (among.times.has(one) && among.times.has(other)) pairs.add(`${one} ${other}`);
  }
  return pairs;
}

const WORD_WEIGHTS = inOrder(weights.words, WORD_FEATURES);
const FORM_WEIGHTS = inOrder(weights.forms, FORM_FEATURES);

function inOrder(named: Readonly<Record<string, number>>, names: readonly string[]): Float64Array {
  return Float64Array.from(names, (name) => named[name] ?? 0);
}
