import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Bot, PostError } from "../../src/core/bot.ts";
import type { ChannelKey } from "../../src/core/channel.ts";
import type { Message } from "../../src/core/message.ts";
import { madeUpPost } from "./made-up-post.ts";

export type BotUnderTest = {
  /** Not started yet. */
  readonly bot: Bot;
  /** A channel that it can post to. */
  readonly to: ChannelKey;
  /** One that it cannot; null where there is none. */
  readonly unknown: ChannelKey | null;
  /** The texts of the messages that stand in `to`, oldest first, in whatever form they are kept. */
  readonly standing: () => Promise<readonly string[]>;
  readonly close?: () => Promise<void>;
};

/** What every bot keeps to; `make` gives one with an empty channel. */
export function botContract(name: string, make: () => Promise<BotUnderTest>): void {
  describe(`the bot ${name}`, () => {
    let under: BotUnderTest;
    beforeEach(async () => {
      under = await make();
      await under.bot.start();
    });
    afterEach(async () => {
      await under.bot.stop();
      await under.close?.();
    });

    test("posts a message once and says where it is", async () => {
      const { bot, to, standing } = under;
      const { ref } = await bot.post(madeUpPost(to, message("Harmless title"), "n1"));
      expect(ref).toMatch(/./);
      const texts = await standing();
      expect(texts).toHaveLength(1);
      expect(texts[0]).toContain("Harmless title");
    });

    test("posts two messages in the order they were asked for, each with a place of its own", async () => {
      const { bot, to, standing } = under;
      const first = await bot.post(madeUpPost(to, message("First title"), "n1"));
      const second = await bot.post(madeUpPost(to, message("Second title"), "n2"));
      expect(second.ref).not.toBe(first.ref);
      const texts = await standing();
      expect(texts.map((text) => /(First|Second) title/.exec(text)?.[1])).toEqual(["First", "Second"]);
    });

    test("makes a post with the same nonce once, if it says that it does", async () => {
      const { bot, to, standing } = under;
      const post = madeUpPost(to, message("Asked for thrice"), "n".repeat(25));
      const [first, second] = await Promise.all([bot.post(post), bot.post(post)]);
      const third = await bot.post({ ...post, attempt: 2 });
      if (bot.afterUncertain !== "repeat") return;
      expect(await standing()).toHaveLength(1);
      expect([second.ref, third.ref]).toEqual([first.ref, first.ref]);
    });

    test("refuses a channel that it cannot post to with a sentence for people", async () => {
      const { bot, unknown } = under;
      if (unknown === null) return;
      const error = await failureOf(bot.post(madeUpPost(unknown, message("Title"), "n1")));
      expectRefusal(error);
    });

    test("puts what it tells one person alone into no channel, or refuses to with a sentence", async () => {
      const { bot, to, standing } = under;
      const post = {
        ...madeUpPost(to, message("For one alone"), "n1"),
        person: "somebody",
        kind: "notice",
      } as const;
      const error = await failureOf(bot.post(post));
      if (error !== null) expectRefusal(error);
      expect(await standing()).toHaveLength(0);
    });

    test("takes nothing once it is stopped, and says that it may be tried later", async () => {
      const { bot, to, standing } = under;
      await bot.stop();
      const error = await failureOf(bot.post(madeUpPost(to, message("Title"), "n1")));
      expect(error).toBeInstanceOf(PostError);
      expect(error).toMatchObject({ kind: "retry" });
      expect(await standing()).toHaveLength(0);
    });

    test("stops twice without harm", async () => {
      await under.bot.stop();
      await expect(under.bot.stop()).resolves.toBeUndefined();
    });

    test("posts any text, or throws a PostError: never anything else, and never more than one message", async () => {
      const { bot, to, standing } = under;
      let posts = 0;
      await fc.assert(
        fc.asyncProperty(hostileMessage, async (hostile) => {
          const before = (await standing()).length;
          const error = await failureOf(bot.post(madeUpPost(to, hostile, `n${++posts}`)));
          if (error !== null) expect(error).toBeInstanceOf(PostError);
          expect(await standing()).toHaveLength(before + (error === null ? 1 : 0));
        }),
        { numRuns: 30 },
      );
    });
  });
}

async function failureOf(post: Promise<unknown>): Promise<unknown> {
  try {
    await post;
    return null;
  } catch (error) {
    return error;
  }
}

function expectRefusal(error: unknown): void {
  expect(error).toBeInstanceOf(PostError);
  expect(error).toMatchObject({ kind: "rejected", message: expect.stringMatching(/^\P{Cc}{10,}\.$/u) });
}

function message(title: string, fields: Partial<Message> = {}): Message {
  return { title, intro: [], items: [], select: null, buttons: [], pages: null, footer: null, ...fields };
}

const hostileText = fc.oneof(
  fc.constantFrom(
    "@everyone <@123> <!channel> <#456>",
    "[a](javascript:alert(1)) <script>alert(1)</script>",
    "*_~`|> \\*",
    "\u202e\u200b\u0000\ud800",
    "",
    "a".repeat(10_000),
    "😀".repeat(3_000),
  ),
  fc.string({ unit: "binary", maxLength: 80 }),
);
const hostileMessage = fc
  .record({
    title: hostileText,
    intro: fc.array(hostileText, { maxLength: 3 }),
    body: hostileText,
    facts: fc.array(hostileText, { maxLength: 4 }),
    items: fc.integer({ min: 0, max: 20 }),
    footer: fc.option(hostileText),
  })
  .map(({ title, intro, body, facts, items, footer }) =>
    message(title, {
      intro,
      footer,
      items: Array.from({ length: items }, (_, index) => ({
        rank: index + 1,
        title,
        url: "https://huggingface.co/papers/2604.00001",
        body,
        facts,
        thumbnail: null,
      })),
      select: {
        id: "v1:show",
        placeholder: "Choose a paper",
        options: Array.from({ length: items }, () => ({ label: title, value: "2604.00001" })),
      },
      pages: { id: "v1:page:n1", offset: 0, total: items },
    }),
  );
