import { stemmer } from "stemmer";

/** F1 of single words, of pairs of words, and of the longest common subsequence; each 0 to 1. */
export type Rouge = { readonly one: number; readonly two: number; readonly l: number };

/** A text made ready for many comparisons. */
export type RougeText = {
  readonly tokens: readonly string[];
  readonly singles: ReadonlyMap<string, number>;
  readonly pairs: ReadonlyMap<string, number>;
};

/** Lowercase letters and digits, stemmed by Porter. */
export function rougeText(text: string): RougeText {
  const tokens = (text.toLowerCase().match(/[a-z0-9]+/g) ?? []).map(stemOf);
  const pairs = tokens.slice(1).map((token, at) => `${tokens[at]} ${token}`);
  return { tokens, singles: counted(tokens), pairs: counted(pairs) };
}

/** Against the reference with the best ROUGE-1 (Lin 2004, https://aclanthology.org/W04-1013). */
export function rouge(candidate: RougeText, references: readonly RougeText[]): Rouge {
  let best: RougeText | null = null;
  let one = -1;
  for (const reference of references) {
    const score = f1(
      overlap(candidate.singles, reference.singles),
      candidate.tokens.length,
      reference.tokens.length,
    );
    if (score > one) [best, one] = [reference, score];
  }
  if (best === null) return { one: 0, two: 0, l: 0 };
  const [ours, theirs] = [candidate.tokens.length, best.tokens.length];
  return {
    one,
    two: f1(overlap(candidate.pairs, best.pairs), ours - 1, theirs - 1),
    l: f1(longestCommon(candidate.tokens, best.tokens), ours, theirs),
  };
}

const known = new Map<string, string>();

function stemOf(word: string): string {
  let stem = known.get(word);
  if (stem === undefined) {
    stem = stemmer(word);
    known.set(word, stem);
  }
  return stem;
}

function counted(grams: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const gram of grams) counts.set(gram, (counts.get(gram) ?? 0) + 1);
  return counts;
}

function overlap(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): number {
  let shared = 0;
  for (const [gram, count] of one) shared += Math.min(count, other.get(gram) ?? 0);
  return shared;
}

function f1(shared: number, ours: number, theirs: number): number {
  return shared === 0 ? 0 : (2 * shared) / (ours + theirs);
}

function longestCommon(one: readonly string[], other: readonly string[]): number {
  let above = new Uint16Array(other.length + 1);
  let row = new Uint16Array(other.length + 1);
  for (const token of one) {
    for (const [at, each] of other.entries()) {
      row[at + 1] = each === token ? (above[at] ?? 0) + 1 : Math.max(above[at + 1] ?? 0, row[at] ?? 0);
    }
    [above, row] = [row, above];
  }
  return above[other.length] ?? 0;
}
