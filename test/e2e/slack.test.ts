import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { addDays, feedDay } from "../../src/core/day.ts";
import { createChannelStore } from "../../src/storage/channels.ts";
import { openSqlite } from "../../src/storage/database.ts";
import { startDiscord } from "../peers/discord.ts";
import { type HuggingFacePeer, madeUpLists, startHuggingFace, weekdaysUntil } from "../peers/hugging-face.ts";
import { type SlackOptions, type SlackPeer, startSlack } from "../peers/slack.ts";
import { emptyFolder, runPaperboy, startPaperboy } from "./paperboy.ts";

const KEY = Buffer.alloc(32, 5).toString("base64");
let papers: HuggingFacePeer;
beforeAll(async () => {
  const days = weekdaysUntil(feedDay(new Date()), 8);
  papers = await startHuggingFace({ lists: madeUpLists({ days, perDay: 6, seed: 5 }) });
});
afterAll(() => papers.close());

const open: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

type Running = {
  readonly child: ChildProcess;
  /** Resolves with its address. */
  readonly ready: Promise<string>;
  readonly output: () => string;
  /** Ends it and tells its exit code. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null>;
};

/** The process, not ready yet. Whatever it prints in its life holds no token. */
function launch(env: Record<string, string>): Running {
  const child = startPaperboy(["start"], {
    env: { PORT: "0", HF_ENDPOINT: papers.url, LOG_LEVEL: "trace", ...env },
  });
  let output = "";
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  open.push(async () => {
    child.kill("SIGKILL");
    await exited;
    expect(output).not.toMatch(/xox[a-z]|xapp-|secret-of-the-local/);
  });
  const line = new RegExp(`^Paperboy is ready at (\\S+) \\(pid ${child.pid}\\)$`, "m");
  const ready = vi.waitUntil(() => line.exec(output)?.[1], { timeout: 20_000, interval: 50 });
  ready.catch(() => {});
  return {
    child,
    ready,
    output: () => output,
    end(signal) {
      child.kill(signal);
      return exited;
    },
  };
}

async function start(env: Record<string, string>): Promise<Running & { readonly url: string }> {
  const running = launch(env);
  return { ...running, url: await running.ready };
}

async function slackWith(options: SlackOptions = {}): Promise<SlackPeer> {
  const slack = await startSlack(options);
  open.push(slack.close);
  return slack;
}

/** A workspace with a channel that Ada and the bot are in. */
async function addLab(slack: SlackPeer, enterprise?: { readonly id: string; readonly name: string }) {
  const team = slack.addTeam({ name: "Efficient Inference Lab", enterprise: enterprise ?? null }).id;
  const ada = slack.addUser(team, { name: "ada" }).id;
  const channel = slack.addChannel(team, { name: "papers", members: [ada] }).id;
  return { team, ada, channel };
}

/** With two tokens, over a socket. */
async function socketLab(options: SlackOptions = {}) {
  const slack = await slackWith(options);
  const lab = await addLab(slack);
  const { token } = slack.install({ team: lab.team }, { scopes: ["commands", "chat:write", "users:read"] });
  await slack.invite(lab.channel);
  const path = join(emptyFolder(), "paperboy.db");
  const env = {
    DATABASE_URL: `sqlite:${path}`,
    SLACK_API_URL: slack.apiUrl,
    SLACK_BOT_TOKEN: token,
    SLACK_APP_TOKEN: slack.appToken,
  };
  return { slack, ...lab, env, path };
}

/** Many can install it, over HTTP. */
async function manyLab(options: SlackOptions = {}) {
  const slack = await slackWith(options);
  const path = join(emptyFolder(), "paperboy.db");
  const env = {
    DATABASE_URL: `sqlite:${path}`,
    SLACK_API_URL: slack.apiUrl,
    SLACK_CLIENT_ID: slack.clientId,
    SLACK_CLIENT_SECRET: slack.clientSecret,
    SLACK_SIGNING_SECRET: slack.signingSecret,
    SLACK_STATE_SECRET: "a-state-secret-of-the-local-tests",
    ENCRYPTION_KEY: KEY,
  };
  return { slack, env, path };
}

function point(slack: SlackPeer, url: string): void {
  slack.deliverTo(`${url}/slack/events`);
  slack.configure({ redirectUrl: `${url}/slack/oauth_redirect` });
}

const asks = async (slack: SlackPeer, who: string, channel: string, text: string) =>
  (await slack.command(who, channel, "/papers", text)).answered(10_000);

/** Makes a channel's digest due some hours ago, so that no list is waited for. */
async function makeDue(path: string, workspace: string, channel: string): Promise<void> {
  const db = await openSqlite(path);
  const at = new Date(Date.now() - 3 * 3_600_000).toISOString();
  const slot = at.slice(0, 10);
  const key = { platform: "slack", workspace, channel } as const;
  await createChannelStore(db).change(key, (state) => ({
    ...state!,
    channel: { ...state!.channel, next: { at, slot }, readFrom: addDays(slot, -7) },
  }));
  await db.destroy();
}

const digests = (slack: SlackPeer, channel: string) =>
  slack.messages(channel).filter((message) => slack.read(message).startsWith("Daily Papers"));
const sentOnce = (slack: SlackPeer, channel: string) =>
  slack.until(() => digests(slack, channel).length > 0, 20_000);
const auditOf = async (env: Record<string, string>) =>
  JSON.parse((await runPaperboy(["audit", "--json"], { env })).stdout);

describe("Paperboy in one workspace, by two tokens", () => {
  test("subscribes, ends with its answers given, and sends the digest at its minute, once", async () => {
    const { slack, team, ada, channel, env, path } = await socketLab();
    const first = await start(env);
    expect(await (await fetch(`${first.url}/healthz`)).json()).toMatchObject({
      ok: true,
      platforms: ["slack"],
    });
    slack.fail({ method: "chat.postMessage", how: { slowMs: 500 } });
    const seen = await slack.command(ada, channel, "/papers", "subscribe");
    await slack.until(() => slack.requests.some(({ method }) => method === "chat.postMessage"));
    expect(await first.end("SIGTERM")).toBe(0);
    expect(seen.text).toContain("Subscribed this channel to 1 top list.");

    await makeDue(path, team, channel);
    const second = await start(env);
    await sentOnce(slack, channel);
    expect((await asks(slack, ada, channel, "status")).text).toMatch(/sent late, \d+ papers/);
    expect(await second.end("SIGTERM")).toBe(0);
    expect(digests(slack, channel)).toHaveLength(1);
    expect(await auditOf(env)).toMatchObject({ deliveries: 1, lost: 0, doubled: 0, uncertain: 0 });
  }, 60_000);

  test.each([
    ["before", 1],
    ["after", 2],
  ] as const)(
    "killed between the claim and the answer, %s Slack took it: what may stand twice is counted",
    async (when, messages) => {
      const { slack, team, ada, channel, env, path } = await socketLab();
      const first = await start(env);
      await asks(slack, ada, channel, "subscribe");
      await first.end("SIGTERM");
      await makeDue(path, team, channel);
      slack.fail({ method: "chat.postMessage", how: { hang: when } });
      const from = slack.requests.length;
      const second = await start(env);
      await slack.until(
        () => slack.requests.slice(from).some(({ method }) => method === "chat.postMessage"),
        20_000,
      );
      await second.end("SIGKILL");
      // A minute passes: the dead process's lease is over.
      const db = await openSqlite(path);
      await db.updateTable("deliveries").set({ claim_at: new Date().toISOString() }).execute();
      await db.destroy();
      await start(env);
      await slack.until(() => digests(slack, channel).length === messages, 20_000);
      await vi.waitFor(
        async () => expect((await asks(slack, ada, channel, "status")).text).toContain("sent, perhaps twice"),
        { timeout: 10_000, interval: 200 },
      );
      expect(digests(slack, channel)).toHaveLength(messages);
      expect(await auditOf(env)).toMatchObject({ deliveries: 1, lost: 0, doubled: 0, uncertain: 1 });
    },
    60_000,
  );

  test("tokens that Slack refuses end it with one sentence", async () => {
    const { env } = await socketLab();
    for (const wrong of [{ SLACK_BOT_TOKEN: "xoxb-0-nobody" }, { SLACK_APP_TOKEN: "xapp-1-nobody" }]) {
      const { code, stdout, stderr } = await runPaperboy(["start"], {
        env: { PORT: "0", HF_ENDPOINT: papers.url, LOG_LEVEL: "fatal", ...env, ...wrong },
      });
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(/^Slack refuses a token \(invalid_auth\): copy [^\n]+\.\n$/);
    }
  }, 30_000);

  test("waits for a Slack that is out of reach, says so, and comes up with it", async () => {
    const port = await freePort();
    // The same steps make the same tokens.
    const away = await socketLab({ port });
    await away.slack.close();
    const { output, ready } = launch(away.env);
    await vi.waitFor(() => expect(output()).toContain("Slack cannot be reached"), { timeout: 15_000 });
    const { slack, ada, channel } = await socketLab({ port });
    await ready;
    expect((await asks(slack, ada, channel, "help")).text).toContain("/papers search");
  }, 60_000);

  test("serves Discord beside it, from one process and one store", async () => {
    const { slack, ada, channel, env } = await socketLab();
    const discord = await startDiscord();
    open.push(discord.close);
    const guild = discord.addGuild({ name: "Lab" });
    const there = discord.addChannel(guild.id, { name: "papers" });
    const bea = discord.addMember(guild.id, { name: "Bea", permissions: ["MANAGE_CHANNELS"] });
    const both = { ...env, DISCORD_TOKEN: discord.token(), DISCORD_API_URL: discord.apiUrl };
    expect((await runPaperboy(["register"], { env: both })).code).toBe(0);
    const { url, end } = await start(both);
    expect(await (await fetch(`${url}/healthz`)).json()).toMatchObject({ platforms: ["discord", "slack"] });
    await asks(slack, ada, channel, "subscribe agents");
    const answer = await (await discord.slash(bea, there, "subscriptions")).settled();
    expect(answer.text).toContain("Nothing is subscribed here yet.");
    await (await discord.slash(bea, there, "subscribe", { topic: "robotics" })).settled();
    expect((await asks(slack, ada, channel, "subscriptions")).text).not.toContain("robotics");
    expect(await end("SIGTERM")).toBe(0);
  }, 60_000);
});

describe("Paperboy in many workspaces, over HTTP", () => {
  test("is installed by its pages, sends with a token that it renews, and keeps none readable", async () => {
    const { slack, env, path } = await manyLab({ rotatesTokens: true, tokensExpireInSeconds: 250 });
    const { team, ada, channel } = await addLab(slack);
    const first = await start(env);
    point(slack, first.url);
    expect(await slack.verifyUrl(`${first.url}/slack/events`)).toBe(true);
    expect((await slack.installFrom(`${first.url}/slack/install`, ada)).status).toBe(200);
    await slack.invite(channel);
    await asks(slack, ada, channel, "subscribe");
    for (const signing of ["forged", "missing", "stale", "replaced-body"] as const) {
      slack.setSigning(signing);
      expect((await slack.command(ada, channel, "/papers", "unsubscribe 1")).status).toBe(401);
    }
    slack.setSigning("right");
    expect((await fetch(`${first.url}/slack/events`)).status).toBe(404);
    expect((await asks(slack, ada, channel, "subscriptions")).text).toContain("1 subscription");
    expect(await first.end("SIGTERM")).toBe(0);

    await makeDue(path, team, channel);
    const before = slack.installation(team)!.token;
    slack.expireTokens(team);
    const db = await openSqlite(path);
    expect(await db.selectFrom("installations").select("id").execute()).toEqual([{ id: team }]);
    await db.destroy();
    await start(env);
    await sentOnce(slack, channel);
    expect(slack.installation(team)!.token).not.toBe(before);
    for (const name of readdirSync(dirname(path))) {
      expect(readFileSync(join(dirname(path), name)).toString("latin1"), name).not.toMatch(/xox[a-z]/);
    }
  }, 60_000);

  test("is installed for a whole organization, and left and joined again with all of it", async () => {
    const { slack, env } = await manyLab();
    const enterprise = { id: "E0LAB", name: "Lab" };
    const labs = [await addLab(slack, enterprise), await addLab(slack, enterprise)];
    const { url } = await start(env);
    point(slack, url);
    const [first] = labs;
    await slack.installFrom(`${url}/slack/install`, first!.ada, { forOrganization: true });
    for (const { ada, channel } of labs) {
      await slack.invite(channel);
      expect((await asks(slack, ada, channel, "subscribe agents")).text).toContain("Subscribed this channel");
    }
    await slack.uninstall(enterprise.id);
    await slack.installFrom(`${url}/slack/install`, first!.ada, { forOrganization: true });
    for (const { ada, channel } of labs) {
      await slack.invite(channel);
      expect((await asks(slack, ada, channel, "subscriptions")).text).toContain("1 subscription");
    }
  }, 60_000);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
