import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createDesk, type TestDesk } from "../../contracts/desk.ts";
import { createWorld, type World, type WorldOptions } from "./world.ts";

let library: TestDesk;
let id: string;
let world: World | null = null;
beforeAll(async () => {
  library = await createDesk({ days: 3 });
  const [newest] = await library.store.days({ limit: 1 });
  id = (await library.store.list(newest!.day))!.papers[0]!.id;
});
afterAll(() => library.close());
afterEach(async () => {
  await world?.close();
  world = null;
});

async function open(options: WorldOptions = {}): Promise<World> {
  world = await createWorld({ library, isTimeless: true, ...options });
  return world;
}

/** Somebody's message, with "Find related papers" chosen on it. */
async function relatedTo({ slack, ada, channel }: World, text: string) {
  const { posted } = await slack.postLink(ada, channel, text, []);
  return (await slack.shortcut(ada, posted!, "v1:related")).answered();
}

/** The same with a message that only the payload makes, such as an app's. */
async function relatedToMessage({ slack, ada, channel }: World, message: Readonly<Record<string, unknown>>) {
  const { posted } = await slack.postLink(ada, channel, "", []);
  Object.assign(posted!, message);
  return (await slack.shortcut(ada, posted!, "v1:related")).answered();
}

describe.each(["socket", "http"] as const)("Find related papers over %s", (over) => {
  test("answers who chose it alone, and is shared by a button", async () => {
    const at = await open({ over });
    const seen = await relatedTo(at, `Look: <https://arxiv.org/abs/${id}|this &amp; that>`);
    expect(seen.acknowledgedAfterMs).toBeLessThan(1000);
    expect(seen.messages.filter(({ via }) => via !== "person")).toEqual([]);
    expect(seen.ephemerals).toHaveLength(1);
    expect(seen.text).toContain("Similar · ");
    const shared = await at.slack.press(at.ada, seen.ephemerals[0]!, "Share to channel");
    await shared.answered();
    expect(shared.messages).toHaveLength(1);
    expect(shared.text).toContain("Shared by ada");
  });
});

describe("Find related papers", () => {
  test("goes by the words of a message, not by its marks, mentions, emoji and dates", async () => {
    const at = await open();
    const text =
      "<@U0123|eve> <!channel> <!date^1392734382^{date}|yesterday> *agents* and _robots_ :tada: in <#C012|random> &lt;3";
    expect((await relatedTo(at, text)).text).toContain("Search · agents robots\n");
  });

  test("answers in the thread of a message that stands in one", async () => {
    const at = await open();
    const { slack, channel, ada } = at;
    const first = (await slack.postLink(ada, channel, "agents", [])).posted!;
    const inChannel = await (await slack.shortcut(ada, first, "v1:related")).answered();
    expect(inChannel.ephemerals[0]!.threadTs).toBeNull();
    const inThread = await relatedToMessage(at, { text: "agents", threadTs: first.ts });
    expect(inThread.ephemerals.at(-1)!.threadTs).toBe(first.ts);
  });

  test("reads blocks where a message has no text of its own", async () => {
    const at = await open();
    const rich = {
      type: "rich_text",
      elements: [
        { type: "rich_text_section", elements: [{ type: "link", url: `https://hf.co/papers/${id}` }] },
      ],
    };
    expect((await relatedToMessage(at, { blocks: [rich] })).text).toContain("Similar · ");
  });

  test("says in a sentence that a message is empty", async () => {
    const at = await open();
    for (const text of ["", " \n ", "👍 :+1:", "<@U0123>"]) {
      expect((await relatedTo(at, text)).text, text).toContain("This message has no words to go by.");
    }
  });

  test("answers soon, whatever 40,000 characters hold", async () => {
    const at = await open();
    const texts = [
      "<".repeat(40_000),
      "<a|".repeat(13_000),
      ":a".repeat(20_000),
      `${"|".repeat(39_999)}>`,
      "<!channel> ".repeat(3600),
      `agents ${"\u202e\u0000​".repeat(9000)}`,
      '"org:" OR -x min: has:nothing author:" '.repeat(1000),
    ];
    const began = performance.now();
    for (const text of texts) {
      const { text: shown } = await relatedTo(at, text);
      expect(shown).not.toContain("<!channel>");
      expect(shown).not.toContain("Something went wrong");
    }
    expect(performance.now() - began).toBeLessThan(5000);
    expect(at.events.filter(({ kind }) => kind === "unexpected")).toEqual([]);
  });

  test("works where the bot is no member, and for a guest", async () => {
    const at = await open({ scopes: ["commands", "chat:write"] });
    const { slack, team, gus } = at;
    const channel = slack.addChannel(team, { name: "elsewhere", kind: "private", members: [gus] }).id;
    const { posted } = await slack.postLink(gus, channel, "agents", []);
    const seen = await (await slack.shortcut(gus, posted!, "v1:related")).answered();
    expect(seen.text).toContain("Search · agents");
  });
});
