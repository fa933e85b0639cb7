import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

/** `npm ci` in a fresh clone of the last commit, and then the first page of `npm start`: what a newcomer waits for. */
export async function benchInstall(print: (line: string) => void): Promise<void> {
  const clone = join(mkdtempSync(join(tmpdir(), "paperboy-bench-")), "paperboy");
  execFileSync("git", ["clone", "--quiet", ".", clone]);
  const start = performance.now();
  execFileSync("npm", ["ci", "--silent"], { cwd: clone, stdio: "ignore" });
  const installed = performance.now();
  const child = spawn("npm", ["start", "--silent"], {
    cwd: clone,
    env: { ...process.env, PORT: "0", HF_ENDPOINT: "http://127.0.0.1:9" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const line = await new Promise<string>((resolve) =>
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString())),
  );
  await (await fetch(/http:\/\/[^ )\n]+/.exec(line)?.[0] ?? "")).text();
  const shown = performance.now();
  process.kill(Number(/pid (\d+)/.exec(line)?.[1]));
  const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(1);
  print(
    `npm ci ${seconds(start, installed)} s, first page ${seconds(installed, shown)} s later: ${seconds(start, shown)} s in all`,
  );
}
