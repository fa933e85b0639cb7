import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commands } from "../../src/core/commands.ts";
import { createChannelStore } from "../../src/storage/channels.ts";
import { openSqlite } from "../../src/storage/database.ts";
import { refusal, startAnswers, TOKEN } from "../bots/discord/answers.ts";
import { madeUpState } from "../contracts/channel-store.ts";
import { emptyFolder, runPaperboy } from "./paperboy.ts";

let discord: Awaited<ReturnType<typeof startAnswers>>;
let env: Record<string, string>;

beforeAll(async () => {
  discord = await startAnswers({
    "GET /applications/@me": { body: { id: "7", name: "Daily Papers" } },
    "GET /users/@me": { body: { id: "2", username: "Paperboy" } },
    "GET /users/@me/guilds": { body: [{ id: "1" }] },
    "GET /gateway/bot": {
      body: { shards: 1, session_start_limit: { total: 1000, remaining: 998, reset_after: 0 } },
    },
    "GET /applications/7/commands": { body: [] },
    "PUT /applications/7/commands": { body: [] },
    "GET /guilds/1": {
      body: { id: "1", name: "Lab", owner_id: "9", roles: [{ id: "1", permissions: "1024" }] },
    },
    "GET /guilds/1/members/2": { body: { roles: [] } },
    "GET /channels/11": { body: { type: 0, name: "papers" } },
  });
  env = {
    DISCORD_TOKEN: TOKEN,
    DISCORD_API_URL: discord.url,
    DATABASE_URL: `sqlite:${join(emptyFolder(), "paperboy.db")}`,
  };
});
afterAll(() => discord.close());

describe("paperboy register", () => {
  test("registers what is missing, then changes nothing", async () => {
    expect(await runPaperboy(["register"], { env })).toEqual({
      code: 0,
      stdout: `Registered /papers with ${commands.length} subcommands.\n`,
      stderr: "",
    });
    const put = discord.asked.find(({ route }) => route.startsWith("PUT"));
    discord.tell("GET /applications/7/commands", { body: put?.body });
    expect((await runPaperboy(["register"], { env })).stdout).toBe(
      "Nothing to change: /papers is registered as it should be.\n",
    );
    expect(JSON.parse((await runPaperboy(["register", "--json"], { env })).stdout)).toEqual({
      changed: false,
      subcommands: commands.length,
      others: [],
    });
    expect(discord.asked.filter(({ route }) => route.startsWith("PUT"))).toHaveLength(1);
  });

  test("without a token, or with a wrong one, says in a sentence what to do", async () => {
    const without = await runPaperboy(["register"], { env: { ...env, DISCORD_TOKEN: "" } });
    expect(without).toEqual({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^DISCORD_TOKEN is not set: .*\n$/),
    });
    const wrong = await runPaperboy(["register"], { env: { ...env, DISCORD_TOKEN: "wrong-token" } });
    expect(wrong).toEqual({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^Discord refuses the token .*\n$/),
    });
    expect(wrong.stderr).not.toContain("wrong-token");
  });
});

describe("paperboy doctor", () => {
  test("finds the channel that its digest cannot reach, and says so with exit code 1", async () => {
    const db = await openSqlite(env["DATABASE_URL"]!.replace("sqlite:", ""));
    const key = { platform: "discord", workspace: "1", channel: "11" } as const;
    await createChannelStore(db).change(key, () => madeUpState(key));
    await db.destroy();
    const { code, stdout, stderr } = await runPaperboy(["doctor"], { env });
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toMatch(/^Discord\n✓ token {8}accepted for the bot Paperboy\n/);
    expect(stdout).toContain("✗ channel      #papers on Lab lacks Send Messages");
    expect(stdout).toContain("\nTo invite the bot: https://discord.com/oauth2/authorize?client_id=7&");
    expect(stdout).not.toContain(TOKEN);
  });

  test("tells programs the same, with exit code 0 once there is no error", async () => {
    discord.tell("GET /channels/11", refusal(404, 10_003, "Unknown Channel"));
    const { code, stdout } = await runPaperboy(["doctor", "--json"], { env });
    expect(code).toBe(0);
    const { ok, checks, invite } = JSON.parse(stdout);
    expect({ ok, invite }).toEqual({ ok: true, invite: expect.stringContaining("permissions=") });
    expect(checks).toContainEqual({
      platform: "discord",
      name: "channel",
      state: "warning",
      detail: "11 on Lab no longer exists",
      fix: expect.any(String),
    });
  });

  test("with no token set has nothing to look at, which is wrong usage", async () => {
    expect(await runPaperboy(["doctor"], { env: { ...env, DISCORD_TOKEN: "" } })).toEqual({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(
        /^There is nothing to look at while neither DISCORD_TOKEN nor SLACK_BOT_TOKEN is set: .*\n$/,
      ),
    });
  });
});
