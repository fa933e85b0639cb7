import type { Archive, Context } from "./context.ts";
import { type Day, feedDay, shortDate } from "./day.ts";
import { LAST_SHOWN, type Button, type Item, type Message, type Select } from "./message.ts";
import { count, shortNumber } from "./numbers.ts";
import { type Paper, paperUrl, parsePaperId } from "./paper.ts";
import { cutAtSentence, plainText, readable } from "./readable.ts";
import type { StoredPaper } from "./store.ts";
import { type Alternative, parseSearch, type Term, type Topic, TopicError, topicName } from "./topic.ts";
import { isStopWord, parseWord, stems } from "./words.ts";

/** A paper found, with how well it fits: 0 to 1. */
export type Found = { readonly paper: StoredPaper; readonly score: number };

/**
 * Papers for a query in the topic language, an arXiv id, or a link to a paper; best first.
 * @param limit 1 to 500
 * @throws TopicError where the query cannot be understood
 */
export async function searchPapers(
  context: Archive,
  query: string,
  limit: number,
): Promise<readonly Found[]> {
  const id = parsePaperId(query);
  if (id !== null) return (await context.store.papers([id])).map((paper) => ({ paper, score: 1 }));
  return findPapers(context, parseSearch(query), limit);
}

async function findPapers(context: Archive, topic: Topic, limit: number): Promise<readonly Found[]> {
  const hits = await context.index.search({ topic, match: "any", limit });
  const papers = new Map(
    (await context.store.papers(hits.map((hit) => hit.id))).map((paper) => [paper.id, paper]),
  );
  return hits.flatMap(({ id, score }) => {
    const paper = papers.get(id);
    return paper === undefined ? [] : [{ paper, score }];
  });
}

/** A search that finds something where the one asked for found nothing. */
export type Looser = {
  /** What it leaves out, such as `without org:nvidia`. */
  readonly how: string;
  readonly query: string;
  /** Papers that it finds, to 500. */
  readonly total: number;
};

/**
 * What finds something once a part is left out, most papers first; tried for real. At most three. Where no part
 * alone stands in the way, the words without all else.
 */
export async function looserSearches(
  index: Context["index"],
  { groups, excluded, min }: Topic,
): Promise<readonly Looser[]> {
  const parts = [
    ...groups.map((group) => topicName({ text: "", groups: [group], excluded: [], min: null })),
    ...excluded.map(({ text, phrase }) => (phrase ? `-"${text}"` : `-${text}`)),
    ...(min === null ? [] : [`min:${min}`]),
  ];
  const isFilter = (index: number) => index < groups.length || index >= groups.length + excluded.length;
  const positive = parts.filter((_, index) => isFilter(index)).length;
  const looser = parts.flatMap((part, left) =>
    isFilter(left) && positive === 1
      ? []
      : [{ how: `without ${part}`, query: parts.filter((_, index) => index !== left).join(" ") }],
  );
  const unquoted = parts.join(" ").replaceAll(/(^| )"([^"]*)"/g, "$1$2");
  if (unquoted !== parts.join(" ")) looser.push({ how: "without the quotes", query: unquoted });
  const single = await tryAll(index, looser.slice(-MOST_TRIED));
  if (single.length > 0 || parts.length < 3) return single;
  const words = parts.filter((_, part) => groups[part]?.[0]?.kind === "words").join(" ");
  return tryAll(index, [{ how: "with the words alone", query: words }]);
}

async function tryAll(
  index: Context["index"],
  searches: readonly Omit<Looser, "total">[],
): Promise<readonly Looser[]> {
  const tried = await Promise.all(
    searches.map(async ({ how, query }) => {
      const topic = readSearch(query);
      if (topic === null) return { how, query, total: 0 };
      const hits = await index.search({ topic, match: "any", limit: 500 });
      return { how, query: topic.text, total: hits.length };
    }),
  );
  return tried
    .filter(({ total }) => total > 0)
    .sort((one, other) => other.total - one.total)
    .slice(0, 3);
}

/** Null where it cannot be read: words that were quoted may be filters without their quotes. */
function readSearch(query: string): Topic | null {
  try {
    return parseSearch(query);
  } catch (error) {
    if (error instanceof TopicError) return null;
    throw error;
  }
}

/** A search has few parts; of a monstrous one the last are tried. */
const MOST_TRIED = 8;

/**
 * The paper that words from a title mean where there is no doubt, else up to three that they may mean, best first.
 * No doubt: it is the whole title, or no other title has all of the words.
 */
export async function paperByTitle(
  context: Archive,
  words: string,
): Promise<{ readonly paper: StoredPaper | null; readonly near: readonly StoredPaper[] }> {
  const wanted = stems(words.slice(0, LONGEST_TITLE));
  const topic = topicOf([wordsIn(words.slice(0, LONGEST_TITLE))]);
  if (topic === null) return { paper: null, near: [] };
  const found = (await findPapers(context, topic, 20)).map(({ paper }) => paper);
  const titles = new Map(found.map((paper) => [paper, stems(readable(paper.title))]));
  const exact = found.filter((paper) => titles.get(paper)?.join(" ") === wanted.join(" "));
  const having = found.filter((paper) => {
    const title = new Set(titles.get(paper));
    return wanted.every((stem) => title.has(stem));
  });
  const [sure] = exact.length > 0 ? exact : having.length === 1 ? having : [];
  return { paper: sure ?? null, near: [...new Set([...having, ...found])].slice(0, 3) };
}

const LONGEST_TITLE = 500;

/**
 * Papers most like one by its own words, best first: never itself, nor the same work listed under another id.
 * @param limit 1 to 490
 */
export async function similarPapers(
  context: Archive,
  paper: Paper,
  limit: number,
): Promise<readonly StoredPaper[]> {
  // The title counts twice. The abstract's words stand alone: their pairs cost three times what they bring.
  const title = wordsIn(readable(paper.title));
  const topic = topicOf([
    title,
    title,
    ...paper.aiKeywords.slice(0, 20).map(wordsIn),
    ...wordsIn(readable(paper.abstract).slice(0, LONGEST_ABSTRACT)).map((term) => [term]),
  ]);
  if (topic === null) return [];
  const own = stemsOf(paper);
  const found = await findPapers(context, topic, limit + 10);
  return found
    .map((each) => each.paper)
    .filter((other) => other.id !== paper.id && jaccard(own, stemsOf(other)) < SAME_WORK)
    .slice(0, limit);
}

const LONGEST_ABSTRACT = 4000;
/** A work and its second listing share far more of their words; two works on one subject about a fifth. */
const SAME_WORK = 0.7;

function stemsOf(paper: Paper): ReadonlySet<string> {
  return new Set(stems(`${paper.title} ${paper.abstract}`));
}

function jaccard(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const shared = one.intersection(other).size;
  const all = one.size + other.size - shared;
  return all === 0 ? 0 : shared / all;
}

/** Words as terms that bind nothing, whatever the topic language makes of them; without those that say nothing. */
function wordsIn(text: string): readonly Term[] {
  const words = plainText(text).match(/[\p{L}\p{N}\p{M}]+(?:[-'’+#][\p{L}\p{N}\p{M}]*)*/gu) ?? [];
  return words.flatMap((text) => {
    const word = parseWord(text);
    return word === null || isStopWord(word) ? [] : [{ text: text.toLowerCase(), phrase: false }];
  });
}

/** Null where there is no word. */
function topicOf(runs: readonly (readonly Term[])[]): Topic | null {
  const group = runs
    .filter((terms) => terms.length > 0)
    .map((terms): Alternative => ({ kind: "words", terms }));
  return group.length === 0 ? null : { text: "", groups: [group], excluded: [], min: null };
}

export type ResultsPage = {
  readonly query: string;
  /** How many results come before these. */
  readonly offset: number;
  /** Results on all pages. */
  readonly total: number;
  /** The page buttons' id; `v1:page` unless told. */
  readonly pagesId?: string;
};

/** Search results in words, with the abstracts' openings. */
export function searchMessage(
  found: readonly Found[],
  page: ResultsPage,
  context: Pick<Context, "clock" | "notice">,
): Message {
  const today = feedDay(context.clock());
  const { offset, total, pagesId = "v1:page" } = page;
  const intro =
    found.length === 0
      ? "Nothing found. Fewer or other words may help."
      : found.length === total
        ? `${count(total, "paper")}, best first`
        : `${offset + 1} to ${LAST_SHOWN} of ${total}`;
  return rowsMessage(
    found.map(({ paper }) => ({
      paper,
      body: paper.abstract === "" ? null : cutAtSentence(readable(paper.abstract), 220),
      facts: [...made(paper), ...published(paper, today), ...votes(paper)],
    })),
    { title: `Search · ${cutAtSentence(page.query.trim(), 100)}`, intro: [intro], offset, total, pagesId },
    context,
  );
}

/** A row of a list: the paper with its summary, unless it has a body of its own. */
export type Row = {
  readonly paper: StoredPaper;
  readonly facts: readonly string[];
  readonly body?: string | null;
};
export type RowsPage = Pick<Message, "title" | "intro"> & {
  readonly offset: number;
  readonly total: number;
  readonly pagesId: string;
};

/** A page of papers in words, numbered from its offset, over the menu that opens their cards. */
export function rowsMessage(
  rows: readonly Row[],
  { title, intro, offset, total, pagesId }: RowsPage,
  context: Pick<Context, "notice">,
): Message {
  return {
    title,
    intro: [...intro, ...notices(context)],
    items: rows.map(({ paper, body, facts }, index) => {
      const item = paperItem(paper);
      return { ...item, rank: offset + index + 1, body: body === undefined ? item.body : body, facts };
    }),
    select: rows.length > 0 ? paperSelect(rows.map(({ paper }) => paper)) : null,
    buttons: [],
    pages: { id: pagesId, offset, total },
    footer: null,
  };
}

/** A paper's card: summary, abstract, authors, facts and links. */
export function paperMessage(paper: StoredPaper, context: Pick<Context, "clock" | "notice">): Message {
  const today = feedDay(context.clock());
  const people = authors(paper, 8);
  const { thumbnail } = paperItem(paper);
  const summary: Item = {
    rank: null,
    title: "In short",
    url: null,
    body: paper.summary?.text ?? null,
    facts: [...votes(paper), ...code(paper), ...paper.aiKeywords.slice(0, 5)],
    thumbnail,
  };
  const abstract: Item = {
    rank: null,
    title: "Abstract",
    url: null,
    body: readable(paper.abstract),
    facts: [],
    thumbnail: paper.summary === null ? thumbnail : null,
  };
  return {
    title: readable(paper.title),
    intro: [
      ...(people === null ? [] : [people]),
      [
        ...(paper.organization === null ? [] : [paper.organization.fullname]),
        ...published(paper, today),
        ...(paper.submittedBy === null
          ? []
          : [`submitted by ${paper.submittedBy.fullname || paper.submittedBy.name}`]),
        ...(paper.listedOn === null ? [] : [`listed ${shortDate(paper.listedOn, today)}`]),
        ...(paper.withdrawnOn === null ? [] : ["withdrawn"]),
      ].join(" · "),
      ...notices(context),
    ].filter((line) => line !== ""),
    items: [...(paper.summary === null ? [] : [summary]), ...(paper.abstract === "" ? [] : [abstract])],
    select: null,
    buttons: links(paper),
    pages: null,
    footer: `arXiv ${paper.id}`,
  };
}

/**
 * A paper's card under which something can be done: the buttons `actions`, then as many of its links as ten buttons
 * leave room for, the most usual first. What has no button left is told among the facts.
 */
export function cardMessage(
  paper: StoredPaper,
  actions: readonly Button[],
  context: Pick<Context, "clock" | "notice">,
): Message {
  const card = paperMessage(paper, context);
  const room = Math.max(0, MOST_BUTTONS - actions.length);
  const untold = card.buttons.slice(room).map(({ label }) => label);
  return {
    ...card,
    items: card.items.map((item, index) =>
      index === 0 ? { ...item, facts: [...item.facts, ...untold] } : item,
    ),
    buttons: [...actions, ...card.buttons.slice(0, room)],
  };
}

/** Two rows of five on Discord; both renderers drop what comes after. */
const MOST_BUTTONS = 10;

/** The paper as a row: linked title, summary, thumbnail. Rank and facts are the list's to set. */
export function paperItem(paper: StoredPaper): Item {
  return {
    rank: null,
    title: paper.title,
    url: paperUrl(paper.id),
    body: paper.summary?.text ?? null,
    facts: [],
    thumbnail:
      paper.thumbnailUrl === null
        ? null
        : { url: paper.thumbnailUrl, alt: `First page of ${readable(paper.title)}` },
  };
}

/** A row's facts: votes, comments, code, and who made it; each where it is known. */
export function paperFacts(paper: Paper): readonly string[] {
  return [...votes(paper), ...code(paper), ...made(paper)];
}

/** The menu under papers that opens a card. */
export function paperSelect(papers: readonly Paper[]): Select {
  return {
    id: "v1:show",
    placeholder: "Choose a paper",
    options: papers.map((paper) => ({ label: readable(paper.title), value: paper.id })),
  };
}

function notices({ notice }: Pick<Context, "notice">): readonly string[] {
  return notice === null ? [] : [notice];
}

function votes(paper: Paper): readonly string[] {
  return [`▲ ${paper.upvotes}`, ...(paper.comments > 0 ? [count(paper.comments, "comment")] : [])];
}

function code(paper: Paper): readonly string[] {
  if (paper.codeUrl === null) return [];
  return [paper.stars ? `code ★ ${shortNumber(paper.stars)}` : "code"];
}

function made(paper: Paper): readonly string[] {
  if (paper.organization !== null) return [paper.organization.fullname || paper.organization.name];
  const people = authors(paper, 1);
  return people === null ? [] : [people];
}

function authors(paper: Paper, most: number): string | null {
  const names = paper.authors.map((author) => author.name);
  if (names.length === 0) return null;
  if (names.length <= most + 1) return names.join(", ");
  return `${names.slice(0, most).join(", ")} and ${names.length - most} others`;
}

function published(paper: Paper, today: Day): readonly string[] {
  return paper.publishedOn === null ? [] : [shortDate(paper.publishedOn, today)];
}

/** Hugging Face filters its hubs by `other=arxiv:<id>`. */
function links(paper: Paper): readonly Button[] {
  const hub = (kind: "models" | "datasets" | "spaces") => {
    const total = paper.linked?.[kind] ?? 0;
    const label = count(total, kind.slice(0, -1));
    return total > 0 ? [{ label, url: `https://huggingface.co/${kind}?other=arxiv:${paper.id}` }] : [];
  };
  return [
    { label: "Hugging Face", url: paperUrl(paper.id) },
    { label: "PDF", url: `https://arxiv.org/pdf/${paper.id}` },
    ...(paper.codeUrl === null ? [] : [{ label: "Code", url: paper.codeUrl }]),
    ...(paper.projectUrl === null ? [] : [{ label: "Project", url: paper.projectUrl }]),
    ...hub("models"),
    ...hub("datasets"),
    ...hub("spaces"),
  ];
}
