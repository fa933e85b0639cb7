import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkDiscordMessage } from "../peers/discord-rules.ts";
import { type HuggingFacePeer, madeUpLists, startHuggingFace, weekdaysUntil } from "../peers/hugging-face.ts";
import { checkSlackMessage } from "../peers/slack-rules.ts";
import { emptyFolder, type RunOptions, runPaperboy } from "./paperboy.ts";

const DAYS = weekdaysUntil("2026-04-22", 8);
const LISTS = madeUpLists({ days: DAYS, perDay: 12, seed: 7 });
/** Nothing listens there. */
const NOWHERE = "http://127.0.0.1:9";

let peer: HuggingFacePeer;
let folder: string;
let env: Record<string, string>;
const run = (args: readonly string[], options: RunOptions = {}) => runPaperboy(args, { env, ...options });

beforeAll(async () => {
  peer = await startHuggingFace({ lists: LISTS });
  folder = emptyFolder();
  env = { DATABASE_URL: `sqlite:${join(folder, "paperboy.db")}`, HF_ENDPOINT: peer.url };
  writeFileSync(
    join(folder, "a.jsonl"),
    LISTS.slice(0, 3)
      .map((list) => JSON.stringify(list))
      .join("\n"),
  );
  writeFileSync(
    join(folder, "b.jsonl.gz"),
    gzipSync(
      LISTS.slice(3, 7)
        .map((list) => JSON.stringify(list))
        .join("\n"),
    ),
  );
  const imported = await run(["import", "a.jsonl", "b.jsonl.gz", "--json"], { cwd: folder });
  expect(imported).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(imported.stdout)).toEqual({ read: 84, kept: 84, dropped: [] });
});
afterAll(() => peer.close());

describe("paperboy import", () => {
  test("can be repeated without changing anything", async () => {
    const before = await run(["show", LISTS[0]!.items[0]!.paper.id, "--json"]);
    expect((await run(["import", "a.jsonl"], { cwd: folder })).stdout).toBe("36 rows read, 36 kept.\n");
    expect((await run(["show", LISTS[0]!.items[0]!.paper.id, "--json"])).stdout).toBe(before.stdout);
  });

  test("names what it dropped and keeps the rest", async () => {
    writeFileSync(
      join(folder, "odd.jsonl"),
      `not json\n{"date":"2026-04-20","items":[{"paper":{"id":"no"}}]}\n`,
    );
    const { code, stdout } = await run(["import", "odd.jsonl", "--json"], { cwd: folder });
    // Nothing of it could be used.
    expect(code).toBe(1);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ read: 2, kept: 0 });
    expect(report.dropped).toHaveLength(2);
  });

  test("says in one line that a file is missing", async () => {
    expect(await run(["import", "none.jsonl"], { cwd: folder })).toEqual({
      code: 1,
      stdout: "",
      stderr: "none.jsonl cannot be imported: there is no such file.\n",
    });
  });
});

describe("paperboy search", () => {
  test("answers programs with an array of results, best first", async () => {
    const { code, stdout } = await run(["search", "agents", "--json", "--limit", "5"]);
    expect(code).toBe(0);
    const results = JSON.parse(stdout);
    expect(results).toHaveLength(5);
    for (const result of results) {
      expect(Object.keys(result)).toEqual(["id", "title", "url", "score", "upvotes", "listedOn", "summary"]);
      expect(result.url).toBe(`https://huggingface.co/papers/${result.id}`);
    }
    const scores = results.map((each: { score: number }) => each.score);
    expect(scores).toEqual(scores.toSorted((a: number, b: number) => b - a));
  });

  test("finds a paper by its id or link", async () => {
    const id = LISTS[2]!.items[3]!.paper.id;
    for (const query of [id, `https://arxiv.org/pdf/${id}v2`, `https://huggingface.co/papers/${id}`]) {
      expect(
        JSON.parse((await run(["search", query, "--json"])).stdout).map((each: { id: string }) => each.id),
      ).toEqual([id]);
    }
  });

  test("answers one line a query, in order, and [] to one that it cannot understand", async () => {
    const { code, stdout, stderr } = await run(["search", "-", "--json", "--limit", "3"], {
      input: "agents\nhas:nonsense\n\ndiffusion",
    });
    expect(code).toBe(0);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(4);
    expect(lines[0]).toHaveLength(3);
    expect(lines[1]).toEqual([]);
    expect(lines[2]).toEqual([]);
    expect(stderr).toContain("has:");
  });

  test("reads well for people, without colours where nobody sees them", async () => {
    const { stdout } = await run(["search", "agents"]);
    expect(stdout).toMatch(/^Search · agents\n/);
    expect(stdout).not.toContain("\u001b");
  });

  test.each([
    [["search"], /missing required argument 'query'/],
    [["search", "a", "--limit", "0"], /whole number from 1 to 500/],
    [["search", "a", "--limit", "501"], /whole number from 1 to 500/],
    [["search", "a", "--limt", "5"], /unknown option '--limt'[\s\S]*--limit/],
    [["search", "has:cod"], /has:code/],
    [["search", ""], /./],
    [["sarch", "a"], /There is no command "sarch"\. Try: npx paperboy search/],
  ])("ends %j with exit code 2 and a sentence", async (args, sentence) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toContain("    at ");
  });

  test.each([
    "GPT-4o",
    "C++",
    '"',
    "a:b",
    "(((",
    "x".repeat(9000),
    "🦙",
    "大语言模型",
    "the of and",
    "-agents",
    "' OR 1=1 --",
    "%s%n",
  ])("gives %s an answer or one sentence", async (query) => {
    const { code, stderr } = await run(["search", "--json", "--", query]);
    expect([0, 2]).toContain(code);
    expect(stderr).not.toMatch(/Paperboy failed| {4}at /);
  });
});

describe("paperboy show", () => {
  test("gives programs all that is kept", async () => {
    const paper = LISTS[1]!.items[0]!.paper;
    const shown = JSON.parse((await run(["show", paper.id, "--json"])).stdout);
    expect(shown).toMatchObject({ id: paper.id, listedOn: DAYS[1], upvotes: paper.upvotes });
    expect(shown.summary === null || typeof shown.summary === "string").toBe(true);
    expect(shown.snapshots).toHaveLength(1);
    expect(shown).toHaveProperty("authors");
  });

  test("fetches and keeps a paper that the store lacks", async () => {
    const id = LISTS[7]!.items[0]!.paper.id;
    expect((await run(["show", id])).stdout).toContain(id);
    expect(
      JSON.parse((await run(["show", id, "--json"], { env: { ...env, HF_ENDPOINT: NOWHERE } })).stdout),
    ).toMatchObject({
      id,
      listedOn: null,
    });
  });

  test("says so where nobody knows the paper, and where the text is no id", async () => {
    expect(await run(["show", "2401.99999"])).toEqual({
      code: 1,
      stdout: "",
      stderr: "Neither the store nor Hugging Face knows a paper 2401.99999.\n",
    });
    expect(await run(["show", "my paper"])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("Try: npx paperboy show 2504.06261"),
    });
  });
});

describe("paperboy digest", () => {
  const DAY = DAYS[4]!;
  const json = async (args: readonly string[]) => {
    const { code, stdout } = await run(["digest", "--format", "json", ...args]);
    expect(code).toBe(0);
    return JSON.parse(stdout);
  };

  test("gives programs the day, the outcome and the papers", async () => {
    const digest = await json(["--date", DAY, "--top", "7"]);
    expect(digest).toMatchObject({ date: DAY, outcome: "sent" });
    expect(digest.papers).toHaveLength(7);
    for (const paper of digest.papers) {
      expect(Object.keys(paper)).toEqual(["id", "title", "url", "summary", "why", "upvotes"]);
      expect(paper.why).not.toBe("");
    }
  });

  test("holds what any of its topics match, and says which", async () => {
    const digest = await json(["--date", DAY, "--topic", "agents", "--topic", "min:10", "--top", "100"]);
    const listed = LISTS[4]!.items;
    for (const paper of digest.papers) {
      expect(listed.some((item) => item.paper.id === paper.id)).toBe(true);
      expect(paper.why).toMatch(/^matches (agents|min:10)/);
    }
  });

  test.each(["discord", "slack"] as const)("prints one legal %s message", async (format) => {
    const { code, stdout } = await run(["digest", "--date", DAY, "--top", "10", "--format", format]);
    expect(code).toBe(0);
    const bodies = JSON.parse(stdout);
    expect(bodies).toHaveLength(1);
    const faults = format === "discord" ? checkDiscordMessage(bodies[0]) : checkSlackMessage(bodies[0]);
    expect(faults).toEqual([]);
  });

  test("says that nothing matched", async () => {
    const args = ["--date", DAY, "--topic", "xylophones"];
    expect(await json(args)).toEqual({ date: DAY, outcome: "quiet", papers: [] });
    expect((await run(["digest", ...args])).stdout).toContain("None of 12 papers matched");
    const bodies = JSON.parse((await run(["digest", ...args, "--format", "slack"])).stdout);
    expect(bodies).toHaveLength(1);
    expect(checkSlackMessage(bodies[0])).toEqual([]);
  });

  test("is empty on a weekend, without asking anybody", async () => {
    const asked = peer.requests.length;
    expect(await json(["--date", "2026-04-18"])).toEqual({
      date: "2026-04-18",
      outcome: "no-list",
      papers: [],
    });
    expect((await run(["digest", "--date", "2026-04-18", "--format", "discord"])).stdout).toBe("[]\n");
    expect((await run(["digest", "--date", "2026-04-18"])).stdout).toContain("Monday to Friday");
    expect((await run(["digest", "--date", "2022-05-05"])).stdout).toContain(
      "the first list is of 2023-05-04",
    );
    expect(peer.requests.length).toBe(asked);
  });

  test("fetches a day that the store lacks", async () => {
    const day = DAYS[7]!;
    expect(await json(["--date", day])).toMatchObject({ date: day, outcome: "sent" });
  });

  test("says in one line that a missing day could not be fetched", async () => {
    const { code, stdout, stderr } = await run(["digest", "--date", "2026-03-02"], {
      env: { ...env, HF_ENDPOINT: NOWHERE },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toContain("Hugging Face could not be reached");
  });

  test("shows the last good list, and says so, where today's cannot be fetched", async () => {
    const { code, stdout } = await run(["digest"], { env: { ...env, HF_ENDPOINT: NOWHERE } });
    expect(code).toBe(0);
    // On a weekend there is no list to fetch.
    if (!stdout.startsWith("No list"))
      expect(stdout).toContain("Hugging Face is out of reach: this is the last good list.");
  });

  test.each([
    [["--date", "yesterday"], /date such as/],
    [["--date", "2026-02-30"], /date such as/],
    [
      ["--date", "2199-01-01"],
      /2199-01-01 has no list yet: the newest day is .* Try: npx paperboy digest --date/,
    ],
    [["--top", "0"], /whole number from 1 to 100/],
    [["--top", "1e3"], /whole number/],
    [["--format", "html"], /Allowed choices are text, json, discord, slack/],
    [["--topic", "min:many"], /min:/],
    [["--topic", ""], /./],
    [["agents"], /too many arguments/],
  ])("refuses %j in a sentence", async (args, sentence) => {
    const { code, stdout, stderr } = await run(["digest", ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(sentence);
  });
});

describe("paperboy audit", () => {
  test("tells of an empty ledger, for people and programs", async () => {
    expect(JSON.parse((await run(["audit", "--json"])).stdout)).toEqual({
      deliveries: 0,
      byOutcome: {},
      lost: 0,
      doubled: 0,
      uncertain: 0,
    });
    expect((await run(["audit"])).stdout).toBe("0 deliveries: 0 lost, 0 doubled, 0 uncertain.\n");
  });
});

describe("paperboy manifest", () => {
  test("prints what Slack makes an app from, and says beside it what to do", async () => {
    const { code, stdout, stderr } = await runPaperboy(["manifest"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      display_information: { name: "Paperboy" },
      settings: { socket_mode_enabled: true },
    });
    expect(stderr).toMatch(
      /From a manifest, and paste this as JSON\.\n.*SLACK_APP_TOKEN.*\n.*SLACK_BOT_TOKEN\.\n$/,
    );
  });

  test("takes the public address for many workspaces, over HTTP or a socket", async () => {
    const url = "https://papers.example.com/bots/";
    const http = await runPaperboy(["manifest", "--url", url]);
    expect(JSON.parse(http.stdout)).toMatchObject({
      settings: {
        socket_mode_enabled: false,
        event_subscriptions: { request_url: "https://papers.example.com/bots/slack/events" },
      },
    });
    const socket = await runPaperboy(["manifest", "--socket", "--url", url]);
    expect(JSON.parse(socket.stdout)).toMatchObject({
      oauth_config: { redirect_urls: ["https://papers.example.com/bots/slack/oauth_redirect"] },
      settings: { socket_mode_enabled: true },
    });
  });

  test("needs no settings, not even sound ones", async () => {
    expect((await runPaperboy(["manifest"], { env: { PORT: "none", SLACK_APP_TOKEN: "xoxb-1" } })).code).toBe(
      0,
    );
  });

  test.each([
    "http://papers.example.com",
    "papers.example.com",
    "https://a:b@example.com",
    "https://example.com?a",
  ])("refuses the address %s in one sentence", async (url) => {
    const { code, stdout, stderr } = await runPaperboy(["manifest", "--url", url]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("It is an https address such as https://papers.example.com.");
  });
});

describe("paperboy backfill", () => {
  test("fetches the days that the store lacks, once", async () => {
    const own = { ...env, DATABASE_URL: `sqlite:${join(emptyFolder(), "p.db")}` };
    const args = ["backfill", "--from", DAYS[0]!, "--to", DAYS[7]!, "--json"];
    expect(JSON.parse((await run(args, { env: own })).stdout)).toMatchObject({
      read: 96,
      kept: 96,
      dropped: [],
    });
    const asked = peer.requests.length;
    expect(JSON.parse((await run(args, { env: own })).stdout)).toMatchObject({ read: 0 });
    expect(peer.requests.length).toBe(asked);
  });

  test("refuses a range that ends before it begins", async () => {
    expect(await run(["backfill", "--from", "2026-04-02", "--to", "2026-04-01"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--from 2026-04-01 --to 2026-04-02"),
    });
  });
});

describe("an empty store with Hugging Face out of reach", () => {
  test("serves the bundled sample and says so", async () => {
    const own = { DATABASE_URL: `sqlite:${join(emptyFolder(), "p.db")}`, HF_ENDPOINT: NOWHERE };
    const search = await run(["search", "agents", "--json"], { env: own });
    expect(JSON.parse(search.stdout).length).toBeGreaterThan(0);
    expect(search.stderr).toContain("bundled sample");
    const digest = await run(["digest"], { env: own });
    if (!digest.stdout.startsWith("No list")) expect(digest.stdout).toContain("This is the bundled sample");
  });
});

describe("a store that cannot be used", () => {
  test.each([
    ["damaged", /is damaged or no SQLite file/],
    ["a folder", /cannot be opened/],
  ])("because it is %s ends in one sentence and exit code 1", async (kind, sentence) => {
    const file = join(emptyFolder(), "paperboy.db");
    if (kind === "a folder") mkdirSync(file);
    else writeFileSync(file, "SQLite format 3\0 but not really ".repeat(300));
    const { code, stdout, stderr } = await run(["search", "agents"], {
      env: { ...env, DATABASE_URL: `sqlite:${file}` },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(sentence);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  test.skipIf(process.getuid?.() === 0)("because of its folder's rights ends in one sentence", async () => {
    const locked = emptyFolder();
    chmodSync(locked, 0o500);
    const { code, stderr } = await run(["search", "x"], {
      env: { DATABASE_URL: `sqlite:${join(locked, "p.db")}` },
    });
    expect(code).toBe(1);
    expect(stderr).toContain("cannot be opened for writing");
  });

  test.each([
    [
      { DATABASE_URL: "postgres://localhost/x" },
      "DATABASE_URL: Postgres is not served yet: use SQLite, such as sqlite:data/paperboy.db.\n",
    ],
    [{ PORT: "http" }, "PORT: must be a port from 0 to 65535, such as 3000.\n"],
  ])("or a malformed variable %j likewise", async (variables, sentence) => {
    expect(await run(["search", "x"], { env: variables })).toEqual({ code: 1, stdout: "", stderr: sentence });
  });
});

describe("the command line", () => {
  test("helps on each command", async () => {
    const { code, stdout } = await run(["--help"]);
    expect(code).toBe(0);
    for (const command of [
      "start",
      "search",
      "show",
      "digest",
      "backfill",
      "import",
      "audit",
      "register",
      "doctor",
      "manifest",
    ]) {
      expect(stdout).toContain(command);
      expect(await run([command, "--help"])).toMatchObject({ code: 0, stderr: "" });
    }
  });

  test("reads .env in its folder, and lets the environment win", async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, ".env"), "PORT=nonsense\n");
    expect((await runPaperboy(["search", "x"], { cwd })).stderr).toContain("PORT: must be a port");
    expect(
      (await run(["search", "agents", "--json"], { cwd, env: { ...env, PORT: "" } })).stderr,
    ).not.toContain("Paperboy failed");
  });

  test("is named in package.json as it is documented", () => {
    expect(JSON.parse(readFileSync("package.json", "utf8"))).toMatchObject({
      private: true,
      bin: { paperboy: "bin/paperboy.js" },
    });
  });
});
