import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pass } from "node:timers/promises";
import { z } from "zod";
import type { Place } from "./local-discord.ts";
import { ms } from "./papers.ts";

/** Paperboy itself, as `paperboy start` runs it. */
export type PaperboyProcess = {
  /** Resolves with the next line of its log that has this text. */
  logged(text: string): Promise<void>;
  /** Deliveries that have ended. */
  settled(): number;
  /** The event loop of its main thread since the last time. */
  loop(): Promise<Loop>;
  stop(): Promise<void>;
};

const loop = z.object({
  p50Ms: z.number(),
  p99Ms: z.number(),
  /** The longest time without a turn. */
  longestMs: z.number(),
  /** What of such times was work, and not waiting for a processor. */
  workP99Ms: z.number(),
  workMostMs: z.number(),
  /** Of all its threads, since the start. */
  cpuSeconds: z.number(),
});
export type Loop = z.infer<typeof loop>;

/** Starts it in `folder` and waits until its bot is connected. */
export async function startPaperboy(
  folder: string,
  { token, apiUrl }: Place,
  env: Record<string, string>,
): Promise<PaperboyProcess> {
  const file = join(folder, "loop.jsonl");
  const child = spawn(process.execPath, [...profile(), join(process.cwd(), "bin/paperboy.js"), "start"], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"] ?? "",

      LOG_LEVEL: "info",
      LOG_FORMAT: "json",
      PORT: "0",
      DISCORD_TOKEN: token,
      DISCORD_API_URL: apiUrl,
      NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import=${new URL("loop-probe.ts", import.meta.url)}`,
      LOOP_PROBE_FILE: file,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const waiting = new Set<{ readonly text: string; readonly found: () => void }>();
  let settled = 0;
  createInterface(child.stderr).on("line", (line) => {
    if (line.includes('"delivery settled"')) settled += 1;
    if (/"level":(50|60)|^[^{]/.test(line)) process.stderr.write(`${line}\n`);
    for (const wait of waiting) {
      if (!line.includes(wait.text)) continue;
      waiting.delete(wait);
      wait.found();
    }
  });
  await once(child.stdout, "data");
  let lines = 0;
  return {
    logged: (text) => new Promise((found) => waiting.add({ text, found })),
    settled: () => settled,
    async loop() {
      child.kill("SIGUSR2");
      for (;;) {
        const written = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
        const line = written[lines];
        if (line !== undefined) {
          lines += 1;
          return loop.parse(JSON.parse(line));
        }
        await pass(10);
      }
    },
    stop: () => end(child),
  };
}

/** `PROFILE=<folder>` writes a CPU profile of Paperboy's process there. */
function profile(): readonly string[] {
  const folder = process.env["PROFILE"];
  return folder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${folder}`];
}

/** Of Paperboy's main thread. */
export function loopLine({ p50Ms, p99Ms, longestMs, workP99Ms, workMostMs }: Loop): string {
  return `Paperboy's event loop: p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}, longest hold ${ms(longestMs)}, of work alone p99 ${ms(workP99Ms)}, longest ${ms(workMostMs)}`;
}

export type PlainBot = {
  /** Resolves once all is sent that it was to send. */
  done(): Promise<void>;
  stop(): Promise<void>;
};

/** Starts the bare bot of plain-bot.ts, and waits until it is connected. */
export async function startPlainBot(
  { token, apiUrl, channels }: Place,
  mode: "pong" | "one-by-one" | "all-at-once",
  sends = 0,
): Promise<PlainBot> {
  const ids = channels.slice(0, sends).map(({ channelId }) => channelId);
  const child = fork(new URL("plain-bot.ts", import.meta.url), [mode, ...ids], {
    env: { ...process.env, DISCORD_TOKEN: token, DISCORD_API_URL: apiUrl },
  });
  const done = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  child.on("message", (message) => (message === "done" ? done : ready).resolve());
  await ready.promise;
  return { done: () => done.promise, stop: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill();
  await ended;
}
