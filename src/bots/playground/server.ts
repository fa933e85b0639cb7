import { readFile } from "node:fs/promises";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import { type Day, feedDay } from "../../core/day.ts";
import { sentence } from "../../core/command.ts";
import type { Message } from "../../core/message.ts";
import { SourceError } from "../../core/source.ts";
import { TopicError } from "../../core/topic.ts";
import { isWildcard, openWebServer } from "../web-server.ts";
import type { Client, PlaygroundBot } from "./bot.ts";
import { type Chat, createChat, draw, type PlaygroundDesk, renderPayload } from "./chat.ts";
import type { Frame, Html } from "./draw.ts";
import { drawPage } from "./page.ts";
import { commandOf, PageQuery, readQuery, RefQuery, Source, splitTopics, writeQuery } from "./query.ts";

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

/** How often a silent stream of events shows that it lives: proxies give up after a minute. */
const HEARTBEAT_MS = 20_000;
/** A command has at most 2,000 characters, of at most 4 bytes. */
const MAX_BODY_BYTES = 20_000;
const POSTS = ["/command", "/press", "/clock"];

export type PlaygroundOptions = {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly product: PlaygroundProduct;
  readonly bot: PlaygroundBot;
  readonly desk: PlaygroundDesk;
  readonly now: () => Date;
  readonly heartbeatMs?: number;
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
  const chat = createChat({ heartbeatMs: HEARTBEAT_MS, ...options });
  const app = createApp(options, chat, files, () => servedPort);
  try {
    const server = await openWebServer({ fetch: app.fetch, host, port });
    servedPort = server.port;
    return {
      url: server.url,
      async close() {
        chat.close();
        await server.close();
      },
    };
  } catch (error) {
    chat.close();
    throw error;
  }
}

type PageFile = { readonly path: string; readonly type: string; readonly body: string };

const FILES = [
  { path: "/page.css", type: "text/css; charset=utf-8" },
  ...["theme", "page", "days", "chat", "composer", "dom"].map((name) => ({
    path: `/${name}.js`,
    type: "text/javascript; charset=utf-8",
  })),
  { path: "/favicon.svg", type: "image/svg+xml" },
];

async function readPageFile(file: Omit<PageFile, "body">): Promise<PageFile> {
  return { ...file, body: await readFile(new URL(`./page${file.path}`, import.meta.url), "utf8") };
}

function createApp(
  options: PlaygroundOptions,
  chat: Chat,
  files: readonly PageFile[],
  servedPort: () => number,
): Hono {
  const { product, now, onError } = options;
  const app = new Hono();
  app.use(secureHeaders(HEADERS));
  app.use(async (c, next) => {
    if (!isOwnHost(c, options.host, servedPort())) {
      throw new HTTPException(403, { message: "This address is not the one that Paperboy serves." });
    }
    const isPost = c.req.method === "POST" && POSTS.includes(c.req.path);
    if (isPost) requireOwnPage(c);
    else if (c.req.method !== "GET" && c.req.method !== "HEAD") {
      throw new HTTPException(405, { message: "This address is only read." });
    }
    c.header("cache-control", "no-store");
    await next();
  });
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new HTTPException(413, { message: "That is too long." });
      },
    }),
  );
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
    const { topic, top } = readQuery({}, PageQuery);
    const days = await product.days();
    const newest = days[0]?.day;
    // What a channel would get, at the first one's beginning: the first thing that a newcomer sees.
    const taste =
      newest === undefined
        ? null
        : await say(options, { kind: "digest", day: newest, topic, top, offset: 0 });
    const [notice, loading] = [product.notice(), product.loading()];
    return c.html(
      drawPage({
        view: "channels",
        ...{
          topic,
          top,
          days,
          day: null,
          today: feedDay(now()),
          notice,
          loading,
          digest: taste,
          reply: null,
        },
      }),
    );
  });

  app.get("/days", async (c) => {
    const asked = readQuery(c.req.queries(), PageQuery);
    const days = await product.days();
    const day = asked.day ?? days[0]?.day ?? null;
    const [digest, reply] = await Promise.all([
      day === null ? null : say(options, { ...asked, kind: "digest", day, offset: 0 }),
      asked.search === undefined ? null : say(options, { kind: "search", query: asked.search, offset: 0 }),
    ]);
    const today = feedDay(now());
    const [notice, loading] = [product.notice(), product.loading()];
    return c.html(drawPage({ view: "days", ...asked, days, day, today, notice, loading, digest, reply }));
  });

  app.get("/message", async (c) => {
    const { discord, slack } = await sayOr404(options, readQuery(c.req.queries(), Source));
    return c.json({ discord: String(await discord), slack: String(await slack) });
  });

  app.get("/payload/:client{discord|slack}", async (c) => {
    const client = c.req.param("client") === "slack" ? "slack" : "discord";
    const payload =
      c.req.query("ref") === undefined
        ? (await sayOr404(options, readQuery(c.req.queries(), Source))).payloads[client]
        : await chat.payload(client, readQuery(c.req.queries(), RefQuery).ref);
    if (payload === null) throw new HTTPException(404, { message: "There is no such message." });
    return c.body(payload, 200, { "content-type": "application/json; charset=utf-8" });
  });

  app.get("/status", async (c) =>
    c.json({ days: (await product.days()).length, loading: product.loading(), windows: chat.windows() }),
  );
  app.route("/", chat.app);
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

/** Only this page's own script posts: no other site's form or script, whatever cookies or networks it shares. */
function requireOwnPage(c: Context): void {
  const fromHere = c.req.header("origin") !== undefined || c.req.header("sec-fetch-site") === "same-origin";
  if (!fromHere) throw new HTTPException(403, { message: "Only the page itself may do that." });
  if (!/^application\/json(?:;|$)/i.test(c.req.header("content-type") ?? "")) {
    throw new HTTPException(415, { message: "The body is JSON." });
  }
}

function isLoopback(host: string): boolean {
  return ["localhost", "::1", "[::1]"].includes(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

type Said = {
  readonly discord: Html;
  readonly slack: Html;
  readonly payloads: Readonly<Record<Client, string>>;
};

/** The message of a source, drawn twice from the very bytes that would be sent; null where there is none. */
async function say({ product, now }: PlaygroundOptions, source: Source): Promise<Said | null> {
  const message = await ask(product, source).catch((error: unknown) => {
    if (error instanceof SourceError) return sentence(FAILED, error.message);
    if (!(error instanceof TopicError)) throw error;
    return sentence(
      FAILED,
      error.message,
      ...(error.suggestion === null ? [] : [`Try: ${error.suggestion}`]),
    );
  });
  if (message === null) return null;
  const command = commandOf(source);
  const frame: Frame = {
    ref: null,
    source: writeQuery(source),
    time: source.kind === "digest" ? "9:00 AM" : CLOCK.format(now()),
    at: null,
    used: command === null ? null : { name: "you", command },
    onlyYou: command !== null,
    pages: message.pages?.id ?? null,
    thread: null,
    file: null,
  };
  const payloads = { discord: renderPayload("discord", message), slack: renderPayload("slack", message) };
  return {
    discord: draw("discord", payloads.discord, frame),
    slack: draw("slack", payloads.slack, frame),
    payloads,
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

const FAILED = "That did not work";
const CLOCK = new Intl.DateTimeFormat("en-US", { hour: "numeric", minute: "2-digit" });
