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
  readonly title: Line;
  readonly lexicon: Lexicon;
  /** Its different words with `WORD_FEATURES`. */
  readonly words: readonly { readonly word: Word; readonly features: Float64Array }[];
};
type ReadSentence = { readonly text: string; readonly line: Line; readonly cues: Uint8Array };

/** A stem and what is counted of it, so that a form's words are looked up once. */
type Word = {
  readonly stem: string;
  readonly isStop: boolean;
  /** How often it occurs in the title and in the abstract, where a stop word counts little. */
  inTitle: number;
  inWhole: number;
  /** Whether it stands before the title's colon, where a name often is. */
  isHead: boolean;
  inSentences: number;
  /** Its part in the sum of the sentences' unit vectors. */
  spread: number;
  worth: number;
  /** Scratch of `lineOf`. */
  times: number;
};
type Lexicon = Map<string, Word>;
/** A text as words: in order, the different ones with how often they occur, and the length of that as a vector. */
type Line = {
  readonly words: readonly Word[];
  readonly different: readonly Word[];
  readonly times: readonly number[];
  readonly norm: number;
};

/** How much a stop word counts beside another. */
const STOP_WEIGHT = 0.15;
/** The worth of a word that the abstract lacks, such as the "we" of a form. */
const WORTH_OF_STRANGER = 0.1;
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
  const lexicon: Lexicon = new Map();
  const titleLine = lineOf(title, lexicon);
  for (const [at, word] of titleLine.different.entries()) word.inTitle = titleLine.times[at] ?? 0;
  for (const word of wordsIn(/^([^:]{2,40}):/.exec(title)?.[1] ?? "", lexicon)) word.isHead = true;
  const sentences = sentencesOf(abstract).map((text) => {
    const cues = Uint8Array.from(CUE_PATTERNS, (pattern) => Number(pattern.test(text)));
    return { text, line: lineOf(text, lexicon), cues };
  });
  for (const { line } of sentences) {
    for (const [at, word] of line.different.entries()) {
      const times = line.times[at] ?? 0;
      word.inSentences++;
      word.inWhole += times;
      word.spread += times / line.norm;
    }
  }
  return { sentences, title: titleLine, lexicon, words: wordsOf(sentences) };
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

/** For each word how it stands in the abstract. */
function wordsOf(sentences: readonly ReadSentence[]): ReadAbstract["words"] {
  const count = sentences.length;
  const proposal = sentences.findIndex(
    ({ cues }) => cues[PROPOSES] === 1 || cues[STUDIES] === 1 || cues[SHOWS] === 1,
  );
  const known = new Map<
    Word,
    { first: number; last: number; times: number; inProposal: boolean; beside: boolean }
  >();
  for (const [index, { line }] of sentences.entries()) {
    for (const word of line.words) {
      let place = known.get(word);
      if (place === undefined) {
        place = { first: index, last: index, times: 0, inProposal: false, beside: false };
        known.set(word, place);
      }
      place.times++;
      place.last = index;
      if (index === proposal) place.inProposal = true;
      if (proposal >= 0 && Math.abs(index - proposal) === 1) place.beside = true;
    }
  }
  return Array.from(known, ([word, place]) => {
    const { stem, isStop, inSentences } = word;
    const { first, times, inProposal, beside } = place;
    const inTitle = word.inTitle > 0;
    const none = proposal < 0;
    const inLast = place.last === count - 1 && count > 1;
    const features = Float64Array.of(
      1,
      Number(inTitle),
      Number(inTitle && inProposal),
      Number(inTitle && !isStop),
      Number(inProposal),
      Number(inSentences === 1),
      Number(inSentences === 2),
      Number(inSentences === 3),
      Number(inSentences > 3),
      inSentences / count,
      Math.log(times),
      Number(first === 0),
      Number(inLast),
      first / count,
      Number(isStop),
      Number(inProposal && !inTitle && !isStop),
      Number(inTitle && inSentences > 1),
      Number(inProposal && inSentences > 1),
      Number(/\d/.test(stem)),
      Math.min(stem.length, 16) / 8,
      Number(!inProposal && beside),
      Number(none),
      Number(none && first === 0),
      Number(none && inLast),
      Number(inProposal && proposal === count - 1),
      inTitle ? inSentences / count : 0,
      inProposal ? inSentences / count : 0,
      count / 10,
    );
    return { word, features };
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
  const { sentences, title, lexicon, words } = text;
  const count = sentences.length;
  let all = 0;
  let wholeNorm = 0;
  for (const [at, { word }] of words.entries()) {
    word.worth = worths[at] ?? 0;
    all += word.worth;
    wholeNorm += word.inWhole ** 2;
  }
  wholeNorm = Math.sqrt(wholeNorm);
  const heads = lexicon.values().reduce((sum, { isHead, isStop }) => sum + Number(isHead && !isStop), 0);
  const titlePairs = titlePairsOf(title);
  const centralities = sentences.map(({ line }) => likeness(line, ({ inWhole }) => inWhole, wholeNorm));
  const titleLikenesses = sentences.map(({ line }) => likeness(line, ({ inTitle }) => inTitle, title.norm));
  const mostCentral = Math.max(...centralities, 1e-9);
  const nearest = Math.max(...titleLikenesses, 1e-9);
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
    // Its likenesses to the others, as the sum of their unit vectors has them all.
    const likeOthers = likeness(sentence.line, ({ spread }) => spread, 1) - 1;
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
      const line = lineOf(form.text, lexicon);
      const length = Math.max(1, line.words.length);
      let telling = 0;
      let shared = 0;
      let rare = 0;
      let titleShared = 0;
      let headShared = 0;
      let value = 0;
      let tellingWorth = 0;
      for (const word of line.different) {
        value += 0.7 * word.worth;
        if (word.isStop) continue;
        telling++;
        tellingWorth += word.worth;
        shared += Math.max(0, word.inSentences - 1);
        if (word.inTitle > 0) titleShared++;
        else if (word.inSentences <= 1) rare++;
        if (word.isHead) headShared++;
      }
      let pairWorth = 0;
      let unworthy = 0;
      let previous: Word | null = null;
      const pairs = new Set<string>();
      for (const word of line.words) {
        // Said again it is worth less.
        value += 0.3 * word.worth;
        if (word.worth < WORTH_OF_STRANGER) unworthy++;
        if (previous !== null) {
          pairWorth += previous.worth * word.worth;
          if (previous.inTitle > 0 && word.inTitle > 0) pairs.add(`${previous.stem} ${word.stem}`);
        }
        previous = word;
      }
      const titlePairsShared = pairs.intersection(titlePairs).size;
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
        title.different.length === 0 ? 0 : titleShared / title.different.length,
        titleShared / Math.max(1, line.different.length),
        likeness(line, ({ inTitle }) => inTitle, title.norm),
        titlePairs.size === 0 ? 0 : titlePairsShared / titlePairs.size,
        Math.min(3, titlePairsShared) / 3,
        heads === 0 ? 0 : headShared / heads,
        Number(line.words[0]?.isHead === true),
        likeness(line, ({ inWhole }) => inWhole, wholeNorm),
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

function wordsIn(text: string, lexicon: Lexicon): readonly Word[] {
  return stems(text).map((stem) => {
    let word = lexicon.get(stem);
    if (word === undefined) {
      word = {
        stem,
        isStop: isStopStem(stem),
        inTitle: 0,
        inWhole: 0,
        isHead: false,
        inSentences: 0,
        spread: 0,
        worth: WORTH_OF_STRANGER,
        times: 0,
      };
      lexicon.set(stem, word);
    }
    return word;
  });
}

function lineOf(text: string, lexicon: Lexicon): Line {
  const words = wordsIn(text, lexicon);
  const different: Word[] = [];
  for (const word of words) word.times = 0;
  for (const word of words) {
    if (word.times === 0) different.push(word);
    word.times += word.isStop ? STOP_WEIGHT : 1;
  }
  const times = different.map((word) => word.times);
  let squares = 0;
  for (const each of times) squares += each * each;
  return { words, different, times, norm: Math.sqrt(squares) };
}

/** The cosine of a line and what `of` has of each word, with that vector's length. */
function likeness({ different, times, norm }: Line, of: (word: Word) => number, ofNorm: number): number {
  let product = 0;
  for (const [at, word] of different.entries()) product += (times[at] ?? 0) * of(word);
  return product === 0 ? 0 : product / (norm * ofNorm);
}

/** The different pairs of adjacent words. */
function titlePairsOf({ words }: Line): ReadonlySet<string> {
  return new Set(words.slice(1).map((word, at) => `${words[at]?.stem} ${word.stem}`));
}

const WORD_WEIGHTS = inOrder(weights.words, WORD_FEATURES);
const FORM_WEIGHTS = inOrder(weights.forms, FORM_FEATURES);

function inOrder(named: Readonly<Record<string, number>>, names: readonly string[]): Float64Array {
  return Float64Array.from(names, (name) => named[name] ?? 0);
}
