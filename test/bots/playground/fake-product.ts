import type { Message } from "../../../src/core/message.ts";
import { SourceError } from "../../../src/core/source.ts";
import { TopicError } from "../../../src/core/topic.ts";
import type { PlaygroundProduct } from "../../../src/bots/playground/server.ts";

export type FakeState = {
  days: { day: string; count: number }[];
  loading: boolean;
  notice: string | null;
  /** Every question, in order, such as `digest 2026-04-22 5 0 agents|org:nvidia`. */
  asked: string[];
};

/** The end of the titles: what a hostile paper could try in either client. */
export const HOSTILE = `<img src=x onerror="alert(1)"> **bold** [a](https://evil.example) <!channel> &lt;b&gt;`;

/** A product of made-up papers, twelve a day, five a page. */
export function createFakeProduct(): { product: PlaygroundProduct; state: FakeState } {
  const state: FakeState = {
    days: ["2026-04-23", "2026-04-22", "2026-04-21"].map((day) => ({ day, count: 12 })),
    loading: false,
    notice: null,
    asked: [],
  };
  const product: PlaygroundProduct = {
    days: async () => state.days,
    async digest({ day, topics, top, offset }) {
      state.asked.push(`digest ${day} ${top} ${offset} ${topics.join("|")}`);
      if (topics.includes("has:wings")) {
        throw new TopicError("has: knows code and model, not wings.", "has:code");
      }
      if (topics.includes("explode")) throw new Error("inner detail");
      if (!state.days.some((listed) => listed.day === day)) return null;
      return list(`Daily Papers · ${day}`, "v1:page", offset, top);
    },
    async search({ query, offset }) {
      state.asked.push(`search ${query} ${offset}`);
      if (query === "unreachable") throw new SourceError("Hugging Face did not answer.");
      return list(`Search · ${query}`, "v1:page", offset, 5);
    },
    async paper(id) {
      state.asked.push(`paper ${id}`);
      if (!id.startsWith("2604.")) return null;
      return {
        ...list(`Paper ${id}`, "v1:page", 0, 1),
        select: null,
        pages: null,
        buttons: [
          { label: "Save", id: `v1:save:${id}`, style: "primary" },
          { label: "arXiv", url: `https://arxiv.org/abs/${id}` },
        ],
      };
    },
    loading: () => state.loading,
    notice: () => state.notice,
  };
  return { product, state };
}

const TOTAL = 12;

function list(title: string, pagesId: string, offset: number, top: number): Message {
  const numbers = Array.from({ length: Math.min(top, TOTAL - offset) }, (_, index) => offset + index + 1);
  const id = (number: number) => `2604.${String(number).padStart(5, "0")}`;
  return {
    title,
    intro: [`${numbers.length} of ${TOTAL} papers`],
    items: numbers.map((number) => ({
      rank: number,
      title: `Paper number ${number} ${number === 2 ? HOSTILE : "on agents that read the news"}`,
      url: `https://huggingface.co/papers/${id(number)}`,
      body: "One sentence says what it found.",
      facts: [`▲ ${100 - number}`, "code ★ 11"],
      thumbnail: {
        url: `https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/${id(number)}.png`,
        alt: `First page of paper ${number}`,
      },
    })),
    select: {
      id: "v1:show",
      placeholder: "Choose a paper",
      options: numbers.map((number) => ({ label: `Paper number ${number}`, value: id(number) })),
    },
    buttons: [],
    pages: { id: pagesId, offset, total: TOTAL },
    footer: "As of this morning",
  };
}
