import { createHmac, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { PostError } from "../../../src/core/bot.ts";
import { createDesk, createAsker, type TestDesk } from "../../contracts/desk.ts";
import { madeUpPost } from "../../contracts/made-up-post.ts";
import { sentence } from "../../../src/core/command.ts";
import { runText } from "../../../src/core/commands.ts";
import { readBlocks } from "../../peers/slack-state.ts";
import type { SlackSigning } from "../../peers/slack-delivery.ts";
import { createWorld, type World, type WorldOptions } from "./world.ts";

let library: TestDesk;
beforeAll(async () => {
  library = await createDesk({ days: 3 });
});
afterAll(() => library.close());

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});
async function setUp(options: WorldOptions = {}): Promise<World> {
  const world = await createWorld({ library, ...options });
  open.push(world.close);
  return world;
}

const asks = async ({ slack, ada, channel }: World, text = "help", who = ada) =>
  (await slack.command(who, channel, "/papers", text)).answered();

describe("connected over a socket", () => {
  test("a socket that Slack renews or the network cuts is there again at once", async () => {
    const world = await setUp();
    const { slack, bot } = world;
    for (const cut of [() => slack.disconnect("refresh_requested"), () => slack.dropConnections()]) {
      cut();
      await slack.until(() => slack.connections() === 0);
      await slack.until(() => slack.connections() === 1);
      await vi.waitFor(() => expect(bot.trouble()).toBeNull());
      expect((await asks(world)).text).toContain("/papers search");
    }
  });

  test("while Slack is out of reach it says so and goes on trying, longer each time", async () => {
    const world = await setUp({ isTimeless: true });
    const { slack, bot, events } = world;
    slack.fail({ method: "apps.connections.open", how: { reset: "before" } });
    slack.fail({ method: "apps.connections.open", times: 2, how: { status: 503 } });
    slack.fail({ method: "auth.test", times: 2, how: { error: "fatal_error" } });
    slack.dropConnections();
    await slack.until(() => slack.connections() === 0);
    await slack.until(() => slack.connections() === 1);
    await vi.waitFor(() => expect(bot.trouble()).toBeNull());
    const tries = events.flatMap((each) =>
      each.kind === "trouble" ? [/next try is in (\d+) seconds/.exec(each.detail)?.[1]] : [],
    );
    expect(tries.filter((each) => each !== undefined)).toEqual(["2", "4", "8", "16", "32"]);
    expect((await asks(world)).text).toContain("/papers search");
  });

  test("a token that is revoked meanwhile is said once a try, and taken again once Slack takes it", async () => {
    const world = await setUp({ isTimeless: true });
    const { slack, bot, events } = world;
    slack.fail({ method: "auth.test", times: 2, how: { error: "token_revoked" } });
    slack.dropConnections();
    await slack.until(() => slack.connections() === 0);
    await slack.until(() => slack.connections() === 1);
    await vi.waitFor(() => expect(bot.trouble()).toBeNull());
    expect(events.filter(({ kind }) => kind === "refused")).toHaveLength(2);
  });

  test("at the start it waits for a Slack that is out of reach", async () => {
    const world = await setUp({ isStarted: false, isTimeless: true });
    world.slack.fail({ method: "auth.test", times: 3, how: { reset: "before" } });
    world.slack.fail({ method: "apps.connections.open", how: { status: 500 } });
    await world.bot.start();
    expect(world.bot.trouble()).toBeNull();
    expect((await asks(world)).text).toContain("/papers search");
  });

  test.each([
    ["auth.test", "invalid_auth"],
    ["apps.connections.open", "invalid_auth"],
    ["apps.connections.open", "missing_scope"],
  ])("a token that %s refuses (%s) ends the start with a sentence", async (method, error) => {
    const world = await setUp({ isStarted: false });
    world.slack.fail({ method, how: { error } });
    await expect(world.bot.start()).rejects.toMatchObject({
      name: "SlackError",
      message: expect.stringMatching(new RegExp(`^Slack refuses a token \\(${error}\\): copy .*\\.$`)),
    });
  });

  test("many can install the app, by the pages of the one web server", async () => {
    const world = await setUp({ isForMany: true });
    const installed = await world.slack.installFrom(world.installUrl!, world.ada);
    expect(installed.status).toBe(200);
    await world.slack.invite(world.channel);
    expect((await asks(world, "subscribe agents")).text).toContain("Subscribed this channel");
  });

  test("a stop waits for the answers that are under way", async () => {
    const world = await setUp();
    const { slack, bot, channel, ada } = world;
    slack.fail({ method: "chat.postMessage", how: { slowMs: 400 } });
    const seen = await slack.command(ada, channel, "/papers", "subscribe agents");
    await slack.until(() => slack.requests.some(({ method }) => method === "chat.postMessage"));
    await bot.stop();
    expect(seen.text).toContain("Subscribed this channel");
    await slack.until(() => slack.connections() === 0);
    await expect(
      bot.post(madeUpPost({ platform: "slack", workspace: world.team, channel }, sentence("Late"), "n1")),
    ).rejects.toMatchObject({ kind: "retry" });
  });
});

describe("reached over HTTP", () => {
  test.each(["forged", "missing", "stale", "replaced-body"] as const satisfies readonly SlackSigning[])(
    "what has a signature that is %s is refused with 401 and does nothing",
    async (signing) => {
      const world = await setUp({ over: "http" });
      const { slack, channel, ada, team, desk } = world;
      slack.setSigning(signing);
      const seen = await slack.command(ada, channel, "/papers", "subscribe agents");
      expect([seen.status, seen.error]).toEqual([401, "dispatch_failed"]);
      slack.setSigning("right");
      await asks(world);
      expect(await desk.channels.subscriptions({ platform: "slack", workspace: team, channel })).toEqual([]);
    },
  );

  test("requests that are none of Slack's end nothing: 404 where nothing is, 401 without a signature", async () => {
    const world = await setUp({ over: "http", isForMany: true });
    const events = world.installUrl!.replace("/install", "/events");
    const ask = async (url: string, method: string) => (await fetch(url, { method })).status;
    expect(await ask(events, "GET")).toBe(404);
    expect(await ask(events, "PUT")).toBe(404);
    expect(await ask(world.installUrl!, "POST")).toBe(404);
    expect(await ask(events, "POST")).toBe(401);
    expect((await fetch(world.installUrl!)).status).toBe(200);
    const forged = await fetch(world.installUrl!.replace("install", "oauth_redirect?code=1&state=2"));
    expect(forged.status).toBe(400);
    expect(await forged.text()).not.toContain("at ");
  });

  test("Slack's challenge is answered", async () => {
    const world = await setUp({ over: "http", isForMany: true });
    expect(await world.slack.verifyUrl(world.installUrl!.replace("/install", "/events"))).toBe(true);
  });

  test("whoever denies the installation installs nothing", async () => {
    const world = await setUp({ over: "http", isForMany: true });
    const denied = await world.slack.installFrom(world.installUrl!, world.ada, { denies: true });
    expect(denied.status).toBeGreaterThanOrEqual(400);
    expect(await world.db.selectFrom("installations").selectAll().execute()).toEqual([]);
  });

  test("no token stands readable in the store", async () => {
    const world = await setUp({ over: "http", isForMany: true, rotatesTokens: true });
    await world.slack.installFrom(world.installUrl!, world.ada);
    const rows = JSON.stringify(await world.db.selectFrom("installations").selectAll().execute());
    expect(rows.length).toBeGreaterThan(50);
    expect(rows).not.toMatch(/xox[a-z]/);
  });

  test("a token that expires is renewed for a digest that nobody asked for", async () => {
    const world = await setUp({
      over: "http",
      isForMany: true,
      rotatesTokens: true,
      tokensExpireInSeconds: 200,
    });
    const { slack, bot, team, channel, ada } = world;
    await slack.installFrom(world.installUrl!, ada);
    await slack.invite(channel);
    const first = slack.installation(team)!.token;
    slack.expireTokens(team);
    await bot.post(madeUpPost({ platform: "slack", workspace: team, channel }, sentence("Hello"), "n1"));
    expect(slack.messages(channel)).toHaveLength(1);
    expect(slack.installation(team)!.token).not.toBe(first);
    expect(world.events.filter(({ kind }) => kind === "joined")).toEqual([]);
  });
});

describe("what belongs to one workspace", () => {
  test("a payload of another workspace than the token's is turned away with a sentence", async () => {
    const world = await setUp({ over: "http" });
    const { slack, desk } = world;
    const other = slack.addTeam({ name: "Elsewhere" }).id;
    const eve = slack.addUser(other, { name: "eve" }).id;
    const channel = slack.addChannel(other, { members: [eve] }).id;
    slack.install({ team: other });
    const seen = await asks({ ...world, channel }, "subscribe agents", eve);
    expect(seen.text).toContain("Paperboy is not let in here.");
    expect(seen.text).toContain("is for Efficient Inference Lab");
    const key = { platform: "slack", workspace: other, channel } as const;
    expect(await desk.channels.channel(key)).toBeNull();
    await expect(world.bot.post(madeUpPost(key, sentence("Stray"), "n1"))).rejects.toBeInstanceOf(PostError);
    expect(slack.messages(channel)).toEqual([]);
  });

  test("two workspaces with the same ids see nothing of each other, and each has its own token", async () => {
    const world = await setUp({ over: "http", isForMany: true });
    const { slack, desk, bot, team, ada } = world;
    const other = slack.addTeam({ name: "Elsewhere" }).id;
    const eve = slack.addUser(other, { name: "eve" }).id;
    await slack.installFrom(world.installUrl!, ada);
    await slack.installFrom(world.installUrl!, eve);
    const [paper] = (await desk.store.list("2026-04-22"))!.papers;
    const topics = ["agents", "robotics", "video", "speech", "reasoning"];
    const step = fc.record({ isFirst: fc.boolean(), topic: fc.constantFrom(...topics), saves: fc.boolean() });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        // The same channel and the same person, in either workspace.
        const [channel, person] = [`C0SAME${++round}`, `U0SAME${round}`];
        const askers = [team, other].map((workspace) =>
          createAsker({ where: { platform: "slack", workspace, channel }, person }),
        );
        const own: [Set<string>, Set<string>] = [new Set(), new Set()];
        const saved: [boolean, boolean] = [false, false];
        for (const { isFirst, topic, saves } of steps) {
          const index = isFirst ? 0 : 1;
          await runText(desk, askers[index]!, `subscribe ${topic}`);
          own[index].add(topic);
          if (!saves) continue;
          const { where } = askers[index]!;
          await desk.channels.save({ ...where, person }, paper!.id, desk.clock().toISOString());
          saved[index] = true;
        }
        for (const [index, workspace] of [team, other].entries()) {
          const body = { channel, person, workspace };
          const listed = await answerTo(world, { ...body, text: "subscriptions" });
          for (const topic of topics) expect(listed.includes(` ${topic} ·`)).toBe(own[index]!.has(topic));
          const kept = await answerTo(world, { ...body, text: "saved" });
          expect(kept.includes("You saved no paper yet")).toBe(!saved[index]);
        }
      }),
      { numRuns: 10 },
    );
    const before = slack.requests.length;
    for (const [workspace, who] of [
      [team, eve],
      [other, ada],
    ] as const) {
      const at = slack.addChannel(slack.user(who)!.team, { members: [who] }).id;
      const stray = madeUpPost({ platform: "slack", workspace, channel: at }, sentence("Stray"), workspace);
      await expect(bot.post(stray)).rejects.toMatchObject({ kind: "rejected" });
      expect(slack.messages(at)).toEqual([]);
    }
    const tokens = slack.requests.slice(before).map(({ token }) => token);
    expect(tokens).toEqual([slack.installation(team)!.token, slack.installation(other)!.token]);
  });
});

/** What somebody typed, signed as Slack signs it, and the answer that came for them. */
async function answerTo(
  { slack, installUrl }: World,
  asked: {
    readonly workspace: string;
    readonly channel: string;
    readonly person: string;
    readonly text: string;
  },
): Promise<string> {
  const { server, url, answer } = await listenOnce();
  const body = new URLSearchParams({
    command: "/papers",
    text: asked.text,
    team_id: asked.workspace,
    channel_id: asked.channel,
    user_id: asked.person,
    user_name: "somebody",
    api_app_id: slack.appId,
    is_enterprise_install: "false",
    response_url: url,
    trigger_id: randomUUID(),
  }).toString();
  const timestamp = String(Math.floor(Date.now() / 1000));
  const hash = createHmac("sha256", slack.signingSecret).update(`v0:${timestamp}:${body}`).digest("hex");
  const response = await fetch(installUrl!.replace("/install", "/events"), {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "x-slack-request-timestamp": timestamp,
      "x-slack-signature": `v0=${hash}`,
    },
    body,
  });
  expect(response.status).toBe(200);
  const text = await answer;
  server.close();
  server.closeAllConnections();
  return text;
}

async function listenOnce() {
  const { promise: answer, resolve } = Promise.withResolvers<string>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { blocks }: { blocks?: unknown } = JSON.parse(Buffer.concat(chunks).toString());
      response.end("ok");
      resolve(readBlocks(blocks));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  return { server, url: `http://127.0.0.1:${port}/response`, answer };
}
