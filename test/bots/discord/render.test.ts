import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderDiscord, type DiscordMessage } from "../../../src/bots/discord/render.ts";
import { plainText, readable } from "../../../src/core/readable.ts";
import { checkDiscordMessage } from "../../peers/discord-rules.ts";
import { LAST_SHOWN } from "../../../src/core/message.ts";
import { digest, EMPTY, hostile, messages } from "../any-message.ts";

describe("renderDiscord", () => {
  it("shows a heading, a linked title with summary and facts, the menu, the page button and the footer", () => {
    const rendered = renderDiscord(digest(2, { pages: { id: "v1:page:x", offset: 0, total: 6 } }));
    expect(checkDiscordMessage(rendered)).toEqual([]);
    expect(rendered.flags).toBe(32768);
    expect(rendered.allowed_mentions).toEqual({ parse: [] });
    expect(childrenOf(rendered)).toEqual([
      { type: 10, content: "## Daily Papers · Wednesday 22 April\n-# 5 of 28 papers" },
      {
        type: 9,
        components: [
          {
            type: 10,
            content:
              "**1 · [Paper 1](https://huggingface.co/papers/2504.00001)**\nOne sentence on it.\n-# ▲ 45 · code ★ 11 · matches agents",
          },
        ],
        accessory: {
          type: 11,
          media: { url: "https://cdn.example/1.png" },
          description: "First page of paper 1",
        },
      },
      expect.objectContaining({ type: 9 }),
      {
        type: 1,
        components: [
          {
            type: 3,
            custom_id: "v1:open",
            placeholder: "Choose a paper",
            options: [
              { label: "1 Paper 1", value: "2504.00001" },
              { label: "2 Paper 2", value: "2504.00002" },
            ],
          },
        ],
      },
      {
        type: 1,
        components: [{ type: 2, style: 2, label: "Next page · 4 more", custom_id: "v1:page:x:2" }],
      },
      { type: 10, content: "-# Next: Thu 23 April, 09:00 Paris" },
    ]);
  });

  it("shows an answer without items as ordinary text", () => {
    const rendered = renderDiscord({ ...EMPTY, title: "Subscribed.", intro: ["Last 14 days: 31 papers."] });
    expect(textsOf(rendered)).toEqual(["**Subscribed.**\nLast 14 days: 31 papers."]);
  });

  it("shortens summaries before it drops anything", () => {
    const rendered = renderDiscord(
      digest(8, {}, { body: "Many words follow one another here. ".repeat(20) }),
    );
    const bodies = textsOf(rendered)
      .flatMap((text) => text.split("\n")[1] ?? [])
      .slice(1, 9);
    expect(childrenOf(rendered).filter(({ type }) => type === 9)).toHaveLength(8);
    expect(Math.min(...bodies.map((body) => body.length))).toBeGreaterThan(150);
  });

  it("drops the last thumbnails before it drops an item", () => {
    const rendered = renderDiscord(digest(12, {}, { body: null }));
    expect(itemTexts(rendered)).toHaveLength(12);
    expect(childrenOf(rendered).filter(({ type }) => type === 9)).toHaveLength(11);
  });

  it("moves items and their options behind the next page's button", () => {
    const message = digest(
      30,
      { pages: { id: "v1:page", offset: 30, total: 60 } },
      { body: "Word ".repeat(60) },
    );
    const rendered = renderDiscord(message);
    const shown = itemTexts(rendered).length;
    expect(shown).toBeGreaterThan(9);
    expect(buttonsOf(rendered)).toEqual([
      { type: 2, style: 2, label: "Previous page", custom_id: `v1:page:${30 - shown}` },
      { type: 2, style: 2, label: `Next page · ${30 - shown} more`, custom_id: `v1:page:${30 + shown}` },
    ]);
    expect(JSON.stringify(rendered).match(/"value"/g)).toHaveLength(shown);
  });

  it("says how many items are missing where there are no pages", () => {
    const rendered = renderDiscord(digest(30, {}, { body: "Word ".repeat(60) }));
    const shown = itemTexts(rendered).length;
    expect(textsOf(rendered).at(-1)).toBe(`-# and ${30 - shown} more · Next: Thu 23 April, 09:00 Paris`);
  });

  it("shortens a card's abstract until it fits", () => {
    const rendered = renderDiscord(digest(1, {}, { body: "A long sentence of an abstract. ".repeat(300) }));
    expect(checkDiscordMessage(rendered)).toEqual([]);
    expect(itemTexts(rendered)[0]?.length).toBeGreaterThan(3500);
  });

  it("drops link buttons, links and thumbnails whose address is none", () => {
    const message = digest(1, { buttons: [{ label: "Bad", url: "javascript:alert(1)" }] });
    const item = {
      ...message.items[0]!,
      url: "http://x.org",
      thumbnail: { url: "ftp://x.org/a.png", alt: "" },
    };
    const rendered = renderDiscord({ ...message, items: [item] });
    expect(itemTexts(rendered)[0]).toMatch(/^\*\*1 · Paper 1\*\*\n/);
    expect(buttonsOf(rendered)).toEqual([]);
    expect(JSON.stringify(rendered)).not.toContain("ftp:");
  });

  it.each([
    ["DeepSeek: Let's <think> about it", "DeepSeek: Let's \\<think\\> about it"],
    ["in <1 GB", "in \\<1 GB"],
    ["$\\pi$ and `code`", "π and \\`code\\`"],
    ["S*: a_b __c__ ~~d~~ ||e||", "S\\*: a\\_b \\_\\_c\\_\\_ \\~\\~d\\~\\~ \\|\\|e\\|\\|"],
    ["Beyond Pass@1", "Beyond Pass\\@1"],
    [
      "@everyone <@123> <#1> <t:1:R> <:x:1>",
      "\\@everyone \\<\\@123\\> \\<\\#1\\> \\<t\\:1:R\\> \\<\\:x:1\\>",
    ],
    ["[x](https://evil.example)", "\\[x\\]\\(https:∕∕evil.example)"],
    ["https://evil.example", "https:∕∕evil.example"],
    ["the interval [0,1)", "the interval ［0,1)"],
    ["join discord.gg/abc :tada:", "join discord\\.gg/abc \\:tada:"],
  ])("shows the title %j literally", (title, label) => {
    const text = itemTexts(renderDiscord(digest(1, {}, { title })))[0] ?? "";
    expect(text.split("](https://huggingface")[0]).toBe(`**1 · [${label}`);
  });

  it.each(["# a", "> a", "- a", "-# a", "1. a", "+ a", "* a"])(
    "makes no block of a body that begins with %j",
    (body) => {
      const line = itemTexts(renderDiscord(digest(1, {}, { body })))[0]?.split("\n")[1] ?? "";
      expect(readMarkdown(line)).toEqual({ text: body, links: [], marks: [] });
    },
  );

  it("is legal, mentions nobody and links nothing but the items, whatever comes", () => {
    fc.assert(
      fc.property(messages(), (message) => {
        const rendered = renderDiscord(message);
        expect(checkDiscordMessage(rendered)).toEqual([]);
        const texts = textsOf(rendered);
        const read = texts.map((text) => readMarkdown(text));
        expect(read.flatMap(({ marks }) => marks)).toEqual([]);
        const links = read.flatMap((one) => one.links);
        const allowed = message.items.flatMap(({ url }) =>
          url === null ? [] : [decodeMarks(URL.parse(url)?.href ?? "")],
        );
        expect(allowed).toEqual(expect.arrayContaining(links.map(({ url }) => decodeMarks(url))));
        // Discord's reader takes a label up to the last of these.
        expect(texts.join("\n").split("](").length - 1).toBe(links.length);
      }),
      { numRuns: 300 },
    );
  });

  it("lets a title be read back", () => {
    fc.assert(
      fc.property(hostile(90), (title) => {
        const message = digest(1, {}, { title });
        const { links } = readMarkdown(itemTexts(renderDiscord(message))[0] ?? "");
        expect(links).toHaveLength(1);
        expect(sameLook(links[0]?.label ?? "")).toBe(sameLook(plainText(readable(title)) || "Untitled"));
      }),
      { numRuns: 300 },
    );
  });

  it("keeps the items in order and loses none between the pages", () => {
    fc.assert(
      fc.property(messages(), (message) => {
        fc.pre(message.items.length > 0);
        const rendered = renderDiscord({
          ...message,
          buttons: [],
          pages: { id: "v1:p", offset: 7, total: 90 },
        });
        const next = buttonsOf(rendered).find((button) => /^Next/.test(String(button.label)));
        expect(next?.custom_id).toBe(`v1:p:${7 + itemTexts(rendered).length}`);
      }),
      { numRuns: 100 },
    );
  });
});

type Component = {
  readonly type: number;
  readonly content?: string;
  readonly label?: string;
  readonly custom_id?: string;
  readonly components?: readonly Component[];
};

function childrenOf(message: DiscordMessage): readonly Component[] {
  return (message.components[0] as Component).components ?? [];
}

function textsOf(message: DiscordMessage): string[] {
  return childrenOf(message).flatMap((child) => {
    const text = child.type === 9 ? child.components?.[0] : child;
    return text?.content === undefined ? [] : [text.content];
  });
}

/** Of digests with a heading and a footer around the items. */
function itemTexts(message: DiscordMessage): string[] {
  const shown = childrenOf(message).filter(({ type }) => type === 9 || type === 10);
  return shown
    .flatMap((child) => (child.content ?? child.components?.[0]?.content) || [])
    .filter((text) => text.startsWith("**"));
}

function buttonsOf(message: DiscordMessage): readonly Component[] {
  return childrenOf(message).flatMap((child) => (child.components ?? []).filter(({ type }) => type === 2));
}

type Read = { text: string; links: { label: string; url: string }[]; marks: string[] };

/** A small reader of Discord's markdown; `marks` are those that format, mention or link and should not. */
function readMarkdown(markdown: string): Read {
  const read: Read = { text: "", links: [], marks: [] };
  for (const [i, full] of markdown.split("\n").entries()) {
    const line = full.replace(i === 0 ? /^## |^-# / : /^-# /, "");
    const block = /^(#{1,3} |-# |>|[-+*] |\d+[.)] )/.exec(line)?.[0];
    if (block !== undefined) read.marks.push(block);
    if (i > 0) read.text += "\n";
    readLine(line, read);
    if (line.replace(/\\./g, "").split("**").length % 2 === 0) read.marks.push("odd **");
  }
  return read;
}

function readLine(line: string, read: Read): void {
  for (let at = 0; at < line.length; ) {
    const rest = line.slice(at);
    const escaped = /^\\([^A-Za-z0-9\s])/.exec(rest);
    const link = /^\[((?:\\.|[^\\\]])*)\]\(([^()\s]*)\)/.exec(rest);
    if (escaped !== null) {
      read.text += escaped[1];
      at += 2;
    } else if (link !== null) {
      const label: Read = { text: "", links: [], marks: read.marks };
      readLine(link[1] ?? "", label);
      read.links.push({ label: label.text, url: link[2] ?? "" });
      read.text += label.text;
      at += link[0].length;
    } else if (rest.startsWith("**")) {
      at += 2;
    } else {
      const mark = /^(?:[*_~`|<>@[\]\\]|:\/\/|:[\w+-]+:|discord\.gg\/)/.exec(rest)?.[0];
      if (mark !== undefined) read.marks.push(mark);
      read.text += rest.charAt(0);
      at += 1;
    }
  }
}

function decodeMarks(url: string): string {
  return url.replace(/%(28|29|2A|5B|5C|5D|60|27|7C)/g, (sign) => decodeURIComponent(sign));
}

function sameLook(text: string): string {
  return text.replaceAll("∕", "/").replaceAll("［", "[").replaceAll("］", "]");
}

it("an intro counts the items that fit, not those that were meant to", () => {
  const items = Array.from({ length: 40 }, (_, index) => ({
    rank: index + 1,
    title: `Paper ${index + 1}`,
    url: `https://huggingface.co/papers/2604.${10_000 + index}`,
    body: "A sentence that says something. ".repeat(9),
    facts: ["▲ 1"],
    thumbnail: null,
  }));
  const intro = [`${LAST_SHOWN} of 40 papers`];
  const pages = { id: "v1:page", offset: 0, total: 40 };
  const text = JSON.stringify(renderDiscord({ ...EMPTY, title: "Daily Papers", intro, items, pages }));
  const shown = text.match(/\*\*\d+ · \[/g)?.length ?? 0;
  expect(shown).toBeLessThan(40);
  expect(text).toContain(`-# ${shown} of 40 papers`);
  expect(text).toContain(`Next page · ${40 - shown} more`);
});
