import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Desk } from "../../src/core/command.ts";
import { press } from "../../src/core/commands.ts";
import { relatedTo } from "../../src/core/related.ts";
import { hostile } from "../bots/any-message.ts";
import { createAsker, createDesk, type TestDesk } from "../contracts/desk.ts";

let desk: TestDesk;
let ids: readonly string[];
const asker = createAsker();
const askedFor: string[] = [];
beforeAll(async () => {
  const made = await createDesk({ days: 3 });
  const source: Desk["source"] = {
    ...made.source,
    async paper(id) {
      askedFor.push(id);
      return null;
    },
  };
  desk = { ...made, source };
  const [newest] = await desk.store.days({ limit: 1 });
  ids = (await desk.store.list(newest!.day))!.papers.map(({ id }) => id);
});
afterAll(() => desk.close());

const labels = ({ message }: Awaited<ReturnType<typeof relatedTo>>) =>
  message.buttons.map(({ label }) => label);

describe("papers related to somebody's text", () => {
  test("are those like the first paper that it names, and a button leads to those like each other one", async () => {
    const [first, second] = ids as [string, string];
    const text = `Compare <https://arxiv.org/pdf/${first}v2.pdf|this one> with (arXiv:${second}), and ${first} again.`;
    const reply = await relatedTo(desk, asker, text);
    expect(reply.message.title).toMatch(/^Similar · /);
    expect(labels(reply)).toEqual(["Share to channel", `Similar to ${second}`]);
    expect(reply.message.items.length).toBeGreaterThan(0);
    const other = reply.message.buttons.at(-1)!;
    expect((await press(desk, asker, "id" in other ? other.id : "")).message.title).toMatch(/^Similar · /);
  });

  test("go by the next paper where nobody knows the first, and by the words where nobody knows any", async () => {
    const known = await relatedTo(desk, asker, `2604.99999 https://hf.co/papers/${ids[0]}`);
    expect(known.message.title).toMatch(/^Similar · /);
    const unknown = await relatedTo(desk, asker, "Agents as in 2604.99999");
    expect(unknown.message.title).toMatch(/^Search · agents/);
    expect((await relatedTo(desk, asker, "2604.99999")).message.title).toBe(
      "Neither this Paperboy nor Hugging Face knows a paper 2604.99999.",
    );
  });

  test("are found by its words, without those that say nothing, and can be paged through and shared", async () => {
    const text =
      'The agents, OR -robotics "org:nvidia" min:9999 at https://example.com/secret/token\n'.repeat(99);
    const reply = await relatedTo(desk, asker, text);
    expect(reply.message.title).toBe("Search · agents robotics org nvidia min");
    expect(reply.message.items.length).toBeGreaterThan(0);
    expect(labels(reply)).toEqual(["Share to channel"]);
    const share = reply.message.buttons[0]!;
    expect(await press(desk, asker, "id" in share ? share.id : "")).toMatchObject({ to: "channel" });
  });

  test("are none of an empty text, which is said in a sentence", async () => {
    for (const text of ["", " \n", "🎉 :tada: …", "the of and", "https://example.com/agents"]) {
      expect((await relatedTo(desk, asker, text)).message.title, text).toMatch(
        /^This message has no words to go by\.$|^Search · tada|^Nothing found/,
      );
    }
    expect((await relatedTo(desk, asker, "the of and")).message.title).toBe(
      "This message has no words to go by.",
    );
  });

  test("ask nobody for prices, versions and dates", async () => {
    askedFor.length = 0;
    await relatedTo(desk, asker, "It costs 1299.0000 or 2699.12345 in release 2024.10.1111");
    expect(askedFor).toEqual([]);
  });

  test("ask for five papers at most, of a text as long as Slack's can be, in little time", async () => {
    askedFor.length = 0;
    const many = Array.from({ length: 3600 }, (_, index) => `2501.${10_000 + index}`).join(" ");
    const began = performance.now();
    await relatedTo(desk, asker, many);
    expect(askedFor).toHaveLength(5);
    for (const text of [
      "<".repeat(40_000),
      "1111.1111/".repeat(4000),
      "a-".repeat(20_000),
      "(".repeat(40_000),
    ])
      await relatedTo(desk, asker, text);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  test("answer whatever the text is", async () => {
    await fc.assert(
      fc.asyncProperty(hostile(3000), async (text) => {
        expect((await relatedTo(desk, asker, text)).to).toBe("asker");
      }),
      { numRuns: 100 },
    );
  });
});
