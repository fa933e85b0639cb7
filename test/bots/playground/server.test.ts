import { request } from "node:http";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { startPlayground } from "../../../src/bots/playground/server.ts";
import { createFakeDesk } from "./fake-desk.ts";
import { createFakeProduct, HOSTILE } from "./fake-product.ts";

type Playground = Awaited<ReturnType<typeof startPlayground>>;

const running: Playground[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((playground) => playground.close()));
});

async function start(host = "127.0.0.1", port = 0) {
  const errors: unknown[] = [];
  const { product, state } = createFakeProduct();
  const { desk, bot, asked } = createFakeDesk();
  await bot.start();
  const playground = await startPlayground({
    host,
    port,
    product,
    desk,
    bot,
    heartbeatMs: 50,
    now: () => new Date("2026-04-23T14:05:00Z"),
    onError: (error) => errors.push(error),
  });
  running.push(playground);
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(new URL(path, playground.url), init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return { playground, state, errors, get, desk, bot, asked };
}

/** With a Host header of one's own, which fetch does not allow. */
function getAs(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on("error", reject).end();
  });
}

describe("the page", () => {
  it("holds the newest day's digest in its first HTML, drawn for both clients", async () => {
    const { get, state } = await start();
    const { status, headers, text } = await get("/days");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toMatch(/^text\/html/);
    expect(state.asked).toEqual(["digest 2026-04-23 5 0 "]);
    const [, discord = "", slack = ""] = text.split(/<section class="window/);
    for (const pane of [discord, slack]) {
      expect(pane).toContain("Paper number 1");
      expect(pane).toContain("Choose a paper");
      expect(pane).toContain("Next page");
    }
    expect(text).toContain("<title>Thursday 23 April · Paperboy</title>");
  });

  it("offers the stored days, and the ones beside the shown day as links", async () => {
    const { get } = await start();
    const { text } = await get("/days?day=2026-04-22");
    expect(text).toMatch(/id="earlier"[^>]*href="\/days\?day=2026-04-21"/);
    expect(text).toMatch(/id="later"[^>]*href="\/days\?day=2026-04-23"/);
    expect(text).toMatch(/<option value="2026-04-22" selected>Wednesday 22 April · 12<\/option>/);
  });

  it("asks for the topics, top and search of its address", async () => {
    const { get, state } = await start();
    const query = `topic=agents%20-robotics,org:nvidia&topic="a,b"%20c&top=10&search=diffusion`;
    const { text } = await get(`/days?day=2026-04-21&${query}`);
    expect(state.asked).toEqual([
      'digest 2026-04-21 10 0 agents -robotics|org:nvidia|"a,b" c',
      "search diffusion 0",
    ]);
    expect(text).toContain("/papers search diffusion");
  });

  it("says calmly that a weekend has no list", async () => {
    const { get } = await start();
    const { status, text } = await get("/days?day=2026-04-25");
    expect(status).toBe(200);
    expect(text).toContain("No list on Saturday 25 April.");
    expect(text).toContain("Monday to Friday");
  });

  it("says that lists are on their way while the store is empty", async () => {
    const { get, state } = await start();
    state.days = [];
    state.loading = true;
    expect((await get("/days")).text).toContain("Fetching the last 30 lists…");
    expect(JSON.parse((await get("/status")).text)).toEqual({ days: 0, loading: true, windows: 0 });
    state.loading = false;
    expect((await get("/days")).text).toContain("No papers yet.");
  });

  it("shows the product's notice as text", async () => {
    const { get, state } = await start();
    state.notice = "A <b>sample</b> serves.";
    expect((await get("/days")).text).toContain("A &lt;b&gt;sample&lt;/b&gt; serves.");
  });

  it("shows what is wrong with a topic, and a query that works", async () => {
    const { get, errors } = await start();
    const { status, text } = await get("/days?topic=has:wings");
    expect(status).toBe(200);
    expect(text).toContain("has: knows code and model, not wings.");
    expect(text).toContain("Try: has:code");
    expect(errors).toEqual([]);
  });

  it("tells an unexpected error to the log and not to the visitor", async () => {
    const { get, errors } = await start();
    const { status, text } = await get("/days?topic=explode");
    expect(status).toBe(500);
    expect(text).not.toContain("inner detail");
    expect(errors).toHaveLength(1);
  });
});

describe("a message", () => {
  it("comes drawn for both clients, from the bytes that its payloads show", async () => {
    const { get } = await start();
    const source = "kind=search&query=news&offset=5";
    const drawn = JSON.parse((await get(`/message?${source}`)).text);
    for (const client of ["discord", "slack"]) {
      const payload = await get(`/payload/${client}?${source}`);
      expect(payload.headers.get("content-type")).toMatch(/^application\/json/);
      expect(JSON.stringify(JSON.parse(payload.text))).toContain("Paper number 6");
      expect(drawn[client]).toContain("Paper number 6");
      expect(drawn[client]).toContain("/papers search news");
      expect(drawn[client]).toContain(`/payload/${client}?kind=search&amp;query=news&amp;offset=5`);
    }
  });

  it("keeps a hostile title text in both clients", async () => {
    const { get } = await start();
    const drawn = JSON.parse((await get("/message?kind=search&query=x")).text);
    expect(HOSTILE).toContain("<img");
    for (const html of [drawn.discord, drawn.slack]) {
      expect(html).toContain("&lt;img src=x onerror=");
      expect(html).not.toContain("<img src=x");
      expect(html).not.toContain(`href="https://evil.example`);
      expect(html).not.toContain(`class="mention"`);
    }
  });

  it("opens a paper's card and says when nobody knows the paper", async () => {
    const { get } = await start();
    expect((await get("/message?kind=paper&id=2604.00003")).text).toContain("/papers show 2604.00003");
    expect(await get("/message?kind=paper&id=2501.00001")).toMatchObject({
      status: 404,
      text: "No paper has the id 2501.00001.",
    });
  });

  it("answers in a sentence when Hugging Face does not", async () => {
    const { get } = await start();
    const { status, text } = await get("/message?kind=search&query=unreachable");
    expect(status).toBe(200);
    expect(JSON.parse(text).slack).toContain("Hugging Face did not answer.");
  });
});

describe("input", () => {
  it.each([
    ["/days?day=2026-02-30", "day is a date such as 2026-04-22."],
    ["/days?day=today", "day is a date such as 2026-04-22."],
    ["/days?top=7", "top is one of 5, 10, 20."],
    ["/days?top=5&top=10", "top is one of 5, 10, 20."],
    [`/days?topic=${"a".repeat(501)}`, "A topic has at most 500 characters."],
    [`/days?search=${"a".repeat(251)}`, "A search has at most 250 characters."],
    ["/message", "kind is one of digest, search, paper."],
    ["/message?kind=other", "kind is one of digest, search, paper."],
    ["/message?kind=digest", "day is not understood."],
    ["/message?kind=search", "query is not understood."],
    ["/message?kind=search&query=a&offset=-1", "offset is a number of papers."],
    ["/message?kind=paper&id=../../etc/passwd", "id is an arXiv id such as 2504.06261."],
    ["/payload/slack?kind=paper&id=<b>", "id is an arXiv id such as 2504.06261."],
  ])("%s is refused in one sentence", async (path, sentence) => {
    const { get } = await start();
    expect(await get(path)).toMatchObject({ status: 400, text: sentence });
  });

  it("that is empty counts as absent, as a form sends it", async () => {
    const { get, state } = await start();
    expect((await get("/days?day=&topic=&top=&search=")).status).toBe(200);
    expect(state.asked).toEqual(["digest 2026-04-23 5 0 "]);
  });

  it("at an unknown address is 404, with another method 405", async () => {
    const { get } = await start();
    expect((await get("/page.ts")).status).toBe(404);
    expect((await get("/payload/teams?kind=paper&id=2604.00001")).status).toBe(404);
    const posted = await get("/", { method: "POST" });
    expect(posted.status).toBe(405);
    expect(posted.headers.get("allow")).toBe("GET, HEAD");
    expect((await get("/", { method: "HEAD" })).status).toBe(200);
  });
});

describe("safety", () => {
  it("every answer carries the policy headers", async () => {
    const { get } = await start();
    for (const path of ["/", "/page.css", "/status", "/days?top=7", "/nothing"]) {
      const { headers } = await get(path);
      expect(headers.get("content-security-policy")).toBe(
        "default-src 'none'; img-src 'self' https://cdn-thumbnails.huggingface.co https://cdn-uploads.huggingface.co data:; " +
          "style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
    }
  });

  it("the page has neither inline style nor inline script", async () => {
    const { get } = await start();
    expect((await get("/")).text + (await get("/days")).text).not.toMatch(
      /<style|\sstyle="|<script>|\son\w+="/,
    );
  });

  it.each([
    ["127.0.0.1", "127.0.0.1", 200],
    ["127.0.0.1", "localhost:9999", 200],
    ["127.0.0.1", "[::1]:3000", 200],
    ["127.0.0.1", "evil.example", 403],
    ["127.0.0.1", "127.0.0.1.evil.example", 403],
    ["127.0.0.1", "localhost@evil.example", 400],
    ["0.0.0.0", "192.168.1.5:8080", 200],
    ["0.0.0.0", "localhost:8080", 200],
    ["0.0.0.0", "evil.example:3000", 403],
  ])("served on %s, a request for host %j gets %i", async (host, name, status) => {
    const { playground } = await start(host);
    expect(await getAs(`${playground.url}/status`, { host: name })).toBe(status);
  });

  it("a request from another origin is refused", async () => {
    const { playground } = await start();
    const { host } = new URL(playground.url);
    expect(await getAs(`${playground.url}/status`, { host, origin: "https://evil.example" })).toBe(403);
    expect(await getAs(`${playground.url}/status`, { host, origin: "null" })).toBe(403);
    expect(await getAs(`${playground.url}/status`, { host, origin: playground.url })).toBe(200);
  });
});

describe("the server", () => {
  it.each([
    ["/page.css", "text/css"],
    ["/page.js", "text/javascript"],
    ["/favicon.svg", "image/svg+xml"],
  ])("answers %s once, then by ETag", async (path, type) => {
    const { get } = await start();
    const first = await get(path);
    expect(first.headers.get("content-type")).toContain(type);
    const etag = first.headers.get("etag") ?? "";
    expect(etag).not.toBe("");
    expect((await get(path, { headers: { "if-none-match": etag } })).status).toBe(304);
  });

  it("rejects with the system's error where the port is taken", async () => {
    const { playground } = await start();
    const { port } = new URL(playground.url);
    await expect(start("127.0.0.1", Number(port))).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("closes at once, with connections still open", async () => {
    const { playground } = await start();
    const { hostname, port } = new URL(playground.url);
    const socket = connect(Number(port), hostname);
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    await playground.close();
    running.splice(0);
    await closed;
    await expect(fetch(playground.url)).rejects.toThrow();
  });
});
