import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { feedDay } from "../src/core/day.ts";
import { madeUpLists, startHuggingFace, weekdaysUntil } from "../test/peers/hugging-face.ts";
import { loopLine, startPaperboy, startPlainBot } from "./bot-process.ts";
import { presetDueChannels } from "./due-channels.ts";
import { type LocalDiscord, type Report, startLocalDiscord } from "./local-discord.ts";

/** Discord's limit of a bot: https://docs.discord.com/developers/topics/rate-limits */
const PER_SECOND = 50;
const LATENCY_MS = 60;
const SIZE = { guilds: 100, channelsEach: 20 };
const CHANNELS = SIZE.guilds * SIZE.channelsEach;
/** What a bare bot sends one by one: enough to see its pace. */
const ONE_BY_ONE = 300;

/**
 * 2,000 channels that are due at once, on a local Discord that takes 50 requests a second and answers after 60 ms: what
 * part of the limit is used while sending, and whether it is ever passed, beside two bare discord.js loops.
 */
export async function benchFanOut(print: (line: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "paperboy-bench-"));
  const days = weekdaysUntil(feedDay(new Date()), 30);
  const huggingFace = await startHuggingFace({ lists: madeUpLists({ days, perDay: 40, seed: 1 }) });
  const discord = await startLocalDiscord({
    bots: ["Paperboy", "one-by-one", "all-at-once"],
    latencyMs: LATENCY_MS,
    ...SIZE,
  });
  const [ours, one, all] = discord.places;
  if (ours === undefined || one === undefined || all === undefined)
    throw new TypeError("A Discord is missing.");
  const database = join(folder, "paperboy.db");
  await presetDueChannels(database, ours.channels, days.at(-2) ?? "");
  const env = { DATABASE_URL: `sqlite:${database}`, HF_ENDPOINT: huggingFace.url };
  const paperboy = await startPaperboy(folder, ours, env);
  await paperboy.logged('"recent lists read"');
  await discord.report();
  await paperboy.loop();
  await until(() => paperboy.settled() >= CHANNELS);
  const { spread, line } = await measure(discord, "Paperboy");
  print(`${CHANNELS} channels due at once, ${PER_SECOND} requests a second, ${LATENCY_MS} ms latency:`);
  print(`  Paperboy: ${line}`);
  print(`  ${loopLine(await paperboy.loop())}`);
  await paperboy.stop();

  for (const { place, mode, sends } of [
    { place: one, mode: "one-by-one", sends: ONE_BY_ONE },
    { place: all, mode: "all-at-once", sends: CHANNELS },
  ] as const) {
    const bot = await startPlainBot(place, mode, sends);
    await bot.done();
    const theirs = await measure(discord, mode);
    print(
      `  discord.js ${mode.replaceAll("-", " ")}: ${theirs.line}; Paperboy sends ${(spread / theirs.spread).toFixed(1)} times as fast`,
    );
    await bot.stop();
  }
  discord.close();
  await huggingFace.close();
}

async function measure(
  discord: LocalDiscord,
  name: string,
): Promise<{ readonly spread: number; readonly line: string }> {
  const { bots, delayMs } = await discord.report();
  const report = bots.find(({ bot }) => bot === name);
  if (report === undefined) throw new TypeError(`There is no ${name}.`);
  const { sendTimes, refused } = report;
  const seconds = ((sendTimes.at(-1) ?? 0) - (sendTimes[0] ?? 0)) / 1000;
  const spread = sendTimes.length / seconds;
  const share = spread / PER_SECOND;
  return {
    spread,
    line:
      `${sendTimes.length} messages in ${seconds.toFixed(1)} s, ${share.toFixed(3)} of the limit; ` +
      `busiest second ${busiestAligned(report)} (sliding ${busiestSliding(report)}); ${refused} refused by 429; ` +
      `the local Discord's own delay p99 ${delayMs.p99.toFixed(0)} ms, longest ${delayMs.most.toFixed(0)}`,
  };
}

/** Requests that count, in the busiest second of the clock. */
function busiestAligned({ arrivals }: Report["bots"][number]): number {
  const seconds = new Map<number, number>();
  for (const at of arrivals) {
    const second = Math.floor(at / 1000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  return Math.max(0, ...seconds.values());
}

/** Requests that count, in the busiest second whenever it begins. */
function busiestSliding({ arrivals }: Report["bots"][number]): number {
  let [most, first] = [0, 0];
  for (const [last, at] of arrivals.entries()) {
    while ((arrivals[first] ?? at) <= at - 1000) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

async function until(isDone: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 300_000;
  while (!isDone()) {
    if (performance.now() > giveUpAt) throw new Error("It took more than five minutes.");
    await pass(100);
  }
}
