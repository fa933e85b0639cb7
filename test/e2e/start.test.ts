import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { startDiscord } from "../peers/discord.ts";
import { madeUpLists, startHuggingFace, weekdaysUntil } from "../peers/hugging-face.ts";
import { emptyFolder, runPaperboy, startPaperboy } from "./paperboy.ts";

const NOWHERE = "http://127.0.0.1:9";
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function start(
  env: Record<string, string>,
): Promise<{ child: ChildProcess; url: string; line: string; log(): string }> {
  const child = startPaperboy(["start"], {
    env: { DATABASE_URL: `sqlite:${join(emptyFolder(), "p.db")}`, PORT: "0", HF_ENDPOINT: NOWHERE, ...env },
  });
  children.push(child);
  let log = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString()));
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${log}`)));
  });
  return { child, line, url: /http:\S+/.exec(line)?.[0] ?? "", log: () => log };
}

const exitOf = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => {
    child.on("exit", resolve);
  });

describe("paperboy start", () => {
  test("says where it is in one line, and serves the bundled sample while there is nothing else", async () => {
    const { child, line, url } = await start({});
    expect(line).toBe(`Paperboy is ready at ${url} (pid ${child.pid})\n`);
    const page = await (await fetch(url)).text();
    expect(page).toContain("This is the bundled sample");
    expect(page).toContain("Daily Papers");
  });

  test("fetches the last lists into an empty store, and then shows those", async () => {
    const today = new Date().toISOString().slice(0, 10);
    const lists = madeUpLists({ days: weekdaysUntil(today, 32), perDay: 6, seed: 5 });
    const peer = await startHuggingFace({ lists });
    try {
      const { url } = await start({ HF_ENDPOINT: peer.url });
      await vi.waitFor(
        async () => {
          const status: unknown = await (await fetch(`${url}/status`)).json();
          expect(status).toMatchObject({
            loading: false,
            days: expect.toSatisfy((days: number) => days >= 28),
          });
        },
        { timeout: 20_000, interval: 200 },
      );
      expect(await (await fetch(url)).text()).not.toContain("bundled sample");
      // The clock stood among the sample's days, and is the real one from the first list on.
      await vi.waitFor(
        async () => {
          const { now } = z.object({ now: z.string() }).parse(await (await fetch(`${url}/clock`)).json());
          expect(Math.abs(Date.parse(now) - Date.now())).toBeLessThan(60_000);
        },
        { timeout: 10_000, interval: 200 },
      );
    } finally {
      await peer.close();
    }
  });

  test("fetches the last lists into a store that holds a paper already, and none of them twice", async () => {
    const today = new Date().toISOString().slice(0, 10);
    const lists = madeUpLists({ days: weekdaysUntil(today, 32), perDay: 6, seed: 5 });
    const peer = await startHuggingFace({ lists });
    try {
      const env = { DATABASE_URL: `sqlite:${join(emptyFolder(), "p.db")}`, HF_ENDPOINT: peer.url };
      const paper = lists[10]?.items[0]?.paper.id ?? "";
      expect((await runPaperboy(["show", paper], { env })).code).toBe(0);
      const { url } = await start(env);
      await vi.waitFor(
        async () => {
          const { days } = z.object({ days: z.number() }).parse(await (await fetch(`${url}/status`)).json());
          expect(days).toBeGreaterThanOrEqual(28);
        },
        { timeout: 20_000, interval: 200 },
      );
    } finally {
      await peer.close();
    }
  });

  test("keeps what was subscribed on the sample, from now on, once the first list is here", async () => {
    const DATABASE_URL = `sqlite:${join(emptyFolder(), "p.db")}`;
    const first = await start({ DATABASE_URL });
    const body = { client: "slack", channel: "papers", person: "ada", text: "/papers subscribe agents" };
    const headers = { origin: first.url, "content-type": "application/json" };
    const subscribed = await fetch(`${first.url}/command`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    expect(subscribed.status).toBe(200);
    const ended = exitOf(first.child);
    first.child.kill("SIGKILL");
    await ended;

    const today = new Date().toISOString().slice(0, 10);
    const peer = await startHuggingFace({
      lists: madeUpLists({ days: weekdaysUntil(today, 4), perDay: 6, seed: 5 }),
    });
    try {
      const { url } = await start({ DATABASE_URL, HF_ENDPOINT: peer.url });
      const Clock = z.object({
        now: z.string(),
        channels: z.array(z.object({ client: z.string(), channel: z.string(), next: z.string().nullable() })),
      });
      await vi.waitFor(
        async () => {
          const { now, channels } = Clock.parse(await (await fetch(`${url}/clock`)).json());
          expect(Math.abs(Date.parse(now) - Date.now())).toBeLessThan(60_000);
          const own = channels.find(({ client, channel }) => client === "slack" && channel === "papers");
          const ahead = Date.parse(own?.next ?? "") - Date.now();
          expect(ahead).toBeGreaterThan(0);
          expect(ahead).toBeLessThan(4 * 86_400_000);
        },
        { timeout: 20_000, interval: 200 },
      );
      const audit = await runPaperboy(["audit", "--json"], { env: { DATABASE_URL } });
      expect(JSON.parse(audit.stdout)).toMatchObject({ deliveries: 0 });
    } finally {
      await peer.close();
    }
  });

  test.each(["SIGTERM", "SIGINT"] as const)("ends at %s with exit code 0", async (signal) => {
    const { child } = await start({});
    const exit = exitOf(child);
    child.kill(signal);
    expect(await exit).toBe(0);
  });

  test("says in one sentence that its port is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { code, stdout, stderr } = await runPaperboy(["start"], {
      env: { PORT: String(port), HF_ENDPOINT: NOWHERE },
    });
    server.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      new RegExp(`^Port ${port} on 127.0.0.1 is taken by another program: .*PORT=${port + 1} npm start`),
    );
  });

  test("serves no playground once a token is set", async () => {
    const discord = await startDiscord();
    const { url, child } = await start({ DISCORD_TOKEN: discord.token(), DISCORD_API_URL: discord.apiUrl });
    expect(await (await fetch(url)).text()).toBe("Paperboy is running. Its health is at /healthz.\n");
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${url}/healthz`)).json()).toMatchObject({ ok: true, platforms: ["discord"] });
    const ended = exitOf(child);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    await discord.close();
  });

  test("ends with one sentence where a chat refuses the token, which it does not repeat", async () => {
    const discord = await startDiscord();
    const { code, stdout, stderr } = await runPaperboy(["start"], {
      env: {
        DISCORD_TOKEN: "a.token.of-discord",
        DISCORD_API_URL: discord.apiUrl,
        HF_ENDPOINT: NOWHERE,
        PORT: "0",
      },
    });
    await discord.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("Discord refuses the token in DISCORD_TOKEN");
    expect(stderr).not.toContain("a.token");
  });

  test("keeps its token out of the log", async () => {
    const peer = await startHuggingFace({ lists: [] });
    peer.setFault({ kind: "status", status: 401 });
    const { log } = await start({
      HF_ENDPOINT: peer.url,
      HF_TOKEN: "hf_verysecrettoken",
      LOG_LEVEL: "trace",
    });
    await vi.waitFor(() => expect(log()).toContain("not read"), { timeout: 10_000 });
    expect(peer.requests.some(({ headers }) => headers.authorization === "Bearer hf_verysecrettoken")).toBe(
      true,
    );
    expect(log()).not.toContain("verysecret");
    await peer.close();
  });
});

/** The machine's own Node, found on the path; the tests themselves run on Node 24. */
const OLD_NODE = spawnSync(
  "sh",
  [
    "-c",
    'for d in $(echo "$PATH" | tr : " "); do [ -x "$d/node" ] && "$d/node" -p process.version | grep -qE "^v(18|20|22)" && echo "$d/node" && break; done',
  ],
  {
    encoding: "utf8",
  },
).stdout.trim();
if (OLD_NODE === "")
  console.warn("No Node older than 24 on the path: the launcher's tests on it are skipped.");

describe.skipIf(OLD_NODE === "")("the launcher on an older Node", () => {
  test("runs Node 24 with the arguments, the input and the exit code", () => {
    const { status, stdout } = spawnSync(OLD_NODE, ["bin/paperboy.js", "search", "--limit", "0", "x"], {
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    const script = join(emptyFolder(), "version.ts");
    writeFileSync(script, "const version: string = process.version; process.stdout.write(version);");
    expect(spawnSync(OLD_NODE, ["bin/launch.js", script], { encoding: "utf8" }).stdout).toMatch(/^v24\./);
  });

  test("hands signals on and ends as the program ends", () => {
    const script = join(emptyFolder(), "wait.ts");
    writeFileSync(
      script,
      'process.on("SIGTERM", () => process.exit(7)); process.stdout.write(String(process.pid)); setInterval(() => {}, 1000); setTimeout(() => process.kill(process.ppid, "SIGTERM"), 50);',
    );
    expect(spawnSync(OLD_NODE, ["bin/launch.js", script], { encoding: "utf8", timeout: 10_000 }).status).toBe(
      7,
    );
  });

  test("ends when npm's shell between it and npm died without a word", async () => {
    const env = {
      PATH: process.env["PATH"] ?? "",
      DATABASE_URL: "sqlite::memory:",
      HF_ENDPOINT: NOWHERE,
      PORT: "0",
    };
    const npm = spawn("npm", ["start", "--silent"], { env: { ...env, npm_config_update_notifier: "false" } });
    const line = await new Promise<string>((resolve) =>
      npm.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString())),
    );
    const pid = Number(/pid (\d+)/.exec(line)?.[1]);
    expect(() => process.kill(pid, 0)).not.toThrow();
    npm.kill("SIGTERM");
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), { timeout: 8000, interval: 100 });
  });

  test("says in one sentence what to do where Node 24 is not installed", () => {
    const copy = mkdtempSync(join(tmpdir(), "paperboy-bare-"));
    mkdirSync(join(copy, "bin"));
    cpSync("bin", join(copy, "bin"), { recursive: true });
    writeFileSync(join(copy, "package.json"), '{"type":"module"}');
    const { status, stderr } = spawnSync(OLD_NODE, [join(copy, "bin/paperboy.js")], { encoding: "utf8" });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^Paperboy needs Node 24 and this is v\d+\.\d+\.\d+: run "npm ci" in .* or install Node 24\.\n$/,
    );
  });
});
