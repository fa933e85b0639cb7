import type { APIMessage } from "discord.js";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createSending } from "../../../src/bots/discord/sending.ts";
import { type Post, PostError } from "../../../src/core/bot.ts";
import type { Channel, ChannelKey } from "../../../src/core/channel.ts";
import { sentence } from "../../../src/core/command.ts";
import type { Delivery } from "../../../src/core/delivery.ts";
import type { Message } from "../../../src/core/message.ts";
import { createDesk, NOW, type TestDesk } from "../../contracts/desk.ts";
import type { Fault } from "../../peers/discord.ts";
import { createWorld, type World, type WorldOptions } from "./world.ts";

/** Of the desk's clock: the digests here are due five minutes before. */
const DUE_AT = "2026-04-22T11:55:00.000Z";
const MINUTE = 60_000;

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
    world.desk.setNow(NOW);
    const unexpected = [...world.events.splice(0), ...world.sent.splice(0)];
    expect(unexpected.filter(({ kind }) => kind === "unexpected")).toEqual([]);
  });
  afterAll(() => world.close());
}

const room = (channel: Parameters<World["discord"]["addChannel"]>[1] = {}) =>
  world.discord.addChannel(world.guildId, channel);
const keyOf = (channel: string, workspace = world.guildId): ChannelKey => ({
  platform: "discord",
  workspace,
  channel,
});
const textsIn = (channel: string) => world.discord.messages(channel).map(world.discord.textOf);

/** Gives a channel the top list, set up by Ada, due now; with each of these again. */
async function subscribe(key: ChannelKey, fields: Partial<Channel> = {}): Promise<void> {
  await world.desk.channels.change(key, () => ({
    channel: {
      ...key,
      schedule: { time: "11:55", zone: "UTC", weekdays: [1, 2, 3, 4, 5] },
      top: 5,
      paused: null,
      publish: false,
      next: { at: DUE_AT, slot: "2026-04-22" },
      readFrom: "2026-04-22",
      version: 0,
      setUpBy: world.ada,
      lastNumber: 1,
      ...fields,
    },
    subscriptions: [{ number: 1, topic: "", createdBy: world.ada, createdAt: DUE_AT }],
  }));
}

/** Sends what is due, and gives what became of a channel's digest. */
async function deliver(key: ChannelKey): Promise<Delivery> {
  await world.sender.tick();
  await world.sender.deliver();
  const digest = (await world.desk.ledger.history(key, 5)).find(({ kind }) => kind === "digest");
  if (digest === undefined) throw new Error("No digest was due.");
  return digest;
}

async function digestIn(channel: string, fields: Partial<Channel> = {}): Promise<Delivery> {
  await subscribe(keyOf(channel), fields);
  return deliver(keyOf(channel));
}

let posts = 0;
function post(channel: string, changes: Partial<Post> = {}): Post {
  return {
    to: keyOf(channel),
    person: null,
    kind: "digest",
    attempt: 1,
    message: sentence(`Post ${++posts}`),
    nonce: `n${posts}`,
    ...changes,
  };
}

async function failureOf(posting: Promise<unknown>): Promise<PostError> {
  try {
    await posting;
  } catch (error) {
    if (error instanceof PostError) return error;
    throw error;
  }
  throw new Error("It was posted.");
}

const asked = (method: string, path: RegExp) =>
  world.discord.requests.filter((request) => request.method === method && path.test(request.path));

describe("a digest", () => {
  inWorld();

  test("comes into a text channel as one message that mentions nobody", async () => {
    const channel = room();
    const digest = await digestIn(channel);
    expect(digest.outcome).toBe("sent");
    const [message, ...others] = world.discord.messages(channel);
    expect(others).toEqual([]);
    expect(digest.ref).toBe(message?.id);
    expect(world.discord.textOf(message ?? null)).toMatch(/Daily Papers · Wed.*22 April/);
    const [request] = asked("POST", new RegExp(`^/channels/${channel}/messages`));
    expect(request?.body).toMatchObject({
      allowed_mentions: { parse: [] },
      nonce: digest.id,
      enforce_nonce: true,
    });
  });

  test("is paged through in its channel, and in no other", async () => {
    const channel = room();
    await digestIn(channel);
    const [message] = world.discord.messages(channel);
    if (message === undefined) throw new Error("There is none.");
    const next = await world.discord.press(world.sam, message, pageLabel(message));
    expect(next.ephemeral).toBe(true);
    expect(next.text).toContain("6 · ");
  });

  test("wakes an archived thread, and goes into a direct message", async () => {
    const thread = world.discord.addThread(room(), { archived: true });
    expect((await digestIn(thread)).outcome).toBe("sent");
    expect(textsIn(thread)).toHaveLength(1);
    const direct = world.discord.directMessages(world.sam);
    await subscribe(keyOf(direct, ""));
    expect((await deliver(keyOf(direct, ""))).outcome).toBe("sent");
    expect(textsIn(direct)).toHaveLength(1);
  });

  test("opens an archived thread itself where Discord wants that first", async () => {
    const thread = world.discord.addThread(room(), { archived: true });
    const route = new RegExp(`/channels/${thread}/messages`);
    world.discord.fail({ method: "POST", route, how: { kind: "forbidden", code: 50083 } });
    expect((await digestIn(thread)).outcome).toBe("sent");
    expect(textsIn(thread)).toHaveLength(1);
    expect(asked("PATCH", new RegExp(`^/channels/${thread}$`))).toMatchObject([
      { body: { archived: false } },
    ]);
  });

  test.each([
    ["locked", { locked: true }, /This thread is locked/],
    ["archived and locked", { locked: true, archived: true }, /This thread is archived and locked/],
  ])(
    "is refused by a thread that is %s, which pauses it and tells who set it up",
    async (_, thread, reason) => {
      const channel = world.discord.addThread(room(), thread);
      const before = textsIn(world.discord.directMessages(world.ada)).length;
      const digest = await digestIn(channel);
      expect(digest).toMatchObject({ outcome: "rejected", detail: expect.stringMatching(reason) });
      expect((await world.desk.channels.channel(keyOf(channel)))?.paused?.reason).toMatch(reason);
      const told = textsIn(world.discord.directMessages(world.ada));
      expect(told).toHaveLength(before + 1);
      expect(told.at(-1)).toMatch(/Digests are paused.*\/papers resume/s);
      expect(told.at(-1)).toContain("a thread on Efficient Inference Lab");
      const links = JSON.stringify(world.discord.messages(world.discord.directMessages(world.ada)).at(-1));
      expect(links).toContain(`https://discord.com/channels/${world.guildId}/${channel}`);
    },
  );

  test.each([
    ["with a tag that fits", { tags: ["Chat", "Daily papers"], needsTag: false }, ["Daily papers"]],
    ["with any tag where there must be one", { tags: ["Chat"], needsTag: true }, ["Chat"]],
    ["without a tag where none fits", { tags: ["Chat"], needsTag: false }, []],
    ["without tags", {}, []],
  ])("is a post of its own in a forum %s", async (_, forum, tags) => {
    const channel = room({ type: "forum", ...forum });
    const digest = await digestIn(channel);
    expect(digest.outcome).toBe("sent");
    const ids = tags.map((tag) => world.discord.tags(channel)[tag]);
    expect(world.discord.threads(channel)).toMatchObject([
      { id: digest.ref, name: expect.stringMatching(/^Daily Papers · Wed.*22 April/), applied_tags: ids },
    ]);
  });

  test("is refused by a forum that needs a tag and has none", async () => {
    const digest = await digestIn(room({ type: "forum", needsTag: true }));
    expect(digest).toMatchObject({ outcome: "rejected", detail: expect.stringContaining("need a tag") });
  });

  test("is legal whatever its papers are called, has 664 authors and lacks thumbnails", async () => {
    const channel = room();
    await subscribe(keyOf(channel), { top: 20, readFrom: "2026-04-09" });
    expect((await deliver(keyOf(channel))).outcome).toBe("sent");
    const days = await world.desk.store.days({ to: "2026-04-22", limit: 16 });
    const titles = new Set<string>();
    for (const { day } of days) {
      const own = room();
      const papers = (await world.desk.store.list(day))?.papers ?? [];
      for (const { title } of papers) titles.add(title);
      const message: Message = {
        ...sentence(day),
        items: papers.map((paper, index) => ({
          rank: index + 1,
          title: paper.title,
          url: `https://huggingface.co/papers/${paper.id}`,
          body: `${paper.abstract} @everyone <@&${world.guildId}>`,
          facts: paper.authors.map(({ name }) => name),
          thumbnail: paper.thumbnailUrl === null ? null : { url: paper.thumbnailUrl, alt: paper.title },
        })),
      };
      await world.bot.post(post(own, { message }));
      const [standing] = world.discord.messages(own);
      expect(standing).toMatchObject({ mentions: [], mention_roles: [], mention_everyone: false });
    }
    expect([...titles].some((title) => /[<$`*_]/.test(title))).toBe(true);
  });

  test("comes without thumbnails where Discord refuses one", async () => {
    const channel = room();
    const route = new RegExp(`/channels/${channel}/messages`);
    world.discord.fail({ method: "POST", route, how: { kind: "forbidden", code: 50035 } });
    expect((await digestIn(channel)).outcome).toBe("sent");
    expect(world.events.splice(0).map(({ kind }) => kind)).toEqual(["unexpected"]);
    expect(JSON.stringify(world.discord.messages(channel))).not.toContain("cdn-thumbnails");
  });
});

describe("an announcement", () => {
  inWorld({ limits: { "POST /channels/:channel/messages": { requests: 1000, perMs: 1000 } } });
  const isCrossposted = ({ flags }: APIMessage) => ((flags ?? 0) & 1) !== 0;

  test("is passed on to followers where its channel says so, and else is not", async () => {
    for (const publish of [true, false]) {
      const channel = room({ type: "announcement" });
      expect((await digestIn(channel, { publish })).outcome).toBe("sent");
      expect(world.discord.messages(channel).map(isCrossposted)).toEqual([publish]);
    }
  });

  test.each<[string, Fault["how"]]>([
    ["the quota is used up", { kind: "rate-limit", scope: "user", retryAfterMs: 3_600_000 }],
    ["Discord breaks", { kind: "status", status: 500 }],
    ["it may not be passed on", { kind: "forbidden", code: 50013 }],
    ["the answer is lost", { kind: "reset", after: true }],
  ])("stands where %s", async (_, how) => {
    const channel = room({ type: "announcement" });
    world.discord.fail({ method: "POST", route: new RegExp(`${channel}/messages/\\d+/crosspost`), how });
    expect((await digestIn(channel, { publish: true })).outcome).toBe("sent");
    expect(textsIn(channel)).toHaveLength(1);
    expect(world.events.map(({ kind }) => kind)).toEqual(["trouble"]);
  });

  test("that was passed on before its outcome was written down is no trouble", async () => {
    const channel = room({ type: "announcement" });
    await subscribe(keyOf(channel), { publish: true, next: null });
    const digest = post(channel);
    const { ref } = await world.bot.post(digest);
    expect(await world.bot.post({ ...digest, attempt: 2 })).toEqual({ ref });
    expect(asked("POST", new RegExp(`${channel}/messages/\\d+/crosspost`))).toHaveLength(2);
    expect(world.events).toEqual([]);
  });

  test("of ten an hour the eleventh is posted and not passed on, and asks for nothing", async () => {
    const channel = room({ type: "announcement" });
    await subscribe(keyOf(channel), { publish: true, next: null });
    for (let number = 0; number < 11; number++) await world.bot.post(post(channel));
    expect(world.discord.messages(channel).filter(isCrossposted)).toHaveLength(10);
    expect(textsIn(channel)).toHaveLength(11);
    const passedOn = asked("POST", new RegExp(`${channel}/messages/\\d+/crosspost`));
    expect(passedOn.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(world.events.map(({ kind }) => kind)).toEqual(["trouble"]);
  });
});

describe("one message, not two,", () => {
  inWorld({ timeoutMs: 300 });

  test.each<[string, Fault["how"]]>([
    ["breaks before it took it", { kind: "status", status: 500 }],
    ["breaks after it took it", { kind: "status", status: 502, after: true }],
    ["resets the connection before", { kind: "reset" }],
    ["resets the connection after", { kind: "reset", after: true }],
    ["hangs before", { kind: "hang" }],
    ["hangs after", { kind: "hang", after: true }],
  ])("stands where Discord %s", async (_, how) => {
    const places = [
      room(),
      world.discord.addThread(room()),
      room({ type: "announcement" }),
      room({ type: "forum" }),
    ];
    const faults = places.map((place) => {
      const fault = { method: "POST", route: new RegExp(`/channels/${place}/(messages|threads)$`), how };
      return world.discord.fail(fault);
    });
    for (const place of places) await subscribe(keyOf(place));
    await world.sender.tick();
    await world.sender.deliver();
    for (const place of places) {
      expect.soft((await deliver(keyOf(place))).outcome).toBe("sent");
      const standing = world.discord.threads(place).length + world.discord.messages(place).length;
      expect.soft(standing).toBe(1);
    }
    for (const fault of faults) {
      expect(fault.hits()).toBe(1);
      fault.release();
    }
  });

  test("stands also where the second try comes when Discord has forgotten the first", async () => {
    for (const type of ["text", "forum"] as const) {
      const channel = room({ type });
      const digest = post(channel);
      const route = new RegExp(`/channels/${channel}/(messages|threads)$`);
      world.discord.fail({ method: "POST", route, how: { kind: "status", status: 502, after: true } });
      expect((await failureOf(world.bot.post(digest))).kind).toBe("uncertain");
      await world.pass(20 * MINUTE);
      if (type === "text") world.discord.say(world.sam, channel, "Anything new?");
      const { ref } = await world.bot.post({ ...digest, attempt: 2 });
      const standing = [...world.discord.threads(channel), ...world.discord.messages(channel)];
      const own = standing.filter((each) => "id" in each && each.id === ref);
      expect(own).toHaveLength(1);
      expect(standing).toHaveLength(type === "text" ? 2 : 1);
    }
  });

  test("stands where the history may not be read, as long as Discord remembers", async () => {
    for (const type of ["text", "forum"] as const) {
      const channel = room({ type });
      world.discord.setOverwrite(channel, world.guildId, { deny: ["READ_MESSAGE_HISTORY"] });
      const digest = post(channel);
      const route = new RegExp(`/channels/${channel}/(messages|threads)$`);
      world.discord.fail({ method: "POST", route, how: { kind: "reset", after: true } });
      await failureOf(world.bot.post(digest));
      await world.bot.post({ ...digest, attempt: 2 });
      expect([...world.discord.threads(channel), ...world.discord.messages(channel)]).toHaveLength(1);
    }
  });

  test("stands for each of two digests with the same words on different days", async () => {
    const channel = room();
    const first = post(channel);
    await world.bot.post(first);
    await world.pass(25 * 60 * MINUTE);
    await world.bot.post({ ...first, nonce: "another", attempt: 2 });
    expect(textsIn(channel)).toHaveLength(2);
  });

  test("is not made a second time while it is unknown whether it stands", async () => {
    const channel = room();
    const digest = post(channel);
    world.discord.fail({ method: "POST", how: { kind: "status", status: 502, after: true } });
    await failureOf(world.bot.post(digest));
    await world.pass(20 * MINUTE);
    world.discord.fail({ method: "GET", route: /\/messages/, how: { kind: "status", status: 503 } });
    await failureOf(world.bot.post({ ...digest, attempt: 2 }));
    await world.bot.post({ ...digest, attempt: 3 });
    expect(textsIn(channel)).toHaveLength(1);
  });
});

describe("a limit", () => {
  inWorld();

  test.each(["user", "shared"] as const)(
    "of the scope %s is obeyed, and holds up no other channel",
    async (scope) => {
      const [limited, other] = [room(), room()];
      const route = new RegExp(`/channels/${limited}/messages`);
      world.discord.fail({ method: "POST", route, how: { kind: "rate-limit", scope, retryAfterMs: 7000 } });
      await subscribe(keyOf(limited));
      await subscribe(keyOf(other));
      const digest = await deliver(keyOf(limited));
      expect(digest.outcome).toBe("pending");
      const waits = Date.parse(digest.nextAttemptAt) - world.desk.clock().getTime();
      expect(waits).toBeGreaterThanOrEqual(7000);
      expect(waits).toBeLessThan(9000);
      expect(textsIn(other)).toHaveLength(1);
      expect(textsIn(limited)).toHaveLength(0);
      world.desk.setNow(digest.nextAttemptAt);
      expect((await deliver(keyOf(limited))).outcome).toBe("sent");
      expect(textsIn(limited)).toHaveLength(1);
    },
  );

  test("of all of the bot's requests holds all of them up, and no request is made meanwhile", async () => {
    const [limited, other] = [room(), room()];
    const how = { kind: "rate-limit", scope: "global", retryAfterMs: 900 } as const;
    world.discord.fail({ method: "POST", how });
    const error = await failureOf(world.bot.post(post(limited)));
    expect(error).toMatchObject({ kind: "retry" });
    expect(error.retryAfterMs).toBeGreaterThanOrEqual(900);
    const before = world.discord.requests.length;
    const held = await failureOf(world.bot.post(post(other)));
    expect(held).toMatchObject({ kind: "retry" });
    expect(held.retryAfterMs).toBeGreaterThan(0);
    expect(world.discord.requests.length).toBe(before);
    await vi.waitFor(() => world.bot.post(post(other)), { timeout: 5000, interval: 100 });
  });

  test("that its headers tell of is kept without a refusal", async () => {
    const channel = room();
    for (let number = 0; number < 5; number++) await world.bot.post(post(channel));
    const error = await failureOf(world.bot.post(post(channel)));
    expect(error).toMatchObject({ kind: "retry" });
    expect(error.retryAfterMs).toBeGreaterThan(3000);
    expect(textsIn(channel)).toHaveLength(5);
    expect(asked("POST", new RegExp(channel)).map(({ status }) => status)).not.toContain(429);
  });
});

describe("a refusal", () => {
  inWorld();

  test.each<[string, (channel: string) => void, RegExp]>([
    ["its channel was deleted", (channel) => world.discord.deleteChannel(channel), /This channel is gone/],
    [
      "it may not write there any more",
      (channel) => world.discord.setOverwrite(channel, world.guildId, { deny: ["SEND_MESSAGES"] }),
      /allow it Send Messages/,
    ],
    [
      "it does not see it any more",
      (channel) => world.discord.setOverwrite(channel, world.guildId, { deny: ["VIEW_CHANNEL"] }),
      /allow it View Channel/,
    ],
  ])(
    "pauses a channel where %s in mid-run, and is told to who set it up, once",
    async (_, happen, reason) => {
      const channel = room();
      const direct = world.discord.directMessages(world.ada);
      const before = textsIn(direct).length;
      const how = { kind: "rate-limit", scope: "shared", retryAfterMs: 1000 } as const;
      world.discord.fail({ method: "POST", route: new RegExp(`/channels/${channel}/messages`), how });
      const { nextAttemptAt } = await digestIn(channel);
      happen(channel);
      world.desk.setNow(nextAttemptAt);
      const digest = await deliver(keyOf(channel));
      expect(digest).toMatchObject({ outcome: "rejected", detail: expect.stringMatching(reason) });
      expect((await world.desk.channels.channel(keyOf(channel)))?.paused).toMatchObject({
        until: null,
        reason: expect.stringMatching(reason),
      });
      await deliver(keyOf(channel));
      expect(textsIn(direct)).toHaveLength(before + 1);
      expect(textsIn(direct).at(-1)).toMatch(reason);
    },
  );

  test("of one who takes no direct messages ends there", async () => {
    const shy = world.discord.addMember(world.guildId, { name: "Shy", isOpen: false });
    const channel = room();
    world.discord.deleteChannel(channel);
    await digestIn(channel, { setUpBy: shy });
    const [notice] = (await world.desk.ledger.history(keyOf(channel), 5)).filter(
      ({ kind }) => kind === "notice",
    );
    expect(notice).toMatchObject({
      outcome: "rejected",
      detail: "This person takes no direct messages from Paperboy.",
    });
    const direct = world.discord.directMessages(shy);
    await subscribe(keyOf(direct, ""), { setUpBy: shy });
    expect((await deliver(keyOf(direct, ""))).outcome).toBe("rejected");
  });

  test("of a proxy on the way pauses nothing", async () => {
    const channel = room();
    const route = new RegExp(`/channels/${channel}/messages`);
    world.discord.fail({ method: "POST", route, how: { kind: "status", status: 403 } });
    expect((await digestIn(channel)).outcome).toBe("sent");
  });

  test("of a server that removed Paperboy a moment ago pauses nothing, and all goes on once it is back", async () => {
    const guild = world.discord.addGuild({ name: "Another lab" });
    const channel = world.discord.addChannel(guild.id);
    const key = keyOf(channel, guild.id);
    await vi.waitFor(() => expect(world.discord.messages(channel)).toHaveLength(1));
    await subscribe(key);
    await world.sender.tick();
    // The gateway has told of it only after the post.
    world.discord.fail({
      method: "POST",
      route: new RegExp(channel),
      how: { kind: "forbidden", code: 50001 },
    });
    world.discord.fail({ method: "GET", route: /\/guilds\/\d+$/, how: { kind: "forbidden", code: 50001 } });
    await world.sender.deliver();
    const [digest] = await world.desk.ledger.history(key, 1);
    expect(digest).toMatchObject({ outcome: "pending", detail: "Paperboy is not on this server." });
    expect((await world.desk.channels.channel(key))?.paused).toBeNull();
    world.discord.kickBot(guild.id);
    await vi.waitFor(async () => expect(await world.desk.channels.departed("discord")).toEqual([guild.id]));
    world.desk.setNow("2026-04-22T14:00:00.000Z");
    expect((await deliver(key)).outcome).toBe("pending");
    world.discord.inviteBot(guild.id);
    await vi.waitFor(async () => expect(await world.desk.channels.departed("discord")).toEqual([]));
    expect((await deliver(key)).outcome).toBe("sent-late");
    expect(textsIn(channel).filter((text) => text.includes("Daily Papers · Wed"))).toHaveLength(1);
  });
});

describe("too many refusals", () => {
  test("stop all requests, well before Discord bans the address", async () => {
    world = await createWorld({ library });
    const { discord } = world;
    const reported: string[] = [];
    let now = 0;
    const sending = createSending({
      apiUrl: discord.apiUrl,
      token: discord.token(),
      now: () => now,
      wait: async () => {},
      report: ({ kind }) => reported.push(kind),
      mostInvalid: 40,
    });
    const channel = room();
    world.discord.setOverwrite(channel, world.guildId, { deny: ["VIEW_CHANNEL"] });
    const ask = () => sending.request("get", `/channels/${channel}`);
    const before = discord.requests.length;
    let error: unknown = null;
    for (let asks = 0; asks < 60 && !(error instanceof PostError); asks++) {
      error = await ask().catch((reason: unknown) => reason);
    }
    expect(error).toMatchObject({ kind: "retry", message: expect.stringContaining("left alone") });
    const made = discord.requests.length - before;
    expect(made).toBeLessThanOrEqual(40);
    expect(reported).toEqual(["refused"]);
    expect(sending.trouble()).toContain("left alone");
    await expect(ask()).rejects.toBeInstanceOf(PostError);
    expect(discord.requests.length - before).toBe(made);
    now += 11 * MINUTE;
    expect(sending.trouble()).toBeNull();
    await expect(ask()).rejects.not.toBeInstanceOf(PostError);
    await world.close();
  });
});

describe("the token", () => {
  test("that Discord refused by a slip is tried again, and nothing is lost", async () => {
    world = await createWorld({ library });
    const channel = room();
    world.discord.fail({ method: "POST", how: { kind: "unauthorized" } });
    await subscribe(keyOf(channel));
    const digest = await deliver(keyOf(channel));
    expect(digest.outcome).toBe("pending");
    expect(world.bot.trouble()).toContain("Discord refuses the token");
    // What comes meanwhile is not sent at all.
    const before = world.discord.requests.length;
    expect(await failureOf(world.bot.post(post(channel)))).toMatchObject({ kind: "retry" });
    expect(world.discord.requests.length).toBe(before);
    await world.pass(5000);
    await vi.waitFor(() => expect(world.bot.trouble()).toBeNull());
    expect(world.events.map(({ kind }) => kind)).not.toContain("refused");
    world.desk.setNow(digest.nextAttemptAt);
    expect((await deliver(keyOf(channel))).outcome).toBe("sent");
    expect(textsIn(channel)).toHaveLength(1);
    await world.close();
  });

  test("that was revoked is said once, deliveries wait, and all goes on when it is taken again", async () => {
    world = await createWorld({ library });
    const channel = room();
    const revoked = world.discord.fail({
      times: Number.POSITIVE_INFINITY,
      route: /^(?!\/interactions)/,
      how: { kind: "unauthorized" },
    });
    world.discord.closeSockets(4004);
    await subscribe(keyOf(channel));
    expect((await deliver(keyOf(channel))).outcome).toBe("pending");
    for (let minutes = 0; minutes < 60; minutes += 1) {
      await world.pass(MINUTE);
      await vi.waitFor(() => expect(world.bot.trouble()).toContain("Discord refuses the token"));
    }
    const refusals = world.events.flatMap((event) => (event.kind === "refused" ? [event.detail] : []));
    expect(refusals).toEqual([expect.stringContaining("Discord refuses the token in DISCORD_TOKEN")]);
    expect(world.events.filter(({ kind }) => kind === "unexpected")).toEqual([]);
    revoked.release();
    await vi.waitFor(
      async () => {
        await world.pass(MINUTE);
        expect(world.bot.trouble()).toBeNull();
      },
      { timeout: 10_000, interval: 20 },
    );
    world.desk.setNow("2026-04-22T13:10:00.000Z");
    expect((await deliver(keyOf(channel))).outcome).toBe("sent-late");
    expect(textsIn(channel)).toHaveLength(1);
    expect((await world.discord.slash(world.sam, channel, "help")).text).toContain("Paperboy");
    await world.close();
  });
});

function pageLabel(message: APIMessage): string {
  return /"label":"(Next page[^"]*)"/.exec(JSON.stringify(message))?.[1] ?? "";
}
