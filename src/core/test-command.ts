import { PostError } from "./bot.ts";
import type { Subscription } from "./channel.ts";
import { type Command, type Desk, type Reply, type Rights, sentence } from "./command.ts";
import { addDays, feedDay } from "./day.ts";
import { digestMessage, planChannelDigest, readPool } from "./digest.ts";
import type { Message } from "./message.ts";
import { say } from "./reply.ts";

/** Papers of a sample: enough to see how a digest looks. */
const SAMPLE = 3;
const TOP_LIST: Subscription = { number: 0, topic: "", createdBy: "", createdAt: "" };

/** What Paperboy may do here, and a sample posted the way a digest is: the proof that the next one will come. */
export const test: Command = {
  name: "test",
  summary: "Shows what Paperboy may do here, and posts a sample",
  usage: "test",
  examples: ["test"],
  options: [],
  who: "settings",
  parse: () => ({}),
  async run(desk, asker) {
    const { where, rights } = asker;
    const lines = rights.granted.map(rightLine);
    if (rights.obstacle !== null) return say("No digest can be posted here yet.", rights.obstacle, ...lines);
    const subscriptions = await desk.channels.subscriptions(where);
    const sample = await sampleOf(desk, subscriptions.length > 0 ? subscriptions : [TOP_LIST]);
    try {
      await desk.post(where, sample);
    } catch (error) {
      if (!(error instanceof PostError)) throw error;
      return say("The sample could not be posted.", error.message, ...lines);
    }
    const reply: Reply = say("It works: a sample was posted here.", ...lines);
    return subscriptions.length > 0
      ? reply
      : say(
          reply.message.title,
          ...lines,
          "Nothing is subscribed here yet. To begin:",
          "/papers subscribe agents",
        );
  },
};

function rightLine({ name, isGranted }: Rights["granted"][number]): string {
  return `${isGranted ? "✓" : "✗"} ${name}`;
}

/** The newest list's best for these subscriptions; nothing of it counts as delivered. */
async function sampleOf(desk: Desk, subscriptions: readonly Subscription[]): Promise<Message> {
  const today = feedDay(desk.clock());
  const newest = (await desk.store.days({ to: today, limit: 20 })).find(({ count }) => count > 0);
  const none = sentence(
    "A sample",
    "This is how Paperboy's messages look. Digests come once the first list is here.",
  );
  if (newest === undefined || desk.notice !== null) return none;
  const { day } = newest;
  const pool = await readPool(desk, { from: day, to: day });
  const choice = { had: new Set<string>(), after: addDays(day, -1), profile: null };
  const wanted = await planChannelDigest(pool, { ...choice, subscriptions });
  const digest =
    wanted.outcome === "sent"
      ? wanted
      : await planChannelDigest(pool, { ...choice, subscriptions: [TOP_LIST] });
  const message = digestMessage(digest, {
    today,
    top: SAMPLE,
    pagesId: null,
    notice: "A sample, asked for with /papers test. Its papers can come again in a digest.",
  });
  return message ?? none;
}
