import { expect, it } from "vitest";
import { PostError } from "../../../src/core/bot.ts";
import { sentence } from "../../../src/core/command.ts";
import { channelKey, createPlaygroundBot, type Posted } from "../../../src/bots/playground/bot.ts";
import { botContract } from "../../contracts/bot.ts";
import { madeUpPost } from "../../contracts/made-up-post.ts";
import { messageLogContract } from "../../contracts/message-log.ts";
import { createMemoryLog } from "./fake-desk.ts";

const to = channelKey("discord", "papers");
const now = () => new Date("2026-04-22T09:00:00Z");

messageLogContract("of the tests", async () => ({ log: createMemoryLog() }));

botContract("of the playground", async () => {
  const bot = createPlaygroundBot({ log: createMemoryLog(), now });
  return {
    bot,
    to,
    unknown: channelKey("slack", "general"),
    standing: async () => (await bot.newest(to, 100)).map(({ content }) => JSON.stringify(content)),
  };
});

it("tells who watches of each post once, in the order of the revisions, and of changes", async () => {
  const bot = createPlaygroundBot({ log: createMemoryLog(), now });
  await bot.start();
  const heard: Posted[] = [];
  const unwatch = bot.watch((posted) => heard.push(posted));
  const post = madeUpPost(to, sentence("Digest"), "n");
  const [{ ref }] = await Promise.all([bot.post(post), bot.post(post)]);
  await bot.say(to, { kind: "said", person: "sam", text: "Hello" });
  await bot.change(ref, { kind: "said", person: "ada", text: "Gone" });
  unwatch();
  await bot.say(to, { kind: "said", person: "sam", text: "Unheard" });
  expect(heard.map(({ revision, content }) => [revision, content.kind])).toEqual([
    [1, "post"],
    [2, "said"],
    [3, "said"],
  ]);
  expect(heard.every(({ at }) => at === "2026-04-22T09:00:00.000Z")).toBe(true);
});

it("holds what it posted for the next start over the same log", async () => {
  const log = createMemoryLog();
  const before = createPlaygroundBot({ log, now });
  await before.start();
  const message = sentence("Digest", "1 of 23 papers");
  const { ref } = await before.post(madeUpPost(to, message, "n"));
  await before.stop();
  const after = createPlaygroundBot({ log, now });
  await after.start();
  expect(await after.post(madeUpPost(to, sentence("Again"), "n"))).toEqual({ ref });
  expect((await after.newest(to, 5)).map(({ content }) => content)).toEqual([
    { kind: "post", message, command: null, thread: null, file: null },
  ]);
});

it("may be asked again where its log could not be written", async () => {
  const log = { ...createMemoryLog(), append: () => Promise.reject(new Error("disk full")) };
  const bot = createPlaygroundBot({ log, now });
  await bot.start();
  const failure = await bot.post(madeUpPost(to, sentence("Digest"), "n")).catch((error) => error);
  expect(failure).toBeInstanceOf(PostError);
  expect(failure).toMatchObject({ kind: "retry" });
});
