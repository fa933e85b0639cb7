import { inflateSync, createInflate } from "node:zlib";
import { Client, GatewayIntentBits } from "discord.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { startDiscord, type DiscordOptions, type DiscordPeer } from "./discord.ts";

let discord: DiscordPeer;
let sockets: WebSocket[];
let clients: Client[];

beforeEach(async () => {
  sockets = [];
  clients = [];
  await start();
});
afterEach(async () => {
  for (const socket of sockets) socket.terminate();
  for (const client of clients) await client.destroy();
  await discord.close();
});
async function start(options: DiscordOptions = {}): Promise<void> {
  discord = await startDiscord(options);
}

type Payload = { op: number; t: string | null; s: number | null; d: unknown };

/** A connection as a client of another make would have it. */
async function connect(query = "v=10&encoding=json") {
  const response = await fetch(`${discord.apiUrl}/v10/gateway`);
  const { url } = (await response.json()) as { url: string };
  const socket = new WebSocket(`${url}/?${query}`);
  sockets.push(socket);
  const came: Payload[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const each of waiting) each();
  };
  const inflate = createInflate({ finishFlush: 2 });
  inflate.on("data", (part: Buffer) => {
    came.push(JSON.parse(part.toString()));
    wake();
  });
  socket.on("message", (data: Buffer, isBinary) => {
    if (query.includes("zlib")) inflate.write(data);
    else {
      came.push(JSON.parse((isBinary ? inflateSync(data) : data).toString()));
      wake();
    }
  });
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  await new Promise((resolve) => socket.once("open", resolve));
  /** The next payload that fits, taken from those that came. */
  const next = async (op: number, t: string | null = null): Promise<Payload> => {
    for (;;) {
      const index = came.findIndex((payload) => payload.op === op && payload.t === t);
      const [payload] = index < 0 ? [] : came.splice(index, 1);
      if (payload !== undefined) return payload;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      await promise;
      waiting.delete(resolve);
    }
  };
  return {
    next,
    closed,
    came,
    drop: () => socket.terminate(),
    send: (op: number, d: unknown) => socket.send(JSON.stringify({ op, d })),
    raw: (text: string) => socket.send(text),
    identify(more: object = {}) {
      const d = { token: discord.token(), intents: 1, properties: { os: "linux" }, ...more };
      socket.send(JSON.stringify({ op: 2, d }));
    },
  };
}

async function login(): Promise<Client> {
  const client = new Client({ intents: [GatewayIntentBits.Guilds], rest: { api: discord.apiUrl } });
  clients.push(client);
  client.on("error", () => undefined);
  const ready = new Promise((resolve) => client.once("clientReady", resolve));
  await client.login(discord.token());
  await ready;
  return client;
}
const event = (client: Client, name: string) =>
  new Promise<unknown[]>((resolve) => client.once(name, (...args: unknown[]) => resolve(args)));

describe("a connection", () => {
  test("is greeted, beats its heart, and is ready after it has identified", async () => {
    const { id } = discord.addGuild();
    discord.addChannel(id);
    const gateway = await connect();
    expect((await gateway.next(10)).d).toEqual({ heartbeat_interval: 41_250 });
    gateway.send(1, null);
    await gateway.next(11);
    gateway.identify();
    const { d: ready, s } = await gateway.next(0, "READY");
    expect([s, ready]).toMatchObject([
      1,
      { user: { id: discord.applicationId }, guilds: [{ id, unavailable: true }] },
    ]);
    const { d: guild } = await gateway.next(0, "GUILD_CREATE");
    expect(guild).toMatchObject({
      id,
      channels: [{ name: "papers", type: 0 }],
      roles: [{ id, name: "@everyone" }],
      members: [{ user: { id: discord.applicationId } }],
    });
    expect(discord.gateway.identifies).toMatchObject([{ intents: 1, shard: [0, 1] }]);
  });

  test.each<[number, string, object]>([
    [4004, "a wrong token", { token: "nonsense" }],
    [4010, "a shard beyond the count", { shard: [2, 2] }],
    [4013, "unknown intents", { intents: 1 << 30 }],
    [4013, "no intents", { intents: undefined }],
    [4014, "an intent that was not granted", { intents: 1 | (1 << 15) }],
    [4002, "no properties", { properties: null }],
  ])("closes with %i on %s", async (code, _what, more) => {
    const gateway = await connect();
    gateway.identify(more);
    expect(await gateway.closed).toBe(code);
    expect(discord.gateway.identifies).toEqual([]);
  });

  test("closes on what is no payload, comes too early, twice or too often, or in another version", async () => {
    const broken = await connect();
    await broken.next(10);
    broken.raw("{");
    expect(await broken.closed).toBe(4002);
    const early = await connect();
    await early.next(10);
    early.send(3, {});
    expect(await early.closed).toBe(4003);
    const twice = await connect();
    await twice.next(10);
    twice.identify();
    twice.identify();
    expect(await twice.closed).toBe(4005);
    const unknown = await connect();
    await unknown.next(10);
    unknown.identify();
    unknown.send(42, {});
    expect(await unknown.closed).toBe(4001);
    const hasty = await connect();
    await hasty.next(10);
    for (let i = 0; i < 121; i++) hasty.send(1, null);
    expect(await hasty.closed).toBe(4008);
    expect(await (await connect("v=6&encoding=json")).closed).toBe(4012);
    expect(await (await connect("v=10&encoding=etf")).closed).toBe(4012);
  });

  test("is compressed only if the client asks for it", async () => {
    const stream = await connect("v=10&encoding=json&compress=zlib-stream");
    await stream.next(10);
    stream.identify();
    expect((await stream.next(0, "READY")).s).toBe(1);
    const each = await connect();
    each.identify({ compress: true });
    expect((await each.next(0, "READY")).s).toBe(1);
  });
});

describe("shards", () => {
  test("share the guilds by their ids, and interactions follow", async () => {
    const guilds = [discord.addGuild(), discord.addGuild(), discord.addGuild()].map(({ id }) => id);
    const shards = [await connect(), await connect()];
    const seen = [];
    for (const [i, shard] of shards.entries()) {
      shard.identify({ shard: [i, 2] });
      const { d } = await shard.next(0, "READY");
      seen.push((d as { guilds: { id: string }[] }).guilds.map(({ id }) => id));
    }
    const shardOf = (id: string) => Number((BigInt(id) >> 22n) % 2n);
    expect(seen).toEqual([0, 1].map((shard) => guilds.filter((id) => shardOf(id) === shard)));
    const [of1] = seen[1]!;
    const name = discord.addChannel(of1!, { name: "here" });
    expect((await shards[1]!.next(0, "CHANNEL_CREATE")).d).toMatchObject({ id: name });
    // What was sent before the answer to a heartbeat has come before it.
    shards[0]!.send(1, null);
    await shards[0]!.next(11);
    expect(shards[0]!.came.filter(({ t }) => t === "CHANNEL_CREATE")).toEqual([]);
  });

  test("are needed beyond a number of guilds", async () => {
    await discord.close();
    await start({ gateway: { guildsPerShard: 1 } });
    discord.addGuild();
    discord.addGuild();
    const gateway = await connect();
    gateway.identify();
    expect(await gateway.closed).toBe(4011);
  });
});

describe("a session", () => {
  test("is resumed with what it missed", async () => {
    const { id } = discord.addGuild();
    const first = await connect();
    first.identify();
    const { d: ready } = await first.next(0, "READY");
    const { session_id } = ready as { session_id: string };
    const { s: seq } = await first.next(0, "GUILD_CREATE");
    first.drop();
    const missed = discord.addChannel(id, { name: "missed" });
    const second = await connect();
    second.send(6, { token: discord.token(), session_id, seq });
    expect((await second.next(0, "CHANNEL_CREATE")).d).toMatchObject({ id: missed });
    expect((await second.next(0, "RESUMED")).s).toBe(Number(seq) + 2);
    expect([discord.gateway.resumes(), discord.gateway.identifies.length]).toEqual([1, 1]);
  });

  test("that is unknown, or from the future, is not resumed", async () => {
    const gateway = await connect();
    gateway.send(6, { token: discord.token(), session_id: "x", seq: 1 });
    expect((await gateway.next(9)).d).toBe(false);
    gateway.identify();
    const { d } = await gateway.next(0, "READY");
    const later = await connect();
    later.send(6, { token: discord.token(), session_id: (d as { session_id: string }).session_id, seq: 99 });
    expect(await later.closed).toBe(4007);
    const wrong = await connect();
    wrong.send(6, { token: "nonsense", session_id: "x", seq: 1 });
    expect(await wrong.closed).toBe(4004);
  });

  test("beyond the day's number resets the token", async () => {
    await discord.close();
    await start({ gateway: { sessionStarts: 1 } });
    const [first, second] = [await connect(), await connect()];
    first.identify();
    await first.next(0, "READY");
    const token = discord.token();
    second.identify();
    expect([await first.closed, await second.closed]).toEqual([4004, 4004]);
    expect(discord.token()).not.toBe(token);
  });
});

describe("an unmodified discord.js", () => {
  test("resumes after its socket broke, and hears what it missed", async () => {
    const { id } = discord.addGuild();
    const client = await login();
    const resumed = event(client, "shardResume");
    discord.dropSockets();
    const missed = discord.addChannel(id, { name: "missed" });
    expect((await resumed)[1]).toBeGreaterThan(0);
    expect(client.channels.cache.has(missed)).toBe(true);
    expect([discord.gateway.resumes(), discord.gateway.identifies.length]).toEqual([1, 1]);
  });

  test("resumes when it is told to reconnect, and when its session may go on", async () => {
    const client = await login();
    const told = event(client, "shardResume");
    discord.requestReconnect();
    await told;
    const again = event(client, "raw");
    discord.invalidateSessions(true);
    expect((await again)[0]).toMatchObject({ t: "RESUMED" });
    expect([discord.gateway.resumes(), discord.gateway.identifies.length]).toEqual([2, 1]);
  });

  test("identifies anew when its session has ended", async () => {
    const client = await login();
    const ready = event(client, "shardReady");
    discord.invalidateSessions(false);
    await ready;
    expect([discord.gateway.resumes(), discord.gateway.identifies.length]).toEqual([0, 2]);
  }, 15_000);

  test("stays away once its token is revoked", async () => {
    const client = await login();
    const gone = event(client, "shardDisconnect");
    discord.revokeToken();
    expect((await gone)[0]).toMatchObject({ code: 4004 });
    expect(discord.gateway.sockets()).toBe(0);
  });

  test("hears of guilds, channels, threads, outages and its own leaving", async () => {
    const client = await login();
    const joined = event(client, "guildCreate");
    const { id } = discord.addGuild({ name: "Lab" });
    expect((await joined)[0]).toMatchObject({ id, name: "Lab" });
    const made = event(client, "channelCreate");
    const channel = discord.addChannel(id);
    await made;
    const changed = event(client, "channelUpdate");
    discord.setOverwrite(channel, discord.applicationId, { deny: ["SEND_MESSAGES"] });
    await changed;
    const found = client.channels.cache.get(channel);
    if (found === undefined || found.isDMBased()) throw new Error("not there");
    expect(found.permissionsFor(discord.applicationId)?.has("SendMessages")).toBe(false);
    const threaded = event(client, "threadCreate");
    const thread = discord.addThread(channel);
    await threaded;
    const archived = event(client, "threadUpdate");
    discord.archiveThread(thread);
    expect((await archived)[1]).toMatchObject({ archived: true });
    const role = event(client, "roleUpdate");
    discord.setRolePermissions(id, id, []);
    await role;
    const away = event(client, "guildUnavailable");
    discord.outage(id, true);
    await away;
    const back = event(client, "guildAvailable");
    discord.outage(id, false);
    await back;
    const deleted = event(client, "channelDelete");
    discord.deleteChannel(channel);
    await deleted;
    const left = event(client, "guildDelete");
    discord.kickBot(id);
    await left;
    expect(client.guilds.cache.size).toBe(0);
  });
});
