import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { emptyFolder, startPaperboy } from "./paperboy.ts";

const CHROMIUM = "/usr/bin/chromium";
const absent = !existsSync(CHROMIUM);
if (absent) console.warn(`The whole product is not tried in a browser: there is no ${CHROMIUM}.`);
/** `PAPERBOY_SHOTS=<folder>` keeps pictures of each step. */
const SHOTS = process.env["PAPERBOY_SHOTS"];

describe.skipIf(absent)("the whole product in a browser, on the bundled sample", () => {
  let browser: Browser;
  let url: string;
  let child: ReturnType<typeof startPaperboy>;
  const database = join(emptyFolder(), "p.db");

  async function start(): Promise<void> {
    child = startPaperboy(["start"], {
      env: {
        DATABASE_URL: `sqlite:${database}`,
        PORT: "0",
        HF_ENDPOINT: "http://127.0.0.1:9",
        LOG_LEVEL: "warn",
      },
    });
    url = await new Promise<string>((resolve) => {
      child.stdout?.once("data", (chunk: Buffer) => resolve(/http:\S+/.exec(chunk.toString())?.[0] ?? ""));
    });
  }
  async function open(): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.route(/huggingface\.co/, (route) => route.abort());
    await page.goto(url);
    return page;
  }
  async function shot(page: Page, name: string): Promise<void> {
    if (SHOTS === undefined) return;
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: join(SHOTS, `${name}.png`) });
  }

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
    await start();
  });
  afterAll(async () => {
    child.kill("SIGKILL");
    await browser.close();
  });

  test("a newcomer sees a digest, subscribes, gets the next one once, searches, saves and undoes", {
    timeout: 60_000,
  }, async () => {
    const page = await open();
    const other = await open();
    const discord = page.getByRole("log", { name: "Messages in #papers on Discord" });
    const field = page.getByRole("combobox", { name: "Message #papers on Discord" });
    const say = async (text: string) => {
      await field.fill(text);
      await page.getByRole("button", { name: "Send on Discord" }).click();
    };

    // The newest digest stands there before anything is typed.
    for (const client of ["Discord", "Slack"]) {
      const taste = page.getByRole("region", { name: `#papers on ${client}` });
      await expect.poll(() => taste.innerText()).toContain("Daily Papers · Wednesday 29 April");
      await expect.poll(() => taste.innerText()).toContain("bundled sample");
    }
    await shot(page, "1-first-page");

    await say("/papers subscribe agents");
    await expect.poll(() => discord.innerText()).toMatch(/Subscribed this channel to 1 agents/);
    await expect.poll(() => discord.innerText()).toMatch(/Last 2 days: \d+ papers/);
    await expect.poll(() => discord.innerText()).toMatch(/Next digest: Tue 28 April, 09:00/);
    await shot(page, "2-subscribed");

    await page.getByRole("button", { name: "Next digest now" }).click();
    const digests = page.getByRole("article").filter({ hasText: "topics 1 agents" });
    await expect.poll(() => digests.count(), { timeout: 15_000 }).toBe(1);
    await expect.poll(() => digests.first().innerText()).toMatch(/Daily Papers · Tuesday 28 April/);
    await expect.poll(() => digests.first().innerText()).toMatch(/matches agents/);
    // What happens in one window shows in the other.
    const otherDigests = other.getByRole("article").filter({ hasText: "topics 1 agents" });
    await expect.poll(() => otherDigests.count(), { timeout: 15_000 }).toBe(1);
    await shot(page, "3-digest");

    await digests.first().getByRole("combobox").selectOption({ index: 1 });
    const card = page.getByRole("article").filter({ has: page.getByRole("button", { name: "Similar" }) });
    await expect.poll(() => card.count()).toBe(1);
    await shot(page, "4-card");
    await card.getByRole("button", { name: "Save", exact: true }).click();
    await expect.poll(() => discord.innerText()).toMatch(/Saved/);

    await say("/papers search diffusion");
    await expect.poll(() => discord.innerText()).toMatch(/Search · diffusion/);
    await shot(page, "5-search");

    // A day later the next one came at its own minute on the way.
    await page.getByRole("button", { name: "Next day" }).click();
    await expect.poll(() => digests.count(), { timeout: 15_000 }).toBe(2);
    await expect.poll(() => digests.last().innerText()).toMatch(/Daily Papers · Wednesday 29 April/);

    await page
      .getByRole("article")
      .filter({ hasText: "Subscribed this channel" })
      .getByRole("button", { name: "Undo" })
      .click();
    await expect.poll(() => discord.innerText()).toMatch(/Undone/);
    await say("/papers status");
    await expect.poll(() => discord.innerText()).toMatch(/Wednesday 29 April: sent/);
    await shot(page, "6-status");
    await page.close();
    await other.close();
  });

  test("a digest is there once after the process was killed and started again", {
    timeout: 60_000,
  }, async () => {
    const exit = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await exit;
    await start();
    const page = await open();
    const digests = page.getByRole("article").filter({ hasText: "topics 1 agents" });
    await expect.poll(() => digests.count(), { timeout: 15_000 }).toBe(2);
    // The clock stands where it stood.
    await expect.poll(() => page.locator("#clock-now").innerText()).toMatch(/^Wed 29 Apr/);
    await page.getByRole("button", { name: "Start over" }).click();
    await expect.poll(() => digests.count(), { timeout: 15_000 }).toBe(0);
    await expect.poll(() => page.locator("#clock-now").innerText()).toMatch(/^Tue 28 Apr, 06:00/);
    await page.close();
  });
});
