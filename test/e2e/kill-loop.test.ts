import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Bot } from "../../src/core/bot.ts";
import { type Database, openSqlite } from "../../src/storage/database.ts";
import { createLedger } from "../../src/storage/ledger.ts";
import { createStore } from "../../src/storage/store.ts";
import { madeUpPaper } from "../contracts/made-up-paper.ts";
import { readAccepted } from "../peers/fake-bot.ts";

const PROCESS = new URL("./kill-loop-process.ts", import.meta.url).pathname;
const DUE_AT = Date.parse("2026-04-22T07:00:00Z");
/** Between two lives: longer than a lease. */
const PAUSE_MS = 90_000;

const folder = mkdtempSync(join(tmpdir(), "paperboy-kill-loop-"));
// A killed process leaves no compiled code behind for the next one: this one ends by itself.
beforeAll(async () => {
  await once(startLife("warm-up", "2026-04-22T07:00:00.000Z", "repeat", "warm-up"), "exit");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a sender that is killed again and again", () => {
  test("posts each digest once where the platform dedupes", { timeout: 120_000 }, async () => {
    const result = await killLoop({ name: "repeat", channels: 2000, kills: 30 });
    print(result);
    expect(result.kills).toBe(30);
    expect(result.missing).toBe(0);
    expect(result.repeated).toBe(0);
    expect(result.audit).toMatchObject({ deliveries: 2000, lost: 0, doubled: 0, uncertain: 0 });
    expect((result.audit.byOutcome.sent ?? 0) + (result.audit.byOutcome["sent-late"] ?? 0)).toBe(2000);
  });

  test("posts none twice where it does not, and records each that may be missing", {
    timeout: 120_000,
  }, async () => {
    const result = await killLoop({ name: "settle", channels: 600, kills: 8 });
    print(result);
    expect(result.repeated).toBe(0);
    expect(result.missing).toBeLessThanOrEqual(result.audit.uncertain);
    expect(result.audit).toMatchObject({ deliveries: 600, lost: 0, doubled: 0 });
  });

  test("misses none where one more try is wanted, and records each that may stand twice", {
    timeout: 120_000,
  }, async () => {
    const result = await killLoop({ name: "repeat-once", channels: 600, kills: 8 });
    print(result);
    expect(result.repeated).toBeLessThanOrEqual(result.audit.uncertain);
    // Lost both times: each is among the recorded ones too.
    expect(result.missing).toBeLessThanOrEqual(result.audit.uncertain - result.repeated);
    expect(result.mostCopies).toBeLessThanOrEqual(2);
    expect(result.audit).toMatchObject({ deliveries: 600, lost: 0, doubled: 0 });
  });
});

type Result = Awaited<ReturnType<typeof killLoop>>;

function print({ name, channels, kills, seconds, missing, repeated, audit }: Result): void {
  console.log(
    `kill loop (${name}): ${channels} deliveries, ${kills} kills, ${seconds.toFixed(1)} s: ${missing} missing, ${repeated} repeated, ${JSON.stringify(audit.byOutcome)}`,
  );
}

async function killLoop(options: { name: Bot["afterUncertain"]; channels: number; kills: number }) {
  const { name, channels } = options;
  const [database, platform] = filesOf(name);
  const db = await openSqlite(database);
  await seed(db, channels);
  const start = performance.now();
  let life = 0;
  let kills = 0;
  for (let done = false; !done; life++) {
    const now = new Date(DUE_AT + life * PAUSE_MS).toISOString();
    const child = startLife(name, now, name, `life ${life}`);
    const exited = once(child, "exit");
    await Promise.race([once(child.stdout, "data"), exited]);
    if (kills < options.kills) {
      await Promise.race([randomMoment(platform, life), exited]);
      if (child.kill("SIGKILL")) kills++;
    }
    await exited;
    const left = await createLedger(db).nextAttemptAt(["discord"]);
    const due = await db
      .selectFrom("channels")
      .select("channel")
      .where("next_slot", "=", "2026-04-22")
      .execute();
    done = kills === options.kills && left === null && due.length === 0;
    if (life > 200) throw new Error("It never ends.");
  }
  const seconds = (performance.now() - start) / 1000;
  const posts = new Map<string, number>();
  for (const { to } of readAccepted(platform)) posts.set(to.channel, (posts.get(to.channel) ?? 0) + 1);
  const audit = await createLedger(db).audit(new Date(DUE_AT + 24 * 3_600_000).toISOString());
  await db.destroy();
  return {
    name,
    channels,
    kills,
    seconds,
    missing: channels - posts.size,
    repeated: [...posts.values()].filter((count) => count > 1).length,
    mostCopies: Math.max(...posts.values()),
    audit,
  };
}

function filesOf(name: string): [string, string] {
  return [join(folder, `${name}.db`), join(folder, `${name}.jsonl`)];
}

function startLife(name: string, now: string, memory: Bot["afterUncertain"], owner: string) {
  return spawn(process.execPath, [PROCESS, ...filesOf(name), now, memory, owner], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, "cache") },
  });
}

/** Every other one is early, while slots are entered; the others come after some posts, at any step of the next ones. */
async function randomMoment(platform: string, life: number): Promise<void> {
  const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  if (life % 2 === 0) return void (await sleep(Math.random() * 100));
  const size = () => (existsSync(platform) ? statSync(platform).size : 0);
  const until = size() + Math.random() * POSTS_A_LIFE * BYTES_A_POST;
  while (size() < until) await sleep(1);
  await sleep(Math.random() * 10);
}
const POSTS_A_LIFE = 200;
const BYTES_A_POST = 2_500;

/** Channels that are all due at once, of the general top list, and a list to send. */
async function seed(db: Database, channels: number): Promise<void> {
  const papers = Array.from({ length: 28 }, (_, index) =>
    madeUpPaper({ id: `2604.${String(index + 1).padStart(5, "0")}`, upvotes: index }),
  );
  await createStore(db).saveList({
    day: "2026-04-22",
    seenAt: "2026-04-22T05:00:00.000Z",
    papers: papers.map((paper) => ({ paper, summary: { text: "One sentence.", method: "extractive" } })),
  });
  const key = (index: number) => ({ platform: "discord", workspace: "w", channel: `c${index}` });
  await db.transaction().execute(async (tx) => {
    for (let start = 0; start < channels; start += 200) {
      const keys = Array.from({ length: Math.min(200, channels - start) }, (_, index) => key(start + index));
      await tx
        .insertInto("channels")
        .values(
          keys.map((each) => ({
            ...each,
            time: "09:00",
            zone: "Europe/Paris",
            weekdays: "[1,2,3,4,5]",
            top: 5,
            paused: 0 as const,
            paused_until: null,
            paused_reason: null,
            publish: 0 as const,
            next_at: new Date(DUE_AT).toISOString(),
            next_slot: "2026-04-22",
            read_from: "2026-04-22",
            version: 1,
            set_up_by: "ada",
            last_number: 1,
          })),
        )
        .execute();
      await tx
        .insertInto("subscriptions")
        .values(
          keys.map((each) => ({
            ...each,
            number: 1,
            topic: "",
            created_by: "ada",
            created_at: "2026-04-21",
          })),
        )
        .execute();
    }
  });
}
