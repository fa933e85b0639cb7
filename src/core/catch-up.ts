import { hasOf } from "./paper.ts";
import type { SearchDocument, SearchIndex } from "./search.ts";
import type { Store, StoredPaper } from "./store.ts";

/** Papers a step: a few milliseconds of the event loop each. */
const STEP = 200;

/** Brings the index to where the store stands, step by step. */
export async function catchUp(
  store: Pick<Store, "changedSince">,
  index: Pick<SearchIndex, "update" | "revision">,
): Promise<void> {
  for (;;) {
    const papers = await store.changedSince(index.revision(), STEP);
    const last = papers.at(-1);
    if (last === undefined) return;
    await index.update(papers.map(toDocument), last.revision);
  }
}

function toDocument(paper: StoredPaper): SearchDocument {
  return {
    id: paper.id,
    title: paper.title,
    abstract: paper.abstract,
    keywords: paper.aiKeywords,
    authors: paper.authors.map((author) => author.name),
    organization: paper.organization === null ? [] : [paper.organization.name, paper.organization.fullname],
    has: hasOf(paper),
    upvotes: paper.upvotes,
    listedOn: paper.listedOn,
  };
}
