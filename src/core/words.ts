import { stemmer } from "stemmer";

/** A word of a query: `fine-tuning` has the stems `fine`, `tune` and, written as one, `finetun`. */
export type Word = {
  /** At least one; several are adjacent in a text that has the word. */
  readonly stems: readonly string[];
  /** The stem of a compound of two parts written as one word, else null. */
  readonly joined: string | null;
};

/**
 * The stems of a text in order, stop words included: runs of letters and digits, folded and by Porter, and
 * `c++` or `c#`. Scripts written without blanks give one stem a character. Linear in the text's length.
 */
export function stems(text: string): string[] {
  const found: string[] = [];
  eachStem(text, (stem, joined) => {
    if (!joined) found.push(stem);
  });
  return found;
}

/**
 * Calls `found` with each stem of the text in order. A compound of two parts (`multi-modal`) is followed by
 * the stem of both written as one (`multimodal`), marked `joined`: it stands where its second part stands.
 */
export function eachStem(text: string, found: (stem: string, joined: boolean) => void): void {
  const folded = fold(text);
  let previous = "";
  let previousEnd = -1;
  let parts = 0;
  eachRun(folded, (word, start, end) => {
    const linked = start === previousEnd + 1 && isHyphen(folded.charCodeAt(previousEnd));
    parts = linked ? parts + 1 : 1;
    found(stemOf(word), false);
    if (parts === 2 && !(isHyphen(folded.charCodeAt(end)) && isWordAt(folded, end + 1))) {
      found(stemOf(previous + word), true);
    }
    previous = word;
    previousEnd = end;
  });
}

/** The words of a query's term; the parts of one that is not a phrase belong together. Null without any. */
export function parseWord(text: string): Word | null {
  const parts: string[] = [];
  let compound: string | null = null;
  eachStem(text, (stem, joined) => {
    if (joined) compound = stem;
    else parts.push(stem);
  });
  if (parts.length === 0) return null;
  return { stems: parts.slice(0, LONGEST_PHRASE), joined: parts.length === 2 ? compound : null };
}

/** The parts of a name, folded and not stemmed: `Łukasz Kaiser` is `lukasz`, `kaiser`. */
export function nameParts(name: string): string[] {
  const parts: string[] = [];
  eachRun(fold(name), (word) => {
    if (!parts.includes(word)) parts.push(word);
  });
  return parts;
}

/** Whether a word says nothing of a text's subject: `the`, `of`, `we're`. */
export function isStopWord(word: Word): boolean {
  return word.stems.every((stem) => STOP_STEMS.has(stem));
}

/** Whether a stem says nothing of a text's subject. */
export function isStopStem(stem: string): boolean {
  return STOP_STEMS.has(stem);
}

/** The stems of a word that say something of a subject: `state` and `art` of `state-of-the-art`. */
export function tellingStems(word: Word): readonly string[] {
  return isStopWord(word) ? word.stems : word.stems.filter((stem) => !STOP_STEMS.has(stem));
}

/** A text in NFKC without what stands around its first and last word; empty without any. `c++` stays whole. */
export function trimToWords(text: string): string {
  let start = 0;
  while (start < text.length && !isWordAt(text, start)) start++;
  let end = text.length;
  while (end > start && !isWordAt(text, end - 1)) end--;
  // The second half of a surrogate pair is no word by itself; its first half is.
  if (end > start && text.charCodeAt(end - 1) >= 0xd800 && text.charCodeAt(end - 1) < 0xdc00) end++;
  return text.slice(start, end) + signAfter(text, start, end);
}

/** Of a longer phrase the beginning counts, so that no query takes long. */
const LONGEST_PHRASE = 32;
/** Longer runs are cut there, so that junk neither fills the index nor slows the stemmer. */
const LONGEST_WORD = 40;

const OTHER = 1;
const WORD = 2;
const SINGLE = 3;

function eachRun(folded: string, found: (word: string, start: number, end: number) => void): void {
  let start = -1;
  let at = 0;
  while (at < folded.length) {
    const kind = kindAt(folded, at);
    const width = isHighSurrogate(folded.charCodeAt(at)) && at + 1 < folded.length ? 2 : 1;
    if (kind === WORD) {
      if (start < 0) start = at;
      at += width;
      continue;
    }
    if (start >= 0) {
      const sign = at - start === 1 ? signAfter(folded, start, at) : "";
      found(folded.slice(start, Math.min(at, start + LONGEST_WORD)) + sign, start, at + sign.length);
      start = -1;
      at += sign.length;
      if (sign !== "") continue;
    }
    if (kind === SINGLE) found(folded.slice(at, at + width), at, at + width);
    at += width;
  }
  if (start >= 0) found(folded.slice(start, Math.min(at, start + LONGEST_WORD)), start, at);
}

/** `++` or `#` after a letter that stands alone, as in the names of languages; else nothing. */
function signAfter(text: string, start: number, end: number): string {
  const letter = text.charCodeAt(end - 1) | 32;
  if (letter < 97 || letter > 122 || (end - 2 >= start && isWordAt(text, end - 2))) return "";
  const sign = text.startsWith("++", end) ? "++" : text.startsWith("#", end) ? "#" : "";
  return sign !== "" && !isWordAt(text, end + sign.length) ? sign : "";
}

function isWordAt(text: string, at: number): boolean {
  return at < text.length && kindAt(text, at) !== OTHER;
}

/** Kinds of the first 65,536 characters, looked up once each. */
const kinds = new Uint8Array(0x10000);
const LETTER = /[\p{L}\p{N}\p{M}]/u;
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

function kindAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (isHighSurrogate(unit)) return kindOf(String.fromCodePoint(text.codePointAt(at) ?? unit));
  const known = kinds[unit] ?? 0;
  if (known !== 0) return known;
  const kind = kindOf(String.fromCharCode(unit));
  kinds[unit] = kind;
  return kind;
}

function kindOf(character: string): number {
  if (!LETTER.test(character)) return OTHER;
  return UNSPACED.test(character) ? SINGLE : WORD;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isHyphen(unit: number): boolean {
  return unit === 0x2d || unit === 0x2010 || unit === 0x2011;
}

const NOT_ASCII = /[^\p{ASCII}]/u;
const ACCENTS = /[\u0300-\u036f]/g;
const POSSESSIVE = /['\u2019]s(?![\p{L}\p{N}])/gu;
/** Letters that have no accent to take off. */
const LETTERS: Readonly<Record<string, string>> = {
  ł: "l",
  ø: "o",
  đ: "d",
  ð: "d",
  þ: "th",
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ı: "i",
};

function fold(text: string): string {
  let folded: string;
  if (NOT_ASCII.test(text)) {
    folded = text
      .normalize("NFKD")
      .toLowerCase()
      .replace(ACCENTS, "")
      .replace(/[łøđðþßæœı]/g, (letter) => LETTERS[letter] ?? letter)
      .normalize("NFC");
  } else folded = text.toLowerCase();
  return folded.includes("'") || folded.includes("\u2019") ? folded.replace(POSSESSIVE, "") : folded;
}

const ENGLISH = /^[a-z]+$/;
const MOST_KNOWN_STEMS = 50_000;
const knownStems = new Map<string, string>();

function stemOf(word: string): string {
  const known = knownStems.get(word);
  if (known !== undefined) return known;
  // A copy of its own: a slice would keep the whole text in memory for as long as the word is known.
  const own = word.split("").join("");
  const stem = own.length > 2 && ENGLISH.test(own) ? stemmer(own).split("").join("") : own;
  if (knownStems.size >= MOST_KNOWN_STEMS) knownStems.clear();
  knownStems.set(own, stem);
  return stem;
}

const STOP_STEMS: ReadonlySet<string> = new Set(
  stems(`a about above after again against all also am an and any are as at be because been before being below
    between both but by can could did do doing down during each few for from further had have having he her
    here hers him his how i if in into is it its itself just may me might more most must my no nor not now of
    off on once only or other our ours out over own per same shall she should so some such than that the their
    theirs them then there these they this those through to too under until up upon us very via was we were
    what when where which while who whom whose why will with within without would you your yours
    s t d m ll re ve don doesn didn isn aren wasn weren won hasn haven couldn shouldn wouldn
    does has`),
);
