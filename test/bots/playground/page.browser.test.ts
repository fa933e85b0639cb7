import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startPlayground } from "../../../src/bots/playground/server.ts";
import { createFakeProduct, type FakeState } from "./fake-product.ts";

const CHROMIUM = "/usr/bin/chromium";
const absent = !existsSync(CHROMIUM);
if (absent) console.warn(`The page is not tried in a browser: there is no ${CHROMIUM}.`);

const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/** For machines that are busy with other suites. */
const PATIENT = { timeout: 10_000 };

describe.skipIf(absent)("the page in a browser", () => {
  let browser: Browser;
  let state: FakeState;
  let playground: Awaited<ReturnType<typeof startPlayground>>;
  let page: Page;
  /** What the browser complained of, and requests to where none should go. */
  let complaints: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split(
        " ",
      ),
    });
  });
  afterAll(() => browser?.close());

  async function open(options: BrowserContextOptions & { path?: string; thumbnails?: boolean } = {}) {
    const { path = "/", thumbnails = true, ...context } = options;
    page = await browser.newPage({
      reducedMotion: "reduce",
      viewport: { width: 1440, height: 900 },
      ...context,
    });
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.route(
      (url) => url.origin !== playground.url,
      (route) => {
        const { hostname } = new URL(route.request().url());
        if (hostname !== "cdn-thumbnails.huggingface.co") complaints.push(route.request().url());
        return thumbnails ? route.fulfill({ contentType: "image/png", body: PIXEL }) : route.abort();
      },
    );
    await page.goto(playground.url + path);
  }

  async function serve() {
    const fake = createFakeProduct();
    state = fake.state;
    playground = await startPlayground({
      host: "127.0.0.1",
      port: 0,
      product: fake.product,
      now: () => new Date("2026-04-23T14:05:00Z"),
      onError: (error) => complaints.push(String(error)),
    });
  }

  afterEach(async () => {
    await page.close();
    await playground.close();
    const heard = complaints.splice(0);
    expect(heard).toEqual([]);
  });

  const inPane = (client: "discord" | "slack", selector: string) => page.locator(`.${client} ${selector}`);
  const focused = () => page.locator(":focus").getAttribute("aria-label");

  it("shows both clients side by side, and one at a time where it is narrow", async () => {
    await serve();
    await open();
    expect(await page.locator(".window:visible").count()).toBe(2);
    await page.setViewportSize({ width: 800, height: 900 });
    expect(await page.locator(".window:visible").count()).toBe(1);
    await page.getByRole("radio", { name: "Slack" }).check();
    expect(await inPane("slack", "article").isVisible()).toBe(true);
    expect(await inPane("discord", "article").isVisible()).toBe(false);
  });

  it("changes the day without a new page, and back with the browser's own button", async () => {
    await serve();
    await open();
    await page.evaluate("document.body.dataset.samePage = ''");
    await page.getByRole("link", { name: "Earlier day" }).click();
    await inPane("slack", "h3").getByText("2026-04-22").waitFor();
    await inPane("discord", "h3").getByText("2026-04-22").waitFor();
    expect(new URL(page.url()).search).toBe("?day=2026-04-22");
    expect(await focused()).toBe("Earlier day");
    await page.locator("#day").selectOption("2026-04-21");
    await inPane("discord", "h3").getByText("2026-04-21").waitFor();
    await page.goBack();
    await inPane("discord", "h3").getByText("2026-04-22").waitFor();
    expect(await page.locator("#day").inputValue()).toBe("2026-04-22");
    expect(await page.locator("body[data-same-page]").count()).toBe(1);
  });

  it("asks for the topics and the number of papers that were typed", async () => {
    await serve();
    await open();
    await page.getByRole("radio", { name: "Top 10" }).check();
    await page.getByLabel("Topics").fill("agents -robotics");
    await page.keyboard.press("Enter");
    await expect.poll(() => state.asked.at(-1), PATIENT).toBe("digest 2026-04-23 10 0 agents -robotics");
  });

  it("answers a search in both channels, turns its pages in place, and lets it be dismissed", async () => {
    await serve();
    await open();
    await page.getByRole("searchbox", { name: "Search papers" }).fill("news readers");
    await page.keyboard.press("Enter");
    for (const client of ["discord", "slack"] as const) {
      const reply = inPane(client, ".replies article");
      await reply.waitFor();
      expect(await reply.textContent()).toContain("/papers search news readers");
      await expect
        .poll(() => reply.evaluate((node) => node.getBoundingClientRect().top), PATIENT)
        .toBeLessThan(200);
    }
    await inPane("slack", ".replies button").getByText("Next page").click();
    for (const client of ["discord", "slack"] as const) {
      await inPane(client, ".replies .link").getByText("Paper number 6 ").waitFor();
      expect(await inPane(client, ".replies article").count()).toBe(1);
    }
    await inPane("discord", ".replies").getByText("Dismiss message").click();
    expect(await page.locator(".replies article").count()).toBe(0);
  });

  it("opens the chosen paper's card in both channels, from either", async () => {
    await serve();
    await open();
    await inPane("discord", "select[data-action]").selectOption("2604.00003");
    await inPane("slack", ".replies h3").getByText("Paper 2604.00003").waitFor();
    await inPane("slack", "#slack-digest select[data-action]").selectOption("2604.00004");
    await inPane("discord", ".replies h3").getByText("Paper 2604.00004").waitFor();
    expect(await inPane("discord", ".replies article").count()).toBe(2);
    const link = inPane("slack", ".replies a").getByText("arXiv").first();
    expect(await link.getAttribute("rel")).toBe("noreferrer noopener");
    await inPane("slack", ".replies").getByText("Save").first().click();
    await page.getByText("The playground only reads").waitFor();
  });

  it("shows the exact payload of a message and copies it", async () => {
    await serve();
    await open({ permissions: ["clipboard-read", "clipboard-write"] });
    await inPane("slack", "article").hover();
    await inPane("slack", ".payload-link").click();
    const dialog = page.getByRole("dialog", { name: "Slack · chat.postMessage" });
    await dialog.waitFor();
    const shown = JSON.parse((await dialog.locator("code").textContent()) ?? "");
    expect(shown.blocks[0].text.text).toBe("Daily Papers · 2026-04-23");
    await dialog.getByRole("button", { name: "Copy" }).click();
    await dialog.getByText("Copied").waitFor();
    expect(JSON.parse(await page.evaluate<string>("navigator.clipboard.readText()"))).toEqual(shown);
    await page.keyboard.press("Escape");
    expect(await dialog.isVisible()).toBe(false);
    expect(await focused()).toBe("Show the payload that Slack gets");
  });

  it("is used with the keyboard alone", async () => {
    await serve();
    await open();
    await page.keyboard.press("Tab");
    expect(await page.locator(":focus").textContent()).toBe("Skip to the channels");
    await page.keyboard.press("ArrowLeft");
    await inPane("discord", "h3").getByText("2026-04-22").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("news");
    await page.keyboard.press("Enter");
    await inPane("discord", ".replies article").waitFor();
    await page.locator(".discord .replies select").focus();
    // The first arrow opens the menu and chooses nothing; the next ones move in it.
    await page.keyboard.press("ArrowDown");
    expect(await inPane("discord", ".replies article").count()).toBe(1);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await inPane("slack", ".replies h3").getByText("Paper 2604.").waitFor();
    await page.locator(".discord #discord-digest .payload-link").focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    expect(await page.getByRole("dialog").count()).toBe(0);
  });

  it("says what is wrong with a topic, in the channel", async () => {
    await serve();
    await open();
    await page.getByLabel("Topics").fill("has:wings");
    await page.keyboard.press("Enter");
    await inPane("discord", "#discord-digest").getByText("not wings").waitFor();
    await inPane("slack", "#slack-digest").getByText("not wings").waitFor();
  });

  it("shows the first list by itself once it is there", async () => {
    await serve();
    const { days } = state;
    state.days = [];
    state.loading = true;
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.clock.install();
    await page.route(
      (url) => url.origin !== playground.url,
      (route) => route.fulfill({ contentType: "image/png", body: PIXEL }),
    );
    await page.goto(playground.url);
    await inPane("slack", "").getByText("Fetching the last 30 lists").waitFor();
    state.days = days.slice(1);
    await page.clock.runFor(2000);
    await inPane("slack", "h3").getByText("2026-04-22").waitFor();
    state.days = days;
    state.loading = false;
    await page.clock.runFor(2000);
    await expect.poll(() => page.locator("#day option").count(), PATIENT).toBe(3);
    // What is being read stays; only the list of days grows.
    expect(await inPane("slack", "h3").getByText("2026-04-22").count()).toBe(1);
  });

  it("remembers the theme that was chosen", async () => {
    await serve();
    await open({ colorScheme: "light" });
    const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const light = await background();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.getByRole("button", { name: "Theme: automatic" }).click();
    expect(await background()).toBe(light);
    await page.reload();
    expect(await background()).toBe(light);
    await page.getByRole("button", { name: "Theme: light" }).click();
    expect(await background()).toBe(dark);
  });

  it.each([320, 390, 768, 1100, 1440])(
    "fits %i pixels, in light and dark, with long words",
    async (width) => {
      await serve();
      state.notice = `A notice with a very${"Long".repeat(40)} word.`;
      for (const colorScheme of ["light", "dark"] as const) {
        if (colorScheme === "dark") await page.close();
        await open({ viewport: { width, height: 800 }, colorScheme, path: "/?search=news" });
        for (const client of ["discord", "slack"]) {
          if (width < 1100) await page.locator(`#show-${client}`).check({ force: true });
          const wide = await page.evaluate(`
            [document.documentElement, ...document.querySelectorAll(".scroll")]
              .filter((node) => node.scrollWidth > node.clientWidth)
              .map((node) => node.className)`);
          expect(wide).toEqual([]);
        }
      }
    },
  );

  it("shows a tile where a thumbnail cannot be loaded", async () => {
    await serve();
    await open({ thumbnails: false });
    await expect.poll(() => page.locator(".discord img.missing").count(), PATIENT).toBeGreaterThan(0);
    // The browser itself reports each failed picture.
    complaints = complaints.filter((text) => !text.includes("ERR_FAILED"));
  });

  it("shows digest and search without its script", async () => {
    await serve();
    await open({ javaScriptEnabled: false });
    await page.getByRole("searchbox", { name: "Search papers" }).fill("news");
    await page.getByRole("button", { name: "Show" }).click();
    await inPane("slack", ".replies h3").getByText("Search · news").waitFor();
    expect(await inPane("discord", "#discord-digest h3").textContent()).toBe("Daily Papers · 2026-04-23");
  });
});
