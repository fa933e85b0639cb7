import { randomBytes, randomUUID } from "node:crypto";
import type { RequestListener } from "node:http";
import { setImmediate as breathe, setTimeout as pass } from "node:timers/promises";
import { Hono } from "hono";
import { createDiscordBot } from "./bots/discord/bot.ts";
import { readRegistration } from "./bots/discord/registration.ts";
import { createRest, readApplication } from "./bots/discord/rest.ts";
import { createSlackBot } from "./bots/slack/bot.ts";
import { INSTALL_PATH } from "./bots/slack/installations.ts";
import { EVENTS_PATH, REDIRECT_PATH } from "./bots/slack/manifest.ts";
import { openWebServer, type WebServer } from "./bots/web-server.ts";
import type { Config } from "./config.ts";
import type { Bot, BotEvent } from "./core/bot.ts";
import type { Desk } from "./core/command.ts";
import type { Platform } from "./core/channel.ts";
import { commands } from "./core/commands.ts";
import { freshnessOf } from "./core/digest.ts";
import { createFrequentTopics } from "./core/frequent-topics.ts";
import { createFloodGuard } from "./core/flood.ts";
import { waitFor } from "./core/ingest.ts";
import { createProfile, readJudged } from "./core/profile.ts";
import { createSender } from "./core/sender.ts";
import type { Events } from "./events.ts";
import { createFreshener } from "./freshener.ts";
import type { Library } from "./library.ts";
import { type Service, startRounds } from "./rounds.ts";

/** A bot of a chat: it can say why it does not work, or null. */
type ChatBot = Bot & { trouble(): string | null };

/** What a person may ask in a minute, and a workspace. */
const FLOOD = { perPerson: 20, perWorkspace: 600, windowMs: 60_000 };
/** What is kept of a workspace that removed Paperboy goes after so long. */
const KEPT_DAYS = 30;
const HOUR_MS = 3_600_000;
/** Posts and answers under way have this long to end. */
const STOP_MS = 15_000;

/**
 * Serves the chats whose tokens are set, keeps the store fresh and sends digests at their minute. Resolves once the
 * bots can post.
 * @throws DiscordError or SlackError where a token is refused, and the system's error where the port cannot be had
 */
export async function serveChats(
  config: Pick<Config, "host" | "port" | "discord" | "slack">,
  library: Library,
  events: Events,
): Promise<Service> {
  const stopping = new AbortController();
  const { channels, ledger } = library;
  const bots = new Map<Platform, ChatBot>();
  const clock = () => new Date();
  const frequent = createFrequentTopics(library.store, clock);
  let notice: string | null = null;
  const look = async () => {
    const isEmpty = (await library.store.size()).papers === 0;
    notice = isEmpty ? "No list is here yet: the first ones are on their way from Hugging Face." : null;
  };
  await look();
  const desk = (): Desk => ({
    ...library.own(),
    notice,
    channels,
    ledger,
    frequent,
    async post(to, message) {
      const nonce = randomBytes(12).toString("hex");
      await bots.get(to.platform)?.post({ to, person: null, kind: "sample", attempt: 1, message, nonce });
    },
  });
  const flood = createFloodGuard({ ...FLOOD, clock });
  const { token, apiUrl } = config.discord;
  const wait = (ms: number) => pass(ms, undefined, { ref: false });
  const now = () => performance.now();
  const common = { desk, channels, flood, clock, wait };
  if (token !== null) {
    const report = (event: BotEvent) => events.bot("discord", event);
    bots.set("discord", createDiscordBot({ ...common, token, apiUrl, report }));
  }
  const listeners = new Map<string, RequestListener>();
  if (config.slack.botToken !== null || config.slack.clientId !== null) {
    const slack = createSlackBot({
      ...common,
      now,
      settings: config.slack,
      uncertain: config.slack.uncertain,
      installations: library.installations,
      report: (event) => events.bot("slack", event),
    });
    bots.set("slack", slack);
    const { listener } = slack;
    for (const path of listener === null ? [] : [EVENTS_PATH, INSTALL_PATH, REDIRECT_PATH]) {
      if (listener !== null) listeners.set(path, listener);
    }
  }

  const freshener = createFreshener(library, events, stopping.signal);
  const sender = createSender({
    store: library.store,
    index: library.own().index,
    channels,
    ledger,
    bots,
    clock,
    random: Math.random,
    wait: waitFor,
    breathe: () => breathe(),
    owner: randomUUID(),
    report: events.sent,
    freshness: (day) => freshnessOf(freshener.report(), day),
    async profile(key) {
      const judged = await readJudged({ store: library.store, channels }, key);
      return judged.length === 0 ? null : createProfile(judged);
    },
  });
  const server = await openHealth(config, bots, listeners);
  const ready = Promise.all([...bots.values()].map((bot) => bot.start())).then(() => {});
  let cleanedAt = 0;
  const ended = startRounds({
    library,
    events,
    freshener,
    sender,
    async tick() {
      await look();
      await sender.tick();
      if (clock().getTime() - cleanedAt < HOUR_MS) return;
      cleanedAt = clock().getTime();
      await channels.deleteDeparted(new Date(cleanedAt - KEPT_DAYS * 24 * HOUR_MS).toISOString());
    },
    ready,
    signal: stopping.signal,
  });
  const close = async () => {
    stopping.abort();
    const drained = ended.then(() => Promise.all([...bots.values()].map((bot) => bot.stop())));
    await Promise.race([drained, pass(STOP_MS, undefined, { ref: false })]);
    await server.close();
  };
  try {
    await ready;
  } catch (error) {
    await close();
    throw error;
  }
  if (token !== null) void remindToRegister({ token, apiUrl }, events);
  return { url: server.url, close };
}

/** Without `/papers` registered nobody can type anything: said at the start, since registering is a step of its own. */
async function remindToRegister(
  { token, apiUrl }: { readonly token: string; readonly apiUrl: string },
  events: Events,
): Promise<void> {
  try {
    const rest = createRest({ token, apiUrl });
    const { id: applicationId } = await readApplication(rest);
    const { state } = await readRegistration({ rest, applicationId, commands });
    if (state === "current") return;
    const how = state === "missing" ? "not registered, so nobody can type it" : "registered as it was before";
    events.bot("discord", { kind: "refused", detail: `/papers is ${how}: run npx paperboy register.` });
  } catch (error) {
    events.unexpected("looking at what is registered with Discord", error);
  }
}

/** A page for whatever watches over the process: 200 while every bot works, else 503 and why. */
function openHealth(
  { host, port }: Pick<Config, "host" | "port">,
  bots: ReadonlyMap<Platform, ChatBot>,
  listeners: ReadonlyMap<string, RequestListener>,
): Promise<WebServer> {
  const app = new Hono();
  app.get("/", (c) => c.text("Paperboy is running. Its health is at /healthz.\n"));
  app.get("/healthz", (c) => {
    const troubles = [...bots].flatMap(([platform, bot]) => {
      const trouble = bot.trouble();
      return trouble === null ? [] : [{ platform, trouble }];
    });
    return c.json(
      { ok: troubles.length === 0, platforms: [...bots.keys()], troubles },
      troubles.length === 0 ? 200 : 503,
    );
  });
  return openWebServer({ fetch: app.fetch, listeners, host, port });
}
