import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { renderDiscord } from "../src/bots/discord/render.ts";
import { renderSlack } from "../src/bots/slack/render.ts";
import type { Bot } from "../src/core/bot.ts";
import { catchUp } from "../src/core/catch-up.ts";
import type { ChannelKey } from "../src/core/channel.ts";
import { feedDay } from "../src/core/day.ts";
import { digestMessage, planDigest } from "../src/core/digest.ts";
import { createSender } from "../src/core/sender.ts";
import { parseTopic } from "../src/core/topic.ts";
import { createChannelStore } from "../src/storage/channels.ts";
import { openSqlite } from "../src/storage/database.ts";
import { createLedger } from "../src/storage/ledger.ts";
import { createSearchIndex } from "../src/storage/search-index.ts";
import { createStore } from "../src/storage/store.ts";
import { topicsOf } from "./due-channels.ts";
import { importInto, listLines } from "./papers.ts";

const CHANNELS = 1000;

/**
 * A thousand channels, each with topics of its own, due in the same minute: from the tick to the last settled row,
 * beside the plain way (plan, post, commit, one channel after the other, nothing shared) over some of them.
 */
export async function benchDeliver(print: (line: string) => void, data: string | null): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "paperboy-bench-"));
  const db = await openSqlite(join(folder, "paperboy.db"));
  const [store, channels, ledger] = [createStore(db), createChannelStore(db), createLedger(db)];
  await importInto(store, await listLines(data, 10_000));
  const index = await createSearchIndex({ snapshotFile: null, store: { id: "1", revision: 1e9 } });
  await catchUp(store, index);
  const [newest, before] = (await store.days({})).filter(({ count }) => count > 0);
  const day = newest?.day ?? "2026-04-22";
  const dueAt = new Date(`${day}T16:00:00Z`);
  const readFrom = before?.day ?? day;
  for (let number = 0; number < CHANNELS; number++) {
    const key: ChannelKey = { platform: "discord", workspace: `w${number % 50}`, channel: `c${number}` };
    await channels.change(key, () => ({
      channel: {
        ...key,
        schedule: { time: "16:00", zone: "UTC", weekdays: [1, 2, 3, 4, 5, 6, 7] },
        top: 5,
        paused: null,
        publish: false,
        next: { at: dueAt.toISOString(), slot: day },
        readFrom,
        version: 0,
        setUpBy: "ada",
        lastNumber: 3,
      },
      subscriptions: topicsOf(number).map((topic, position) => ({
        number: position + 1,
        topic,
        createdBy: "ada",
        createdAt: dueAt.toISOString(),
      })),
    }));
  }

  let posts = 0;
  const bot: Bot = {
    platform: "discord",
    afterUncertain: "repeat",
    start: async () => {},
    async post({ message }) {
      renderDiscord(message);
      renderSlack(message);
      return { ref: `m${++posts}` };
    },
    stop: async () => {},
  };
  const outcomes = new Map<string, number>();
  const sender = createSender({
    channels,
    ledger,
    store,
    index,
    bots: new Map([["discord", bot]]),
    clock: () => dueAt,
    random: Math.random,
    wait: (ms, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        });
      }),
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
    owner: "bench",
    report(event) {
      if (event.kind === "unexpected") throw event.error;
      if (event.kind === "settled") outcomes.set(event.outcome, (outcomes.get(event.outcome) ?? 0) + 1);
    },
    freshness: () => ({ state: "settled", detail: "" }),
  });

  const holds = watchHolds();
  const start = performance.now();
  await sender.tick();
  const ticked = performance.now();
  await sender.deliver();
  const seconds = (performance.now() - start) / 1000;
  const { longest, busiest, delayed } = holds.stop();
  const { papers } = await store.size();
  const outcomeText = [...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(", ");
  print(
    `${CHANNELS} channels with 1 to 3 topics, ${papers} papers: ${seconds.toFixed(1)} s (tick ${(ticked - start).toFixed(0)} ms), ${((1000 * seconds) / CHANNELS).toFixed(1)} ms each; ${outcomeText}`,
  );
  print(
    `event loop: longest hold ${longest.toFixed(0)} ms by a 1 ms timer (${busiest.toFixed(0)} ms of them at work: the rest, other processes had the processor), ${delayed.toFixed(0)} ms by Node's monitor`,
  );

  const some = 100;
  const plainStart = performance.now();
  for (let number = 0; number < some; number++) {
    const key: ChannelKey = { platform: "playground", workspace: "plain", channel: `c${number}` };
    const topics = topicsOf(number).flatMap((topic) => (topic === "" ? [] : [parseTopic(topic)]));
    for (const each of [readFrom, day]) {
      const digest = await planDigest({ store, index }, { day: each, topics });
      const message = digestMessage(digest, {
        today: feedDay(dueAt),
        top: 5,
        pagesId: "v1:page",
        notice: null,
      });
      if (each !== day || message === null) continue;
      const slot = { ...key, kind: "notice", slot: day, person: null, dueAt: dueAt.toISOString() } as const;
      await ledger.enter({ ...slot, content: message });
      const [claimed] = await ledger.claim({
        owner: "plain",
        now: dueAt.toISOString(),
        leaseUntil: new Date(dueAt.getTime() + 60_000).toISOString(),
        limit: 1,
        platforms: [key.platform],
      });
      const nonce = claimed?.id ?? "";
      const { ref } = await bot.post({ to: key, person: null, kind: slot.kind, attempt: 1, message, nonce });
      await ledger.settle("plain", [
        {
          id: nonce,
          outcome: "sent",
          detail: "",
          ref,
          at: slot.dueAt,
          readFrom: null,
          pause: null,
          notice: null,
        },
      ]);
    }
  }
  const plain = ((performance.now() - plainStart) / 1000 / some) * CHANNELS;
  print(
    `one after the other, nothing shared: ${plain.toFixed(1)} s for as many (from ${some}); ${(plain / seconds).toFixed(1)} times as long`,
  );
  await index.close();
  await store.close();
}

/** The longest time for which nothing else could run, in milliseconds, measured twice. */
function watchHolds(): {
  stop(): { readonly longest: number; readonly busiest: number; readonly delayed: number };
} {
  const monitor = monitorEventLoopDelay({ resolution: 1 });
  monitor.enable();
  let longest = 0;
  let busiest = 0;
  let last = performance.now();
  let used = process.threadCpuUsage();
  const timer = setInterval(() => {
    const now = performance.now();
    const { user, system } = process.threadCpuUsage(used);
    used = process.threadCpuUsage();
    longest = Math.max(longest, now - last - 1);
    busiest = Math.max(busiest, (user + system) / 1000);
    last = now;
  }, 1);
  return {
    stop() {
      clearInterval(timer);
      monitor.disable();
      return { longest, busiest, delayed: monitor.max / 1e6 };
    },
  };
}
