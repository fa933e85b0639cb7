/**
 * A paper and all that Hugging Face's page shows of it. Text is plain text from outside: whitespace is
 * collapsed and invisible characters are gone, but it is neither escaped nor shortened, and LaTeX in it
 * stays until `readable` (readable.ts) makes it text for people.
 */
export type Paper = {
  /** arXiv id without version, such as `2504.06261`. */
  readonly id: string;
  readonly title: string;
  /** Hugging Face calls this `summary`. */
  readonly abstract: string;
  /** In order, without those that the page hides. */
  readonly authors: readonly Author[];
  readonly organization: Organization | null;
  /** Day of the arXiv publication, `YYYY-MM-DD`. */
  readonly publishedOn: string | null;
  readonly submittedBy: Person | null;
  /** Day it was submitted to a daily list, `YYYY-MM-DD`. */
  readonly submittedOn: string | null;
  readonly thumbnailUrl: string | null;
  /** Pictures and videos, https only. */
  readonly mediaUrls: readonly string[];
  readonly projectUrl: string | null;
  /** https URL of the code repository. */
  readonly codeUrl: string | null;
  readonly aiSummary: string | null;
  readonly aiKeywords: readonly string[];
  readonly discussionId: string | null;
  readonly authorParticipates: boolean;
  readonly withdrawnOn: string | null;
  readonly upvotes: number;
  readonly comments: number;
  /** GitHub stars; null where unknown. */
  readonly stars: number | null;
  /** Models, datasets and spaces that name the paper; null until its own page was read. */
  readonly linked: Linked | null;
};

export type Author = { readonly name: string; readonly username: string | null };
export type Organization = { readonly name: string; readonly fullname: string };
export type Person = { readonly name: string; readonly fullname: string };

export type Linked = {
  /** How many there are in all; the names below are the first few. */
  readonly models: number;
  readonly datasets: number;
  readonly spaces: number;
  readonly modelIds: readonly string[];
  readonly datasetIds: readonly string[];
  readonly spaceIds: readonly string[];
};

/** One or two sentences on a paper, at most 300 characters, and where they come from. */
export type Summary = {
  readonly text: string;
  readonly method: "huggingface" | "extractive" | "model";
};

/** What changes over time, as seen at an instant. */
export type Snapshot = {
  readonly paperId: string;
  /** ISO instant, UTC. */
  readonly takenAt: string;
  readonly upvotes: number;
  readonly comments: number;
  readonly stars: number | null;
};

export const HAS = ["code", "model", "dataset", "space", "video", "project"] as const;
/** What a paper can come with, as in the topic language's `has:`. */
export type Has = (typeof HAS)[number];

const VIDEO = /\.(mp4|mov|qt|webm|m4v)([?#]|$)/i;

/** What the paper comes with. `model`, `dataset` and `space` are known once its own page was read. */
export function hasOf(paper: Paper): readonly Has[] {
  const { linked } = paper;
  return HAS.filter((has) => {
    if (has === "code") return paper.codeUrl !== null;
    if (has === "project") return paper.projectUrl !== null;
    if (has === "video") return paper.mediaUrls.some((url) => VIDEO.test(url));
    if (linked === null) return false;
    return (has === "model" ? linked.models : has === "dataset" ? linked.datasets : linked.spaces) > 0;
  });
}

/** The paper's page, rebuilt from its id alone. */
export function paperUrl(id: string): string {
  return `https://huggingface.co/papers/${id}`;
}

/** arXiv's page of the paper. */
export function arxivUrl(id: string): string {
  return `https://arxiv.org/abs/${id}`;
}

const ID = /^(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Za-z]{2})?\/\d{7})(v\d{1,3})?$/;
const URL_WITH_ID =
  /^(?:https?:\/\/)?(?:www\.|export\.)?(?:arxiv\.org\/(?:abs|pdf|html)|huggingface\.co\/papers|hf\.co\/papers|alphaxiv\.org\/(?:abs|pdf|overview))\/([^?#]+?)(?:\.pdf|\.md)?\/?(?:[?#].*)?$/i;

/**
 * The arXiv id in an id (`2504.06261`, `2504.06261v2`, `arXiv:2504.06261`, `hep-th/9901001`) or in a link to
 * the paper on arxiv.org, huggingface.co, hf.co or alphaxiv.org; without version. Null where there is none.
 */
export function parsePaperId(text: string): string | null {
  if (text.length > 1_000) return null;
  // Slack sends a link as `<url>` or `<url|what was typed>`.
  const trimmed = text.trim().replace(/^<([^|>]*)(?:\|[^>]*)?>$/, "$1");
  const bare = (URL_WITH_ID.exec(trimmed)?.[1] ?? trimmed).replace(/^arxiv:\s*/i, "");
  return ID.exec(bare)?.[1] ?? null;
}

/**
 * One paper from two sightings: the newer one's facts, and the older one's where the newer is silent, so that a
 * row that lacks a field (most are optional) never erases what is known.
 */
export function mergePapers(older: Paper, newer: Paper): Paper {
  return {
    id: newer.id,
    title: newer.title,
    abstract: newer.abstract || older.abstract,
    authors: some(newer.authors, older.authors),
    organization: newer.organization ?? older.organization,
    publishedOn: newer.publishedOn ?? older.publishedOn,
    submittedBy: newer.submittedBy ?? older.submittedBy,
    submittedOn: newer.submittedOn ?? older.submittedOn,
    thumbnailUrl: newer.thumbnailUrl ?? older.thumbnailUrl,
    mediaUrls: some(newer.mediaUrls, older.mediaUrls),
    projectUrl: newer.projectUrl ?? older.projectUrl,
    codeUrl: newer.codeUrl ?? older.codeUrl,
    aiSummary: newer.aiSummary ?? older.aiSummary,
    aiKeywords: some(newer.aiKeywords, older.aiKeywords),
    discussionId: newer.discussionId ?? older.discussionId,
    authorParticipates: newer.authorParticipates || older.authorParticipates,
    withdrawnOn: newer.withdrawnOn ?? older.withdrawnOn,
    upvotes: newer.upvotes,
    // A paper's own page does not count them, so 0 may mean that nobody told.
    comments: newer.comments || older.comments,
    stars: newer.stars ?? older.stars,
    linked: newer.linked ?? older.linked,
  };
}

function some<T>(newer: readonly T[], older: readonly T[]): readonly T[] {
  return newer.length > 0 ? newer : older;
}
