import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { feedDay } from "../src/core/day.ts";
import { madeUpLists, startHuggingFace, weekdaysUntil } from "../test/peers/hugging-face.ts";
import { loopLine, type PaperboyProcess, startPaperboy, startPlainBot } from "./bot-process.ts";
import { presetDueChannels } from "./due-channels.ts";
import { type LocalDiscord, type Report, startLocalDiscord } from "./local-discord.ts";
import { ms, percentiles } from "./papers.ts";

const SIZE = { guilds: 100, channelsEach: 20 };
const PER_SECOND = 10;
const [LIST_DAYS, PAPERS_A_DAY] = [30, 334];

/**
 * How soon people get an answer while much else goes on, from the frame on the socket to the callback, beside a bare
 * discord.js bot that answers "pong" to the same commands, buttons and completions, in the same run. First 10,000
 * papers come in by Paperboy itself, as on its first start; then 2,000 digests go out, while `paperboy backfill`
 * brings 10,000 older papers into the same store.
 */
export async function benchAnswers(print: (line: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "paperboy-bench-"));
  const days = weekdaysUntil(feedDay(new Date()), 2 * LIST_DAYS);
  const older = days.slice(0, LIST_DAYS);
  const huggingFace = await startHuggingFace({
    lists: madeUpLists({ days, perDay: PAPERS_A_DAY, seed: 1 }),
    quota: { api: 5000 },
  });
  const discord = await startLocalDiscord({ bots: ["Paperboy", "pong"], latencyMs: 0, ...SIZE });
  const [ours, theirs] = discord.places;
  if (ours === undefined || theirs === undefined) throw new TypeError("A Discord is missing.");
  const database = join(folder, "paperboy.db");
  await presetDueChannels(database, ours.channels, days.at(-2) ?? "");
  const env = { DATABASE_URL: `sqlite:${database}`, HF_ENDPOINT: huggingFace.url };
  const pong = await startPlainBot(theirs, "pong");
  const paperboy = await startPaperboy(folder, ours, env);
  const isRead = paperboy.logged("recent lists read");
  await discord.report();
  await paperboy.loop();

  discord.use(PER_SECOND);
  await isRead;
  print(`${LIST_DAYS * PAPERS_A_DAY} papers come in, ${PER_SECOND} uses of each bot a second:`);
  await describe(print, discord, paperboy);

  const began = performance.now();
  const args = ["backfill", "--from", older[0] ?? "", "--to", older.at(-1) ?? ""];
  const backfill = spawn(process.execPath, [join(process.cwd(), "bin/paperboy.js"), ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", LOG_LEVEL: "warn", ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const isFilled = once(backfill, "exit").then(() => performance.now() - began);
  while (paperboy.settled() < ours.channels.length) {
    await pass(500);
    if (performance.now() - began > 300_000) throw new Error("The digests did not go out in five minutes.");
  }
  const tookMs = performance.now() - began;
  const filledMs = await isFilled;
  print(
    `${SIZE.guilds * SIZE.channelsEach} digests go out in ${(tookMs / 1000).toFixed(0)} s, and ${LIST_DAYS * PAPERS_A_DAY} papers come in by another process in ${(filledMs / 1000).toFixed(0)} s:`,
  );
  await describe(print, discord, paperboy);

  await paperboy.stop();
  await pong.stop();
  discord.close();
  await huggingFace.close();
}

async function describe(
  print: (line: string) => void,
  discord: LocalDiscord,
  paperboy: PaperboyProcess,
): Promise<void> {
  const report = await discord.report();
  const loop = await paperboy.loop();
  const [ours, theirs] = ["Paperboy", "pong"].map((name) => waitsOf(report, name));
  for (const [name, waits] of Object.entries({ Paperboy: ours, pong: theirs })) {
    if (waits === undefined) continue;
    const { p50, p99 } = percentiles(waits);
    print(
      `  ${name}: ${waits.length} answered, p50 ${ms(p50)}, p99 ${ms(p99)}, longest ${ms(Math.max(...waits))}`,
    );
  }
  const ratio = (of: "p50" | "p99") =>
    (percentiles(ours ?? [])[of] / percentiles(theirs ?? [])[of]).toFixed(1);
  print(`  Paperboy / pong: p50 ${ratio("p50")}, p99 ${ratio("p99")}`);
  for (const kind of ["command", "button", "menu", "completion"]) {
    const waits = waitsOf(report, "Paperboy", kind);
    const { p50, p99 } = percentiles(waits);
    print(`    ${kind}: ${waits.length}, p50 ${ms(p50)}, p99 ${ms(p99)}`);
  }
  print(`  ${loopLine(loop)}; the local Discord's: p99 ${ms(report.delayMs.p99)}`);
  const failures = report.bots.flatMap((bot) => bot.failures.map((failure) => `${bot.bot} ${failure}`));
  if (failures.length > 0) print(`  ${failures.length} failed, such as: ${failures[0]}`);
}

function waitsOf({ bots }: Report, name: string, kind?: string): readonly number[] {
  const waits = bots.find(({ bot }) => bot === name)?.waits ?? {};
  return kind === undefined ? Object.values(waits).flat() : (waits[kind] ?? []);
}
