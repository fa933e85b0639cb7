import { PermissionFlagsBits } from "discord.js";
import { afterEach, describe, expect, test } from "vitest";
import { examineDiscord } from "../../../src/bots/discord/doctor.ts";
import { commandsFor } from "../../../src/bots/discord/registration.ts";
import { createRest } from "../../../src/bots/discord/rest.ts";
import type { Check } from "../../../src/core/bot.ts";
import type { ChannelKey } from "../../../src/core/channel.ts";
import { commands } from "../../../src/core/commands.ts";
import { type Answer, refusal, startAnswers, TOKEN } from "./answers.ts";

const { ViewChannel, SendMessages, SendMessagesInThreads, CreatePublicThreads, AttachFiles } =
  PermissionFlagsBits;
const ALL = ViewChannel | SendMessages | SendMessagesInThreads | CreatePublicThreads | AttachFiles;
const NOW = new Date("2026-04-22T09:00:00.000Z");

const APPLICATION = {
  id: "7",
  name: "Daily Papers",
  bot_public: true,
  bot_require_code_grant: false,
  interactions_endpoint_url: null,
  integration_types_config: { 0: {}, 1: {} },
  approximate_guild_count: 1,
};
const guild = (permissions: bigint): Answer => ({
  body: {
    id: "1",
    name: "Lab",
    owner_id: "9",
    roles: [
      { id: "1", permissions: "0" },
      { id: "3", permissions: String(permissions) },
    ],
  },
});
/** All as it should be, on one server with the bot's role. */
const WELL: Readonly<Record<string, Answer>> = {
  "GET /applications/@me": { body: APPLICATION },
  "GET /users/@me": { body: { id: "2", username: "Paperboy" } },
  "GET /gateway/bot": {
    body: {
      url: "wss://gateway.discord.gg",
      shards: 1,
      session_start_limit: { total: 1000, remaining: 998, reset_after: 14_400_000, max_concurrency: 1 },
    },
  },
  "GET /applications/7/commands": { body: commandsFor(commands) },
  "GET /users/@me/guilds": { body: [{ id: "1", name: "Lab" }] },
  "GET /guilds/1": guild(ALL),
  "GET /guilds/1/members/2": { body: { roles: ["3"], communication_disabled_until: null } },
  "GET /channels/11": {
    body: { id: "11", type: 0, name: "papers", guild_id: "1", permission_overwrites: [] },
  },
};
const PAPERS: ChannelKey = { platform: "discord", workspace: "1", channel: "11" };

let discord: Awaited<ReturnType<typeof startAnswers>> | null = null;
afterEach(async () => {
  await discord?.close();
  discord = null;
});

async function examine(
  changes: Readonly<Record<string, Answer>> = {},
  {
    subscribed = [PAPERS],
    total = subscribed.length,
  }: { subscribed?: readonly ChannelKey[]; total?: number } = {},
) {
  discord = await startAnswers({ ...WELL, ...changes });
  const { checks, invite } = await examineDiscord({
    rest: createRest({ token: TOKEN, apiUrl: discord.url }),
    commands,
    channels: { subscribed: async (_, limit) => ({ channels: subscribed.slice(0, limit), total }) },
    now: NOW,
  });
  return { checks, invite, of: (name: string) => checks.filter((check) => check.name === name) };
}

const found = (state: Check["state"], detail: unknown, fix: unknown = null) => ({
  platform: "discord",
  state,
  detail,
  fix,
  name: expect.any(String),
});
const containing = (text: string): unknown => expect.stringContaining(text);

describe("the doctor of Discord, where all is well", () => {
  test("says so of everything, in order, and gives the link", async () => {
    const { checks, invite } = await examine();
    expect(checks.map(({ name, state, detail, fix }) => [name, state, detail, fix])).toEqual([
      ["token", "ok", "accepted for the bot Paperboy", null],
      ["application", "ok", "Daily Papers, public: whoever has the link can invite it", null],
      ["gateway", "ok", "1 shard, 998 of 1,000 session starts left", null],
      ["intents", "ok", containing("Guilds alone, which is not privileged"), null],
      ["commands", "ok", "/papers is registered as it should be", null],
      ["servers", "ok", "in 1 server", null],
      ["channels", "ok", "1 channel with a subscription", null],
    ]);
    expect(invite).toContain("client_id=7&");
  });

  test("only reads, and opens no session", async () => {
    await examine();
    expect(discord!.asked.every(({ route }) => route.startsWith("GET "))).toBe(true);
    expect(discord!.asked.map(({ route }) => route)).not.toContain("GET /gateway");
  });
});

describe("the doctor of Discord", () => {
  test("ends at a refused token, which it never repeats", async () => {
    const { checks, invite } = await examine({
      "GET /applications/@me": refusal(401, 0, "401: Unauthorized"),
    });
    expect(checks).toEqual([
      found("error", "Discord refuses the token in DISCORD_TOKEN", containing("Reset Token")),
    ]);
    expect(invite).toBeNull();
    expect(discord!.asked).toHaveLength(1);
    expect(JSON.stringify(checks)).not.toContain(TOKEN);
  });

  test.each<[string, object, Check["state"], string, string]>([
    [
      "commands that go elsewhere",
      { interactions_endpoint_url: "https://example.com/i" },
      "error",
      "https://example.com/i",
      "/7/information",
    ],
    ["a code grant", { bot_require_code_grant: true }, "error", "code grant", "/7/bot"],
    [
      "an application that no server can install",
      { integration_types_config: { 1: {} } },
      "error",
      "no server",
      "/7/installation",
    ],
    [
      "an application that no person can install",
      { integration_types_config: { 0: {} } },
      "warning",
      "for themselves",
      "/7/installation",
    ],
  ])("finds %s in the settings and says where to change it", async (_, settings, state, detail, fix) => {
    const { of } = await examine({ "GET /applications/@me": { body: { ...APPLICATION, ...settings } } });
    expect(of("application")).toEqual([found(state, containing(detail), containing(fix))]);
  });

  test("takes a private application for one that is meant so", async () => {
    const { of } = await examine({
      "GET /applications/@me": { body: { ...APPLICATION, bot_public: false } },
    });
    expect(of("application")).toEqual([found("ok", containing("only you can invite it"))]);
  });

  test.each<[number, number, Check["state"]]>([
    [50, 1, "ok"],
    [49, 1, "warning"],
    [3, 4, "error"],
    [0, 1, "error"],
  ])("with %i starts left for %i shards says %s", async (remaining, shards, state) => {
    const limit = { total: 1000, remaining, reset_after: 7_200_001, max_concurrency: 1 };
    const { of } = await examine({
      "GET /gateway/bot": { body: { url: "", shards, session_start_limit: limit } },
    });
    expect(of("gateway")).toMatchObject([{ state }]);
    if (state !== "ok") expect(of("gateway")[0]!.fix).toContain("3 h");
  });

  test.each<[string, object[], Check["state"]]>([
    ["missing", [], "error"],
    ["of another version", [{ ...commandsFor(commands)[0], description: "Older" }], "warning"],
  ])("finds commands that are %s", async (_, registered, state) => {
    const { of } = await examine({ "GET /applications/7/commands": { body: registered } });
    expect(of("commands")).toEqual([found(state, expect.any(String), "npx paperboy register")]);
  });

  test("ends where Discord is out of reach", async () => {
    const { checks, invite } = await examine({ "GET /applications/@me": { raw: "<html>Sign in</html>" } });
    expect(checks).toEqual([
      found("error", containing("does not speak as Discord"), containing("DISCORD_API_URL")),
    ]);
    expect(checks[0]!.name).toBe("connection");
    expect(invite).toBeNull();
  });

  test("goes on where Discord fails at one question", async () => {
    const { of, checks } = await examine({ "GET /gateway/bot": { status: 503, raw: "" } });
    expect(of("gateway")).toEqual([found("error", containing("(503)"), containing("try again"))]);
    expect(checks.filter(({ state }) => state === "ok")).toHaveLength(6);
  });

  test("says that it is in no server, and about how many when there are many", async () => {
    expect((await examine({ "GET /users/@me/guilds": { body: [] } })).of("servers")).toEqual([
      found("warning", "in none yet", containing("link")),
    ]);
    await discord?.close();
    const many = Array.from({ length: 200 }, (_, at) => ({ id: String(at) }));
    const { of } = await examine({
      "GET /users/@me/guilds": { body: many },
      "GET /applications/@me": { body: { ...APPLICATION, approximate_guild_count: 5120 } },
    });
    expect(of("servers")).toEqual([found("ok", "in about 5,120 servers")]);
  });
});

describe("the doctor of Discord, in channels with a subscription", () => {
  const thread = { id: "12", type: 11, name: "on agents", guild_id: "1", parent_id: "11" };
  const open = { archived: false, locked: false, auto_archive_duration: 1440 };
  const deny = (bits: bigint) => [{ id: "3", type: 0, allow: "0", deny: String(bits) }];
  const papers = (fields: object): Answer => ({
    body: { id: "11", type: 0, name: "papers", guild_id: "1", permission_overwrites: [], ...fields },
  });

  test.each<[string, Record<string, Answer>, Check["state"], unknown, unknown]>([
    [
      "a permission that the server denies",
      { "GET /guilds/1": guild(ALL & ~SendMessages) },
      "error",
      "#papers on Lab lacks Send Messages",
      "Edit Channel > Permissions there: allow it to Paperboy",
    ],
    [
      "permissions that the channel denies",
      { "GET /channels/11": papers({ permission_overwrites: deny(ViewChannel | SendMessages) }) },
      "error",
      "#papers on Lab lacks View Channel and Send Messages",
      containing("allow them"),
    ],
    [
      "a forum where it cannot post",
      { "GET /channels/11": papers({ type: 15, permission_overwrites: deny(SendMessages) }) },
      "error",
      "#papers on Lab lacks Create Posts",
      containing("allow it"),
    ],
    [
      "a permission that only discussions need",
      { "GET /guilds/1": guild(ALL & ~CreatePublicThreads) },
      "warning",
      "#papers on Lab lacks Create Public Threads, though digests arrive",
      containing("allow it"),
    ],
    [
      "a channel that it cannot see",
      { "GET /channels/11": refusal(403, 50_001, "Missing Access") },
      "error",
      "11 on Lab lacks View Channel",
      containing("Permissions"),
    ],
    [
      "a channel that is gone",
      { "GET /channels/11": refusal(404, 10_003, "Unknown Channel") },
      "warning",
      "11 on Lab no longer exists",
      containing("nothing"),
    ],
    [
      "a server that it has left",
      { "GET /guilds/1": refusal(404, 10_004, "Unknown Guild") },
      "warning",
      "11 is on a server that the bot has left",
      containing("invite"),
    ],
    [
      "a time-out",
      {
        "GET /guilds/1/members/2": {
          body: { roles: ["3"], communication_disabled_until: "2026-04-22T09:00:01Z" },
        },
      },
      "error",
      "#papers on Lab: the bot is timed out there",
      containing("moderator"),
    ],
    [
      "a closed, locked thread",
      {
        "GET /channels/11": {
          body: { ...thread, parent_id: "13", thread_metadata: { ...open, archived: true, locked: true } },
        },
        "GET /channels/13": papers({}),
      },
      "error",
      "#on agents on Lab is closed and locked",
      containing("reopen"),
    ],
    [
      "a fault at one channel",
      { "GET /channels/11": { status: 500, raw: "" } },
      "warning",
      containing("11 on Lab was not looked at: Discord answers"),
      containing("try again"),
    ],
  ])("finds %s", async (_, changes, state, detail, fix) => {
    const { of } = await examine(changes);
    expect(of("channel")).toEqual([found(state, detail, fix)]);
    expect(of("channels")).toEqual([
      state === "error"
        ? found("error", "1 channel with a subscription: 1 cannot be posted to")
        : found("ok", "1 channel with a subscription"),
    ]);
  });

  test("takes a thread's permissions from the channel above", async () => {
    const changes = (overwrites: object[]) => ({
      "GET /channels/12": { body: { ...thread, thread_metadata: open } },
      "GET /channels/11": papers({ permission_overwrites: overwrites }),
    });
    const subscribed = [{ ...PAPERS, channel: "12" }];
    expect((await examine(changes(deny(SendMessages)), { subscribed })).of("channel")).toEqual([]);
    await discord?.close();
    expect((await examine(changes(deny(SendMessagesInThreads)), { subscribed })).of("channel")).toEqual([
      found("error", "#on agents on Lab lacks Send Messages in Threads", containing("Permissions")),
    ]);
  });

  test("takes a thread that is closed but not locked for open, since a post opens it", async () => {
    const closed = { ...thread, thread_metadata: { ...open, archived: true } };
    const subscribed = [{ ...PAPERS, channel: "12" }];
    expect((await examine({ "GET /channels/12": { body: closed } }, { subscribed })).of("channel")).toEqual(
      [],
    );
  });

  test("knows that a time-out does not bind an administrator", async () => {
    const until = { roles: ["3"], communication_disabled_until: "2026-04-22T09:00:01Z" };
    const { of } = await examine({
      "GET /guilds/1": guild(PermissionFlagsBits.Administrator),
      "GET /guilds/1/members/2": { body: until },
    });
    expect(of("channel")).toEqual([]);
  });

  test("asks about a server once, and looks at direct messages without one", async () => {
    const subscribed = [PAPERS, PAPERS, { platform: "discord", workspace: "", channel: "14" } as const];
    const { of } = await examine({ "GET /channels/14": { body: { id: "14", type: 1 } } }, { subscribed });
    expect(of("channel")).toEqual([]);
    expect(discord!.asked.filter(({ route }) => route === "GET /guilds/1")).toHaveLength(1);
  });

  test("names no permission of a direct message that is closed to it", async () => {
    const subscribed = [{ platform: "discord", workspace: "", channel: "14" } as const];
    const { of } = await examine(
      { "GET /channels/14": refusal(403, 50_001, "Missing Access") },
      { subscribed },
    );
    expect(of("channel")).toEqual([found("warning", containing("14 was not looked at"), expect.any(String))]);
  });

  test("looks at a few dozen and counts the rest", async () => {
    const subscribed = Array.from({ length: 60 }, () => PAPERS);
    const { of } = await examine({}, { subscribed, total: 4812 });
    expect(of("channels")).toEqual([
      found("ok", "4,812 channels with a subscription, of which the next 30 were looked at"),
    ]);
    expect(discord!.asked.filter(({ route }) => route === "GET /channels/11")).toHaveLength(30);
  });

  test("lets nothing that a name holds steer the terminal", async () => {
    const { of } = await examine({
      "GET /guilds/1": guild(0n),
      "GET /channels/11": papers({ name: "pa\u001b[31mpers\u202e\n".repeat(20) }),
    });
    expect(of("channel")[0]!.detail).toMatch(/^[\x20-\x7e…]{1,100}$/);
  });
});
