import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { PostError } from "../../src/core/bot.ts";
import type { ChannelKey } from "../../src/core/channel.ts";
import { ALL_RIGHTS, type Asker, type Desk, type Reply } from "../../src/core/command.ts";
import { runCommand } from "../../src/core/commands.ts";
import type { Message } from "../../src/core/message.ts";
import { createAsker, createDesk, type TestDesk } from "../contracts/desk.ts";

let library: TestDesk;
let empty: TestDesk;
let posts: { readonly to: ChannelKey; readonly message: Message }[] = [];

beforeAll(async () => {
  [library, empty] = await Promise.all([createDesk({ days: 4 }), createDesk({ days: 0 })]);
});
afterAll(() => Promise.all([library.close(), empty.close()]));
beforeEach(() => {
  posts = [];
});

function run(asker: Partial<Asker> = {}, desk: Partial<Desk> = {}): Promise<Reply> {
  const post = async (to: ChannelKey, message: Message) => {
    posts.push({ to, message });
  };
  return runCommand({ ...library, post, ...desk }, createAsker(asker), "test", {});
}

describe("/papers test", () => {
  test("posts a sample of the newest list into the channel, and tells the asker alone", async () => {
    const reply = await run();
    expect(reply.to).toBe("asker");
    expect(reply.message.title).toBe("It works: a sample was posted here.");
    expect(posts).toHaveLength(1);
    expect(posts[0]?.to).toMatchObject({ platform: "slack", workspace: "T1", channel: "C1" });
    expect(posts[0]?.message.items).toHaveLength(3);
    expect(posts[0]?.message.intro.join(" ")).toContain("A sample");
  });

  test("records nothing as delivered", async () => {
    await run();
    const ids = (await library.store.list("2026-04-22"))?.papers.map(({ id }) => id) ?? [];
    expect(ids.length).toBeGreaterThan(0);
    expect(await library.ledger.delivered(createAsker().where, ids)).toEqual(new Set());
    expect(await library.ledger.history(createAsker().where, 10)).toEqual([]);
  });

  test("names each right, and posts nothing where something stands in the way", async () => {
    const reply = await run({
      rights: {
        obstacle: "Paperboy may not post here: allow it Send Messages.",
        granted: [
          { name: "View Channel", isGranted: true },
          { name: "Send Messages", isGranted: false },
        ],
        canPublish: false,
      },
    });
    expect(posts).toEqual([]);
    expect(reply.message.intro).toEqual([
      "Paperboy may not post here: allow it Send Messages.",
      "✓ View Channel",
      "✗ Send Messages",
    ]);
  });

  test("says why where the platform refuses the sample", async () => {
    const reply = await run(
      { rights: ALL_RIGHTS },
      {
        post: async () => {
          throw new PostError("rejected", "This channel is archived: open it again.");
        },
      },
    );
    expect(reply.message.title).toBe("The sample could not be posted.");
    expect(reply.message.intro[0]).toBe("This channel is archived: open it again.");
  });

  test("without a list, or while the bundled sample serves, posts no papers", async () => {
    await run({}, { store: empty.store, index: empty.index });
    await run({}, { notice: "This is the bundled sample." });
    expect(posts.map(({ message }) => message.items)).toEqual([[], []]);
  });

  test("is for those who may change the channel", async () => {
    expect((await run({ maySet: false })).message.title).toContain("full members");
    expect(posts).toEqual([]);
  });

  test("a subscription is refused where no digest could be posted, with the line to copy", async () => {
    const rights = { ...ALL_RIGHTS, obstacle: "Paperboy is not in this channel: invite it." };
    const reply = await runCommand(library, createAsker({ rights }), "subscribe", { topic: "agents" });
    expect(reply.to).toBe("asker");
    expect(reply.message.intro).toEqual([
      "Paperboy is not in this channel: invite it.",
      "Then:",
      "/papers subscribe agents",
    ]);
    expect(await library.channels.channel(createAsker().where)).toBeNull();
  });
});
