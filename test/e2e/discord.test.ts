import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { addDays, feedDay } from "../../src/core/day.ts";
import { openSqlite } from "../../src/storage/database.ts";
import { type DiscordPeer, startDiscord } from "../peers/discord.ts";
import { type HuggingFacePeer, madeUpLists, startHuggingFace, weekdaysUntil } from "../peers/hugging-face.ts";
import { emptyFolder, runPaperboy, startPaperboy } from "./paperboy.ts";

const NOWHERE = "http://127.0.0.1:9";
const today = feedDay(new Date());
const DATABASE = join(emptyFolder(), "paperboy.db");

let discord: DiscordPeer;
let huggingFace: HuggingFacePeer;
let guildId: string;
let ada: string;
let env: Record<string, string>;
/** The first life of the process, in which these channels were subscribed over the socket. */
let first: Running;
let channels: readonly string[];
/** All that any process here wrote. */
let written = "";
const children = new Set<ChildProcess>();

beforeAll(async () => {
  discord = await startDiscord();
  const lists = madeUpLists({ days: weekdaysUntil(today, 32), perDay: 8, seed: 5 });
  huggingFace = await startHuggingFace({ lists });
  const guild = discord.addGuild({ name: "Lab" });
  guildId = guild.id;
  ada = discord.addMember(guildId, { name: "Ada", permissions: ["MANAGE_CHANNELS"] });
  env = {
    DATABASE_URL: `sqlite:${DATABASE}`,
    DISCORD_TOKEN: discord.token(),
    DISCORD_API_URL: discord.apiUrl,
    HF_ENDPOINT: huggingFace.url,
    LOG_LEVEL: "trace",
    PORT: "0",
  };
  // All lists of the last six weeks are there and final: none is fetched, one every 200 ms, before the first digest.
  const file = join(emptyFolder(), "lists.jsonl");
  writeFileSync(file, lists.map((list) => JSON.stringify(list)).join("\n"));
  expect((await runPaperboy(["import", file], { env })).code).toBe(0);
  const seen_at = new Date().toISOString();
  await inStore((db) => db.updateTable("lists").set({ seen_at }).where("day", "<", today).execute());
  const { code, stdout } = await runPaperboy(["register"], { env });
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^Registered \/papers/) });
  first = run();
  await first.line;
  channels = [1, 2, 3].map(() => discord.addChannel(guildId));
  for (const channel of channels) {
    await discord.slash(ada, channel, "subscribe");
    await vi.waitFor(() => expect(discord.messages(channel)).toHaveLength(1));
  }
});
afterEach(killAll);
afterAll(async () => {
  killAll();
  await discord.close();
  await huggingFace.close();
});

/** Also those of a test, or of a beginning, that failed. */
function killAll(): void {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
}

type Running = { readonly child: ChildProcess; readonly line: Promise<string>; output(): string };

function run(changes: Record<string, string> = {}): Running {
  const child = startPaperboy(["start"], { env: { ...env, ...changes } });
  children.add(child);
  let output = "";
  const keep = (chunk: Buffer) => {
    output += chunk.toString();
    written += chunk.toString();
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const line = new Promise<string>((resolve, reject) => {
    child.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString()));
    child.once("exit", (code) => reject(new Error(`It ended with ${code}: ${output}`)));
  });
  line.catch(() => {});
  return { child, line, output: () => output };
}

async function end({ child }: Running, signal: NodeJS.Signals): Promise<number | null> {
  const exit = once(child, "exit");
  child.kill(signal);
  const [code]: unknown[] = await exit;
  return typeof code === "number" ? code : null;
}

const digestsIn = (channel: string) =>
  discord
    .messages(channel)
    .map(discord.textOf)
    .filter((text) => text.includes("Daily Papers"));

async function inStore<T>(work: (db: Awaited<ReturnType<typeof openSqlite>>) => Promise<T>): Promise<T> {
  const db = await openSqlite(DATABASE);
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

/** A channel's digest becomes due two hours ago: its list has had the time to fill. */
async function makeDue(channel: string): Promise<void> {
  const due = { next_at: new Date(Date.now() - 2 * 3_600_000).toISOString(), next_slot: today };
  const read_from = addDays(today, -5);
  await inStore((db) =>
    db
      .updateTable("channels")
      .set({ ...due, read_from })
      .where("channel", "=", channel)
      .execute(),
  );
}

const outcomeIn = (channel: string) =>
  inStore(async (db) => {
    const rows = await db
      .selectFrom("deliveries")
      .select("outcome")
      .where("channel", "=", channel)
      .where("kind", "=", "digest")
      .execute();
    return rows.map(({ outcome }) => outcome);
  });

describe("paperboy start with a Discord token", () => {
  test("says where it is, is healthy, and answers over the socket", async () => {
    const line = await first.line;
    const url = /http:\S+/.exec(line)?.[0] ?? "";
    expect(line).toBe(`Paperboy is ready at ${url} (pid ${first.child.pid})\n`);
    const health = await fetch(`${url}/healthz`);
    expect([health.status, await health.json()]).toEqual([
      200,
      { ok: true, platforms: ["discord"], troubles: [] },
    ]);
    // No playground beside it.
    expect(await (await fetch(url)).text()).toBe("Paperboy is running. Its health is at /healthz.\n");
    const answer = await (await discord.slash(ada, discord.addChannel(guildId), "help")).settled();
    expect(answer.text).toContain("Paperboy brings Hugging Face's Daily Papers here");
    expect(await end(first, "SIGINT")).toBe(0);
    await vi.waitFor(() => expect(discord.gateway.sockets()).toBe(0));
  });

  test("sends a digest once although it is killed while it posts it", async () => {
    const [before = "", after = ""] = channels;
    const hanging = [before, after].map((channel) =>
      discord.fail({
        method: "POST",
        route: new RegExp(`/channels/${channel}/messages`),
        how: { kind: "hang", after: channel === after },
      }),
    );
    await makeDue(before);
    await makeDue(after);
    const second = run();
    await Promise.all(hanging.map((each) => each.struck()));
    // What befalls the request has begun when it is carried out.
    await vi.waitFor(() => expect(digestsIn(after)).toHaveLength(1));
    await end(second, "SIGKILL");
    for (const each of hanging) each.release();
    expect([digestsIn(before).length, digestsIn(after).length]).toEqual([0, 1]);
    expect([await outcomeIn(before), await outcomeIn(after)]).toEqual([["sending"], ["sending"]]);
    // As if its lease had run out.
    const claim_at = new Date().toISOString();
    await inStore((db) =>
      db.updateTable("deliveries").set({ claim_at }).where("outcome", "=", "sending").execute(),
    );
    const third = run();
    for (const channel of [before, after]) {
      await vi.waitFor(async () => expect(await outcomeIn(channel)).toEqual(["sent-late"]), {
        timeout: 15_000,
        interval: 100,
      });
      expect(digestsIn(channel)).toHaveLength(1);
    }
    const status = await (await discord.slash(ada, after, "status")).settled();
    expect(status.text).toContain("sent late, 5 papers");
    expect(await end(third, "SIGTERM")).toBe(0);
    expect([digestsIn(before).length, digestsIn(after).length]).toEqual([1, 1]);
  });

  test("ends only when the digest under way has its outcome", async () => {
    const channel = channels[2] ?? "";
    await makeDue(channel);
    const slow = discord.fail({
      method: "POST",
      route: new RegExp(`/channels/${channel}/messages`),
      how: { kind: "slow", ms: 700 },
    });
    const running = run();
    await slow.struck();
    expect(await end(running, "SIGTERM")).toBe(0);
    expect(await outcomeIn(channel)).toEqual(["sent-late"]);
    expect(digestsIn(channel)).toHaveLength(1);
  });

  test("waits for a Discord that is away at the start, and says so to who watches over it", async () => {
    const away = discord.fail({ times: 1000, route: /gateway/, how: { kind: "status", status: 503 } });
    const port = await freePort();
    const running = run({ PORT: String(port) });
    await vi.waitFor(() => expect(running.output()).toContain("Discord cannot be reached"), {
      timeout: 10_000,
    });
    const health = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect([health.status, await health.json()]).toEqual([
      503,
      {
        ok: false,
        platforms: ["discord"],
        troubles: [{ platform: "discord", trouble: "Discord is not connected." }],
      },
    ]);
    away.release();
    expect(await running.line).toContain(`127.0.0.1:${port}`);
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  });

  test("ends with one sentence where Discord refuses the token", async () => {
    const wrong = "MTIz.wrong.secret";
    const { code, stdout, stderr } = await runPaperboy(["start"], { env: { ...env, DISCORD_TOKEN: wrong } });
    const lines = stderr.trim().split("\n");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(lines.at(-1)).toMatch(/^Discord refuses the token in DISCORD_TOKEN: .*Reset Token.*\.$/);
    expect(stderr).not.toContain("secret");
    expect(lines.filter((line) => line.includes("Error") && !line.startsWith("{"))).toEqual([]);
  });

  test("shows nothing of the bundled sample while it has no paper of its own", async () => {
    const DATABASE_URL = `sqlite:${join(emptyFolder(), "empty.db")}`;
    const running = run({ DATABASE_URL, HF_ENDPOINT: NOWHERE });
    await running.line;
    const channel = discord.addChannel(guildId);
    const texts: string[] = [];
    for (const [path, options] of [
      ["search", { query: "agents" }],
      ["today", {}],
      ["trending", {}],
      ["show", { paper: samplePapers()[0]?.id ?? "" }],
      ["subscribe", { topic: "agents" }],
      ["subscriptions", {}],
      ["preview", {}],
      ["status", {}],
      ["test", {}],
    ] as const) {
      const answer = await (await discord.slash(ada, channel, path, options)).settled();
      expect(answer.text, path).not.toContain("Something went wrong");
      texts.push(answer.text);
    }
    await vi.waitFor(() => expect(discord.messages(channel)).toHaveLength(2));
    texts.push(...discord.messages(channel).map(discord.textOf));
    const all = texts.join("\n");
    expect(all).toContain("This is how Paperboy's messages look.");
    for (const { title } of samplePapers()) expect(all).not.toContain(title.slice(0, 20));
    expect(all).not.toContain("sample,");
  });

  test("writes its token nowhere", () => {
    expect(written).toContain("ready at");
    expect(written.length).toBeGreaterThan(1000);
    for (const part of discord.token().split(".").slice(2)) expect(written).not.toContain(part);
  });
});

function samplePapers(): readonly { readonly id: string; readonly title: string }[] {
  const lines = readFileSync("sample/daily-papers.jsonl", "utf8").trim().split("\n");
  return lines.flatMap((line) => {
    const { items }: { items: { paper: { id: string; title: string } }[] } = JSON.parse(line);
    return items.map(({ paper }) => paper);
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
