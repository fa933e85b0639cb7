import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseList, parseRow, RowError } from "../../src/core/hugging-face-rows.ts";
import { hasOf } from "../../src/core/paper.ts";
import { BAD_ROWS, madeUpLists, weekdaysUntil } from "../peers/hugging-face.ts";

const BARE = { paper: { id: "2604.01234", title: "A title" } };

function row(paper: Record<string, unknown>, item: Record<string, unknown> = {}) {
  return { ...item, paper: { ...BARE.paper, ...paper } };
}

describe("parseRow", () => {
  test("an id and a title make a paper, and all else is unknown", () => {
    expect(parseRow(BARE)).toEqual({
      id: "2604.01234",
      title: "A title",
      abstract: "",
      authors: [],
      organization: null,
      publishedOn: null,
      submittedBy: null,
      submittedOn: null,
      thumbnailUrl: null,
      mediaUrls: [],
      projectUrl: null,
      codeUrl: null,
      aiSummary: null,
      aiKeywords: [],
      discussionId: null,
      authorParticipates: false,
      withdrawnOn: null,
      upvotes: 0,
      comments: 0,
      stars: null,
      linked: null,
    });
  });

  test("each field is taken from where it sits: the item's or the paper's", () => {
    const paper = parseRow(
      row(
        {
          summary: "An abstract.",
          upvotes: 45,
          githubStars: 11,
          ai_summary: "In short.",
          ai_keywords: ["agents", "", "planning"],
          discussionId: "69e1d1c0ffee69e1d1c0ffee",
          publishedAt: "2026-04-20T02:59:59.000Z",
          submittedOnDailyAt: "2026-04-22T00:00:00.000Z",
          withdrawnAt: "2026-04-25T08:00:00.000Z",
          numComments: 99,
          thumbnail: "https://cdn-thumbnails.huggingface.co/wrong.png",
        },
        {
          upvotes: 1,
          publishedAt: "2026-04-19T22:59:59.000Z",
          numComments: 3,
          isAuthorParticipating: true,
          thumbnail: "https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/2604.01234.png",
          submittedBy: { name: "akhaliq", fullname: "AK", type: "user" },
          organization: { name: "north-lab", fullname: "North Lab" },
          mediaUrls: ["https://cdn-uploads.huggingface.co/a.mp4", "http://insecure.example/b.png", 7],
        },
      ),
    );
    expect(paper).toMatchObject({
      abstract: "An abstract.",
      upvotes: 45,
      comments: 3,
      stars: 11,
      aiSummary: "In short.",
      aiKeywords: ["agents", "planning"],
      discussionId: "69e1d1c0ffee69e1d1c0ffee",
      publishedOn: "2026-04-20",
      submittedOn: "2026-04-22",
      withdrawnOn: "2026-04-25",
      authorParticipates: true,
      thumbnailUrl: "https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/2604.01234.png",
      submittedBy: { name: "akhaliq", fullname: "AK" },
      organization: { name: "north-lab", fullname: "North Lab" },
      mediaUrls: ["https://cdn-uploads.huggingface.co/a.mp4"],
    });
  });

  test("what the item lacks is taken from the paper, and the other way round", () => {
    const paper = parseRow({
      title: "The item's title",
      summary: "The item's abstract.",
      publishedAt: "2026-04-20T13:59:59.000Z",
      paper: {
        id: "2604.01234",
        organization: { name: "north-lab", fullname: "" },
        mediaUrls: ["https://cdn-uploads.huggingface.co/a.png"],
        submittedOnDailyBy: { user: "someone", fullname: "Some One" },
      },
    });
    expect(paper).toMatchObject({
      title: "The item's title",
      abstract: "The item's abstract.",
      publishedOn: "2026-04-20",
      organization: { name: "north-lab", fullname: "north-lab" },
      mediaUrls: ["https://cdn-uploads.huggingface.co/a.png"],
      submittedBy: { name: "someone", fullname: "Some One" },
    });
  });

  test("an instant of submission counts as its UTC day, which is the list's", () => {
    expect(parseRow(row({ submittedOnDailyAt: "2026-04-22T01:30:12.345Z" })).submittedOn).toBe("2026-04-22");
    expect(parseRow(row({ submittedOnDailyAt: "soon" })).submittedOn).toBeNull();
  });

  test("authors that the page hides are left out, and a user's name is read from either field", () => {
    const authors = [
      { name: "Ada Okafor", hidden: false, user: { user: "ada", fullname: "Ada" } },
      { name: "Wei Zhang", hidden: true },
      { name: "Noor\n Haddad", user: { name: "noor" } },
      { name: "Luca Moreau", user: null },
      { name: "Mina Park", user: { name: "not a name/../" } },
      { name: "  " },
      "a string",
      null,
    ];
    expect(parseRow(row({ authors })).authors).toEqual([
      { name: "Ada Okafor", username: "ada" },
      { name: "Noor Haddad", username: "noor" },
      { name: "Luca Moreau", username: null },
      { name: "Mina Park", username: null },
    ]);
  });

  test("text is cleaned of line breaks and of what cannot be seen, and capped", () => {
    const { title, abstract } = parseRow(
      row({ title: "Let's <think>\n  about\u200b it\u202e", summary: `${"a".repeat(19_999)}😀 and more` }),
    );
    expect(title).toBe("Let's <think> about it");
    expect(abstract).toBe("a".repeat(19_999));
  });

  test.each([
    ["https://github.com/owner/name", "https://github.com/owner/name"],
    ["https://github.com/owner/name/tree/main", "https://github.com/owner/name"],
    ["http://www.github.com/owner/name.git", "https://github.com/owner/name"],
    ["owner/na.me", "https://github.com/owner/na.me"],
    ["https://gitlab.com/owner/name", "https://gitlab.com/owner/name"],
    ["http://gitlab.com/owner/name", null],
    ["javascript:alert(1)", null],
    ["https://user:secret@example.com/", null],
    ["", null],
    [17, null],
  ])("code at %j is found at %j", (githubRepo, codeUrl) => {
    expect(parseRow(row({ githubRepo })).codeUrl).toBe(codeUrl);
  });

  test.each([
    ["Code is at\nhttps://github.com/owner/name.", "https://github.com/owner/name"],
    ["See \\url{https://github.com/owner/name}{https://github.com/x/y}.", "https://github.com/owner/name"],
    ["(github.com/owner/a.b) and so on", "https://github.com/owner/a.b"],
    ["all of https://github.com/owner", null],
    ["at https://gist.github.com/owner/0123abc", null],
    ["at https://notgithub.com/owner/name", null],
  ])("the abstract %j names %j", (summary, codeUrl) => {
    expect(parseRow(row({ summary })).codeUrl).toBe(codeUrl);
  });

  test("a repository given as code comes before one that the abstract names", () => {
    const paper = row({ githubRepo: "owner/name", summary: "See https://github.com/other/one" });
    expect(parseRow(paper).codeUrl).toBe("https://github.com/owner/name");
  });

  test("a project page that is a repository is code where nothing else is", () => {
    const projectPage = "https://github.com/owner/name/";
    expect(parseRow(row({ projectPage }))).toMatchObject({
      codeUrl: "https://github.com/owner/name",
      projectUrl: null,
    });
    expect(parseRow(row({ projectPage, githubRepo: "Owner/Name" }))).toMatchObject({
      codeUrl: "https://github.com/Owner/Name",
      projectUrl: null,
    });
    expect(parseRow(row({ projectPage, githubRepo: "other/one" }))).toMatchObject({
      codeUrl: "https://github.com/other/one",
      projectUrl: projectPage,
    });
    expect(parseRow(row({ projectPage: "https://example.org/page" })).projectUrl).toBe(
      "https://example.org/page",
    );
    expect(parseRow(row({ projectPage: "http://example.org/page" })).projectUrl).toBeNull();
  });

  test.each([
    ["https://cdn-thumbnails.huggingface.co/a.png", "https://cdn-thumbnails.huggingface.co/a.png"],
    ["https://huggingface.co/a.png", "https://huggingface.co/a.png"],
    ["http://cdn-thumbnails.huggingface.co/a.png", null],
    ["https://huggingface.co.example.com/a.png", null],
    ["https://nothuggingface.co/a.png", null],
    ["/a.png", null],
  ])("the thumbnail %j is kept as %j", (thumbnail, kept) => {
    expect(parseRow({ ...BARE, thumbnail }).thumbnailUrl).toBe(kept);
    expect(parseRow({ ...BARE, mediaUrl: thumbnail }).thumbnailUrl).toBe(kept);
  });

  test.each([
    [12, 12],
    ["12", 12],
    [12.7, 12],
    [-3, null],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
    ["many", null],
    [null, null],
    [1e12, 1e9],
  ])("the number %j counts as %j", (value, counted) => {
    const paper = parseRow({
      paper: { ...BARE.paper, upvotes: value, githubStars: value },
      numComments: value,
    });
    expect(paper).toMatchObject({ upvotes: counted ?? 0, comments: counted ?? 0, stars: counted });
  });

  test("a flat paper is read as well, with what is linked to it", () => {
    const paper = parseRow({
      id: "2604.01234v2",
      title: "A title",
      summary: "An abstract.",
      upvotes: 7,
      linkedModels: [{ id: "org/model" }, { id: "https://evil.example/" }, {}],
      linkedDatasets: [{ id: "data" }],
      linkedSpaces: [],
      numTotalModels: 31,
    });
    expect(paper).toMatchObject({ id: "2604.01234", abstract: "An abstract.", upvotes: 7 });
    expect(paper.linked).toEqual({
      models: 31,
      datasets: 1,
      spaces: 0,
      modelIds: ["org/model"],
      datasetIds: ["data"],
      spaceIds: [],
    });
    expect(hasOf(paper)).toEqual(["model", "dataset"]);
  });

  test.each([
    [null, "not an object"],
    ["text", "not an object"],
    [{}, "no arXiv id"],
    [{ paper: "text" }, "not an object"],
    [{ paper: { id: "2604.123", title: "x" } }, "no arXiv id"],
    [{ paper: { id: "2604.12345\n", title: "x" } }, "no arXiv id"],
    [{ paper: { id: 2604.12345, title: "x" } }, "no arXiv id"],
    [{ paper: { id: "2604.12345", title: "\u200b \n" } }, "no title"],
  ])("%j is no paper: %s", (bad, reason) => {
    expect(() => parseRow(bad)).toThrow(new RowError(reason));
  });

  test("whatever a row holds, it is a paper or a RowError, and its URLs are https", () => {
    const value = fc.oneof(fc.anything(), fc.webUrl(), fc.string({ unit: "binary" }));
    const keys = ["title", "summary", "authors", "organization", "publishedAt", "submittedBy", "thumbnail"];
    const more = [
      "mediaUrl",
      "mediaUrls",
      "githubRepo",
      "projectPage",
      "githubStars",
      "upvotes",
      "ai_keywords",
    ];
    const fields = fc.dictionary(fc.constantFrom(...keys, ...more, "linkedModels"), value);
    fc.assert(
      fc.property(fields, fields, fc.boolean(), (paper, item, isFlat) => {
        const whole = { title: "A title", ...paper, id: "2604.01234" };
        try {
          const parsed = parseRow(isFlat ? whole : { ...item, paper: whole });
          const urls = [parsed.codeUrl, parsed.projectUrl, parsed.thumbnailUrl, ...parsed.mediaUrls];
          for (const url of urls) expect(url === null || url.startsWith("https://")).toBe(true);
          expect(parsed.title.length).toBeGreaterThan(0);
          expect(parsed.title.length).toBeLessThanOrEqual(500);
        } catch (error) {
          expect(error).toEqual(new RowError("no title"));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("parseList", () => {
  test("bad rows are dropped with a reason and a description, and the others stand in order", () => {
    const [list] = madeUpLists({ days: ["2026-04-22"], perDay: 5, seed: 1 });
    const items = list?.items ?? [];
    const { papers, dropped } = parseList([...BAD_ROWS, ...items]);
    expect(papers.map(({ id }) => id)).toEqual(items.map(({ paper }) => paper.id));
    expect(dropped).toEqual([
      { reason: "not an object", row: "null" },
      { reason: "not an object", row: '"a string"' },
      { reason: "no arXiv id", row: "not-an-id" },
      { reason: "no title", row: "2604.00001" },
    ]);
  });

  test("a paper that comes twice is kept once, where it first stood", () => {
    const { papers, dropped } = parseList([row({ upvotes: 9 }), row({ upvotes: 8 })]);
    expect(papers.map(({ upvotes }) => upvotes)).toEqual([9]);
    expect(dropped).toEqual([{ reason: "already in the list", row: "2604.01234" }]);
  });

  test("an answer that is no list is an error", () => {
    expect(() => parseList({ error: "no" })).toThrow(new RowError("not a list"));
  });

  test("every made-up row is a paper, dirty titles, missing fields and 664 authors included", () => {
    const lists = madeUpLists({ days: weekdaysUntil("2026-04-22", 4), perDay: 30, seed: 7 });
    const papers = lists.flatMap(({ items }) => {
      const parsed = parseList(items);
      expect(parsed.dropped).toEqual([]);
      return parsed.papers;
    });
    expect(new Set(papers.map(({ id }) => id)).size).toBe(120);
    expect(Math.max(...papers.map(({ authors }) => authors.length))).toBeGreaterThan(600);
    expect(papers.some(({ title }) => title.includes("<think>"))).toBe(true);
    for (const lacking of ["thumbnailUrl", "organization", "aiSummary", "codeUrl", "projectUrl"] as const) {
      expect(papers.some((paper) => paper[lacking] === null)).toBe(true);
      expect(papers.some((paper) => paper[lacking] !== null)).toBe(true);
    }
  });
});
