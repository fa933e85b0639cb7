import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import { type Day, feedDay } from "../../core/day.ts";
import type { Message } from "../../core/message.ts";
import { SourceError } from "../../core/source.ts";
import { TopicError } from "../../core/topic.ts";
import { renderDiscord } from "../discord/render.ts";
import { renderSlack } from "../slack/render.ts";
import { drawDiscord } from "./draw-discord.ts";
import { drawSlack } from "./draw-slack.ts";
import type { Frame, Html } from "./draw.ts";
import { drawPage } from "./page.ts";
import { commandOf, PageQuery, readQuery, Source, splitTopics, writeQuery } from "./query.ts";

/** What the page asks of the product. What a thrown TopicError or SourceError says is shown as the answer. */
export type PlaygroundProduct = {
  /** Stored days that have a list, newest first. */
  days(): Promise<readonly PlaygroundDay[]>;
  /** Null: that day has no list. */
  digest(query: DigestQuery): Promise<Message | null>;
  search(query: { readonly query: string; readonly offset: number }): Promise<Message>;
  /** A paper's card; null where nobody knows the id. */
  paper(id: string): Promise<Message | null>;
  /** The first lists are on their way. */
  loading(): boolean;
  /** One sentence on top of the page, such as that the bundled sample serves; null for none. */
  notice(): string | null;
};

type PlaygroundDay = { readonly day: Day; readonly count: number };
type DigestQuery = {
  readonly day: Day;
  /** In the topic language; none: the general top list. */
  readonly topics: readonly string[];
  readonly top: number;
  /** How many papers come before the first one shown. */
  readonly offset: number;
};

export type PlaygroundOptions = {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly product: PlaygroundProduct;
  readonly now: () => Date;
  /** Called with what no one expected; the visitor gets one sentence. */
  readonly onError: (error: unknown) => void;
};

/**
 * Serves the playground: what Discord and Slack would get, drawn as they would draw it. Resolves once it
 * listens; rejects with the system's error (`code` is `EADDRINUSE` where the port is taken).
 */
export async function startPlayground(
  options: PlaygroundOptions,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { host, port } = options;
  const files = await Promise.all(FILES.map(readPageFile));
  let servedPort = port;
  const app = createApp(options, files, () => servedPort);
  const server = createAdaptorServer({ fetch: app.fetch, hostname: host });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  servedPort = (server.address() as AddressInfo).port;
  return {
    url: `http://${isWildcard(host) ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host}:${servedPort}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        // Browsers keep connections open for minutes; nothing here is worth waiting for.
        if ("closeAllConnections" in server) server.closeAllConnections();
      }),
  };
}

type PageFile = { readonly path: string; readonly type: string; readonly body: string };

const FILES = [
  { path: "/page.css", type: "text/css; charset=utf-8" },
  { path: "/page.js", type: "text/javascript; charset=utf-8" },
  { path: "/favicon.svg", type: "image/svg+xml" },
] as const;

async function readPageFile(file: (typeof FILES)[number]): Promise<PageFile> {
  return { ...file, body: await readFile(new URL(`./page${file.path}`, import.meta.url), "utf8") };
}

function createApp(options: PlaygroundOptions, files: readonly PageFile[], servedPort: () => number): Hono {
  const { product, now, onError } = options;
  const app = new Hono();
  app.use(secureHeaders(HEADERS));
  app.use(async (c, next) => {
    if (!isOwnHost(c, options.host, servedPort())) {
      throw new HTTPException(403, { message: "This address is not the one that Paperboy serves." });
    }
    if (c.req.method !== "GET" && c.req.method !== "HEAD") {
      throw new HTTPException(405, { message: "This page is only read." });
    }
    c.header("cache-control", "no-store");
    await next();
  });
  app.notFound((c) => c.text("There is nothing at this address.", 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) {
      if (error.status === 405) c.header("allow", "GET, HEAD");
      return c.text(error.message, error.status);
    }
    onError(error);
    return c.text("Something went wrong here; Paperboy's log says what.", 500);
  });

  for (const file of files) {
    app.get(file.path, etag(), (c) =>
      c.body(file.body, 200, { "content-type": file.type, "cache-control": "no-cache" }),
    );
  }

  app.get("/", async (c) => {
    const asked = readQuery(c.req.queries(), PageQuery);
    const days = await product.days();
    const day = asked.day ?? days[0]?.day ?? null;
    const [digest, reply] = await Promise.all([
      day === null ? null : say(options, { ...asked, kind: "digest", day, offset: 0 }),
      asked.search === undefined ? null : say(options, { kind: "search", query: asked.search, offset: 0 }),
    ]);
    const today = feedDay(now());
    const [notice, loading] = [product.notice(), product.loading()];
    return c.html(drawPage({ ...asked, days, day, today, notice, loading, digest, reply }));
  });

  app.get("/message", async (c) => {
    const { discord, slack } = await sayOr404(options, readQuery(c.req.queries(), Source));
    return c.json({ discord: String(await discord), slack: String(await slack) });
  });

  app.get("/payload/:client{discord|slack}", async (c) => {
    const message = await sayOr404(options, readQuery(c.req.queries(), Source));
    const payload = c.req.param("client") === "discord" ? message.discordPayload : message.slackPayload;
    return c.body(payload, 200, { "content-type": "application/json; charset=utf-8" });
  });

  app.get("/status", async (c) =>
    c.json({ days: (await product.days()).length, loading: product.loading() }),
  );
  return app;
}

/**
 * Thumbnails are all that comes from outside. No `upgrade-insecure-requests`, no HSTS: it is plain http on
 * this machine.
 */
const HEADERS: Parameters<typeof secureHeaders>[0] = {
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    imgSrc: [
      "'self'",
      "https://cdn-thumbnails.huggingface.co",
      "https://cdn-uploads.huggingface.co",
      "data:",
    ],
    styleSrc: ["'self'"],
    scriptSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
  referrerPolicy: "no-referrer",
  strictTransportSecurity: false,
  xFrameOptions: "DENY",
};

/**
 * Whether the request names this server, so that no other site's name, pointed here by its DNS, reads the
 * page. On loopback the name is a loopback name, with any port; on every interface an address or a loopback
 * name, since an address cannot be pointed elsewhere; on one address or name, that one with the port.
 */
function isOwnHost(c: Context, host: string, port: number): boolean {
  const served = URL.parse(`http://${c.req.header("host") ?? ""}`);
  if (served === null) return false;
  const origin = c.req.header("origin");
  if (origin !== undefined && URL.parse(origin)?.host !== served.host) return false;
  const name = served.hostname;
  if (isLoopback(host)) return isLoopback(name);
  if (isWildcard(host)) return isLoopback(name) || /^[\d.]+$|^\[/.test(name);
  const own = URL.parse(`http://${host.includes(":") ? `[${host}]` : host}:${port}`);
  return served.host === own?.host;
}

function isLoopback(host: string): boolean {
  return ["localhost", "::1", "[::1]"].includes(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

function isWildcard(host: string): boolean {
  return ["0.0.0.0", "::"].includes(host);
}

type Said = {
  readonly discord: Html;
  readonly slack: Html;
  readonly discordPayload: string;
  readonly slackPayload: string;
};

/** The message of a source, drawn twice from the very bytes that would be sent; null where there is none. */
async function say({ product, now }: PlaygroundOptions, source: Source): Promise<Said | null> {
  const message = await ask(product, source).catch((error: unknown) => {
    if (error instanceof SourceError) return sentence([error.message]);
    if (!(error instanceof TopicError)) throw error;
    return sentence([error.message, ...(error.suggestion === null ? [] : [`Try: ${error.suggestion}`])]);
  });
  if (message === null) return null;
  const frame: Frame = {
    source: writeQuery(source),
    time: source.kind === "digest" ? "9:00 AM" : CLOCK.format(now()),
    command: commandOf(source),
    pages: message.pages?.id ?? null,
  };
  const discordPayload = JSON.stringify(renderDiscord(message), null, 2);
  const slackPayload = JSON.stringify(renderSlack(message), null, 2);
  return {
    discord: drawDiscord(JSON.parse(discordPayload), frame),
    slack: drawSlack(JSON.parse(slackPayload), frame),
    discordPayload,
    slackPayload,
  };
}

async function sayOr404(options: PlaygroundOptions, source: Source): Promise<Said> {
  const said = await say(options, source);
  if (said !== null) return said;
  const what = source.kind === "paper" ? `No paper has the id ${source.id}.` : "That day has no list.";
  throw new HTTPException(404, { message: what });
}

function ask(product: PlaygroundProduct, source: Source): Promise<Message | null> {
  switch (source.kind) {
    case "digest":
      return product.digest({ ...source, topics: splitTopics(source.topic) });
    case "search":
      return product.search(source);
    case "paper":
      return product.paper(source.id);
  }
}

function sentence(lines: readonly string[]): Message {
  return {
    title: "That did not work",
    intro: lines,
    items: [],
    select: null,
    buttons: [],
    pages: null,
    footer: null,
  };
}

const CLOCK = new Intl.DateTimeFormat("en-US", { hour: "numeric", minute: "2-digit" });
