import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startPlayground } from "../../../src/bots/playground/server.ts";
import { createFakeDesk } from "./fake-desk.ts";
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
  let asked: string[] = [];
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
    const { path = "/days", thumbnails = true, ...context } = options;
    page = await watch({
      reducedMotion: "reduce",
      viewport: { width: 1440, height: 900 },
      ...context,
    });
    await hold(page, thumbnails);
    await page.goto(playground.url + path);
  }

  async function watch(options: BrowserContextOptions) {
    const opened = await browser.newPage(options);
    opened.on("console", (message) => complaints.push(message.text()));
    opened.on("pageerror", (error) => complaints.push(error.message));
    return opened;
  }
  /** Nothing but thumbnails is asked for elsewhere, and these come from here. */
  async function hold(opened: Page, thumbnails = true) {
    await opened.route(
      (url) => url.origin !== playground.url,
      (route) => {
        const { hostname } = new URL(route.request().url());
        if (hostname !== "cdn-thumbnails.huggingface.co") complaints.push(route.request().url());
        return thumbnails ? route.fulfill({ contentType: "image/png", body: PIXEL }) : route.abort();
      },
    );
  }

  async function serve() {
    const fake = createFakeProduct();
    state = fake.state;
    const { desk, bot, asked: heard } = createFakeDesk();
    asked = heard;
    await bot.start();
    playground = await startPlayground({
      host: "127.0.0.1",
      port: 0,
      product: fake.product,
      desk,
      bot,
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
    await page.getByText("This is a preview").waitFor();
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
    await page.goto(`${playground.url}/days`);
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

  it.each([320, 390, 768, 1180, 1440])(
    "fits %i pixels, in light and dark, with long words",
    async (width) => {
      await serve();
      state.notice = `A notice with a very${"Long".repeat(40)} word.`;
      for (const colorScheme of ["light", "dark"] as const) {
        if (colorScheme === "dark") await page.close();
        await open({ viewport: { width, height: 800 }, colorScheme, path: "/days?search=news" });
        for (const client of ["discord", "slack"]) {
          if (width < 1180) await page.locator(`#show-${client}`).check({ force: true });
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

  describe("the living channels", () => {
    const composer = (client: "Discord" | "Slack", on: Page = page) =>
      on.getByRole("combobox", { name: `Message #papers on ${client}` });
    const log = (client: "Discord" | "Slack", on: Page = page) =>
      on.getByRole("log", { name: `Messages in #papers on ${client}` });
    const options = (client: string) =>
      page.getByRole("listbox", { name: `Suggestions on ${client}` }).getByRole("option");

    it("a newcomer subscribes by keyboard, gets the next digest at once, and so does a second window", async () => {
      await serve();
      await open({ path: "/" });
      const other = await watch({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
      await hold(other);
      await other.goto(playground.url);
      const field = composer("Discord");
      await page.keyboard.press("/");
      await expect.poll(() => field.inputValue(), PATIENT).toBe("/");
      await options("Discord").first().waitFor();
      expect(await options("Discord").count()).toBe(4);
      await page.keyboard.type("papers su");
      await expect.poll(() => options("Discord").count(), PATIENT).toBe(1);
      expect(await options("Discord").first().getAttribute("aria-selected")).toBe("true");
      expect(await field.getAttribute("aria-activedescendant")).toBe("discord-suggestions-0");
      await page.keyboard.press("Tab");
      expect(await field.inputValue()).toBe("/papers subscribe ");
      await page.locator(".discord .picker").getByText("What to follow").waitFor();
      await page.keyboard.type("efficient inference");
      await page.keyboard.press("Enter");
      await log("Discord").getByText("Subscribed this channel to 1 efficient inference.").waitFor();
      expect(await field.inputValue()).toBe("");
      expect(await log("Discord").textContent()).toContain("Ada used /papers subscribe efficient inference");
      await log("Discord", other).getByText("Subscribed this channel").waitFor();

      await page.getByRole("button", { name: "Next digest now" }).click();
      for (const window of [page, other]) {
        await log("Discord", window).getByText("Daily Papers · Thursday 23 April").waitFor();
        // The digest is of another day, at nine by UTC, shown in the channel's zone.
        await log("Discord", window).getByText("April 23, 2026").waitFor();
        await expect
          .poll(() => window.locator("#clock-now").textContent(), PATIENT)
          .toBe("Thu 23 Apr, 11:00");
        expect(await log("Discord", window).locator("time").last().textContent()).toBe("11:00 AM");
        expect(await log("Discord", window).locator("article").count()).toBe(2);
        expect(await log("Slack", window).locator("article").count()).toBe(0);
      }
      await other.close();
    });

    it.each(["Discord", "Slack"] as const)(
      "on %s one searches, opens a card, saves it, takes that back, discusses it",
      async (client) => {
        await serve();
        await open({ path: "/" });
        await composer(client).fill("/papers search news");
        await page.keyboard.press("Enter");
        const own = log(client).getByRole("article");
        await own.getByText("Search · news").waitFor();
        await own.getByRole("combobox", { name: "Choose a paper" }).selectOption("2604.00002");
        await own.getByText("Card of 2604.00002").waitFor();
        const card = own.last();
        // A double click is one press.
        await card.getByRole("button", { name: "Save" }).dblclick();
        await card.getByText("Saved by you.").waitFor();
        expect(asked.filter((question) => question.includes("v1:save"))).toHaveLength(1);
        expect(await own.count()).toBe(2);
        await card.getByRole("button", { name: "Unsave" }).click();
        await card.getByText("Not saved.").waitFor();
        await card.getByRole("button", { name: "Discuss" }).click();
        await own.getByText(client === "Slack" ? "1 reply" : "See Thread").click();
        await own.locator("details[open]").waitFor();
        await own
          .getByRole("button", { name: /Dismiss/ })
          .first()
          .click();
        await expect.poll(() => own.count(), PATIENT).toBe(2);
      },
    );

    it("shows an exported file, copies and saves it", async () => {
      await serve();
      await open({ path: "/", permissions: ["clipboard-read", "clipboard-write"] });
      await composer("Slack").fill("/papers saved bibtex");
      await page.getByRole("button", { name: "Send on Slack" }).click();
      const file = log("Slack").getByRole("figure", { name: "File papers.bib" });
      await file.getByRole("button", { name: "Copy" }).click();
      await expect
        .poll(() => page.evaluate<string>("navigator.clipboard.readText()"), PATIENT)
        .toContain("<b>One</b>");
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        file.getByRole("button", { name: "Download" }).click(),
      ]);
      expect(download.suggestedFilename()).toBe("papers.bib");
    });

    it("takes back for everybody what one undoes, and answers who has no rights alone", async () => {
      await serve();
      await open({ path: "/" });
      await page.locator("li").getByText("/papers subscribe efficient inference").first().click();
      await log("Discord").getByText("Subscribed this channel").waitFor();
      await log("Discord").getByRole("button", { name: "Undo" }).click();
      await log("Discord").getByText("Undone.").waitFor();
      expect(await log("Discord").locator("article").count()).toBe(1);
      await page.getByLabel("Who you are on Slack").selectOption("sam");
      expect(await page.getByLabel("Who you are on Discord").inputValue()).toBe("sam");
      await composer("Discord").fill("/papers subscribe x");
      await page.keyboard.press("Enter");
      await log("Discord").getByText("Only who may change this channel").waitFor();
      await composer("Discord").fill("hello <b>all</b>");
      await page.keyboard.press("Enter");
      await log("Discord").getByText("hello <b>all</b>").waitFor();
      await page.reload();
      await log("Discord").getByText("hello <b>all</b>").waitFor();
      expect(await page.getByLabel("Who you are on Slack").inputValue()).toBe("sam");
      expect(await log("Discord").locator("article").count()).toBe(2);
    });

    it("marks other channels' news, and shows a channel where one left it", async () => {
      await serve();
      await open({ path: "/" });
      const channels = page.getByRole("navigation", { name: "Channels on Discord" });
      await channels.getByRole("button", { name: "agents" }).click();
      const field = page.getByRole("combobox", { name: "Message #agents on Discord" });
      await field.fill("Here");
      await page.keyboard.press("Enter");
      await page.getByRole("log", { name: "Messages in #agents on Discord" }).getByText("Here").waitFor();
      const other = await watch({ viewport: { width: 1440, height: 900 } });
      await hold(other);
      await other.goto(playground.url);
      // News are what comes once the window has the channel's past.
      await other.locator('.discord [data-room="agents"] article').waitFor({ state: "attached" });
      await field.fill("There");
      await page.keyboard.press("Enter");
      const unread = other.getByRole("button", { name: /^agents ?, new messages$/ });
      await unread.waitFor();
      await unread.click();
      await other.getByRole("log", { name: "Messages in #agents on Discord" }).getByText("There").waitFor();
      expect(await unread.count()).toBe(0);
      await other.close();
      await page.reload();
      await field.waitFor();
    });

    it("chooses with arrows, closes with Escape, and brings back what was sent", async () => {
      await serve();
      await open({ path: "/" });
      const field = composer("Slack");
      await field.pressSequentially("/");
      await expect.poll(() => options("Slack").count(), PATIENT).toBe(1);
      await page.keyboard.press("Enter");
      await expect.poll(() => options("Slack").count(), PATIENT).toBe(4);
      await page.keyboard.press("ArrowUp");
      await page.keyboard.press("Enter");
      await expect.poll(() => field.inputValue(), PATIENT).toBe("/papers saved ");
      await expect.poll(() => options("Slack").count(), PATIENT).toBe(2);
      // A choice is only taken once it is pointed at: Enter sends what was typed.
      expect(await field.getAttribute("aria-activedescendant")).toBeNull();
      await page.keyboard.press("Escape");
      expect(await options("Slack").count()).toBe(0);
      expect(await field.getAttribute("aria-expanded")).toBe("false");
      await page.keyboard.press("Enter");
      await log("Slack").getByText("1 paper as BibTeX.").waitFor();
      await page.keyboard.press("ArrowUp");
      expect(await field.inputValue()).toBe("/papers saved");
    });

    it("shows the exact payload of an answer that only this window has", async () => {
      await serve();
      await open({ path: "/" });
      await composer("Discord").fill("/papers search x");
      await page.keyboard.press("Enter");
      await log("Discord").getByRole("button", { name: "Show the payload that Discord gets" }).click();
      const dialog = page.getByRole("dialog", { name: "Discord · create message" });
      const shown = JSON.parse((await dialog.locator("code").textContent()) ?? "");
      expect(JSON.stringify(shown)).toContain("Search · x");
    });

    it("comes back to where it was after the preview of a day", async () => {
      await serve();
      await open({ path: "/" });
      await composer("Discord").fill("/papers search x");
      await page.keyboard.press("Enter");
      await log("Discord").getByText("Search · x").waitFor();
      await page.getByRole("link", { name: "Any day" }).click();
      await inPane("discord", "#discord-digest h3").getByText("Daily Papers").waitFor();
      expect(new URL(page.url()).pathname).toBe("/days");
      await page.goBack();
      await log("Discord").getByText("Search · x").waitFor();
    });

    it.each([320, 768, 1440])("fits %i pixels with all kinds of messages", async (width) => {
      await serve();
      await open({ path: "/", viewport: { width, height: 700 }, colorScheme: "dark" });
      for (const client of ["Discord", "Slack"] as const) {
        if (width < 1180) await page.locator(`#show-${client.toLowerCase()}`).check({ force: true });
        for (const text of [
          "/papers subscribe x",
          "/papers search y",
          "/papers saved bibtex",
          "w".repeat(400),
        ]) {
          await composer(client).fill(text);
          await page.keyboard.press("Enter");
        }
        await expect.poll(() => log(client).locator("article").count(), PATIENT).toBe(4);
        await composer(client).fill("/papers s");
        await options(client).first().waitFor();
        const wide = await page.evaluate(`
          [document.documentElement, ...document.querySelectorAll(".scroll, .picker, .side nav, .clock")]
            .filter((node) => node.scrollWidth > node.clientWidth && !node.matches(".side nav"))
            .map((node) => node.className)`);
        expect(wide).toEqual([]);
        const box = await composer(client).boundingBox();
        expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(700);
      }
    });
  });
});
