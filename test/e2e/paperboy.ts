import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
export type RunOptions = {
  readonly env?: Record<string, string>;
  readonly input?: string;
  readonly cwd?: string;
};

/** An empty folder for a store. */
export function emptyFolder(): string {
  return mkdtempSync(join(tmpdir(), "paperboy-e2e-"));
}

/** A process of the program, through its launcher, with nothing of this process's environment but the path. */
export function startPaperboy(args: readonly string[], { env = {}, cwd }: RunOptions = {}): ChildProcess {
  return spawn(process.execPath, [join(process.cwd(), "bin/paperboy.js"), ...args], {
    cwd: cwd ?? emptyFolder(),
    env: { PATH: process.env["PATH"] ?? "", ...env },
  });
}

/** Runs a command to its end. */
export async function runPaperboy(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = startPaperboy(args, options);
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  child.stdin?.end(options.input ?? "");
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, ...output };
}
