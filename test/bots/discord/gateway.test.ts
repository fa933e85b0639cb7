import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createDiscordBot } from "../../../src/bots/discord/bot.ts";
import { DiscordError } from "../../../src/bots/discord/error.ts";
import type { ChannelKey } from "../../../src/core/channel.ts";
import { createFloodGuard } from "../../../src/core/flood.ts";
import { createDesk, type TestDesk } from "../../contracts/desk.ts";
import { madeUpPost } from "../../contracts/made-up-post.ts";
import { sentence } from "../../../src/core/command.ts";
import { createWorld, type World, type WorldOptions } from "./world.ts";

const DAY = 86_400_000;
const MINUTE = 60_000;

let library: TestDesk;
beforeAll(async () => {
  library = await createDesk({ days: 3 });
});
afterAll(() => library.close());

let world: World;
async function enter(options: WorldOptions = {}): Promise<void> {
  world = await createWorld({ library, ...options });
}
afterEach(async () => {
  await world.close();
  expect(world.events.filter(({ kind }) => kind === "unexpected")).toEqual([]);
});

const keyOf = (channel: string, workspace = world.guildId): ChannelKey => ({
  platform: "discord",
  workspace,
  channel,
});
const textsIn = (channel: string) => world.discord.messages(channel).map(world.discord.textOf);
const departed = () => world.desk.channels.departed("discord");
const worksAgain = () =>
  vi.waitFor(
    async () => {
      await world.pass(MINUTE);
      expect(world.bot.trouble()).toBeNull();
    },
    { timeout: 8000, interval: 50 },
  );

async function subscribe(channel = world.channelId, who = world.ada): Promise<void> {
  await world.discord.slash(who, channel, "subscribe", { topic: "agents" });
}
async function topicsIn(channel: string, workspace = world.guildId) {
  return (await world.desk.channels.subscriptions(keyOf(channel, workspace))).map(({ topic }) => topic);
}

describe("a connection that breaks", () => {
  test("during a command does not cost its answer", async () => {
    await enter({ acknowledgeAfterMs: 40 });
    const release = world.hold();
    const answer = await world.discord.slash(world.ada, world.channelId, "subscribe", { topic: "agents" });
    world.discord.dropSockets();
    release();
    await vi.waitFor(() => expect(textsIn(world.channelId)).toHaveLength(1));
    expect(answer.isThinking).toBe(false);
  });

  test("is resumed, and a command that was typed meanwhile is answered", async () => {
    await enter();
    world.discord.dropSockets();
    const answer = await world.discord.slash(world.sam, world.channelId, "help");
    expect(answer.text).toContain("Paperboy");
    expect(world.discord.gateway.resumes()).toBe(1);
    expect(world.discord.gateway.identifies).toHaveLength(1);
  });

  test("may tell a command again, which is answered and carried out once", async () => {
    await enter();
    await subscribe();
    world.discord.repeatOnResume(1);
    world.discord.dropSockets();
    await world.discord.slash(world.sam, world.channelId, "help");
    expect(world.discord.gateway.resumes()).toBe(1);
    // What it may have begun has ended by then.
    await world.bot.stop();
    const callbacks = world.discord.requests.filter(({ path }) => path.includes("/callback"));
    expect(callbacks.map(({ status }) => status)).toEqual([204, 204]);
    expect(textsIn(world.channelId)).toHaveLength(1);
  });

  test("at Discord's wish is resumed too", async () => {
    await enter();
    world.discord.requestReconnect();
    await vi.waitFor(() => expect(world.discord.gateway.resumes()).toBe(1), { timeout: 5000 });
    expect((await world.discord.slash(world.sam, world.channelId, "help")).text).toContain("Paperboy");
    expect(world.discord.gateway.identifies).toHaveLength(1);
  });

  test("with its session lost begins a new one, in which it knows its servers of now", async () => {
    await enter();
    const gone = world.discord.addGuild({ name: "Gone" });
    const goneChannel = world.discord.addChannel(gone.id);
    await vi.waitFor(() => expect(textsIn(goneChannel)).toHaveLength(1));
    await subscribe(goneChannel, gone.ownerId);
    const back = world.discord.addGuild({ name: "Back", isBotThere: false });
    const backChannel = world.discord.addChannel(back.id);
    await world.desk.channels.change(keyOf(backChannel, back.id), () => channelState(backChannel, back.id));
    await world.desk.channels.leave({ platform: "discord", workspace: back.id }, "2026-04-20T00:00:00.000Z");
    world.discord.invalidateSessions(false);
    world.discord.kickBot(gone.id);
    world.discord.inviteBot(back.id);
    await vi.waitFor(async () => expect(await departed()).toEqual([gone.id]), { timeout: 8000 });
    expect(world.discord.gateway.identifies).toHaveLength(2);
    await expect(
      world.bot.post(madeUpPost(keyOf(goneChannel, gone.id), sentence("Late"), "n1")),
    ).rejects.toMatchObject({ kind: "retry", message: "Paperboy is not on this server." });
    await world.bot.post(madeUpPost(keyOf(backChannel, back.id), sentence("Back"), "n2"));
    const answer = await world.discord.slash(world.sam, world.channelId, "help");
    expect(answer.text).toContain("Paperboy");
  });

  test("with a session that may be resumed is resumed on the same connection", async () => {
    await enter();
    world.discord.invalidateSessions(true);
    expect((await world.discord.slash(world.sam, world.channelId, "help")).text).toContain("Paperboy");
    expect(world.discord.gateway.identifies).toHaveLength(1);
  });

  test("for good is begun anew after a few minutes, and said meanwhile", async () => {
    await enter();
    world.discord.closeSockets(4014);
    await vi.waitFor(async () => {
      await world.pass(30_000);
      expect(world.bot.trouble()).toBe("Discord is not connected.");
    });
    expect(world.events).toContainEqual({
      kind: "refused",
      detail: expect.stringContaining("Discord closed the gateway for good (code 4014)"),
    });
    expect(world.discord.gateway.identifies).toHaveLength(1);
    await worksAgain();
    expect(world.discord.gateway.identifies).toHaveLength(2);
    expect((await world.discord.slash(world.sam, world.channelId, "help")).text).toContain("Paperboy");
  });

  test("for good while Discord is away is begun anew once that is back", async () => {
    await enter();
    const away = world.discord.fail({ times: 1000, how: { kind: "status", status: 503 } });
    world.discord.closeSockets(4014);
    const posting = madeUpPost(keyOf(world.channelId), sentence("Late"), "n1");
    for (let minutes = 0; minutes < 10; minutes++) {
      await world.pass(MINUTE);
      await expect(world.bot.post(posting)).rejects.toMatchObject({ name: "PostError" });
    }
    expect(world.bot.trouble()).toBe("Discord is not connected.");
    away.release();
    await worksAgain();
    await world.bot.post({ ...posting, attempt: 11 });
    expect(textsIn(world.channelId)).toHaveLength(1);
  });
});

describe("a start", () => {
  test("waits for a Discord that cannot be reached, and connects when it can", async () => {
    await enter({ isStarted: false });
    const away = world.discord.fail({ times: 1000, route: /gateway/, how: { kind: "status", status: 503 } });
    let isStarted = false;
    const start = world.bot.start().then(() => {
      isStarted = true;
    });
    await vi.waitFor(() => expect(world.events.map(({ kind }) => kind)).toEqual(["trouble"]));
    expect(world.events[0]).toMatchObject({ detail: expect.stringContaining("next try is in 5 seconds") });
    expect(isStarted).toBe(false);
    expect(world.bot.trouble()).toBe("Discord is not connected.");
    away.release();
    await world.pass(5000);
    await start;
    expect(world.bot.trouble()).toBeNull();
    expect(world.events.at(-1)).toMatchObject({
      kind: "connected",
      detail: "paperboy is connected to Discord, on 1 server.",
    });
  });

  test("that is broken off ends", async () => {
    await enter({ isStarted: false });
    // Whose servers it waits for.
    world.discord.outage(world.guildId, true);
    void world.bot.start();
    await vi.waitFor(() => expect(world.discord.gateway.identifies).toHaveLength(1));
    await world.bot.stop();
    await vi.waitFor(() => expect(world.discord.gateway.sockets()).toBe(0));
  });

  test("with a token that Discord refuses fails with a sentence", async () => {
    await enter({ isStarted: false });
    const bot = createDiscordBot({
      token: "wrong",
      apiUrl: world.discord.apiUrl,
      desk: () => world.desk,
      channels: world.desk.channels,
      flood: createFloodGuard({ perPerson: 1, perWorkspace: 1, windowMs: 1, clock: () => new Date() }),
      clock: () => new Date(),
      wait: async () => {},
      report: () => {},
    });
    const error = await bot.start().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DiscordError);
    expect(error).toMatchObject({ message: expect.stringMatching(/DISCORD_TOKEN.*Reset Token/) });
    await bot.stop();
  });

  test("over two shards serves the servers of both, and direct messages", async () => {
    await enter({ isStarted: false, shards: 2, gateway: { maxConcurrency: 2 } });
    const guilds = [];
    const shardOf = (id: string) => Number((BigInt(id) >> 22n) % 2n);
    while (new Set(guilds.map(({ id }) => shardOf(id))).size < 2) {
      guilds.push(world.discord.addGuild());
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await world.bot.start();
    expect(world.discord.gateway.identifies.map(({ shard }) => shard)).toEqual([
      [0, 2],
      [1, 2],
    ]);
    for (const { id, ownerId } of guilds) {
      const channel = world.discord.addChannel(id);
      const answer = await world.discord.slash(ownerId, channel, "subscribe", { topic: "agents" });
      expect(answer.text).toContain("Subscribed");
      await world.bot.post(madeUpPost(keyOf(channel, id), sentence("Posted"), `n${id}`));
    }
    const direct = world.discord.directMessages(world.sam);
    expect((await world.discord.slash(world.sam, direct, "help")).text).toContain("Paperboy");
    expect(await departed()).toEqual([]);
  });
});

describe("a stop", () => {
  test("waits for the commands under way, whose answers arrive", async () => {
    await enter({ acknowledgeAfterMs: 40 });
    const release = world.hold();
    const answer = await world.discord.slash(world.sam, world.channelId, "search", { query: "agents" });
    let isStopped = false;
    const stop = world.bot.stop().then(() => {
      isStopped = true;
    });
    // Time enough to close a connection.
    for (let asked = 0; asked < 10; asked++) await fetch(`${world.discord.apiUrl}/v10/gateway`);
    expect(world.discord.gateway.sockets()).toBe(1);
    expect(isStopped).toBe(false);
    release();
    await stop;
    expect(answer.text).toContain("Search · agents");
    await vi.waitFor(() => expect(world.discord.gateway.sockets()).toBe(0));
  });

  test("does not wait longer than ten seconds", async () => {
    await enter({ acknowledgeAfterMs: 40 });
    world.hold();
    await world.discord.slash(world.sam, world.channelId, "search", { query: "agents" });
    const stop = world.bot.stop();
    await world.pass(10_000);
    await stop;
  });
});

describe("a server", () => {
  test("in an outage is not left, nor greeted when it is back", async () => {
    await enter();
    await subscribe();
    const before = textsIn(world.channelId).length;
    world.discord.outage(world.guildId, true);
    world.discord.outage(world.guildId, false);
    const answer = await world.discord.slash(world.sam, world.channelId, "help");
    expect(answer.text).toContain("Paperboy");
    expect(await departed()).toEqual([]);
    expect(textsIn(world.channelId)).toHaveLength(before);
    expect(world.events.map(({ kind }) => kind)).not.toContain("left");
  });

  test("that removes Paperboy keeps its data for thirty days, and then loses all of it", async () => {
    await enter();
    await subscribe();
    world.discord.kickBot(world.guildId);
    await vi.waitFor(async () => expect(await departed()).toEqual([world.guildId]));
    expect(world.events).toContainEqual({ kind: "left", workspace: world.guildId });
    const daysAgo = (days: number) => new Date(Date.now() + DAY - days * DAY).toISOString();
    expect(await world.desk.channels.deleteDeparted(daysAgo(30))).toBe(0);
    expect(await topicsIn(world.channelId)).toEqual(["agents"]);
    expect(await world.desk.channels.deleteDeparted(daysAgo(0))).toBe(1);
    expect(await topicsIn(world.channelId)).toEqual([]);
  });

  test("that invites it again within that time goes on as before, and hears so", async () => {
    await enter();
    await subscribe();
    world.discord.kickBot(world.guildId);
    await vi.waitFor(async () => expect(await departed()).toHaveLength(1));
    world.discord.inviteBot(world.guildId);
    await vi.waitFor(() => expect(textsIn(world.channelId).at(-1)).toContain("Paperboy is back"));
    expect(await departed()).toEqual([]);
    expect(await topicsIn(world.channelId)).toEqual(["agents"]);
    expect((await world.discord.slash(world.sam, world.channelId, "status")).text).toContain("Next digest");
  });

  test("that removed it, or took it back, while it was away is noticed at the start", async () => {
    await enter({ isStarted: false });
    const there = keyOf(world.channelId);
    const gone = { ...there, workspace: "1", channel: "2" };
    for (const key of [there, gone]) {
      await world.desk.channels.change(key, () => channelState(key.channel, key.workspace));
    }
    await world.desk.channels.leave(there, "2026-04-20T00:00:00.000Z");
    await world.bot.start();
    expect(await departed()).toEqual(["1"]);
  });
});

describe("a greeting", () => {
  const invited = () => world.discord.addGuild({ name: "New lab", isBotThere: false }).id;
  const joined = (guild: string) =>
    vi.waitFor(() => expect(world.events).toContainEqual({ kind: "joined", workspace: guild }));

  test("comes where the server welcomes people, with three steps to begin", async () => {
    await enter();
    const guild = invited();
    const first = world.discord.addChannel(guild);
    const welcome = world.discord.addChannel(guild, { name: "welcome" });
    world.discord.setSystemChannel(guild, welcome);
    world.discord.inviteBot(guild);
    await vi.waitFor(() => expect(textsIn(welcome)).toHaveLength(1));
    expect(textsIn(welcome)[0]).toMatch(/Paperboy is here.*1.*subscribe.*2.*schedule.*3.*search/s);
    expect(textsIn(first)).toEqual([]);
  });

  test("comes into the uppermost text channel that it may write in, where it may not there", async () => {
    await enter();
    const guild = invited();
    world.discord.addChannel(guild, { type: "announcement" });
    world.discord.addChannel(guild, { type: "forum" });
    const welcome = world.discord.addChannel(guild);
    const hidden = world.discord.addChannel(guild);
    const open = world.discord.addChannel(guild);
    world.discord.addChannel(guild);
    world.discord.setSystemChannel(guild, welcome);
    world.discord.setOverwrite(welcome, guild, { deny: ["SEND_MESSAGES"] });
    world.discord.setOverwrite(hidden, guild, { deny: ["VIEW_CHANNEL"] });
    world.discord.inviteBot(guild);
    await vi.waitFor(() => expect(textsIn(open)).toHaveLength(1));
    expect([welcome, hidden].flatMap(textsIn)).toEqual([]);
  });

  test("comes nowhere where it may write nowhere, and that is no failure", async () => {
    await enter();
    const guild = invited();
    const channel = world.discord.addChannel(guild);
    world.discord.setOverwrite(channel, guild, { deny: ["SEND_MESSAGES"] });
    const before = world.discord.requests.length;
    world.discord.inviteBot(guild);
    await joined(guild);
    // What would have gone there has gone by the time that this one has.
    await world.bot.post(madeUpPost(keyOf(world.channelId), sentence("Posted"), "n1"));
    expect(world.discord.requests.slice(before).filter(({ path }) => path.includes(channel))).toEqual([]);
  });
});

function channelState(channel: string, workspace: string) {
  return {
    channel: {
      platform: "discord" as const,
      workspace,
      channel,
      schedule: { time: "09:00", zone: "UTC", weekdays: [1, 2, 3, 4, 5] },
      top: 5,
      paused: null,
      publish: false,
      next: null,
      readFrom: "2026-04-22",
      version: 0,
      setUpBy: world.ada,
      lastNumber: 1,
    },
    subscriptions: [{ number: 1, topic: "agents", createdBy: world.ada, createdAt: "2026-04-20" }],
  };
}
