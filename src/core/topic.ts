import { editDistance } from "./edit-distance.ts";
import { HAS, type Has } from "./paper.ts";
import { trimToWords } from "./words.ts";

/**
 * A parsed query of the topic language: every group must hold and none of the exclusions may.
 * Words, `"phrases"`, `-not`, `OR`, `org:`, `author:`, `has:`, `min:`.
 */
export type Topic = {
  /** The topic in canonical spelling: `parseTopic(topic.text)` is the same topic. */
  readonly text: string;
  readonly groups: readonly Group[];
  readonly excluded: readonly Term[];
  /** Least upvotes. */
  readonly min: number | null;
};

/** Alternatives joined by `OR`; one must hold. A run of words and phrases is one alternative. */
export type Group = readonly Alternative[];
export type Alternative =
  | { readonly kind: "words"; readonly terms: readonly Term[] }
  | { readonly kind: "org"; readonly value: string }
  | { readonly kind: "author"; readonly value: string }
  | { readonly kind: "has"; readonly value: Has };

/** A word, or a phrase of adjacent words. */
export type Term = { readonly text: string; readonly phrase: boolean };

/** What is wrong with a query, in one sentence, and the nearest query that can be read. */
export class TopicError extends Error {
  override readonly name = "TopicError";
  /** A whole query, to be copied; null where none is near. */
  readonly suggestion: string | null;

  constructor(message: string, suggestion: string | null) {
    super(message);
    this.suggestion = suggestion;
  }
}

/**
 * Reads a topic; at most `maxLength` characters (300). Throws TopicError and nothing else.
 *
 * Case, extra blanks, curly quotes, full-width forms and any kind of dash are forgiven; parentheses, commas
 * and what stands around a word count as blanks; a quote that is not closed ends with the query. A colon
 * after an unknown name (`a:b`) is part of a word. An `OR` with nothing on one side is ignored. Of several
 * `min:` the largest holds. Words outside any `OR` are one run, wherever they stand.
 */
export function parseTopic(text: string, options: { readonly maxLength?: number } = {}): Topic {
  const maxLength = options.maxLength ?? LONGEST_TOPIC;
  // Blanks are forgiven, so the length counts once they are gone; far beyond it nothing need be read.
  const tidied = text.length > maxLength * 20 ? text : tidy(text);
  const topic = tidied.length > maxLength ? null : read(tidied, { strict: true, corrections: 0 });
  if (topic === null || topic.text.length > maxLength) {
    const length = Math.max(tidied.length, topic?.text.length ?? 0);
    throw new TopicError(`A topic can have ${maxLength} characters, and this one has ${length}.`, null);
  }
  return topic;
}

/**
 * Reads what someone searches for. As `parseTopic`, but of any length: a text longer than a topic is taken for
 * prose, in which quotes bind nothing and mistakes are words, and after 10,000 characters it is cut. Throws
 * TopicError where it holds nothing to find, or a short one has a mistake.
 */
export function parseSearch(text: string): Topic {
  const tidied = tidy(text.slice(0, LONGEST_SEARCH));
  return read(tidied, { strict: tidied.length <= LONGEST_TOPIC, corrections: 0 });
}

/** What the topic asks for, without what it leaves out: how a reason names it. */
export function topicName({ groups, min }: Topic): string {
  if (groups.length === 0) return `min:${min}`;
  return groups.map((group) => group.map(printAlternative).join(" OR ")).join(" ");
}

const LONGEST_TOPIC = 300;
const LONGEST_SEARCH = 10_000;
const LARGEST_MIN = 999_999;

type Mode = {
  /** Otherwise a mistake is read as plain words. */
  readonly strict: boolean;
  /** How many mistakes were corrected on the way to a suggestion. */
  readonly corrections: number;
};

/** What a query consists of, in order; `at` and `end` are where it stands. */
type Piece = { readonly at: number; readonly end: number } & (
  | { readonly kind: "or" }
  | { readonly kind: "term"; readonly term: Term }
  | { readonly kind: "excluded"; readonly term: Term }
  | { readonly kind: "filter"; readonly filter: Exclude<Alternative, { kind: "words" }> }
  | { readonly kind: "min"; readonly min: number }
);

function read(text: string, mode: Mode): Topic {
  const pieces = splitPieces(text, mode);
  const kept = pieces.filter(
    // Of several `OR` side by side the last is kept; one at either end joins nothing.
    ({ kind }, i) => kind !== "or" || (i > 0 && (pieces[i + 1] ?? { kind: "or" }).kind !== "or"),
  );
  while (kept[0]?.kind === "or") kept.shift();
  const excluded = kept.flatMap((piece) => (piece.kind === "excluded" ? [piece.term] : []));
  const mins = kept.flatMap((piece) => (piece.kind === "min" ? [piece.min] : []));
  const groups = groupPieces(text, kept, mode);
  const topic = print({
    groups,
    excluded: excluded.filter((term, i) => excluded.findIndex((other) => sameTerm(other, term)) === i),
    min: mins.length === 0 ? null : Math.max(...mins),
  });
  if (groups.length > 0 || topic.min !== null) return topic;
  if (excluded.length === 0) {
    throw new TopicError("There is no word to look for.", "agents has:code");
  }
  throw new TopicError(
    "This says what to leave out, but not what to find.",
    suggest(`${/agent/.test(topic.text) ? "language models" : "agents"} ${topic.text}`, mode),
  );
}

function sameTerm(a: Term, b: Term): boolean {
  return a.text === b.text && a.phrase === b.phrase;
}

function splitPieces(text: string, mode: Mode): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  while (at < text.length) {
    if (isBlank(text, at)) {
      at++;
      continue;
    }
    const piece = readPiece(text, at, mode);
    pieces.push(...piece.pieces);
    at = Math.max(at + 1, piece.end);
  }
  return pieces;
}

/** The piece that begins at `at`; none where no word stands there. */
function readPiece(text: string, at: number, mode: Mode): { readonly pieces: Piece[]; readonly end: number } {
  let start = at;
  while (text[start] === "-") start++;
  const minus = start > at;
  if (minus && text[start] === "(") return readExcludedGroup(text, at, start, mode);
  if (text[start] === QUOTE && mode.strict) {
    const quoted = readQuoted(text, start);
    const term = { text: canonical(quoted.value), phrase: true };
    return { pieces: termPieces(term, minus, at, quoted.end), end: quoted.end };
  }
  const end = wordEnd(text, start);
  const word = text.slice(start, end);
  if (word === "OR" && !minus) return { pieces: [{ kind: "or", at, end }], end };
  const keyed = /^[^\p{L}\p{N}]*([a-z]+):(.*)$/isu.exec(word);
  if (keyed !== null) {
    const key = (keyed[1] ?? "").toLowerCase();
    const value = readValue(text, end, keyed[2] ?? "", mode);
    const filter = readFilter(text, { key, minus, at, ...value }, mode);
    if (filter !== null) return { pieces: [filter], end: value.end };
    if (!mode.strict && (KEYS.has(key) || NEAR_KEYS.has(key))) {
      // Without its colon it stays plain words wherever the topic is read again.
      const words = [key, ...value.value.split(/[\s:]+/)];
      const terms = words.map((own) => ({ text: canonical(own), phrase: false }));
      return { pieces: terms.flatMap((term) => termPieces(term, minus, at, value.end)), end: value.end };
    }
  }
  return { pieces: termPieces({ text: canonical(word), phrase: false }, minus, at, end), end };
}

function termPieces(term: Term, minus: boolean, at: number, end: number): Piece[] {
  return term.text === "" ? [] : [{ kind: minus ? "excluded" : "term", term, at, end }];
}

/** `-(a b)`: as one it would leave out `a` alone. */
function readExcludedGroup(
  text: string,
  at: number,
  open: number,
  mode: Mode,
): { readonly pieces: Piece[]; readonly end: number } {
  const close = text.indexOf(")", open);
  const end = close < 0 ? text.length : close + 1;
  const inner = text.slice(open + 1, close < 0 ? end : close);
  const words = inner.split(/[ :"]+/).filter((word) => word !== "OR" && canonical(word) !== "");
  if (mode.strict && words.length > 1) {
    const each = words.map((word) => `-${word}`).join(" ");
    fail("A minus leaves out one word or phrase, not what is in parentheses.", text, at, end, each, mode);
  }
  const terms = words.map((word) => ({ text: canonical(word), phrase: false }));
  return { pieces: terms.flatMap((term) => termPieces(term, true, at, end)), end };
}

type Keyed = {
  readonly key: string;
  readonly value: string;
  readonly minus: boolean;
  readonly at: number;
  readonly end: number;
};

/** What follows a colon: in quotes, right after it, or as the next word. */
function readValue(text: string, end: number, value: string, mode: Mode): { value: string; end: number } {
  if (value !== "") return { value, end };
  if (text[end] === QUOTE) return readQuoted(text, end);
  const next = end + 1;
  if (!mode.strict || !isBlank(text, end) || next >= text.length) return { value, end };
  if (text[next] === QUOTE) return readQuoted(text, next);
  const nextEnd = wordEnd(text, next);
  const word = text.slice(next, nextEnd);
  return /^-|^OR$|^[a-z]+:/i.test(word) ? { value, end } : { value: word, end: nextEnd };
}

/** Null where it is no filter and reads as plain text. */
function readFilter(text: string, keyed: Keyed, mode: Mode): Piece | null {
  const { key, minus, at, end } = keyed;
  const near = NEAR_KEYS.get(key);
  const value = canonical(keyed.value);
  if (!KEYS.has(key)) {
    if (near === undefined || value === "" || !mode.strict) return null;
    const instead = `${near}:${quoteIfNeeded(value)}`;
    return fail(`There is no filter "${key}:"; did you mean "${near}:"?`, text, at, end, instead, mode);
  }
  if (minus) {
    if (!mode.strict) return null;
    return fail(`A minus leaves out a word or a phrase, not "${key}:".`, text, at, end, "", mode);
  }
  if (key === "min") {
    const number = /^\d{1,6}$/.test(value) ? Number(value) : null;
    if (number !== null) return { kind: "min", min: number, at, end };
    const digits = /\d+/.exec(value)?.[0] ?? "10";
    const instead = `min:${Math.min(LARGEST_MIN, Number(digits))}`;
    const message = `"min:" takes a whole number of upvotes up to ${LARGEST_MIN}, such as min:10.`;
    return mode.strict ? fail(message, text, at, end, instead, mode) : null;
  }
  if (key === "has") {
    const has = HAS.find((known) => known === value);
    if (has !== undefined) return { kind: "filter", filter: { kind: "has", value: has }, at, end };
    const message = `"has:" takes one of ${HAS.slice(0, -1).join(", ")} or ${HAS.at(-1)}.`;
    return mode.strict ? fail(message, text, at, end, `has:${nearestHas(value)}`, mode) : null;
  }
  const kind = key === "org" ? "org" : "author";
  if (value !== "") return { kind: "filter", filter: { kind, value }, at, end };
  const example = kind === "org" ? "org:nvidia" : 'author:"Song Han"';
  const message = `"${kind}:" needs a name right after it, such as ${example}.`;
  return mode.strict ? fail(message, text, at, end, example, mode) : null;
}

const KEYS: ReadonlySet<string> = new Set(["org", "author", "has", "min"]);
/** Other names that people try. Any other name before a colon is plain text, as in `GPT:4o`. */
const NEAR_KEYS: ReadonlyMap<string, "org" | "author" | "has" | "min"> = new Map([
  ["orgs", "org"],
  ["organization", "org"],
  ["organizations", "org"],
  ["organisation", "org"],
  ["organisations", "org"],
  ["authors", "author"],
  ["auhtor", "author"],
  ["auther", "author"],
  ["autor", "author"],
  ["have", "has"],
  ["hass", "has"],
  ["mins", "min"],
  ["minimum", "min"],
  ["upvotes", "min"],
  ["votes", "min"],
]);

function nearestHas(value: string): Has {
  const distances = HAS.map((has) => ({ has, distance: editDistance(value.slice(0, 20), has) }));
  return distances.reduce((best, next) => (next.distance < best.distance ? next : best)).has;
}

/** Throws, with the query that has `instead` where the mistake stands, if that can be read. */
function fail(message: string, text: string, at: number, end: number, instead: string, mode: Mode): never {
  throw new TopicError(message, suggest(`${text.slice(0, at)} ${instead} ${text.slice(end)}`, mode));
}

function suggest(text: string, mode: Mode): string | null {
  if (mode.corrections >= MOST_CORRECTIONS) return null;
  try {
    const suggestion = read(tidy(text), { strict: true, corrections: mode.corrections + 1 }).text;
    return suggestion.length <= LONGEST_TOPIC ? suggestion : null;
  } catch (error) {
    if (error instanceof TopicError) return error.suggestion;
    throw error;
  }
}

const MOST_CORRECTIONS = 5;

/** Words outside any `OR` are put together, in place of the first of them. */
function groupPieces(text: string, pieces: readonly Piece[], mode: Mode): readonly Group[] {
  const groups: Alternative[][] = [];
  let run: Term[] | null = null;
  let joining = false;
  pieces.forEach((piece, i) => {
    if (piece.kind === "or") {
      const beside = [pieces[i - 1], pieces[i + 1]].find(
        (own) => own?.kind === "excluded" || own?.kind === "min",
      );
      if (beside === undefined) {
        joining = true;
        run = null;
      } else if (mode.strict) failBesideOr(text, piece, beside, mode);
      return;
    }
    if (piece.kind === "excluded" || piece.kind === "min") return;
    if (piece.kind === "term" && run !== null) {
      run.push(piece.term);
      return;
    }
    run = piece.kind === "term" ? [piece.term] : null;
    const alternative: Alternative =
      piece.kind === "term" ? { kind: "words", terms: run ?? [] } : piece.filter;
    const open = groups.at(-1);
    if (joining && open !== undefined) open.push(alternative);
    else groups.push([alternative]);
    joining = false;
  });
  const runs = groups.flatMap(([first, ...others]) =>
    first?.kind === "words" && others.length === 0 ? [first] : [],
  );
  const together: Alternative = { kind: "words", terms: runs.flatMap(({ terms }) => terms) };
  return groups.flatMap((group) => {
    const nth = runs.findIndex(({ terms }) => group[0]?.kind === "words" && group[0].terms === terms);
    if (nth < 0) return [group];
    return nth === 0 ? [[together]] : [];
  });
}

function failBesideOr(text: string, or: Piece, beside: Piece, mode: Mode): never {
  const what = text.slice(beside.at, beside.end);
  const [at, end] = beside.at < or.at ? [beside.at, or.end] : [or.at, beside.end];
  // The minus or minimum goes to the end; an `OR` between what is left stays.
  const rest = beside.at < or.at ? " OR " : " ";
  const message = `"${what}" holds for the whole topic and cannot stand beside OR.`;
  throw new TopicError(message, suggest(`${text.slice(0, at)}${rest}${text.slice(end)} ${what}`, mode));
}

function print(topic: Omit<Topic, "text">): Topic {
  const parts = topic.groups.map((group) => group.map(printAlternative).join(" OR "));
  for (const term of topic.excluded) parts.push(`-${printTerm(term)}`);
  if (topic.min !== null) parts.push(`min:${topic.min}`);
  return { text: parts.join(" "), ...topic };
}

function printAlternative(alternative: Alternative): string {
  if (alternative.kind === "words") return alternative.terms.map(printTerm).join(" ");
  return `${alternative.kind}:${quoteIfNeeded(alternative.value)}`;
}

function printTerm({ text, phrase }: Term): string {
  return phrase ? QUOTE + text + QUOTE : text;
}

function quoteIfNeeded(value: string): string {
  return /[\s()]/.test(value) ? QUOTE + value + QUOTE : value;
}

const QUOTE = '"';

function isBlank(text: string, at: number): boolean {
  return text[at] === " " || text[at] === "(" || text[at] === ")";
}

function wordEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && !isBlank(text, end) && text[end] !== QUOTE) end++;
  return end;
}

function readQuoted(text: string, open: number): { value: string; end: number } {
  const close = text.indexOf(QUOTE, open + 1);
  return close < 0
    ? { value: text.slice(open + 1), end: text.length }
    : { value: text.slice(open + 1, close), end: close + 1 };
}

/** Lower case, without what stands around the first and last word. */
function canonical(text: string): string {
  return trimToWords(text.toLowerCase().normalize("NFKC")).replace(/\s+/g, " ");
}

/** One line of plain forms: single blanks, straight quotes, hyphens, no invisible characters. */
function tidy(text: string): string {
  let tidied = text;
  // Some characters need a second pass; the limit is for text made to need many.
  for (let i = 0; i < 4; i++) {
    const next = tidyOnce(tidied);
    if (next === tidied) break;
    tidied = next;
  }
  return tidied;
}

function tidyOnce(text: string): string {
  return text
    .toWellFormed()
    .normalize("NFKC")
    .replace(/[\s\p{Z}\p{Cc}\ufffd]+/gu, " ")
    .replace(/\p{Cf}+/gu, "")
    .replace(/[\u201c-\u201f\u00ab\u00bb\u300c-\u300f\u301d-\u301f]/g, QUOTE)
    .replace(
      /(^|[ (:-])[\u2018\u201a\u2039\u203a](?=\S)([^\u2018\u201a\u2039\u203a"]*?)[\u2018\u2019\u2039\u203a](?![\p{L}\p{N}])/gu,
      '$1"$2"',
    )
    .replace(/[\u2018-\u201b\u02bc]/g, "'")
    .replace(/[\u2010-\u2013\u2212]/g, "-")
    .replace(/(^|[ (])[\u2014\u2015]/g, "$1-")
    .replace(/[\u2014\u2015]/g, " ")
    .replace(/[,;\u3001\u3002](?!\d)/g, " ")
    .replace(/ {2,}/g, " ")
    .trim();
}
