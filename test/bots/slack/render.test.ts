import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderSlack, type SlackMessage } from "../../../src/bots/slack/render.ts";
import { plainText, readable } from "../../../src/core/readable.ts";
import { checkSlackMessage } from "../../peers/slack-rules.ts";
import { digest, EMPTY, hostile, messages } from "../any-message.ts";

describe("renderSlack", () => {
  it("shows a header, a linked title with summary and facts, the menu with the page button and the footer", () => {
    const rendered = renderSlack(digest(2, { pages: { id: "v1:page:x", offset: 0, total: 6 } }));
    expect(checkSlackMessage(rendered)).toEqual([]);
    expect(rendered.text).toBe("Daily Papers · Wednesday 22 April\n5 of 28 papers\n1. Paper 1\n2. Paper 2");
    expect([rendered.unfurl_links, rendered.unfurl_media]).toEqual([false, false]);
    expect(rendered.blocks).toEqual([
      { type: "header", text: plain("Daily Papers · Wednesday 22 April") },
      { type: "context", elements: [mrkdwn("5 of 28 papers")] },
      {
        type: "section",
        text: mrkdwn("*1  <https://huggingface.co/papers/2504.00001|Paper 1>*\nOne sentence on it."),
        accessory: {
          type: "image",
          image_url: "https://cdn.example/1.png",
          alt_text: "First page of paper 1",
        },
      },
      { type: "context", elements: [mrkdwn("▲ 45 · code ★ 11 · matches agents")] },
      expect.objectContaining({ type: "section" }),
      expect.objectContaining({ type: "context" }),
      {
        type: "actions",
        elements: [
          {
            type: "static_select",
            action_id: "v1:open",
            placeholder: plain("Choose a paper"),
            options: [
              { text: plain("1 Paper 1"), value: "2504.00001" },
              { text: plain("2 Paper 2"), value: "2504.00002" },
            ],
          },
          { type: "button", text: plain("Next page · 4 more"), action_id: "v1:page:x:2" },
        ],
      },
      { type: "context", elements: [mrkdwn("Next: Thu 23 April, 09:00 Paris")] },
    ]);
  });

  it("shows an answer without items as ordinary text", () => {
    const rendered = renderSlack({ ...EMPTY, title: "Subscribed.", intro: ["Last 14 days: 31 papers."] });
    expect(rendered.blocks).toEqual([
      { type: "section", text: mrkdwn("*Subscribed.*\nLast 14 days: 31 papers.") },
    ]);
  });

  it("shows twenty papers in one message, with pictures and shortened summaries", () => {
    const rendered = renderSlack(digest(20, {}, { body: "Many words follow one another here. ".repeat(20) }));
    expect(checkSlackMessage(rendered)).toEqual([]);
    const sections = rendered.blocks.filter(({ type }) => type === "section");
    expect(sections.filter((section) => "accessory" in section)).toHaveLength(20);
    expect(Math.min(...itemTexts(rendered).map((text) => text.length))).toBeGreaterThan(200);
  });

  it("drops pictures before items, and moves items with their options behind the next page's button", () => {
    const item = { title: "Long title ".repeat(20), body: "Word ".repeat(60), facts: ["fact ".repeat(30)] };
    const message = digest(30, { pages: { id: "v1:page", offset: 0, total: 30 } }, item);
    const rendered = renderSlack(message);
    const shown = itemTexts(rendered).length;
    expect(JSON.stringify(rendered)).not.toContain("image_url");
    expect(shown).toBeGreaterThan(12);
    expect(JSON.stringify(rendered)).toContain(`"action_id":"v1:page:${shown}"`);
    expect(JSON.stringify(rendered)).toContain(`Next page · ${30 - shown} more`);
    expect(JSON.stringify(rendered).match(/"value"/g)).toHaveLength(shown);
  });

  it("says how many items are missing where there are no pages", () => {
    const rendered = renderSlack(digest(30));
    const shown = itemTexts(rendered).length;
    expect(shown).toBe(23);
    expect(JSON.stringify(rendered.blocks.at(-1))).toContain(`and ${30 - shown} more · Next: Thu`);
  });

  it("shortens a card's abstract until it fits, and gives link buttons ids of their own", () => {
    const buttons = [
      { label: "arXiv", url: "https://arxiv.org/abs/2504.00001" },
      { label: "Page", url: "https://huggingface.co/papers/2504.00001" },
      { label: "Bad", url: "javascript:alert(1)" },
    ];
    const rendered = renderSlack(
      digest(1, { buttons }, { body: "A long sentence of an abstract. ".repeat(300) }),
    );
    expect(checkSlackMessage(rendered)).toEqual([]);
    expect(itemTexts(rendered)[0]?.length).toBeGreaterThan(2800);
    expect(JSON.stringify(rendered).match(/v1:link:\d/g)).toEqual(["v1:link:0", "v1:link:1"]);
  });

  it.each([
    ["DeepSeek: Let's <think> about it", "DeepSeek: Let's &lt;think&gt; about it"],
    ["in <1 GB", "in &lt;1 GB"],
    ["$\\pi$ and `code`", "π and ˋcodeˋ"],
    ["S*: Test Time Scaling", "S∗: Test Time Scaling"],
    ["int_8 and _this_", "int_8 and ˍthisˍ"],
    ["~9 tokens, a*b", "∼9 tokens, a*b"],
    ["Beyond Pass@1", "Beyond Pass@1"],
    ["@everyone <!channel> <@123>", "@everyone &lt;!channel&gt; &lt;@123&gt;"],
    ["[x](https://evil.example)", "[x](https://evil.example)"],
    ["> R&D :tada: at 10:30", "› R&amp;D ∶tada: at 10:30"],
    ["&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;"],
  ])("shows the title %j literally", (title, label) => {
    const rendered = renderSlack(digest(1, {}, { title }));
    expect(itemTexts(rendered)[0]).toBe(
      `*1  <https://huggingface.co/papers/2504.00001|${label}>*\nOne sentence on it.`,
    );
  });

  it("makes no quote of a body that begins with >", () => {
    expect(itemTexts(renderSlack(digest(1, {}, { body: "> 90% of users" })))[0]).toMatch(/\n› 90% of users$/);
  });

  it("is legal, mentions nobody and links nothing but the items, whatever comes", () => {
    fc.assert(
      fc.property(messages(), (message) => {
        const rendered = renderSlack(message);
        expect(checkSlackMessage(rendered)).toEqual([]);
        const read = [...mrkdwnTexts(rendered.blocks), rendered.text].map((text) => readMrkdwn(text));
        expect(read.flatMap(({ marks }) => marks)).toEqual([]);
        const allowed = message.items.map(({ url }) => sameUrl(URL.parse(url ?? "")?.href ?? ""));
        const links = read.flatMap((one) => one.links.map(({ url }) => sameUrl(url)));
        expect(allowed).toEqual(expect.arrayContaining(links));
        expect(rendered.text).not.toContain("://");
        expect(rendered.text.length).toBeLessThan(3000);
      }),
      { numRuns: 300 },
    );
  });

  it("lets a title be read back", () => {
    fc.assert(
      fc.property(hostile(90), (title) => {
        const { links } = readMrkdwn(itemTexts(renderSlack(digest(1, {}, { title })))[0] ?? "");
        expect(links).toHaveLength(1);
        expect(sameLook(links[0]?.label ?? "")).toBe(sameLook(plainText(readable(title)) || "Untitled"));
      }),
      { numRuns: 300 },
    );
  });
});

function plain(text: string): unknown {
  return { type: "plain_text", text, emoji: false };
}

function mrkdwn(text: string): unknown {
  return { type: "mrkdwn", text, verbatim: true };
}

function itemTexts(message: SlackMessage): string[] {
  return message.blocks.flatMap((block) =>
    block.type === "section" && block.text !== undefined ? [block.text.text] : [],
  );
}

function mrkdwnTexts(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const own = "type" in value && value.type === "mrkdwn" && "text" in value ? [String(value.text)] : [];
  return [...own, ...Object.values(value).flatMap(mrkdwnTexts)];
}

type Read = { links: { label: string; url: string }[]; marks: string[] };

/** A small reader of Slack's mrkdwn; `marks` are those that format, mention or link and should not. */
function readMrkdwn(text: string): Read {
  const read: Read = { links: [], marks: [] };
  for (const whole of text.split("\n")) {
    // The bold around a title is the renderer's own.
    const line = /^\*(.*)\*$/.exec(whole)?.[1] ?? whole;
    const words = line.replace(/<([^<>]*)>/g, (token, inside: string) => {
      const [url = "", label] = inside.split(/\|(.*)/s);
      if (label === undefined || !url.startsWith("https://")) read.marks.push(token);
      else read.links.push({ label: decode(label), url: decode(url) });
      return label ?? "";
    });
    const patterns = [
      /[<>]/,
      /&(?!(amp|lt|gt);)/,
      /^(&gt;)/,
      /(?<![A-Za-z0-9])([*_~])(?=\S).*?\S\1(?![A-Za-z0-9])/,
      /`/,
      /:[a-z0-9_+'-]+:/,
    ];
    for (const pattern of patterns) read.marks.push(...(pattern.exec(words)?.slice(0, 1) ?? []));
  }
  return read;
}

function decode(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function sameUrl(url: string): string {
  return url.replace(/%(?:7C|3C|3E)/g, decodeURIComponent);
}

const LOOKS: Readonly<Record<string, string>> = { "∗": "*", ˍ: "_", "∼": "~", ˋ: "`", "∶": ":", "›": ">" };

function sameLook(text: string): string {
  return text.replace(/[∗ˍ∼ˋ∶›]/g, (sign) => LOOKS[sign] ?? sign);
}
