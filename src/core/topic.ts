import type { Has } from "./paper.ts";

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
