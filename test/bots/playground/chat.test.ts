import { request } from "node:http";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { sentence } from "../../../src/core/command.ts";
import { channelKey } from "../../../src/bots/playground/bot.ts";
import { startPlayground } from "../../../src/bots/playground/server.ts";
import { madeUpPost } from "../../contracts/made-up-post.ts";
import { createFakeDesk } from "./fake-desk.ts";
import { createFakeProduct } from "./fake-product.ts";

const ending: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function start() {
  const errors: unknown[] = [];
  const fake = createFakeDesk();
  await fake.bot.start();
  const playground = await startPlayground({
    host: "127.0.0.1",
    port: 0,
    product: createFakeProduct().product,
    desk: fake.desk,
    bot: fake.bot,
    now: () => new Date("2026-04-22T08:00:00Z"),
    heartbeatMs: 20,
    onError: (error) => errors.push(error),
  });
  ending.push(() => playground.close());
  const { url } = playground;
  const send = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, {
      method: "POST",
      headers: { origin: url, "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  };
  const post = async (path: string, body: object) => {
    const { status, text } = await send(path, { client: "discord", channel: "papers", ...body });
    expect(status).toBe(200);
    return Answer.parse(JSON.parse(text));
  };
  const status = async () => (await fetch(`${url}/status`)).json();
  return { ...fake, url, errors, send, post, status };
}

const Answer = z.object({
  ref: z.string().optional(),
  html: z.string().optional(),
  payload: z.string().optional(),
  replaces: z.boolean().optional(),
});
const News = z.object({ ref: z.string(), client: z.string(), channel: z.string(), html: z.string() });

/** A window that listens. */
async function listen(url: string, path = "/events", headers: Record<string, string> = {}) {
  const leaving = new AbortController();
  const response = await fetch(url + path, { signal: leaving.signal, headers });
  expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
  let text = "";
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
  })().catch(() => {});
  ending.push(() => leaving.abort());
  const events = () =>
    [...text.matchAll(/event: (\w+)\n(?:id: (\d+)\n)?data: (.*)\n\n/g)].map(([, name, id, data = ""]) => ({
      name,
      id,
      data: JSON.parse(data) as unknown,
    }));
  const messages = () =>
    events().flatMap(({ name, id, data }) => (name === "message" ? [{ id, ...News.parse(data) }] : []));
  await vi.waitFor(() => expect(events().some(({ name }) => name === "ready")).toBe(true));
  return {
    events,
    messages,
    text: () => text,
    async leave() {
      leaving.abort();
      await reading;
    },
  };
}

describe("what is typed", () => {
  it("is answered to the asker alone, or to all windows, as the reply says", async () => {
    const { url, post, asked } = await start();
    const [one, two] = [await listen(url), await listen(url)];
    const own = await post("/command", { text: "/papers  search diffusion" });
    expect(own.html).toContain("Search · diffusion");
    expect(own.html).toContain("Only you can see this");
    expect(own.html).toContain("<code>/papers  search diffusion</code>");
    expect(JSON.stringify(JSON.parse(own.payload ?? ""))).toContain("Search · diffusion");

    const { ref } = await post("/command", { text: "/papers subscribe agents", person: "ada" });
    for (const window of [one, two]) {
      await vi.waitFor(() => expect(window.messages()).toHaveLength(1));
      expect(window.messages()[0]).toMatchObject({ ref, client: "discord", channel: "papers" });
      expect(window.messages()[0]?.html).toContain("Subscribed this channel to 1 agents.");
      expect(window.messages()[0]?.html).toContain("<b>Ada</b> used");
    }
    expect(asked).toEqual([
      "ada run discord/papers search diffusion",
      "ada run discord/papers subscribe agents",
    ]);
  });

  it("is a command though what cannot be seen stands in its name", async () => {
    const { post, asked } = await start();
    for (const text of ["/\u200Bpapers today", "\u200B/papers today", "/papers\u200B today"]) {
      const { html } = await post("/command", { text });
      expect(html).not.toContain("nothing that Paperboy knows");
    }
    expect(asked).toEqual(Array.from({ length: 3 }, () => "ada run discord/papers today"));
    expect((await post("/command", { text: "/\u200Bpaper today" })).html).toContain("/paper is nothing");
  });

  it("comes from whom the window says, with that person's rights", async () => {
    const { post, asked } = await start();
    const { html } = await post("/command", {
      text: "/papers subscribe x",
      person: "sam",
      client: "slack",
      channel: "agents",
    });
    expect(html).toContain("Only who may change this channel");
    expect(asked).toEqual(["sam run slack/agents subscribe x"]);
  });

  it("is that person's message where it is no command, and text whatever it holds", async () => {
    const { url, post } = await start();
    const window = await listen(url);
    await post("/command", { text: "<img src=x> hello", person: "sam", client: "slack" });
    await vi.waitFor(() => expect(window.messages()).toHaveLength(1));
    expect(window.messages()[0]?.html).toContain("&lt;img src=x&gt; hello");
    expect(window.messages()[0]?.html).toContain(`aria-label="Sam, `);
  });

  it("gets a hint where it is another command", async () => {
    const { post, asked } = await start();
    expect((await post("/command", { text: "/paper today" })).html).toContain("/paper is nothing that");
    expect(asked).toEqual([]);
  });

  it("tells an unexpected error to the log and not to the visitor", async () => {
    const { send, errors } = await start();
    const body = { client: "discord", channel: "papers", text: "/papers explode" };
    const { status, text } = await send("/command", body);
    expect(status).toBe(500);
    expect(text).not.toContain("inner detail");
    expect(errors).toHaveLength(1);
  });
});

describe("what is pressed", () => {
  it("replaces a message of the window's own", async () => {
    const { post } = await start();
    const shown = await post("/press", { message: null, id: "v1:show", value: "2604.00002" });
    expect(shown).toMatchObject({ replaces: false, html: expect.stringContaining("Card of 2604.00002") });
    const saved = await post("/press", { message: null, id: "v1:save:2604.00002" });
    expect(saved).toMatchObject({ replaces: true, html: expect.stringContaining("Saved by you.") });
  });

  it("replaces a post before everybody, or leaves it as it is where only the asker is answered", async () => {
    const { url, post, bot } = await start();
    const window = await listen(url);
    const { ref = "" } = await post("/command", { text: "/papers subscribe x" });
    expect(await post("/press", { message: ref, id: "v1:save:2604.00001" })).toMatchObject({
      replaces: false,
    });
    expect(await post("/press", { message: ref, id: "v1:undo" })).toEqual({ ref });
    await vi.waitFor(() => expect(window.messages()).toHaveLength(2));
    expect(window.messages()[1]).toMatchObject({ ref, html: expect.stringContaining("Undone.") });
    expect(await bot.newest(channelKey("discord", "papers"), 9)).toHaveLength(1);
  });

  it("opens a thread on a post, and brings a file", async () => {
    const { url, post } = await start();
    const window = await listen(url);
    await post("/press", { message: null, id: "v1:discuss:2604.00001", client: "slack" });
    await vi.waitFor(() => expect(window.messages()).toHaveLength(1));
    expect(window.messages()[0]?.html).toMatch(/class="thread"[\s\S]*1 reply/);
    const { html } = await post("/command", { text: "/papers saved bibtex" });
    expect(html).toMatch(/papers\.bib[\s\S]*title = \{&lt;b&gt;One/);
  });
});

describe("the stream of events", () => {
  it("begins with the channels' past, and says when it is up to date", async () => {
    const { url, bot } = await start();
    await bot.post(madeUpPost(channelKey("slack", "agents"), sentence("Old"), "n"));
    const window = await listen(url);
    expect(window.events().map(({ name }) => name)).toEqual(["clock", "message", "ready"]);
    expect(window.messages()[0]).toMatchObject({ client: "slack", channel: "agents" });
  });

  it.each([
    ["Last-Event-ID", "/events", (id: string) => ({ "last-event-id": id })],
    ["its address", "/events?after=ID", () => ({})],
  ])("resumes by %s: what was missed comes, once, and nothing else", async (_, path, headers) => {
    const { url, bot, post, status } = await start();
    const window = await listen(url);
    const to = channelKey("discord", "papers");
    const { ref } = await bot.post(madeUpPost(to, sentence("Seen"), "1"));
    await vi.waitFor(() => expect(window.messages()).toHaveLength(1));
    const id = window.messages()[0]?.id ?? "";
    await window.leave();
    await vi.waitFor(async () => expect(await status()).toMatchObject({ windows: 0 }));
    await bot.post(madeUpPost(to, sentence("Missed"), "2"));
    await bot.post(madeUpPost(to, sentence("Missed again"), "2"));
    await post("/command", { text: "Said meanwhile" });
    await bot.change(ref, { kind: "said", person: "ada", text: "Changed meanwhile" });
    const back = await listen(url, path.replace("ID", id), headers(id));
    expect(back.messages().map(({ html }) => /Missed|Said|Changed/.exec(html)?.[0])).toEqual([
      "Missed",
      "Said",
      "Changed",
    ]);
    await bot.post(madeUpPost(to, sentence("Live"), "3"));
    await vi.waitFor(() => expect(back.messages()).toHaveLength(4));
  });

  it("begins again for a window that knows of later things than there are", async () => {
    const { url, bot } = await start();
    await bot.post(madeUpPost(channelKey("discord", "papers"), sentence("Here"), "1"));
    const window = await listen(url, "/events?after=99");
    expect(window.events().map(({ name }) => name)).toEqual(["clock", "again", "message", "ready"]);
  });

  it("shows that it lives while nothing happens, and forgets windows that closed", async () => {
    const { url, status } = await start();
    const [one, two] = [await listen(url), await listen(url)];
    await vi.waitFor(() => expect(one.text()).toContain(": still here"));
    expect(await status()).toMatchObject({ windows: 2 });
    await two.leave();
    await vi.waitFor(async () => expect(await status()).toMatchObject({ windows: 1 }));
  });
});

describe("the clock", () => {
  it("is one for all windows, and brings what becomes due to all", async () => {
    const { url, post, send, asked } = await start();
    const window = await listen(url);
    await post("/command", { text: "/papers subscribe x" });
    const clock = () => window.events().findLast(({ name }) => name === "clock")?.data;
    await vi.waitFor(() =>
      expect(clock()).toMatchObject({
        now: "2026-04-22T08:00:00.000Z",
        channels: expect.arrayContaining([
          { client: "discord", channel: "papers", zone: "Europe/Paris", next: "2026-04-23T09:00:00.000Z" },
          { client: "slack", channel: "papers", zone: "Europe/Paris", next: null },
        ]),
      }),
    );
    const move = { client: "discord", channel: "papers", action: "next-digest" };
    expect(JSON.parse((await send("/clock", move)).text)).toMatchObject({ now: "2026-04-23T09:00:00.000Z" });
    await send("/clock", move);
    await vi.waitFor(() => expect(clock()).toMatchObject({ now: "2026-04-23T09:00:00.000Z" }));
    expect(window.messages().map(({ html }) => /Subscribed|Daily Papers/.exec(html)?.[0])).toEqual([
      "Subscribed",
      "Daily Papers",
    ]);
    expect(asked.at(-1)).toBe("move next-digest discord/papers");
  });
});

describe("a composer", () => {
  const offered = async (url: string, text: string, client = "discord") => {
    const query = new URLSearchParams({ client, channel: "papers", text });
    return (await fetch(`${url}/complete?${query}`)).json();
  };
  const rows = (...texts: string[]) => texts.map((text) => expect.objectContaining({ text }));

  it("is offered subcommands, those that begin so first", async () => {
    const { url } = await start();
    for (const text of ["/", "/pap", "/papers", "/papers ", "/PAPERS "]) {
      const all = rows("/papers search ", "/papers today", "/papers subscribe ", "/papers saved ");
      expect(await offered(url, text)).toEqual({ rows: all, eager: true, usage: null });
    }
    expect(await offered(url, "/papers s")).toMatchObject({
      rows: rows("/papers search ", "/papers subscribe ", "/papers saved "),
    });
    expect(await offered(url, "/papers ed")).toMatchObject({ rows: rows("/papers saved ") });
    expect(await offered(url, "hello")).toEqual({ rows: [], eager: false, usage: null });
    expect(await offered(url, "/poll")).toEqual({ rows: [], eager: false, usage: null });
  });

  it("is offered the command itself first on Slack", async () => {
    const { url } = await start();
    expect(await offered(url, "/pa", "slack")).toMatchObject({ rows: rows("/papers ") });
    expect(await offered(url, "/papers t", "slack")).toMatchObject({ rows: rows("/papers today") });
  });

  it("is told a command's options, and their choices as they are typed", async () => {
    const { url, asked } = await start();
    expect(await offered(url, "/papers saved b")).toMatchObject({
      rows: rows("/papers saved bibtex", "/papers saved markdown"),
      eager: false,
      usage: { name: "saved", options: [{ name: "format", required: false }] },
    });
    expect(asked).toEqual(["ada complete saved b"]);
  });
});

describe("a payload", () => {
  it("of a post is what its client would get, and 404 where there is none", async () => {
    const { url, post } = await start();
    const { ref } = await post("/command", { text: "/papers subscribe x" });
    const payload = await (await fetch(`${url}/payload/discord?ref=${ref}`)).text();
    expect(JSON.stringify(JSON.parse(payload))).toContain("Subscribed this channel");
    for (const query of ["ref=99", `ref=${(await post("/command", { text: "hi" })).ref}`]) {
      expect((await fetch(`${url}/payload/slack?${query}`)).status).toBe(404);
    }
  });
});

describe("a post to the server", () => {
  const body = { client: "discord", channel: "papers", text: "/papers today" };

  it.each([
    ["/command", { ...body, client: "teams" }, 400, "client is one of discord, slack."],
    ["/command", { ...body, channel: "general" }, 400, "There is no such channel."],
    ["/command", { ...body, text: "  " }, 400, "There is no text."],
    ["/command", { ...body, text: "a".repeat(2001) }, 400, "A message has at most 2,000 characters."],
    ["/command", { ...body, person: "root" }, 400, "person is not understood."],
    ["/command", "{", 400, "The body is no JSON."],
    ["/command", "null", 400, "The body is not understood."],
    ["/press", { ...body, message: "../1", id: "x" }, 400, "A message's ref is a number."],
    ["/press", { ...body, message: null }, 400, "id is not understood."],
    ["/clock", { ...body, action: "forever" }, 400, "action is not understood."],
    ["/command", { ...body, text: "a".repeat(30_000) }, 413, "That is too long."],
  ])("%s %j is refused in one sentence", async (path, bad, status, text) => {
    const { send, asked } = await start();
    expect(await send(path, bad)).toEqual({ status, text });
    expect(asked).toEqual([]);
  });

  it("comes from the page itself and as JSON, or is refused", async () => {
    const { url, send, asked } = await start();
    expect((await send("/command", body, { origin: "https://evil.example" })).status).toBe(403);
    expect((await send("/command", body, { origin: "null" })).status).toBe(403);
    expect((await send("/command", body, { "content-type": "text/plain" })).status).toBe(415);
    const bare = (headers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        const options = { method: "POST", headers: { "content-type": "application/json", ...headers } };
        request(`${url}/command`, options, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
          .on("error", reject)
          .end(JSON.stringify(body));
      });
    expect(await bare({})).toBe(403);
    expect(await bare({ "sec-fetch-site": "cross-site" })).toBe(403);
    expect(asked).toEqual([]);
    expect(await bare({ "sec-fetch-site": "same-origin" })).toBe(200);
    expect((await send("/days", body)).status).toBe(405);
  });
});
