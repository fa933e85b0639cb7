import { type APIMessage, REST, Routes } from "discord.js";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { commands } from "../../../src/core/commands.ts";
import { createDesk, type TestDesk } from "../../contracts/desk.ts";
import { createWorld, type World, type WorldOptions } from "./world.ts";

let library: TestDesk;
beforeAll(async () => {
  library = await createDesk();
});
afterAll(() => library.close());

let world: World;
/** One world for all tests of a describe, each of which takes channels of its own. */
function inWorld(options: WorldOptions = {}): void {
  beforeAll(async () => {
    world = await createWorld({ library, ...options });
  });
  afterEach(() => {
    const unexpected = world.events.splice(0).filter(({ kind }) => kind === "unexpected");
    expect(unexpected).toEqual([]);
  });
  afterAll(() => world.close());
}

const room = (channel: Parameters<World["discord"]["addChannel"]>[1] = {}) =>
  world.discord.addChannel(world.guildId, channel);
const slash: World["discord"]["slash"] = (...args) => world.discord.slash(...args);
const topicsOf = async (channel: string, workspace = world.guildId) =>
  (await world.desk.channels.subscriptions({ platform: "discord", workspace, channel })).map(
    ({ topic }) => topic,
  );
const publicTexts = (channel: string) => world.discord.messages(channel).map(world.discord.textOf);

async function papers() {
  return (await library.store.list("2026-04-22"))?.papers ?? [];
}
async function firstPaper() {
  const [paper] = await papers();
  if (paper === undefined) throw new Error("There is no paper.");
  return paper;
}

/** A message in the bot's name with any button or menu, as an older version may have left one. */
async function forge(channel: string, component: object): Promise<APIMessage> {
  const rest = new REST({ api: world.discord.apiUrl, handlerSweepInterval: 0, hashSweepInterval: 0 });
  rest.setToken(world.discord.token());
  const body = { flags: 1 << 15, components: [{ type: 1, components: [component] }] };
  return (await rest.post(Routes.channelMessages(channel), { body })) as APIMessage;
}
const button = (id: string) => ({ type: 2, style: 2, label: "Press", custom_id: id });

describe("/papers", () => {
  inWorld();

  test("answers each subcommand: what is looked at to the asker, a change to the channel", async () => {
    const { id } = await firstPaper();
    const channel = room();
    const asked: [string, Record<string, string | number>, "asker" | "channel", RegExp][] = [
      ["search", { query: "agents" }, "asker", /Search · agents/],
      ["today", {}, "asker", /Daily Papers · Wed/],
      ["today", { date: "2026-04-21" }, "asker", /Daily Papers · Tue/],
      ["trending", { period: "week" }, "asker", /Trending/],
      ["show", { paper: id }, "asker", new RegExp(`arXiv ${id}`)],
      ["similar", { paper: `https://arxiv.org/abs/${id}` }, "asker", /Similar ·/],
      ["status", {}, "asker", /Nothing is subscribed here yet/],
      ["subscribe", { topic: "agents" }, "channel", /Subscribed this channel to 1 agents/],
      ["subscribe", {}, "channel", /Subscribed this channel to 2 top list/],
      ["subscriptions", {}, "asker", /2 subscriptions/],
      ["preview", {}, "asker", /Preview · nothing is posted/],
      ["status", {}, "asker", /Next digest: Thu 23 April, 09:00 UTC/],
      [
        "schedule",
        { time: "18:30", zone: "Europe/Paris", days: "daily", top: 3 },
        "channel",
        /Schedule set: .*18:30 Paris, top 3/,
      ],
      ["schedule", { every: "week" }, "channel", /Schedule set: .*, top 3/],
      ["pause", { until: "2026-05-04" }, "channel", /Paused/],
      ["resume", {}, "channel", /Resumed/],
      ["unsubscribe", { subscription: "1" }, "channel", /Unsubscribed this channel from 1 agents/],
      ["saved", {}, "asker", /You saved no paper yet/],
      ["profile", {}, "asker", /Nobody here has said/],
      ["profile", { action: "reset" }, "asker", /There was nothing to take back/],
      ["test", {}, "asker", /It works: a sample was posted here.*✓ View Channel/s],
      ["forget", {}, "asker", /There was nothing to delete/],
      ["help", {}, "asker", /Paperboy brings/],
      ["help", { command: "schedule" }, "asker", /schedule: /],
    ];
    for (const [path, options, to, text] of asked) {
      const answer = await slash(world.ada, channel, path, options);
      expect.soft(answer.ephemeral, path).toBe(to === "asker");
      expect.soft(answer.text, path).toMatch(text);
    }
    expect(new Set(asked.map(([path]) => path))).toEqual(new Set(commands.map(({ name }) => name)));
    // Changes, and the sample; nothing else is seen by all.
    expect(publicTexts(channel)).toHaveLength(asked.filter(([, , to]) => to === "channel").length + 1);
    expect(publicTexts(channel).at(-1)).toContain("A sample, asked for with /papers test.");
  });

  test("lets nobody without Manage Channels change anything", async () => {
    const channel = room();
    const settings = commands.filter(({ who }) => who === "settings").map(({ name }) => name);
    for (const path of settings) {
      const answer = await slash(
        world.sam,
        channel,
        path,
        path === "unsubscribe" ? { subscription: "1" } : {},
      );
      expect.soft(answer.ephemeral, path).toBe(true);
      expect.soft(answer.text, path).toContain("(Manage Channels)");
    }
    expect(publicTexts(channel)).toEqual([]);
    const subscribed = await slash(world.ada, channel, "subscribe", { topic: "agents" });
    const pressed = await world.discord.press(world.sam, shown(subscribed.message), "Undo");
    expect(pressed.text).toContain("(Manage Channels)");
    expect(pressed.ephemeral).toBe(true);
    expect(await topicsOf(channel)).toEqual(["agents"]);
  });

  test("asks for the permission in that channel, not in the server", async () => {
    const channel = room();
    world.discord.setOverwrite(channel, world.sam, { allow: ["MANAGE_CHANNELS"] });
    expect((await slash(world.sam, channel, "subscribe", { topic: "agents" })).ephemeral).toBe(false);
    const other = room();
    world.discord.setOverwrite(other, world.ada, { deny: ["MANAGE_CHANNELS"] });
    expect((await slash(world.ada, other, "subscribe", { topic: "agents" })).ephemeral).toBe(true);
  });

  test("says what Paperboy lacks in a channel before it subscribes it", async () => {
    const channel = room();
    world.discord.setOverwrite(channel, world.guildId, { deny: ["SEND_MESSAGES"] });
    const answer = await slash(world.ada, channel, "subscribe", { topic: "agents" });
    expect(answer.text).toContain("Nothing was subscribed.");
    expect(answer.text).toContain("allow it Send Messages (channel settings, Permissions)");
    expect(await topicsOf(channel)).toEqual([]);
    expect((await slash(world.ada, channel, "test")).text).toMatch(/✓ View Channel.*✗ Send Messages/s);
  });

  test("refuses what is outside an option's choices or its range in a sentence", async () => {
    const channel = room();
    const force = { force: true };
    const saved = await slash(world.ada, channel, "saved", { format: "pdf" }, force);
    expect(saved.text).toContain("“pdf” is none of list, bibtex, markdown and csv.");
    const schedule = await slash(world.ada, channel, "schedule", { top: 99 }, force);
    expect(schedule.ephemeral).toBe(true);
    expect(schedule.text).toContain("/papers schedule");
    const every = await slash(world.ada, channel, "schedule", { every: "year" }, force);
    expect(every.ephemeral).toBe(true);
    const missing = await slash(world.ada, channel, "show", {}, force);
    expect(missing.text).toContain("Which paper?");
    const unknown = await slash(world.ada, channel, "today", { never: "seen" }, force);
    expect(unknown.text).toContain("Daily Papers");
  });

  test.each([
    ["3,000 characters", "agents ".repeat(428)],
    ["more than 3,000", "x".repeat(3001)],
    ["right to left", "وكلاء الذكاء ‮evil‬"],
    ["nothing that shows", "\u200b\u200d\u2060"],
    ["marks and mentions", '@everyone <@123> **"[a](https://evil.example)" `code'],
    ["an unclosed quote", '"world model'],
    ["surrogates", "\ud83d\ude00 \ud83d"],
  ])("answers words that are %s", async (_, words) => {
    const channel = room();
    for (const [path, option] of [
      ["search", "query"],
      ["show", "paper"],
      ["subscribe", "topic"],
      ["today", "date"],
      ["help", "command"],
    ] as const) {
      const answer = await slash(world.ada, channel, path, { [option]: words });
      expect(answer.text, path).not.toBe("");
      expect(answer.text, path).not.toContain("Something went wrong");
    }
    expect(JSON.stringify(world.discord.messages(channel).map(({ mentions }) => mentions))).not.toContain(
      "id",
    );
  });
});

describe("buttons and menus", () => {
  inWorld();

  test("share a search with the channel, where others page through it for themselves", async () => {
    const channel = room();
    const found = await slash(world.sam, channel, "search", { query: "agents" });
    expect(found.ephemeral).toBe(true);
    expect(publicTexts(channel)).toEqual([]);
    const shared = await world.discord.press(world.sam, shown(found.message), "Share to channel");
    expect(shared.ephemeral).toBe(false);
    expect(shared.text).toContain("Shared by Sam");
    const paged = await world.discord.press(world.ada, shown(shared.message), nextOf(shared.message));
    expect(paged.ephemeral).toBe(true);
    expect(paged.text).toMatch(/6 · /);
    expect(world.discord.textOf(world.discord.messages(channel)[0] ?? null)).toContain("Shared by Sam");
    expect(world.discord.messages(channel)).toHaveLength(1);
  });

  test("page through the asker's own message, there and back", async () => {
    const channel = room();
    const found = await slash(world.sam, channel, "search", { query: "agents" });
    const first = found.text;
    const next = await world.discord.press(world.sam, shown(found.message), nextOf(found.message));
    expect(next.callbackType).toBe(7);
    expect(next.message?.id).toBe(found.message?.id);
    expect(next.text).not.toBe(first);
    const back = await world.discord.press(world.sam, shown(next.message), "Previous page");
    expect(back.text).toBe(first);
    expect(publicTexts(channel)).toEqual([]);
    const day = await slash(world.sam, channel, "today");
    const before = await world.discord.press(world.sam, shown(day.message), "Previous day");
    expect(before.message?.id).toBe(day.message?.id);
    expect(before.text).toContain("Daily Papers · Tue");
  });

  test("take a change back, once, in the channel", async () => {
    const channel = room();
    const { message } = await slash(world.ada, channel, "subscribe", { topic: "agents" });
    const undone = await world.discord.press(world.ada, shown(message), "Undo");
    expect(undone.ephemeral).toBe(false);
    expect(undone.text).toContain("Taken back: Subscribed this channel to 1 agents.");
    expect(await topicsOf(channel)).toEqual([]);
    const doubled = await world.discord.press(world.ada, shown(message), "Undo");
    expect(doubled.callbackType).toBe(6);
    await world.pass(2000);
    const again = await world.discord.press(world.ada, shown(message), "Undo");
    expect(again.text).toContain("This is undone already.");
    expect(again.ephemeral).toBe(true);
  });

  test("open a card, save its paper, list what is saved and export it as a file", async () => {
    const channel = room();
    const { id } = await firstPaper();
    const day = await slash(world.sam, channel, "today");
    const card = await world.discord.choose(world.sam, shown(day.message), "v1:show", [id]);
    expect(card.ephemeral).toBe(true);
    expect(card.text).toContain(`arXiv ${id}`);
    const saved = await world.discord.press(world.sam, shown(card.message), "Save");
    expect(saved.text).toMatch(/^\**Saved /);
    expect(saved.ephemeral).toBe(true);
    const list = await slash(world.sam, channel, "saved");
    expect(list.text).toContain("1 paper, newest first");
    for (const [label, name, content] of [
      ["BibTeX", /\.bib$/, /@misc\{/],
      ["Markdown", /\.md$/, /^- \[/m],
      ["CSV", /\.csv$/, /^arxiv,/m],
    ] as const) {
      const exported = await world.discord.press(world.sam, shown(list.message), label);
      expect(exported.ephemeral).toBe(true);
      const [file] = shown(exported.message).attachments;
      expect(file?.filename).toMatch(name);
      expect(JSON.stringify(exported.message?.components)).toContain(`"type":13`);
      const text = await (await fetch(file?.url ?? "")).text();
      expect(text).toMatch(content);
      expect(text).toContain(id);
    }
    // A person's own papers are nobody else's.
    expect((await slash(world.ada, channel, "saved")).text).toContain("You saved no paper yet");
    const typed = await slash(world.sam, channel, "saved", { format: "bibtex" });
    expect(shown(typed.message).attachments).toHaveLength(1);
  });

  test("give words that move this channel's digests", async () => {
    const channel = room();
    const card = await slash(world.sam, channel, "show", { paper: (await firstPaper()).id });
    const more = await world.discord.press(world.sam, shown(card.message), "More like this");
    expect(more.text).toContain("this moves this channel's digests");
    expect((await slash(world.sam, channel, "profile")).text).toContain(
      "From 1 paper with more and 0 with less",
    );
    expect((await slash(world.ada, channel, "profile", { action: "reset" })).ephemeral).toBe(false);
  });

  test.each([
    "v1:never:heard",
    "v0:show:1",
    "nonsense",
    "v1:",
    "v1:page:gone:5",
    "v1:undo:gone",
    "v1:save:x",
    "v1:share::0",
  ])("answer the id %s, of a version that is no more, with a sentence", async (id) => {
    const channel = room();
    const message = await forge(channel, button(id));
    const answer = await (await world.discord.press(world.ada, message, id)).settled();
    const text = [answer.text, ...answer.followUps.map(world.discord.textOf)].join("\n");
    expect(text).toMatch(/older version|no longer kept|no longer be undone|cannot be read/);
    expect(publicTexts(channel)).toHaveLength(1);
  });

  test("answer a menu of an older version", async () => {
    const options = [{ label: "A", value: "a" }];
    const message = await forge(room(), { type: 3, custom_id: "v1:never", options });
    const answer = await world.discord.choose(world.ada, message, "v1:never", ["a"]);
    expect(answer.text).toContain("older version");
  });

  test("do nothing to another server's or another channel's settings", async () => {
    const channel = room();
    const { message } = await slash(world.ada, channel, "subscribe", { topic: "agents" });
    const id = idOf(message, "Undo");
    const elsewhere = world.discord.addGuild();
    const there = world.discord.addChannel(elsewhere.id);
    for (const place of [there, room()]) {
      const forged = await forge(place, button(id));
      const who = place === there ? elsewhere.ownerId : world.ada;
      const pressed = await world.discord.press(who, forged, id);
      expect(pressed.text).toContain("This can no longer be undone here.");
    }
    expect(await topicsOf(channel)).toEqual(["agents"]);
  });
});

describe("Discuss", () => {
  inWorld();

  async function card(channel: string, who = world.sam) {
    const { message } = await slash(who, channel, "show", { paper: (await firstPaper()).id });
    return shown(message);
  }

  test("opens a thread on the paper, once, however often it is clicked", async () => {
    const channel = room();
    const message = await card(channel);
    const presses = await Promise.all([
      world.discord.press(world.sam, message, "Discuss"),
      world.discord.press(world.sam, message, "Discuss"),
    ]);
    expect(presses.map(({ callbackType }) => callbackType).toSorted()).toEqual([4, 6]);
    await vi.waitFor(() => expect(world.discord.threads(channel)).toHaveLength(1));
    expect(publicTexts(channel)).toHaveLength(1);
    expect(publicTexts(channel)[0]).toContain("Opened by Sam");
    expect(world.discord.threads(channel)).toMatchObject([{ type: 11, parent_id: channel }]);
  });

  test("opens one in an announcement channel too", async () => {
    const channel = room({ type: "announcement" });
    await world.discord.press(world.sam, await card(channel), "Discuss");
    await vi.waitFor(() => expect(world.discord.threads(channel)).toMatchObject([{ type: 10 }]));
  });

  test("says what is missing where Paperboy may not open threads", async () => {
    const channel = room();
    world.discord.setOverwrite(channel, world.guildId, { deny: ["CREATE_PUBLIC_THREADS"] });
    const pressed = await world.discord.press(world.sam, await card(channel), "Discuss");
    expect(pressed.ephemeral).toBe(true);
    expect(pressed.text).toContain("Create Public Threads");
    expect(publicTexts(channel)).toEqual([]);
  });

  test("says so to the asker where the permission went while it opened", async () => {
    const channel = room();
    const message = await card(channel);
    const fault = {
      method: "POST",
      route: /\/messages\/\d+\/threads/,
      how: { kind: "forbidden", code: 50013 },
    } as const;
    world.discord.fail(fault);
    const pressed = await world.discord.press(world.sam, message, "Discuss");
    await vi.waitFor(() => expect(pressed.followUps).toHaveLength(1));
    expect(world.discord.textOf(pressed.followUps[0] ?? null)).toContain(
      "The thread could not be opened here.",
    );
    expect(publicTexts(channel)).toHaveLength(1);
  });

  test("is a message alone in a thread and in a direct message", async () => {
    const thread = world.discord.addThread(room());
    const inThread = await world.discord.press(world.sam, await card(thread), "Discuss");
    expect(inThread.ephemeral).toBe(false);
    const direct = world.discord.directMessages(world.sam);
    const alone = await world.discord.press(world.sam, await card(direct), "Discuss");
    expect(alone.text).toContain("Discussion");
    expect(world.discord.requests.filter(({ path }) => path.startsWith(`/channels/${direct}/`))).toEqual([]);
  });

  test("opens its thread although the answer to the first request was lost", async () => {
    const channel = room();
    const message = await card(channel);
    for (const how of [
      { kind: "status", status: 502, after: true },
      { kind: "reset", after: true },
    ] as const) {
      const before = world.discord.threads(channel).length;
      world.discord.fail({ method: "POST", route: /\/callback/, how });
      await world.discord.press(world.sam, message, "Discuss");
      await vi.waitFor(() => expect(world.discord.threads(channel)).toHaveLength(before + 1));
      await world.pass(2000);
    }
    expect(publicTexts(channel)).toHaveLength(2);
  });
});

describe("a slow answer", () => {
  inWorld({ acknowledgeAfterMs: 40 });

  /** What is asked while the desk is held, and how it stood after the acknowledgement. */
  async function slowly<T>(ask: () => Promise<T>): Promise<T> {
    const release = world.hold();
    const asked = await ask();
    release();
    return asked;
  }

  test("for the asker takes the place of “thinking”", async () => {
    const channel = room();
    const answer = await slowly(async () => {
      const thinking = await slash(world.sam, channel, "search", { query: "agents" });
      expect(thinking).toMatchObject({ callbackType: 5, isThinking: true, ephemeral: true });
      return thinking;
    });
    await answer.settled();
    expect(answer.text).toContain("Search · agents");
    expect(answer.ephemeral).toBe(true);
    expect(publicTexts(channel)).toEqual([]);
    expect(world.events).toContainEqual(
      expect.objectContaining({ kind: "acknowledged", what: "/papers search" }),
    );
  });

  test("for the channel is seen by all", async () => {
    const channel = room();
    const answer = await slowly(() => slash(world.ada, channel, "subscribe", { topic: "agents" }));
    await vi.waitFor(() => expect(publicTexts(channel)).toHaveLength(1));
    expect(publicTexts(channel)[0]).toContain("Subscribed this channel to 1 agents.");
    expect(answer.text).toContain("Done.");
    expect(answer.ephemeral).toBe(true);
    const [confirmed] = world.discord.messages(channel);
    const undone = await world.discord.press(world.ada, shown(confirmed ?? null), "Undo");
    expect(undone.text).toContain("Taken back");
  });

  test("with a file brings the file", async () => {
    const channel = room();
    const { id } = await firstPaper();
    await world.desk.channels.save(
      { platform: "discord", workspace: world.guildId, person: world.sam },
      id,
      "2026-04-22T12:00:00.000Z",
    );
    const answer = await slowly(() => slash(world.sam, channel, "saved", { format: "csv" }));
    await answer.settled();
    expect(shown(answer.message).attachments[0]?.filename).toMatch(/\.csv$/);
    expect(answer.ephemeral).toBe(true);
  });

  test("to a page button replaces the asker's message", async () => {
    const found = await (await slash(world.sam, room(), "search", { query: "agents" })).settled();
    const first = found.text;
    const next = await slowly(() =>
      world.discord.press(world.sam, shown(found.message), nextOf(found.message)),
    );
    expect(next.callbackType).toBe(6);
    await next.settled();
    expect(next.text).not.toBe(first);
    expect(next.message?.id).toBe(found.message?.id);
    expect(next.followUps).toEqual([]);
  });

  test("to a menu is a message of its own for the asker alone", async () => {
    const channel = room();
    const day = await (await slash(world.sam, channel, "today")).settled();
    const first = day.text;
    const { id } = await firstPaper();
    const chosen = await slowly(() => world.discord.choose(world.sam, shown(day.message), "v1:show", [id]));
    await chosen.settled();
    expect(chosen.followUps.map(world.discord.textOf).join()).toContain(`arXiv ${id}`);
    expect(chosen.text).toBe(first);
    expect(publicTexts(channel)).toEqual([]);
  });

  test("with a thread opens the thread", async () => {
    const channel = room();
    const card = await slash(world.sam, channel, "show", { paper: (await firstPaper()).id });
    await card.settled();
    const pressed = await slowly(() => world.discord.press(world.sam, shown(card.message), "Discuss"));
    expect(pressed.callbackType).toBe(6);
    await vi.waitFor(() => expect(world.discord.threads(channel)).toHaveLength(1));
    expect(publicTexts(channel)[0]).toContain("Opened by Sam");
  });

  test("in a direct message stays there", async () => {
    const direct = world.discord.directMessages(world.sam);
    const answer = await slowly(() => slash(world.sam, direct, "subscribe", { topic: "agents" }));
    await answer.settled();
    expect(answer.text).toContain("Subscribed");
    expect(answer.ephemeral).toBe(false);
    expect(await topicsOf(direct, "")).toEqual(["agents"]);
  });

  test.each([
    { kind: "status", status: 502, after: true },
    { kind: "reset", after: true },
  ] as const)("comes although the answer to its acknowledgement was lost ($kind)", async (how) => {
    world.discord.fail({ method: "POST", route: /\/callback/, how });
    const answer = await slowly(() => slash(world.sam, room(), "search", { query: "agents" }));
    await answer.settled();
    expect(answer.text).toContain("Search · agents");
  });

  test("after fifteen minutes is confirmed in the channel all the same", async () => {
    const channel = room();
    const release = world.hold();
    const answer = await slash(world.ada, channel, "subscribe", { topic: "agents" });
    await world.pass(16 * 60_000);
    release();
    await vi.waitFor(() => expect(publicTexts(channel)).toHaveLength(1));
    expect(publicTexts(channel)[0]).toContain("Subscribed this channel to 1 agents.");
    expect(answer.isThinking).toBe(true);
  });
});

describe("an answer that comes too late", () => {
  inWorld({ deadlineMs: 150, acknowledgeAfterMs: 40 });
  const tooLate = { method: "POST", route: /\/callback/, how: { kind: "slow", ms: 200 } } as const;

  test.each([false, true])(
    "is confirmed in the channel where it was a change (slow to make: %s)",
    async (isSlow) => {
      const channel = room();
      world.discord.fail(tooLate);
      const release = isSlow ? world.hold() : () => {};
      await expect(slash(world.ada, channel, "subscribe", { topic: "agents" })).rejects.toThrow(
        "did not respond",
      );
      release();
      await vi.waitFor(() => expect(publicTexts(channel)).toHaveLength(1));
      expect(publicTexts(channel)[0]).toContain("Subscribed this channel to 1 agents.");
      expect(await topicsOf(channel)).toEqual(["agents"]);
    },
  );

  test("is confirmed in a direct message as well", async () => {
    const direct = world.discord.directMessages(world.sam);
    world.discord.fail(tooLate);
    await expect(slash(world.sam, direct, "subscribe", { topic: "agents" })).rejects.toThrow();
    await vi.waitFor(() => expect(publicTexts(direct)).toHaveLength(1));
  });

  test("is nobody's concern where it was for the asker", async () => {
    const channel = room();
    world.discord.fail(tooLate);
    await expect(slash(world.ada, channel, "search", { query: "agents" })).rejects.toThrow();
    await vi.waitFor(() => expect(world.events).toContainEqual(expect.objectContaining({ kind: "trouble" })));
    expect(publicTexts(channel)).toEqual([]);
  });
});

describe("completion", () => {
  inWorld();
  const complete: World["discord"]["autocomplete"] = (...args) => world.discord.autocomplete(...args);

  test("offers papers by title and by id", async () => {
    const { id, title } = await firstPaper();
    const channel = room();
    const byTitle = await complete(world.sam, channel, "show", { paper: title.slice(0, 12) }, "paper");
    expect(byTitle.map(({ value }) => value)).toContain(id);
    const byId = await complete(world.sam, channel, "similar", { paper: id }, "paper");
    expect(byId.map(({ value }) => value)).toContain(id);
  });

  test("offers this channel's subscriptions, zones, topics, days and commands", async () => {
    const channel = room();
    await slash(world.ada, channel, "subscribe", { topic: "agents" });
    const own = await complete(world.ada, channel, "unsubscribe", { subscription: "" }, "subscription");
    expect(own).toEqual([{ name: "1 agents", value: "1" }]);
    expect(await complete(world.ada, room(), "unsubscribe", { subscription: "" }, "subscription")).toEqual(
      [],
    );
    const zones = await complete(world.ada, channel, "schedule", { zone: "paris" }, "zone");
    expect(zones[0]?.value).toBe("Europe/Paris");
    const topics = await complete(world.ada, channel, "subscribe", { topic: "" }, "topic");
    expect(topics.length).toBeGreaterThan(3);
    expect((await complete(world.sam, channel, "today", { date: "" }, "date")).length).toBeGreaterThan(0);
    const helped = await complete(world.sam, channel, "help", { command: "sch" }, "command");
    expect(helped.map(({ value }) => value)).toEqual(["schedule"]);
  });

  test.each(["\u200b", "x".repeat(3000), "@everyone **", '"', "ا"])("takes %j", async (typed) => {
    const channel = room();
    for (const [path, option] of [
      ["show", "paper"],
      ["subscribe", "topic"],
      ["schedule", "zone"],
      ["unsubscribe", "subscription"],
    ] as const) {
      await expect(complete(world.ada, channel, path, { [option]: typed }, option)).resolves.toBeInstanceOf(
        Array,
      );
    }
  });

  test("offers every paper's title as Discord takes it, dirty ones too", async () => {
    const channel = room();
    for (const { id } of await papers()) {
      const found = await complete(world.sam, channel, "show", { paper: id }, "paper");
      expect(found.map(({ value }) => value)).toContain(id);
      const card = await slash(world.sam, channel, "show", { paper: id });
      expect(card.text).toContain(id);
    }
  });
});

describe("elsewhere than in a server's text channel", () => {
  inWorld();

  test("in a server that the bot is not in, a person's own install finds papers and sets nothing up", async () => {
    const foreign = world.discord.addGuild({ isBotThere: false });
    const channel = world.discord.addChannel(foreign.id);
    const how = { installedBy: "user" } as const;
    const found = await slash(foreign.ownerId, channel, "search", { query: "agents" }, how);
    expect(found.ephemeral).toBe(true);
    expect(found.text).toContain("Search · agents");
    const shared = await world.discord.press(foreign.ownerId, shown(found.message), "Share to channel");
    expect(shared.ephemeral).toBe(false);
    const refused = await slash(foreign.ownerId, channel, "subscribe", { topic: "agents" }, how);
    expect(refused.text).toContain("Paperboy is not on this server");
    expect(refused.text).toContain("oauth2/authorize");
    expect(await topicsOf(channel, foreign.id)).toEqual([]);
    const card = await slash(foreign.ownerId, channel, "show", { paper: (await firstPaper()).id }, how);
    const discussed = await world.discord.press(foreign.ownerId, shown(card.message), "Discuss");
    expect(discussed.text).toContain("Discussion");
    expect((await slash(foreign.ownerId, channel, "test", {}, how)).text).toContain("not on this server");
  });

  test("in a group's direct messages anybody looks, and nobody sets anything up", async () => {
    const group = world.discord.addGroup([world.ada, world.sam]);
    const how = { installedBy: "user" } as const;
    const found = await slash(world.ada, group, "today", {}, how);
    expect(found.ephemeral).toBe(true);
    expect(found.text).toContain("Daily Papers");
    const refused = await slash(world.ada, group, "subscribe", { topic: "agents" }, how);
    expect(refused.text).toContain("Only who may manage this channel");
    expect(await topicsOf(group, "")).toEqual([]);
  });

  test("in a direct message the person has digests of their own, and nothing is hidden", async () => {
    const direct = world.discord.directMessages(world.sam);
    const subscribed = await slash(world.sam, direct, "subscribe", { topic: "agents" });
    expect(subscribed.ephemeral).toBe(false);
    expect(await topicsOf(direct, "")).toEqual(["agents"]);
    const found = await slash(world.sam, direct, "search", { query: "agents" });
    expect(found.ephemeral).toBe(false);
    const next = await world.discord.press(world.sam, shown(found.message), nextOf(found.message));
    expect(next.message?.id).toBe(found.message?.id);
    expect((await slash(world.sam, direct, "test")).text).toContain("It works: a sample was posted here.");
    expect(publicTexts(direct).join()).toContain("A sample, asked for");
  });

  test("in a post of a forum the settings are the forum's", async () => {
    const forum = room({ type: "forum", tags: ["Papers"], needsTag: true });
    const post = world.discord.addThread(forum);
    await slash(world.ada, post, "subscribe", { topic: "agents" });
    expect(await topicsOf(forum)).toEqual(["agents"]);
    expect(await topicsOf(post)).toEqual([]);
    expect((await slash(world.ada, post, "test")).text).toContain("It works");
    expect(world.discord.threads(forum)).toHaveLength(2);
  });

  test("in a thread of a text channel they are the thread's", async () => {
    const channel = room();
    const thread = world.discord.addThread(channel);
    await slash(world.ada, thread, "subscribe", { topic: "agents" });
    expect([await topicsOf(thread), await topicsOf(channel)]).toEqual([["agents"], []]);
    expect((await slash(world.ada, thread, "test")).text).toContain("It works");
  });

  test("in an announcement channel digests can be passed on, and no more", async () => {
    const channel = room({ type: "announcement" });
    const { message } = await slash(world.ada, channel, "subscribe", { topic: "agents" });
    const on = await world.discord.press(world.ada, shown(message), "Pass on to followers");
    expect(on.ephemeral).toBe(false);
    expect(on.text).toContain("Digests are passed on to the channels that follow this one.");
    const status = await slash(world.ada, channel, "status");
    const off = await world.discord.press(world.ada, shown(status.message), "Stop passing on");
    expect(off.text).toContain("no longer passed on");
    expect(labelsOf((await slash(world.ada, room(), "subscribe")).message)).not.toContain(
      "Pass on to followers",
    );
  });
});

describe("a thread that was archived before the bot came", () => {
  inWorld({ isStarted: false });

  test("counts as the forum that it is a post of", async () => {
    const forum = room({ type: "forum" });
    const post = world.discord.addThread(forum, { archived: true });
    const thread = world.discord.addThread(room(), { archived: true });
    await world.bot.start();
    await slash(world.ada, post, "subscribe", { topic: "agents" });
    expect(await topicsOf(forum)).toEqual(["agents"]);
    await slash(world.ada, thread, "subscribe", { topic: "agents" });
    expect(await topicsOf(thread)).toEqual(["agents"]);
  });
});

describe("what nobody expected", () => {
  beforeAll(async () => {
    world = await createWorld({ library });
  });
  afterAll(() => world.close());

  test("is told to the asker in a sentence and reported, and the next command works", async () => {
    const channel = room();
    const found = await slash(world.sam, channel, "search", { query: "agents" });
    world.breakDesk(new Error("The disk is gone."));
    const failed = await slash(world.sam, channel, "search", { query: "agents" });
    expect(failed.text).toContain("Something went wrong here");
    expect(failed.ephemeral).toBe(true);
    expect(failed.text).not.toContain("disk");
    const pressed = await world.discord.press(world.sam, shown(found.message), nextOf(found.message));
    expect(pressed.text).toContain("Something went wrong here");
    expect(await world.discord.autocomplete(world.sam, channel, "show", { paper: "a" }, "paper")).toEqual([]);
    world.breakDesk(null);
    const whats = world.events.flatMap((event) => (event.kind === "unexpected" ? [event.what] : []));
    expect(whats).toEqual(["/papers search", "v1:page", "completing show"]);
    expect((await slash(world.sam, channel, "search", { query: "agents" })).text).toContain("Search");
  });

  test("after the acknowledgement is told in the answer's place", async () => {
    const at = world;
    world = await createWorld({ library, acknowledgeAfterMs: 40 });
    const release = world.hold();
    const answer = await slash(world.sam, room(), "search", { query: "agents" });
    world.breakDesk(new Error("The disk is gone."));
    release();
    await answer.settled();
    expect(answer.text).toContain("Something went wrong here");
    await world.close();
    world = at;
  });

  test("of Discord's own is reported and ends nothing", async () => {
    const channel = room();
    for (const how of [
      { kind: "status", status: 400 },
      { kind: "forbidden", code: 50013 },
    ] as const) {
      world.discord.fail({ method: "POST", route: /\/callback/, how });
      const asked = slash(world.sam, channel, "search", { query: "agents" });
      asked.catch(() => {});
      await vi.waitFor(() =>
        expect(world.events.at(-1)).toMatchObject({ kind: "unexpected", what: "answering /papers search" }),
      );
      world.events.splice(0);
    }
    expect((await slash(world.sam, channel, "help")).text).toContain("Paperboy");
  });
});

describe("the flood guard", () => {
  inWorld({ perPerson: 3 });

  test("asks one who asks too much to wait, and nobody else", async () => {
    const channel = room();
    for (let asked = 0; asked < 3; asked++) await slash(world.sam, channel, "help");
    const held = await slash(world.sam, channel, "help");
    expect(held.text).toMatch(/That was a lot at once: try again in \d+ seconds/);
    expect(held.ephemeral).toBe(true);
    expect((await slash(world.ada, channel, "help")).text).toContain("Paperboy brings");
  });
});

function shown(message: APIMessage | null): APIMessage {
  if (message === null) throw new Error("There is no message.");
  return message;
}

type Shown = { readonly label?: string; readonly custom_id?: string };

function buttonsOf(message: APIMessage | null): readonly Shown[] {
  const found: Shown[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) for (const each of value) walk(each);
    else if (typeof value === "object" && value !== null) {
      if ("type" in value && value.type === 2) found.push(value as Shown);
      if ("components" in value) walk(value.components);
    }
  };
  walk(message?.components ?? []);
  return found;
}

function labelsOf(message: APIMessage | null): readonly string[] {
  return buttonsOf(message).map(({ label }) => label ?? "");
}

function nextOf(message: APIMessage | null): string {
  return labelsOf(message).find((label) => label.startsWith("Next page")) ?? "Next page";
}

function idOf(message: APIMessage | null, label: string): string {
  return buttonsOf(message).find((each) => each.label === label)?.custom_id ?? "";
}
