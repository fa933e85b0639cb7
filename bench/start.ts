import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { openSqlite } from "../src/storage/database.ts";
import { createStore } from "../src/storage/store.ts";
import { importInto, listLines } from "./papers.ts";

/**
 * From `npm start` to the first page with 10,000 papers stored, and the resident memory when idle, beside `npm`
 * starting a bare Node server. Hugging Face is out of reach, as on a closed network.
 */
export async function benchStart(print: (line: string) => void, data: string | null): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "paperboy-bench-"));
  const path = join(folder, "paperboy.db");
  const store = createStore(await openSqlite(path));
  await importInto(store, await listLines(data, 10_000));
  const { papers } = await store.size();
  await store.close();

  const bare = await firstPage(
    [
      "node",
      [
        "-e",
        "require('http').createServer((q,s)=>s.end('ok')).listen(0,'127.0.0.1',function(){console.log('at http://127.0.0.1:'+this.address().port)})",
      ],
    ],
    {},
  );
  bare.child.kill();
  const env = { DATABASE_URL: `sqlite:${path}`, HF_ENDPOINT: "http://127.0.0.1:9", PORT: "0" };
  for (const run of ["first (no search snapshot)", "next"]) {
    const ours = await firstPage(["npm", ["start", "--silent"]], env);
    const pid = Number(/pid (\d+)/.exec(ours.line)?.[1]);
    // Until the index stands.
    await fetch(`${ours.url}/message?kind=search&query=agents`);
    await new Promise((resolve) => setTimeout(resolve, 8000));
    print(
      `${run}: ${papers} papers, first page after ${ours.seconds.toFixed(2)} s (${(ours.seconds / bare.seconds).toFixed(1)} times a bare Node server), resident ${residentMb(pid)} MB when idle`,
    );
    const ended = new Promise((resolve) => ours.child.once("exit", resolve));
    process.kill(pid, "SIGTERM");
    await ended;
  }
}

async function firstPage(
  [command, args]: readonly [string, readonly string[]],
  env: Record<string, string>,
): Promise<{ child: ChildProcess; line: string; url: string; seconds: number }> {
  const start = performance.now();
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const line = await new Promise<string>((resolve) =>
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString())),
  );
  const url = /http:\/\/[^ )\n]+/.exec(line)?.[0] ?? "";
  await (await fetch(url)).text();
  return { child, line, url, seconds: (performance.now() - start) / 1000 };
}

/** Linux's own figure of the process, with its worker threads. */
function residentMb(pid: number): string {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kilobytes) / 1024).toFixed(0);
}
