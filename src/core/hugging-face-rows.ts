import { z } from "zod";
import { parseDay } from "./day.ts";
import type { Author, Linked, Organization, Paper, Person } from "./paper.ts";
import { plainText } from "./readable.ts";
import type { Dropped, PaperList } from "./source.ts";

/** A row that is no paper. The message is one of a few short reasons, fit for counting. */
export class RowError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "RowError";
  }
}

/**
 * A list of Hugging Face (daily papers, trending, search) row by row, in its order. A row that is no paper, or
 * that repeats an earlier one, is dropped with its reason; the rest stands. Throws `RowError` where the answer
 * is no list at all.
 */
export function parseList(json: unknown): PaperList {
  if (!Array.isArray(json)) throw new RowError("not a list");
  const papers: Paper[] = [];
  const dropped: Dropped[] = [];
  for (const row of json) {
    try {
      papers.push(parseRow(row));
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      dropped.push({ reason: error.message, row: describeRow(row) });
    }
  }
  return joinLists([{ papers, dropped }]);
}

/** The pages of a list as one, each paper where it came first. */
export function joinLists(pages: readonly PaperList[]): PaperList {
  const papers = new Map<string, Paper>();
  const dropped: Dropped[] = [];
  for (const page of pages) {
    dropped.push(...page.dropped);
    for (const paper of page.papers) {
      if (!papers.has(paper.id)) papers.set(paper.id, paper);
      else dropped.push({ reason: "already in the list", row: paper.id });
    }
  }
  return { papers: [...papers.values()], dropped };
}

/**
 * One paper, from an item of a list (`{paper: {…}, title, numComments, thumbnail…}`) or from the flat answer of
 * `/api/papers/{id}`. Only the id and the title must be right: any other field that is missing or odd counts as
 * unknown. Throws `RowError`.
 */
export function parseRow(row: unknown): Paper {
  const item = itemSchema.safeParse(row).data;
  if (item === undefined) throw new RowError("not an object");
  const isFlat = item.paper === undefined;
  const paper = isFlat ? paperSchema.safeParse(row).data : item.paper;
  if (paper === undefined) throw new RowError("not an object");
  if (paper.id === null) throw new RowError("no arXiv id");
  const title = paper.title || item.title;
  if (title === "") throw new RowError("no title");
  const abstract = paper.summary || item.summary;
  const { codeUrl, projectUrl } = linksOf(paper.githubRepo, paper.projectPage, abstract);
  return {
    id: paper.id,
    title,
    abstract,
    authors: paper.authors.filter((author) => author !== null),
    organization: item.organization ?? paper.organization,
    // The item's own date is shifted by some hours, and in later rows is not arXiv's at all.
    publishedOn: paper.publishedAt ?? item.publishedAt,
    submittedBy: item.submittedBy ?? paper.submittedOnDailyBy,
    submittedOn: paper.submittedOnDailyAt,
    // Older rows call the thumbnail `mediaUrl`.
    thumbnailUrl: item.thumbnail ?? item.mediaUrl,
    mediaUrls: (item.mediaUrls.length > 0 ? item.mediaUrls : paper.mediaUrls).filter((url) => url !== null),
    projectUrl,
    codeUrl,
    aiSummary: paper.ai_summary || null,
    aiKeywords: paper.ai_keywords.filter((keyword) => keyword !== ""),
    discussionId: paper.discussionId,
    authorParticipates: item.isAuthorParticipating,
    withdrawnOn: paper.withdrawnAt,
    upvotes: paper.upvotes ?? 0,
    comments: item.numComments ?? 0,
    stars: paper.githubStars,
    linked: isFlat ? parseLinked(row) : null,
  };
}

/** What a paper's own page says of models, datasets and spaces; null where the row does not say. */
function parseLinked(row: unknown): Linked | null {
  const linked = linkedSchema.safeParse(row).data;
  if (linked === undefined) return null;
  const { linkedModels, linkedDatasets, linkedSpaces, numTotalModels, numTotalDatasets, numTotalSpaces } =
    linked;
  if (linkedModels === null && linkedDatasets === null && linkedSpaces === null) return null;
  return {
    models: numTotalModels ?? linkedModels?.length ?? 0,
    datasets: numTotalDatasets ?? linkedDatasets?.length ?? 0,
    spaces: numTotalSpaces ?? linkedSpaces?.length ?? 0,
    modelIds: linkedModels ?? [],
    datasetIds: linkedDatasets ?? [],
    spaceIds: linkedSpaces ?? [],
  };
}

/**
 * Code and project page. `githubRepo` is a URL or `owner/name`; a project page that is a repository is the code
 * where nothing else is; else the first repository that the abstract names is.
 */
function linksOf(repository: string, page: string, abstract: string): Pick<Paper, "codeUrl" | "projectUrl"> {
  const named = /^[\w.-]+\/[\w.-]+$/.test(repository) ? `github.com/${repository}` : repository;
  const projectUrl = httpsUrl(page);
  const pageRepository =
    projectUrl !== null && /^https:\/\/(www\.)?github\.com\//i.test(projectUrl) ? gitHubUrl(page) : null;
  const codeUrl = gitHubUrl(named) ?? httpsUrl(named) ?? pageRepository ?? gitHubUrl(abstract);
  const isCode = (pageRepository ?? projectUrl)?.toLowerCase() === codeUrl?.toLowerCase();
  return { codeUrl, projectUrl: isCode ? null : projectUrl };
}

const REPOSITORY = /(?<![\w.-])(?:www\.)?github\.com\/([A-Za-z0-9][A-Za-z0-9-]{0,38})\/([\w.-]{1,100})/i;

/** The first repository of github.com in a text, as `https://github.com/owner/name`. */
function gitHubUrl(text: string): string | null {
  const [, owner, rest] = REPOSITORY.exec(text) ?? [];
  const name = rest?.replace(/\.+$/, "").replace(/\.git$/, "");
  return owner === undefined || !name ? null : `https://github.com/${owner}/${name}`;
}

function httpsUrl(text: string): string | null {
  if (!/^https:\/\//i.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  return url.username === "" && url.password === "" && url.href.length <= MAX_URL ? url.href : null;
}

/** Pictures that chat clients load come from Hugging Face alone. */
function thumbnailUrl(text: string): string | null {
  const url = httpsUrl(text);
  return url !== null && /^https:\/\/([\w-]+\.)*huggingface\.co\//.test(url) ? url : null;
}

/** The id where there is one, else the beginning of the title or of the row. */
function describeRow(row: unknown): string {
  const parsed = describedSchema.safeParse(row).data;
  const words =
    parsed?.paper?.id || parsed?.paper?.title || parsed?.id || parsed?.title || String(JSON.stringify(row));
  return cut(plainText(words.slice(0, 400)), 80);
}

/** Cut to a number of UTF-16 units without leaving half of a character. */
function cut(text: string, max: number): string {
  return text.length <= max
    ? text
    : text
        .slice(0, max)
        .replace(/[\uD800-\uDBFF]$/, "")
        .trimEnd();
}

// The caps are several times what was ever seen: 175 for titles, 1,923 for abstracts, 664 authors.
const MAX_URL = 2_000;
const MAX_COUNT = 1_000_000_000;

/** Text from outside, cleaned; empty where there is none. */
function text(max: number) {
  return z
    .string()
    .transform((value) => cut(plainText(value.slice(0, 4 * max)), max))
    .catch("");
}

const url = text(MAX_URL);
const https = z.string().transform(httpsUrl).nullable().catch(null);
const thumbnail = z.string().transform(thumbnailUrl).nullable().catch(null);
const flag = z.boolean().catch(false);

/** A whole number from 0 on, also written as text; null where there is none. */
const count = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
  ])
  .transform((value) => (value >= 0 ? Math.min(Math.floor(value), MAX_COUNT) : null))
  .nullable()
  .catch(null);

/**
 * The calendar day of an instant, in UTC. `submittedOnDailyAt` is midnight UTC of the list's day from 2026-05-14
 * on and must not be converted; before, it is an instant whose UTC day is the list's in all of 5,072 rows
 * measured, where New York's was in fewer than half. `publishedAt` is arXiv's own instant.
 */
const day = z
  .string()
  .transform((value) => parseDay(value.slice(0, 10)))
  .nullable()
  .catch(null);

/** Accounts and organizations are part of URLs. */
const SLUG = /^[\w.-]{1,96}$/;

const personSchema = z.object({ name: text(96), user: text(96), fullname: text(200) });

/** A user's name is `name` in one place and `user` in another. */
const person = personSchema
  .transform(({ name, user, fullname }): Person | null => {
    const username = name || user;
    return SLUG.test(username) ? { name: username, fullname: fullname || username } : null;
  })
  .nullable()
  .catch(null);

const organization = personSchema
  .transform(({ name, fullname }): Organization | null =>
    SLUG.test(name) ? { name, fullname: fullname || name } : null,
  )
  .nullable()
  .catch(null);

const author = z
  .object({ name: text(200), hidden: flag, user: person.optional() })
  .transform(({ name, hidden, user }): Author | null =>
    hidden || name === "" ? null : { name, username: user?.name ?? null },
  )
  .nullable()
  .catch(null);

/** The first `max` elements; empty where there is no list. */
function listOf<T extends z.ZodType>(element: T, max: number) {
  return z
    .array(z.unknown())
    .transform((values) => values.slice(0, max))
    .pipe(z.array(element))
    .catch([]);
}

const paperSchema = z.object({
  id: z
    .string()
    .transform((value) => /^(\d{4}\.\d{4,5})(v\d+)?$/.exec(value)?.[1] ?? null)
    .catch(null),
  title: text(500),
  summary: text(20_000),
  authors: listOf(author, 5_000),
  organization: organization.default(null),
  publishedAt: day.default(null),
  submittedOnDailyAt: day.default(null),
  submittedOnDailyBy: person.default(null),
  mediaUrls: listOf(https, 20),
  projectPage: url,
  githubRepo: url,
  githubStars: count.default(null),
  ai_summary: text(5_000),
  ai_keywords: listOf(text(100), 50),
  discussionId: z
    .string()
    .regex(/^\w{1,64}$/)
    .nullable()
    .catch(null),
  withdrawnAt: day.default(null),
  upvotes: count.default(null),
});

const itemSchema = z.object({
  paper: paperSchema.optional(),
  title: text(500),
  summary: text(20_000),
  organization: organization.default(null),
  publishedAt: day.default(null),
  submittedBy: person.default(null),
  thumbnail: thumbnail.default(null),
  mediaUrl: thumbnail.default(null),
  mediaUrls: listOf(https, 20),
  isAuthorParticipating: flag,
  numComments: count.default(null),
});

/** Models, datasets and spaces are objects with an `id`. */
const linkedIds = listOf(
  z
    .object({
      id: z
        .string()
        .regex(/^[\w.-]+(\/[\w.-]+)?$/)
        .max(200),
    })
    .transform(({ id }) => id)
    .nullable()
    .catch(null),
  20,
)
  .transform((ids) => ids.filter((id) => id !== null))
  .nullable();

const linkedSchema = z.object({
  linkedModels: linkedIds.default(null),
  linkedDatasets: linkedIds.default(null),
  linkedSpaces: linkedIds.default(null),
  numTotalModels: count.default(null),
  numTotalDatasets: count.default(null),
  numTotalSpaces: count.default(null),
});

const described = {
  id: z.string().optional().catch(undefined),
  title: z.string().optional().catch(undefined),
};
const describedSchema = z.object({ ...described, paper: z.object(described).optional().catch(undefined) });
