import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportPapers } from "../../../src/core/export.ts";
import { createDesk, type TestDesk } from "../../contracts/desk.ts";
import { type PostedMessage, readBlocks } from "../../peers/slack-state.ts";
import type { SlackSeen } from "../../peers/slack-people.ts";
import { createWorld, type World } from "./world.ts";

let library: TestDesk;
let world: World;
beforeAll(async () => {
  library = await createDesk();
  const unlimited = { channelPerSecond: 1000, channelBurst: 1000, workspacePerMinute: 100_000 };
  world = await createWorld({ library, limits: unlimited });
});
afterAll(async () => {
  await world.close();
  await library.close();
});

/** A channel of its own, with Ada, the guest and Paperboy in it, unless Paperboy is not wanted. */
async function newChannel(how: Parameters<World["slack"]["addChannel"]>[1] = {}, isIn = true) {
  const { slack, team, ada, gus } = world;
  const { id } = slack.addChannel(team, { members: [ada, gus], ...how });
  if (isIn) await slack.invite(id);
  return id;
}

/** What somebody sees once they typed it. */
async function type(text: string, channel = world.channel, who = world.ada): Promise<SlackSeen> {
  return (await world.slack.command(who, channel, "/papers", text)).answered();
}

async function press(message: PostedMessage, button: string, who = world.ada): Promise<SlackSeen> {
  return (await world.slack.press(who, message, button)).answered();
}

const only = (seen: SlackSeen) => {
  expect(seen.messages).toEqual([]);
  expect(seen.ephemerals).toHaveLength(1);
  return seen.ephemerals[0]!;
};
const toAll = (seen: SlackSeen) => {
  expect(seen.ephemerals).toEqual([]);
  expect(seen.messages).toHaveLength(1);
  return seen.messages[0]!;
};
const settingsOf = async (channel: string) => {
  const key = { platform: "slack", workspace: world.team, channel } as const;
  return {
    channel: await world.desk.channels.channel(key),
    topics: (await world.desk.channels.subscriptions(key)).map(({ topic }) => topic),
  };
};
const aPaper = async () => (await world.desk.store.list("2026-04-22"))!.papers[0]!;
const unexpected = () => world.events.filter(({ kind }) => kind === "unexpected");

describe("who sees an answer on Slack", () => {
  test.each([
    "search agents",
    "today",
    "trending",
    "status",
    "subscriptions",
    "preview",
    "saved",
    "profile",
    "help",
    "schedule",
    "nonsense of all kinds",
    "show 9999.99999",
    "subscribe min:many",
  ])("reading and mistakes are the asker's alone: %s", async (text) => {
    only(await type(text));
  });

  test("a change is confirmed in the channel with its number, the next digest, who did it, Undo and Settings", async () => {
    const channel = await newChannel();
    const message = toAll(await type("subscribe agents", channel));
    const text = world.slack.read(message);
    expect(text).toContain("Subscribed this channel to 1 agents.");
    expect(text).toContain("by ada");
    expect(text).toMatch(/Next digest: .* Paris/);
    expect(text).toMatch(/Undo\n.*Preview\n.*Settings/s);
    const undone = toAll(await press(message, "Undo"));
    expect(world.slack.read(undone)).toMatch(/Undone\.\*\n.*by ada/s);
    expect((await settingsOf(channel)).topics).toEqual([]);
  });

  test("Share shows a list to the channel, and its pages leave the shared one as it is", async () => {
    const channel = await newChannel();
    const list = only(await type("today", channel));
    const shared = toAll(await press(list, "Share to channel"));
    expect(world.slack.read(shared)).toContain("Shared by ada");
    expect(world.slack.read(shared).match(/by ada/g)).toHaveLength(1);
    const before = world.slack.read(shared);
    const next = labels(shared).find((label) => label.startsWith("Next page"))!;
    only(await press(shared, next));
    expect(world.slack.read(world.slack.messages(channel).at(-1)!)).toBe(before);
  });

  test("a page takes the place of the asker's own list, and of no other message", async () => {
    const channel = await newChannel();
    const list = only(await type("today", channel));
    const count = world.slack.ephemerals(world.ada).length;
    const first = world.slack.read(list);
    const seen = await world.slack.press(
      world.ada,
      list,
      labels(list).find((label) => label.startsWith("Next page"))!,
    );
    await seen.until(() => seen.responses.length > 0);
    expect(world.slack.ephemerals(world.ada)).toHaveLength(count);
    expect(world.slack.read(world.slack.ephemerals(world.ada).find(({ ts }) => ts === list.ts)!)).not.toBe(
      first,
    );
    expect(world.slack.messages(channel)).toEqual([]);
  });

  test("a paper's card opens from a list, is saved, and comes out as BibTeX to copy", async () => {
    const channel = await newChannel();
    const list = only(await type("today", channel));
    const card = only(
      await (await world.slack.choose(world.ada, list, "v1:show", firstOption(list))).answered(),
    );
    only(await press(card, "Save"));
    const saved = only(await type("saved", channel));
    const file = only(await press(saved, "BibTeX"));
    expect(world.slack.read(file)).toMatch(/@\w+\{/);
    await type("forget", channel);
  });
});

describe("threads on Slack", () => {
  test("Discuss posts the paper and opens a thread under it that is never broadcast", async () => {
    const channel = await newChannel();
    const { id } = await aPaper();
    const card = only(await type(`show ${id}`, channel));
    const seen = await world.slack.press(world.ada, card, "Discuss");
    await seen.until(() => seen.messages.length === 2);
    const [head, first] = seen.messages;
    expect(head).toMatchObject({ threadTs: null, via: "chat.postMessage" });
    expect(first).toMatchObject({ threadTs: head!.ts });
    expect(world.slack.requests.some(({ args }) => args["reply_broadcast"] !== undefined)).toBe(false);
    expect(world.slack.read(head!).match(/by ada/g)).toHaveLength(1);
  });

  test("a double click on Discuss opens one thread", async () => {
    const channel = await newChannel();
    const card = only(await type(`show ${(await aPaper()).id}`, channel));
    const [one] = await Promise.all([
      world.slack.press(world.ada, card, "Discuss"),
      world.slack.press(world.ada, card, "Discuss"),
    ]);
    await one.until((seen) => seen.messages.length >= 2);
    only(await type("help", channel));
    expect(world.slack.messages(channel)).toHaveLength(2);
  });

  test("what is pressed in a thread is answered in it", async () => {
    const channel = await newChannel();
    const head = await world.slack.postLink(world.ada, channel, "Our papers", []);
    const subscribed = toAll(await type("subscribe agents", channel));
    const inThread = await postAsBot(channel, subscribed.blocks, head.posted!.ts);
    const undone = toAll(await press(inThread, "Undo"));
    expect(undone.threadTs).toBe(head.posted!.ts);
    const preview = only(await press(inThread, "Preview"));
    expect(preview.threadTs).toBe(head.posted!.ts);
  });

  test("what hangs on a message that a thread began under is answered in the channel", async () => {
    const channel = await newChannel();
    const subscribed = toAll(await type("subscribe agents", channel));
    await postAsBot(channel, [], subscribed.ts);
    expect(toAll(await press(subscribed, "Undo")).threadTs).toBeNull();
  });
});

describe("where Paperboy may not post", () => {
  const withoutPublic = ["commands", "chat:write", "users:read"];
  let poor: World;
  beforeAll(async () => {
    const unlimited = { channelPerSecond: 1000, channelBurst: 1000, workspacePerMinute: 100_000 };
    poor = await createWorld({ library, limits: unlimited, scopes: withoutPublic });
  });
  afterAll(() => poor.close());

  async function in_(channel: string, text: string, who = poor.ada) {
    return (await poor.slack.command(who, channel, "/papers", text)).answered();
  }
  const topicsIn = async (channel: string) =>
    (await poor.desk.channels.subscriptions({ platform: "slack", workspace: poor.team, channel })).map(
      ({ topic }) => topic,
    );

  test.each([
    ["public", "/invite @Paperboy"],
    ["private", "/invite @Paperboy"],
  ] as const)(
    "in a %s channel without it, subscribing takes itself back and says what to do",
    async (kind, fix) => {
      const { id } = poor.slack.addChannel(poor.team, { kind, members: [poor.ada] });
      const seen = await in_(id, "subscribe agents");
      expect(poor.slack.read(only(seen))).toMatch(/Nothing was changed\./);
      expect(seen.text).toContain(fix);
      expect(seen.text).toContain("/papers subscribe agents");
      expect(await topicsIn(id)).toEqual([]);
      await poor.slack.invite(id);
      toAll(await in_(id, "subscribe agents"));
      expect(await topicsIn(id)).toEqual(["agents"]);
    },
  );

  test("searching, the card and sharing work all the same, by the response URL", async () => {
    const { id } = poor.slack.addChannel(poor.team, { members: [poor.ada] });
    const list = only(await in_(id, "today"));
    expect(list.via).toBe("response_url");
    const shared = toAll(await (await poor.slack.press(poor.ada, list, "Share to channel")).answered());
    expect(shared.via).toBe("response_url");
  });

  test("Discuss says what to do instead of opening half a thread", async () => {
    const { id } = poor.slack.addChannel(poor.team, { members: [poor.ada] });
    const card = only(await in_(id, `show ${(await aPaper()).id}`));
    const seen = await (await poor.slack.press(poor.ada, card, "Discuss")).answered();
    expect(poor.slack.read(only(seen))).toContain("/invite @Paperboy");
  });

  test("unsubscribing and pausing stay done, though the channel cannot hear of it", async () => {
    const { id } = poor.slack.addChannel(poor.team, { members: [poor.ada] });
    await poor.slack.invite(id);
    toAll(await in_(id, "subscribe agents"));
    await poor.slack.kick(id);
    const seen = await in_(id, "unsubscribe 1");
    expect(poor.slack.read(only(seen))).toMatch(/Unsubscribed this channel from 1 agents.*invite @Paperboy/s);
    expect(await topicsIn(id)).toEqual([]);
  });

  test.each([
    ["restricted", "An admin restricts who may post"],
    ["read-only", "This channel is read-only"],
  ] as const)("in a %s channel subscribing says why not", async (posting, reason) => {
    const { id } = poor.slack.addChannel(poor.team, { members: [poor.ada] });
    await poor.slack.invite(id);
    poor.slack.restrict(id, posting);
    expect(poor.slack.read(only(await in_(id, "subscribe agents")))).toContain(reason);
    expect(await topicsIn(id)).toEqual([]);
  });

  test("in a channel that is archived meanwhile, what was done is told to who did it", async () => {
    const { id } = poor.slack.addChannel(poor.team, { members: [poor.ada] });
    await poor.slack.invite(id);
    poor.slack.fail({ method: "chat.postMessage", how: { error: "is_archived" } });
    expect(poor.slack.read(only(await in_(id, "subscribe agents")))).toContain("This channel is archived");
    expect(await topicsIn(id)).toEqual([]);
  });

  test("in two other people's conversation the way to one's own is named", async () => {
    const bob = poor.slack.addUser(poor.team, { name: "bob" }).id;
    const { id } = poor.slack.addChannel(poor.team, { kind: "im", members: [poor.ada, bob] });
    const seen = await in_(id, "subscribe agents");
    expect(poor.slack.read(only(seen))).toContain("open Paperboy under Apps");
    expect(await topicsIn(id)).toEqual([]);
    only(await in_(id, "search agents"));
  });

  test.each([{ status: 500, after: true }, { reset: "after" }, { retryAfterSeconds: 30 }] as const)(
    "where Slack does not say whether it confirmed (%o), the asker hears what was done",
    async (how) => {
      const { id } = poor.slack.addChannel(poor.team, { members: [poor.ada] });
      await poor.slack.invite(id);
      poor.slack.fail({ method: "chat.postMessage", how });
      const seen = await (await poor.slack.command(poor.ada, id, "/papers", "subscribe agents")).until(
        ({ ephemerals }) => ephemerals.length > 0,
      );
      expect(poor.slack.read(seen.ephemerals[0]!)).toContain("Subscribed this channel to 1 agents.");
      expect(await topicsIn(id)).toEqual(["agents"]);
    },
  );
});

describe("people on Slack", () => {
  test("in direct messages with Paperboy digests are one's own, also a guest's", async () => {
    const { slack, ada, gus } = world;
    for (const who of [ada, gus]) {
      const { id } = slack.directMessages(who);
      const message = toAll(await type("subscribe agents", id, who));
      expect(slack.read(message)).toContain("Subscribed this channel to 1 agents.");
      expect((await settingsOf(id)).topics).toEqual(["agents"]);
    }
  });

  test("a guest looks and saves, and changes nothing in a channel", async () => {
    const channel = await newChannel();
    const refused = only(await type("subscribe agents", channel, world.gus));
    expect(world.slack.read(refused)).toContain("Only full members of this channel can change this.");
    expect((await settingsOf(channel)).topics).toEqual([]);
    only(await type("today", channel, world.gus));
  });

  test("the zone is the person's own where Slack tells it, else it is said that it is UTC", async () => {
    const { slack, team } = world;
    const yuki = slack.addUser(team, { name: "yuki", tz: "Asia/Tokyo" }).id;
    const channel = await newChannel({ members: [yuki] });
    expect(slack.read(toAll(await type("subscribe agents", channel, yuki)))).toContain("Tokyo");
    const noZones = await createWorld({ library, scopes: ["commands", "chat:write"] });
    try {
      const seen = await (
        await noZones.slack.command(noZones.ada, noZones.channel, "/papers", "subscribe agents")
      ).answered();
      expect(noZones.slack.read(toAll(seen))).toContain("UTC until you set a zone");
      const asked = noZones.slack.requests.filter(({ method }) => method === "users.info").length;
      await (await noZones.slack.command(noZones.ada, noZones.channel, "/papers", "status")).answered();
      expect(noZones.slack.requests.filter(({ method }) => method === "users.info")).toHaveLength(asked);
    } finally {
      await noZones.close();
    }
  });

  test("a slow users.info holds no answer up", async () => {
    const { slack, team } = world;
    const zoe = slack.addUser(team, { name: "zoe" }).id;
    const channel = await newChannel({ members: [zoe] });
    slack.fail({ method: "users.info", how: { slowMs: 3000 } });
    const began = performance.now();
    only(await type("help", channel, zoe));
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

describe("what people type", () => {
  test("curly quotes, case and blanks are forgiven", async () => {
    const channel = await newChannel();
    const message = toAll(await type("  SUBSCRIBE  “world model”  ", channel));
    expect(world.slack.read(message)).toContain('1 "world model"');
  });

  test.each(["<!channel>", "<!here> hello", "&lt;!channel&gt;", "<@U123> & <#C1|general>", "*bold* `code`"])(
    "%s pings nobody and formats nothing",
    async (text) => {
      for (const line of [`search ${text}`, `unknown ${text}`, `subscribe ${text}`, text]) {
        const seen = await type(line, await newChannel());
        const sent = [...seen.messages, ...seen.ephemerals].flatMap((message) => [
          message.text,
          ...markdownIn(message.blocks),
        ]);
        expect(sent.length).toBeGreaterThan(1);
        expect(sent.join("\n")).not.toMatch(/<[!@#]|(^|\s)[*`]\w+[*`](\s|$)/);
      }
    },
  );

  test("3,000 characters are read, one more is refused in a sentence", async () => {
    only(await type(`search ${"a".repeat(2993)}`));
    expect(world.slack.read(only(await type(`search ${"a".repeat(2994)}`)))).toContain(
      "longer than 3,000 characters",
    );
    expect(unexpected()).toEqual([]);
  });

  test("a command that Paperboy does not have is answered at once", async () => {
    world.slack.configure({ commands: ["/papers", "/newspapers"] });
    const seen = await world.slack.command(world.ada, world.channel, "/newspapers", "today");
    expect(seen.error).toBeNull();
    expect(seen.text).toContain("/newspapers is nothing that Paperboy knows. Try /papers help.");
  });
});

describe("what people press", () => {
  test("a button of another version says what to do, one of another app is only acknowledged", async () => {
    const channel = await newChannel();
    const buttons = ["v1:nothing:1", "v0:old", "v1:page:gone:5", "v1:undo:gone", "v1:part:bibtex:9999"];
    const message = await postAsBot(channel, [actionsOf(buttons)]);
    for (const button of buttons) {
      const seen = await world.slack.press(world.ada, message, button);
      expect(seen.error, button).toBeNull();
      if (button.startsWith("v1:")) expect((await seen.answered()).text, button).not.toBe("");
    }
    expect(unexpected()).toEqual([]);
  });

  test("the second half of a double click does nothing", async () => {
    const channel = await newChannel();
    const card = only(await type(`show ${(await aPaper()).id}`, channel));
    const [one, two] = await Promise.all([
      world.slack.press(world.ada, card, "Save"),
      world.slack.press(world.ada, card, "Save"),
    ]);
    await one.answered();
    expect([one.error, two.error]).toEqual([null, null]);
    only(await type("help", channel));
    expect([...one.responses, ...two.responses]).toHaveLength(1);
  });
});

describe("when something goes wrong", () => {
  test("a handler that throws is said to the asker, told to the log, and the next command works", async () => {
    const { channels } = world.desk;
    const { saved } = channels;
    Object.assign(channels, { saved: () => Promise.reject(new Error("the disk is full")) });
    const seen = await type("saved").finally(() => Object.assign(channels, { saved }));
    expect(world.slack.read(only(seen))).toContain("Something went wrong here");
    expect(seen.text).not.toContain("disk");
    expect(unexpected()).toEqual([
      { kind: "unexpected", what: "/papers saved", error: new Error("the disk is full") },
    ]);
    world.events.length = 0;
    only(await type("saved"));
  });

  test.each([{ status: 404 }, { reset: "before" }] as const)(
    "a response URL that no longer works (%o) is made up for by a message that only the asker sees",
    async (how) => {
      world.slack.fail({ method: "response_url", how });
      const message = only(await type("help"));
      expect(message.via).toBe("chat.postEphemeral");
    },
  );

  test("a response URL that was used up or has expired harms nothing", async () => {
    const seen = await type("today");
    const { args } = world.slack.requests.findLast(({ method }) => method === "response_url")!;
    expect(args["response_type"]).toBe("ephemeral");
    only(seen);
    world.slack.fail({ method: "response_url", how: { status: 404 } });
    world.slack.fail({ method: "chat.postEphemeral", how: { error: "user_not_in_channel" } });
    const unheard = await world.slack.command(world.ada, world.channel, "/papers", "help");
    expect(unheard.acknowledgedAfterMs).not.toBeNull();
    only(await type("help"));
    world.events.length = 0;
  });

  test("whoever asks too much is told when to come again", async () => {
    const busy = await createWorld({ library, flood: { perPerson: 2 } });
    try {
      for (let turn = 0; turn < 2; turn++) {
        await (await busy.slack.command(busy.ada, busy.channel, "/papers", "help")).answered();
      }
      const seen = await (await busy.slack.command(busy.ada, busy.channel, "/papers", "help")).answered();
      expect(busy.slack.read(only(seen))).toMatch(/That was a lot at once: try again in/);
      await (await busy.slack.command(busy.gus, busy.channel, "/papers", "help")).answered();
    } finally {
      await busy.close();
    }
  });
});

describe("an export on Slack", () => {
  test("comes in parts that together are the whole, each within Slack's limits", async () => {
    const channel = await newChannel();
    const { desk, team, slack } = world;
    const papers = (
      await Promise.all(
        ["2026-04-22", "2026-04-21", "2026-04-20", "2026-04-17"].map((day) => desk.store.list(day)),
      )
    )
      .flatMap((list) => list!.papers)
      .map(({ id }) => id);
    const bea = slack.addUser(team, { name: "bea" }).id;
    await slack.invite(channel, bea);
    for (const id of papers) {
      await desk.channels.save(
        { platform: "slack", workspace: team, person: bea },
        id,
        desk.clock().toISOString(),
      );
    }
    let message = only(await type("saved bibtex", channel, bea));
    const parts = [codeOf(message)];
    for (;;) {
      const more = labels(message).find((label) => label.startsWith("Part "));
      if (more === undefined) break;
      message = only(await press(message, more, bea));
      parts.push(codeOf(message));
    }
    expect(parts.length).toBeGreaterThan(1);
    const saved = await desk.channels.saved({ platform: "slack", workspace: team, person: bea });
    const file = exportPapers(await desk.store.papers(saved.map(({ paperId }) => paperId)), "bibtex");
    const bare = (text: string) => text.replace(/\s/g, "");
    expect(bare(parts.join(""))).toBe(bare(file.text));
    // An entry is cut only where it is longer than a part: one paper here has hundreds of authors.
    const long = file.text.split(/(?<=\n)(?=@)/).filter((entry) => entry.length > 8000).length;
    expect(parts.filter((part) => !part.startsWith("@")).length).toBeLessThanOrEqual(3 * long);
  });
});

/** A message as Paperboy might have posted it, also an older or a broken one. */
async function postAsBot(
  channel: string,
  blocks: PostedMessage["blocks"],
  thread?: string,
): Promise<PostedMessage> {
  const { slack, team } = world;
  const response = await fetch(`${slack.apiUrl}chat.postMessage`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${slack.installation(team)!.token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({
      channel,
      text: "Papers",
      blocks,
      ...(thread === undefined ? {} : { thread_ts: thread }),
    }),
  });
  expect(await response.json()).toMatchObject({ ok: true });
  return slack.messages(channel).at(-1)!;
}

function actionsOf(ids: readonly string[]) {
  const button = (id: string) => ({ type: "button", action_id: id, text: { type: "plain_text", text: id } });
  return { type: "actions", elements: ids.map(button) };
}

/** The texts that Slack reads as its markup; a `plain_text` is shown as it is. */
function markdownIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(markdownIn);
  if (typeof value !== "object" || value === null) return [];
  const own = "type" in value && value.type === "mrkdwn" && "text" in value ? [String(value.text)] : [];
  return [...own, ...Object.values(value).flatMap(markdownIn)];
}

/** The labels of a message's buttons. */
function labels({ blocks }: PostedMessage): readonly string[] {
  return elements(blocks).flatMap((each) => {
    const label = each["text"];
    return each["type"] === "button" && typeof label === "object" && label !== null && "text" in label
      ? [String(label.text)]
      : [];
  });
}

function elements(blocks: PostedMessage["blocks"]): readonly Readonly<Record<string, unknown>>[] {
  return blocks.flatMap((block) => (Array.isArray(block["elements"]) ? block["elements"] : []));
}

function firstOption({ blocks }: PostedMessage): string {
  const select = elements(blocks).find(({ type: kind }) => kind === "static_select");
  return (select!["options"] as { value: string }[])[0]!.value;
}

function codeOf({ blocks }: PostedMessage): string {
  return readBlocks(blocks.filter(({ type: kind }) => kind === "rich_text"));
}
