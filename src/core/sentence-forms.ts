/** A sentence of an abstract, or what stays of it when what a reader can do without is left out. */
export type SentenceForm = {
  readonly text: string;
  /** Whether a clause before "we" was left out. */
  readonly opening: boolean;
  /** Whether brackets were left out. */
  readonly brackets: boolean;
  /** Whether "We propose" was left out before the thing proposed. */
  readonly thing: boolean;
  /** Which of `ENDINGS` was left out, from 1; 0 for none. */
  readonly ending: number;
};

/**
 * Abstracts have ten sentences or so, and arXiv takes 1,920 characters
 * (https://info.arxiv.org/help/prep.html#abstracts); what comes after these is not read.
 */
const MOST_SENTENCES = 24;
const MOST_CHARACTERS = 3_000;

const SENTENCES = new Intl.Segmenter("en", { granularity: "sentence" });
/** Ends of segments that end no sentence. */
const ABBREVIATION =
  /(?:^|[\s(])(?:e\.g|i\.e|et al|vs|cf|resp|approx|etc|w\.r\.t|a\.k\.a|fig|eq|sec|dr|no|[A-Z])\.["')\]]*$/i;

/** The sentences of a text, in order. */
export function sentencesOf(text: string): readonly string[] {
  const sentences: string[] = [];
  let open = "";
  for (const { segment } of SENTENCES.segment(text.slice(0, MOST_CHARACTERS).replace(/\s+/g, " "))) {
    open += segment;
    const sentence = open.trim();
    if (sentence === "" || ABBREVIATION.test(sentence)) continue;
    sentences.push(sentence);
    open = "";
    if (sentences.length === MOST_SENTENCES) return sentences;
  }
  if (open.trim() !== "") sentences.push(open.trim());
  return sentences;
}

const WORK = "(?:paper|work|study|article|report|thesis|letter|note|manuscript|survey)";

/** Words that only tie a sentence to those before it. */
const LEAD_IN = new RegExp(
  `^(?:(?:in (?:this|the present|our) ${WORK}|here|in this (?:regard|context|setting|direction)|to (?:this|that) end|to do so|in doing so|therefore|thus|hence|specifically|in particular|accordingly|as a (?:solution|remedy|result)|in response|more (?:specifically|precisely)|moreover|furthermore|additionally|in addition|finally|lastly|however|concretely|instead|consequently|importantly|notably|towards this(?: goal| end)?|for this purpose|with this in mind|in contrast|by contrast|second(?:ly)?|first(?:ly)?|third(?:ly)?|then|next|similarly|further|overall|in summary|in short|as such|to (?:our|the best of our) knowledge|to (?:address|solve|tackle|overcome|mitigate|alleviate|resolve|bridge|fill) (?:this|these|the above) (?:\\w+ )?\\w+(?=,? we))\\b\\s*,?\\s*)+(?=[\\p{L}“"‘'])`,
  "iu",
);
/** A clause that gives the reason before the sentence says what is done. */
const OPENING = new RegExp(
  `^(?:to|motivated|inspired|by|based|building|given|unlike|with|for|rather|while|as|using|drawing|towards?|due|under|following|because|since|in|on|from|instead|driven|guided|starting|despite|although|contrary|considering|when|if|through|leveraging|along|beyond|besides|departing|aiming|compared)\\b[^.;:]{0,220}?,\\s+(?=(?:we|this ${WORK})\\s)`,
  "i",
);
/** "This paper presents" as "We present", and the like. */
const THIS_WORK = new RegExp(
  `^(?:this|the present|our) ${WORK}\\s+((?:(?:\\w+ly|also|first|then)\\s)*)(presents|proposes|introduces|develops|describes|investigates|explores|addresses|studies|considers|examines|offers|provides|shows|demonstrates|analy[sz]es|tackles|argues|aims|focuses|reports|reviews|revisits|discusses|evaluates|compares|extends|suggests|establishes|formulates|seeks|takes|uses|applies|surveys)\\b`,
  "i",
);
/** "We address this limitation by proposing": what is limited stands in the sentence before. */
const BY_PROPOSING =
  /^we (?:address|tackle|solve|overcome|mitigate|alleviate|resolve|bridge|fill|close|move beyond) (?:this|these|the above|both) (?:\w+ )?\w+ by (propos|present|introduc|develop|design)ing\b/i;
const PROPOSING: Readonly<Record<string, string>> = { propos: "propose", introduc: "introduce" };
const IN_THIS_WORK = new RegExp(`,?\\s+in this ${WORK}\\b,?`, "i");
const TIED_WE =
  /^we (?:also|further|furthermore|then|first|therefore|thus|hence|instead|here|next|finally)\s+/i;

const BRACKETS = /\s*\([^()]*\)/g;

/** What may end a sentence without being its point, in the order of `SentenceForm.ending`. */
const ENDINGS: readonly RegExp[] = [
  /,\s+(?:which|where|who|whose)\b/g,
  /,\s+(?:thereby|thus|therefore|hence|while|whereas|but|so|such as|e\.g\.|i\.e\.|namely|including|especially|particularly|rather than|instead of|without|with|based on|as well as)\b/g,
  /,\s+(?:\w+ly\s+)?\w{3,}ing\b/g,
  /,?\s+and\s+(?:then\s+)?(?:\w+ly\s+)?(?:show|demonstrate|prove|find|evaluate|achieve|use|apply|provide|present|propose|illustrate|discuss|report|outperform|observe|verify|validate|compare|analy[sz]e|study|derive|introduce|establish)s?\b/g,
  /\s*(?:;|:(?=\s)|\s[-–—]\s|—)\s*/g,
];
/** A sentence cannot end so. */
const DANGLING =
  /\b(?:we|that|to|an?|the|of|and|or|both|can|is|are|either|between|not|only|based|such|as|for|by|with|in|on|from|which|shows?|demonstrates?|proposes?|presents?|introduces?|than|how|whether|more|its|their|our|these|this|e\.g|i\.e|namely|following|contributions)[,.]?$/i;
/** What begins a clause that cannot stand alone. */
const SUBORDINATE =
  /^(?:when|if|while|although|though|as|because|since|after|before|unlike|despite|given|by|to|in|with|for|from|unless|until|once|whereas|rather|motivated|inspired|based|using)\b/i;
/** Words that a sentence with a shortened end has at least, and up to where the place to cut is sought. */
const SHORTEST = 8;
const LONGEST = 40;
const CUTS_A_KIND = 3;

const PROPOSAL =
  /^we (?:(?:\w+ly|also|then|first)\s+)*(?:propose|present|introduce|develop|describe|offer|design|devise|provide|suggest)\s+(?=(?:a|an|the first|two|three|new|novel)\s)/i;

/** The sentence itself, without its lead-in, and each shorter form of it; all of them read as sentences. */
export function formsOf(sentence: string): readonly SentenceForm[] {
  const forms = new Map<string, SentenceForm>();
  const add = (form: SentenceForm) => {
    if (!forms.has(form.text)) forms.set(form.text, form);
  };
  const shorten = (text: string, opening: boolean, thing: boolean) => {
    add({ text, opening, brackets: false, thing, ending: 0 });
    const bare = text.replace(BRACKETS, "");
    const brackets = bare !== text && wordsIn(bare) >= SHORTEST;
    if (brackets) add({ text: bare, opening, brackets, thing, ending: 0 });
    const whole = brackets ? bare : text;
    for (const [kind, pattern] of ENDINGS.entries()) {
      for (const head of headsOf(whole, pattern))
        add({ text: head, opening, brackets, thing, ending: kind + 1 });
    }
  };
  const plain = withoutLeadIn(sentence);
  const direct = withoutOpening(plain);
  const point = direct ?? plain;
  shorten(point, direct !== null, false);
  // An opening that points back ("To address this gap") says nothing by itself.
  if (
    direct !== null &&
    !/\b(?:this|these|those|such|aforementioned)\b/i.test(plain.slice(0, plain.length - direct.length))
  ) {
    shorten(plain, false, false);
  }
  const thing = point.replace(PROPOSAL, "");
  if (thing !== point && wordsIn(thing) >= SHORTEST) shorten(capitalized(thing), direct !== null, true);
  return [...forms.values()];
}

function withoutLeadIn(sentence: string): string {
  const rest = sentence.replace(LEAD_IN, "");
  return asOurs(wordsIn(rest) < 6 ? sentence : rest);
}

/** Null where there is no such clause. */
function withoutOpening(sentence: string): string | null {
  const rest = sentence.replace(OPENING, "");
  return rest === sentence || wordsIn(rest) < 6 ? null : asOurs(rest);
}

function asOurs(sentence: string): string {
  return capitalized(
    sentence
      .replace(IN_THIS_WORK, "")
      .replace(
        THIS_WORK,
        (_, adverbs: string, verb: string) => `We ${adverbs}${firstPerson(verb.toLowerCase())}`,
      )
      .replace(TIED_WE, "We ")
      .replace(BY_PROPOSING, (_, verb: string) => `We ${PROPOSING[verb.toLowerCase()] ?? verb.toLowerCase()}`)
      .replace(/\bin order to\b/g, "to"),
  );
}

function firstPerson(verb: string): string {
  if (verb.endsWith("ies")) return `${verb.slice(0, -3)}y`;
  return /(?:sses|cuses|shes)$/.test(verb) ? verb.slice(0, -2) : verb.slice(0, -1);
}

/** What stands before each match, as a sentence. */
function* headsOf(sentence: string, pattern: RegExp): Generator<string> {
  let cuts = 0;
  for (const { index } of sentence.matchAll(pattern)) {
    const head = sentence.slice(0, index).replace(/[\s,;:–—-]+$/, "");
    const words = wordsIn(head);
    if (words > LONGEST) return;
    if (words < SHORTEST || DANGLING.test(head) || isOpen(head)) continue;
    // The main clause or the rest of a list is still to come.
    if ((SUBORDINATE.test(head) && !head.includes(",")) || head.includes(": ")) continue;
    yield `${head}.`;
    if (++cuts === CUTS_A_KIND) return;
  }
}

/** Whether a bracket or a quotation is not closed. */
function isOpen(text: string): boolean {
  let depth = 0;
  let quotes = 0;
  for (const character of text) {
    if (character === "(" || character === "[" || character === "“") depth++;
    else if (character === ")" || character === "]" || character === "”") depth--;
    else if (character === '"') quotes++;
  }
  return depth !== 0 || quotes % 2 !== 0;
}

function wordsIn(text: string): number {
  let words = 1;
  for (let at = text.indexOf(" "); at >= 0; at = text.indexOf(" ", at + 1)) words++;
  return words;
}

function capitalized(text: string): string {
  return /^[a-z]+(?=[\s,]|$)/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}
