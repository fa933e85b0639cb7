import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderTerminal } from "../../../src/bots/terminal/render.ts";
import { digest, EMPTY, messages } from "../any-message.ts";

describe("renderTerminal", () => {
  it("shows a digest as plain text where there is no colour", () => {
    const message = digest(2, { buttons: [{ label: "arXiv", url: "https://arxiv.org/abs/1" }] });
    expect(renderTerminal(message, { width: 60, color: false, links: true })).toBe(
      `Daily Papers · Wednesday 22 April
5 of 28 papers

1  Paper 1
   One sentence on it.
   ▲ 45 · code ★ 11 · matches agents
   https://huggingface.co/papers/2504.00001

2  Paper 2
   One sentence on it.
   ▲ 45 · code ★ 11 · matches agents
   https://huggingface.co/papers/2504.00002

arXiv  https://arxiv.org/abs/1

Next: Thu 23 April, 09:00 Paris
`,
    );
  });

  it("makes titles bold links and facts dim where there are colours and links", () => {
    const text = renderTerminal(digest(1), { width: 60, color: true, links: true });
    const url = "https://huggingface.co/papers/2504.00001";
    expect(text).toContain(`1  \u001B]8;;${url}\u001B\\\u001B[1mPaper 1\u001B[22m\u001B]8;;\u001B\\\n`);
    expect(text).toContain("   \u001B[2m▲ 45 · code ★ 11 · matches agents\u001B[22m\n");
  });

  it("wraps under a hanging indent and counts wide characters as two columns", () => {
    const text = renderTerminal(
      digest(1, {}, { title: "一二三四五六七八九十一二三四", body: "one two three four five six" }),
      {
        width: 20,
        color: false,
        links: false,
      },
    );
    expect(text).toContain("1  一二三四五六七八\n   九十一二三四\n   one two three\n   four five six\n");
  });

  it("says how many more there are on other pages", () => {
    const message = { ...EMPTY, title: "List", pages: { id: "v1:p", offset: 0, total: 4 } };
    expect(renderTerminal(message, { width: 60, color: false, links: false })).toBe("List\n\n4 more\n");
  });

  it("lets nothing from outside control the terminal, and keeps to the width", () => {
    fc.assert(
      fc.property(messages(), fc.integer({ min: 20, max: 100 }), (message, width) => {
        const plain = renderTerminal(message, { width, color: false, links: true });
        // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them.
        expect(plain.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202A-\u202E]/);
        const prose = plain.split("\n").filter((line) => !line.includes("://"));
        const buttons = message.buttons.length > 0;
        if (!buttons)
          expect(Math.max(...prose.map((line) => Array.from(line).length))).toBeLessThanOrEqual(width * 3);
        const painted = renderTerminal(message, { width, color: true, links: true });
        // biome-ignore lint/suspicious/noControlCharactersInRegex: it takes away the renderer's own.
        const rest = painted.replace(/\u001B\[(?:1|2|22)m|\u001B\]8;;[^\u001B]*\u001B\\|\n/g, "");
        // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them.
        expect(rest).not.toMatch(/[\u0000-\u001F\u007F-\u009F]/);
      }),
      { numRuns: 200 },
    );
  });
});
