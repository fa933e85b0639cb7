import type { Paper } from "../../src/core/paper.ts";

/** A plausible paper with the given fields. */
export function madeUpPaper(fields: Partial<Paper> = {}): Paper {
  const id = fields.id ?? "2604.00001";
  return {
    id,
    title: `A paper numbered ${id}`,
    abstract: "Agents are hard to trust. We present a language in which people write their plans down.",
    authors: [{ name: "Ada Example", username: "ada" }],
    organization: { name: "example-lab", fullname: "Example Lab" },
    publishedOn: "2026-04-20",
    submittedBy: { name: "ada", fullname: "Ada Example" },
    submittedOn: "2026-04-21",
    thumbnailUrl: `https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/${id}.png`,
    mediaUrls: [],
    projectUrl: null,
    codeUrl: null,
    aiSummary: null,
    aiKeywords: [],
    discussionId: null,
    authorParticipates: false,
    withdrawnOn: null,
    upvotes: 10,
    comments: 1,
    stars: null,
    linked: null,
    ...fields,
  };
}
