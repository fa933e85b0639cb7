import { Hono } from "hono";
import { ALL_RIGHTS, type Asker, type Choice, type Reply, sentence } from "../../core/command.ts";
import type { ChannelKey } from "../../core/channel.ts";
import type { Message } from "../../core/message.ts";
import { plainText } from "../../core/readable.ts";
import { renderDiscord } from "../discord/render.ts";
import { renderSlack } from "../slack/render.ts";
import { CHANNELS, type Client, CLIENTS, channelKey, PEOPLE, type PersonId } from "./bot.ts";
import type { Content, PlaygroundBot, Posted } from "./bot.ts";
import { type Frame, drawSaid, type Html } from "./draw.ts";
import { drawDiscord } from "./draw-discord.ts";
import { drawSlack } from "./draw-slack.ts";
import {
  ClockBody,
  CommandBody,
  CompleteQuery,
  EventsQuery,
  PressBody,
  readBody,
  readQuery,
} from "./query.ts";
import { type PickerCommand, suggest } from "./suggest.ts";

/** What the channels ask of the product: its commands, and a clock that can be moved. */
export type PlaygroundDesk = {
  /** What the composers' pickers offer. */
  readonly commands: readonly PickerCommand[];
  /** @param text what stands behind `/papers` */
  runText(asker: Asker, text: string): Promise<Reply>;
  /** A button of a message, or an option of its menu. */
  press(asker: Asker, id: string, value: string | null): Promise<Reply>;
  /** Choices for what stands behind `/papers `; a choice's value takes that text's place. */
  complete(asker: Asker, text: string): Promise<readonly Choice[]>;
  readonly clock: {
    now(): Date;
    /** The channel's IANA zone. */
    zone(channel: ChannelKey): Promise<string>;
    /** ISO instant of the channel's next digest; null for none in sight. */
    next(channel: ChannelKey): Promise<string | null>;
    /** To the channel's next digest or a day ahead, past all that is due on the way; or everything anew. */
    move(action: "next-digest" | "next-day" | "start-over", channel: ChannelKey): Promise<void>;
  };
};

export type Chat = {
  readonly app: Hono;
  /** Windows that listen. */
  windows(): number;
  /** The payload of a post as its client would get it, indented; null where there is none. */
  payload(client: Client, ref: string): Promise<string | null>;
  close(): void;
};

/** What a window gets of a channel's past when it opens. */
const BACKLOG = 40;
/** More news than this are not caught up with: the window begins again. */
const MAX_CATCH_UP = 500;

/**
 * The living channels: what is typed and pressed, what composers offer, and the stream that every window hears.
 * @param options.heartbeatMs how often a silent stream shows that it lives
 * @param options.onError called with what no one expected
 */
export function createChat(options: {
  readonly bot: PlaygroundBot;
  readonly desk: PlaygroundDesk;
  readonly heartbeatMs: number;
  readonly onError: (error: unknown) => void;
}): Chat {
  const { bot, desk, heartbeatMs, onError } = options;
  const windows = new Set<Window>();
  const broadcast = (event: string) => {
    for (const window of windows) window.send(event);
  };
  const unwatch = bot.watch((posted) => {
    broadcast(messageEvent(posted, posted.revision));
    tellTime();
  });
  const heartbeat = setInterval(() => broadcast(": still here\n\n"), heartbeatMs).unref();

  let toldTime = "";
  /** Tells all windows the time and what is due, where that changed otherwise than by its passing. */
  function tellTime(moved = false): void {
    void readClock(desk).then((clock) => {
      const due = JSON.stringify(clock.channels);
      if (moved || due !== toldTime) broadcast(event("clock", clock));
      toldTime = due;
    }, onError);
  }

  const app = new Hono();
  app.get("/complete", async (c) => {
    const { client, channel, person, text } = readQuery(c.req.queries(), CompleteQuery);
    return c.json(await suggest(client, text, askerOf(client, channel, person), desk));
  });

  app.post("/command", async (c) => {
    const { client, channel, person, text } = await readBody(c.req, CommandBody);
    const asker = askerOf(client, channel, person);
    const line = plainText(text);
    if (!line.startsWith("/")) {
      const { ref } = await bot.say(asker.where, { kind: "said", person, text });
      return c.json({ ref });
    }
    const [, behind] = /^\/papers(?: |$)(.*)/i.exec(line) ?? [];
    const reply = behind === undefined ? hint(line) : await desk.runText(asker, behind);
    return c.json(await answer(asker, reply, { client, command: { person, text }, pressed: null }));
  });

  app.post("/press", async (c) => {
    const { client, channel, person, message, id, value } = await readBody(c.req, PressBody);
    const asker = askerOf(client, channel, person);
    const pressed = message === null ? null : await bot.find(message);
    const reply = await desk.press(asker, id, value);
    return c.json(await answer(asker, reply, { client, command: null, pressed }));
  });

  app.get("/clock", async (c) => c.json(await readClock(desk)));
  app.post("/clock", async (c) => {
    const { client, channel, action } = await readBody(c.req, ClockBody);
    await desk.clock.move(action, channelKey(client, channel));
    // What the windows show is no more.
    if (action === "start-over") broadcast(event("reload", {}));
    tellTime(true);
    return c.json(await readClock(desk));
  });

  app.get("/events", (c) => {
    const { after } = readQuery(c.req.queries(), EventsQuery);
    const last = Number(c.req.header("last-event-id") ?? "");
    const window = openWindow((closed) => windows.delete(closed));
    windows.add(window);
    begin(bot, desk, last > 0 ? last : (after ?? null)).then(window.begin, (error: unknown) => {
      window.close();
      onError(error);
    });
    return c.body(window.stream, 200, {
      "content-type": "text/event-stream; charset=utf-8",
      "x-accel-buffering": "no",
    });
  });

  /** A reply for everybody goes through the log to all windows; one for the asker goes back to the asking window. */
  async function answer(
    asker: Asker,
    reply: Reply,
    from: {
      readonly client: Client;
      readonly command: { readonly person: PersonId; readonly text: string } | null;
      readonly pressed: Posted | null;
    },
  ): Promise<{ ref: string } | { html: string; payload: string; replaces: boolean }> {
    tellTime();
    const { client, command, pressed } = from;
    const { message, replaces = false, thread = null, file = null } = reply;
    if (reply.to === "channel") {
      const content: Content = { kind: "post", message, command, thread, file };
      const changed = replaces && pressed !== null ? await bot.change(pressed.ref, content) : null;
      const { ref } = changed ?? (await bot.say(asker.where, content));
      return { ref };
    }
    const frame: Frame = {
      ...frameAt(desk.clock.now().toISOString()),
      used: command === null ? null : { name: asker.name, command: command.text },
      onlyYou: true,
      thread,
      file,
    };
    const payload = renderPayload(client, message);
    // What everybody sees stays what it is, whoever turns its pages.
    return { html: String(draw(client, payload, frame)), payload, replaces: replaces && pressed === null };
  }

  return {
    app,
    windows: () => windows.size,
    async payload(client, ref) {
      const posted = await bot.find(ref);
      return posted?.content.kind === "post" ? renderPayload(client, posted.content.message) : null;
    },
    close() {
      clearInterval(heartbeat);
      unwatch();
      for (const window of windows) window.close();
    },
  };
}

function askerOf(client: Client, channel: string, person: PersonId): Asker {
  const { name, maySet } = PEOPLE[person];
  return { where: channelKey(client, channel), person, name, maySet, zone: null, rights: ALL_RIGHTS };
}

function hint(line: string): Reply {
  const [name] = line.split(" ");
  return {
    message: sentence(`${name} is nothing that Paperboy knows.`, "Try /papers help."),
    to: "asker",
  };
}

async function readClock({ clock }: PlaygroundDesk) {
  const places = CLIENTS.flatMap((client) => CHANNELS.map(({ name }) => ({ client, channel: name })));
  const channels = await Promise.all(
    places.map(async ({ client, channel }) => {
      const key = channelKey(client, channel);
      const [zone, next] = await Promise.all([clock.zone(key), clock.next(key)]);
      return { client, channel, zone, next };
    }),
  );
  return { now: clock.now().toISOString(), channels };
}

/** What a window hears first: the channels' past, or what came since it left; then that it is up to date. */
async function begin(
  bot: PlaygroundBot,
  desk: PlaygroundDesk,
  after: number | null,
): Promise<{ readonly events: readonly string[]; readonly revision: number }> {
  const [revision, clock] = [await bot.revision(), await readClock(desk)];
  const missed = after === null || after > revision ? null : await bot.since(after, MAX_CATCH_UP);
  const again = missed === null || missed.length === MAX_CATCH_UP;
  const posts = again
    ? (
        await Promise.all(clock.channels.map((of) => bot.newest(channelKey(of.client, of.channel), BACKLOG)))
      ).flat()
    : missed;
  return {
    events: [
      event("clock", clock),
      ...(again && after !== null ? [event("again", {})] : []),
      ...posts.map((posted) => messageEvent(posted, again ? undefined : posted.revision)),
      event("ready", {}, Math.max(revision, ...posts.map((posted) => posted.revision))),
    ],
    revision,
  };
}

/** Without `id` where it is not in the order of the revisions. */
function messageEvent(posted: Posted, id: number | undefined): string {
  const { ref, channel } = posted;
  const client = channel.workspace === "slack" ? "slack" : "discord";
  const html = String(drawPosted(client, posted));
  return event("message", { ref, client, channel: channel.channel, html }, id);
}

function drawPosted(client: Client, { ref, at, content }: Posted): Html {
  const frame = { ...frameAt(at), ref };
  if (content.kind === "said") {
    return drawSaid(frame, { ...content, name: PEOPLE[content.person].name });
  }
  const { message, command, thread, file } = content;
  const used = command === null ? null : { name: PEOPLE[command.person].name, command: command.text };
  return draw(client, renderPayload(client, message), { ...frame, source: `ref=${ref}`, used, thread, file });
}

function frameAt(at: string): Frame {
  return {
    ref: null,
    source: null,
    time: CLOCK.format(new Date(at)),
    at,
    used: null,
    onlyYou: false,
    pages: null,
    thread: null,
    file: null,
  };
}

/** The body that the client would get, as its bytes would be but for the indentation. */
export function renderPayload(client: Client, message: Message): string {
  return JSON.stringify(client === "discord" ? renderDiscord(message) : renderSlack(message), null, 2);
}

export function draw(client: Client, payload: string, frame: Frame): Html {
  const parsed: unknown = JSON.parse(payload);
  return client === "discord" ? drawDiscord(parsed, frame) : drawSlack(parsed, frame);
}

function event(name: string, data: object, id?: number): string {
  return `event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

type Window = {
  readonly stream: ReadableStream<Uint8Array>;
  /** Sends what comes first, then what was sent in the meantime. */
  readonly begin: (first: { readonly events: readonly string[]; readonly revision: number }) => void;
  send(event: string): void;
  close(): void;
};

/** A window that does not read is given up at this many events: it comes back and resumes. */
const MAX_WAITING = 300;

function openWindow(onClose: (window: Window) => void): Window {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  let early: string[] | null = [];
  const stream = new ReadableStream<Uint8Array>({
    start(opened) {
      controller = opened;
      // Told at once, so that the browser's connection stands.
      opened.enqueue(encoder.encode("retry: 1000\n\n"));
    },
    cancel() {
      controller = null;
      onClose(window);
    },
  });
  const window: Window = {
    stream,
    begin({ events, revision }) {
      const news = (early ?? []).filter(
        (sent) => Number(/^id: (\d+)$/m.exec(sent)?.[1] ?? Infinity) > revision,
      );
      early = null;
      window.send([...events, ...news].join(""));
    },
    send(sent) {
      if (early !== null) early.push(sent);
      else controller?.enqueue(encoder.encode(sent));
      if ((controller?.desiredSize ?? 0) < -MAX_WAITING) window.close();
    },
    close() {
      controller?.close();
      controller = null;
      onClose(window);
    },
  };
  return window;
}

const CLOCK = new Intl.DateTimeFormat("en-US", { hour: "numeric", minute: "2-digit", timeZone: "UTC" });
