import type { Context } from "./context.ts";
import { type Day, feedDay, shortDate } from "./day.ts";
import type { Button, Item, Message, Select } from "./message.ts";
import { count, shortNumber } from "./numbers.ts";
import { type Paper, paperUrl, parsePaperId } from "./paper.ts";
import { cutAtSentence, readable } from "./readable.ts";
import type { StoredPaper } from "./store.ts";
import { parseSearch } from "./topic.ts";

/** A paper found, with how well it fits: 0 to 1. */
export type Found = { readonly paper: StoredPaper; readonly score: number };

/**
 * Papers for a query in the topic language, an arXiv id, or a link to a paper; best first.
 * @param limit 1 to 500
 * @throws TopicError where the query cannot be understood
 */
export async function searchPapers(
  context: Pick<Context, "store" | "index">,
  query: string,
  limit: number,
): Promise<readonly Found[]> {
  const id = parsePaperId(query);
  if (id !== null) return (await context.store.papers([id])).map((paper) => ({ paper, score: 1 }));
  const topic = parseSearch(query);
  const hits = await context.index.search({ topic, match: "any", limit });
  const papers = new Map(
    (await context.store.papers(hits.map((hit) => hit.id))).map((paper) => [paper.id, paper]),
  );
  return hits.flatMap(({ id, score }) => {
    const paper = papers.get(id);
    return paper === undefined ? [] : [{ paper, score }];
  });
}

export type ResultsPage = {
  readonly query: string;
  /** How many results come before these. */
  readonly offset: number;
  /** Results on all pages. */
  readonly total: number;
};

/** Search results in words, with the abstracts' openings. */
export function searchMessage(
  found: readonly Found[],
  page: ResultsPage,
  context: Pick<Context, "clock" | "notice">,
): Message {
  const today = feedDay(context.clock());
  const { offset, total } = page;
  return {
    title: `Search · ${cutAtSentence(page.query.trim(), 100)}`,
    intro: [
      found.length === 0
        ? "Nothing found. Fewer or other words may help."
        : found.length === total
          ? `${count(total, "paper")}, best first`
          : `${offset + 1} to ${offset + found.length} of ${total}`,
      ...notices(context),
    ],
    items: found.map(({ paper }, index) => ({
      ...paperItem(paper),
      rank: offset + index + 1,
      body: paper.abstract === "" ? null : cutAtSentence(readable(paper.abstract), 220),
      facts: [...made(paper), ...published(paper, today), ...votes(paper)],
    })),
    select: found.length > 0 ? paperSelect(found.map(({ paper }) => paper)) : null,
    buttons: [],
    pages: { id: "v1:page", offset, total },
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
    title: paper.title,
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
