import { randomUUID } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import { createPlaygroundBot, type PlaygroundBot } from "./bots/playground/bot.ts";
import type { PlaygroundDesk } from "./bots/playground/chat.ts";
import { type PlaygroundProduct, startPlayground } from "./bots/playground/server.ts";
import type { Config } from "./config.ts";
import { paperMessage, searchMessage, searchPapers } from "./core/answer.ts";
import type { ChannelKey } from "./core/channel.ts";
import type { Desk } from "./core/command.ts";
import type { Archive } from "./core/context.ts";
import { commands, complete, press, runText } from "./core/commands.ts";
import { type Day, feedDay } from "./core/day.ts";
import { digestMessage, freshnessOf, planDigest } from "./core/digest.ts";
import { type RefreshReport, waitFor } from "./core/ingest.ts";
import { parsePaperId } from "./core/paper.ts";
import { createProfile, readJudged } from "./core/profile.ts";
import { createFrequentTopics } from "./core/frequent-topics.ts";
import { keepView, MOST_RESULTS, PAGE } from "./core/reply.ts";
import { nextDueOf } from "./core/schedule.ts";
import { createSender, type Sender } from "./core/sender.ts";
import { parseTopic } from "./core/topic.ts";
import type { Events } from "./events.ts";
import { createFreshener, type Freshener } from "./freshener.ts";
import type { Library } from "./library.ts";
import type { PlaygroundClock } from "./playground-clock.ts";
import { type Service, startRounds } from "./rounds.ts";

/** Instants that one move of the playground's clock may stop at. */
const MAX_STEPS = 500;

/**
 * Serves the playground, keeps the store fresh and sends digests at their minute. Resolves once the page can be
 * opened; the rest goes on behind it.
 * @throws the system's error where the port cannot be had
 */
export async function servePlayground(
  config: Pick<Config, "host" | "port">,
  library: Library,
  clock: PlaygroundClock,
  events: Events,
): Promise<Service> {
  const stopping = new AbortController();
  const freshener = createFreshener(library, events, stopping.signal);
  await clock.restore((await library.context()).store);
  const bot = createPlaygroundBot({ log: library.messages, now: clock.now });
  await bot.start();
  const { sender, look } = createPlaygroundSender(library, clock, events, bot, freshener.report);
  // What serves now is known before anything can change it.
  await look();
  const desk = createPlaygroundDesk(library, clock, bot, sender, look);
  const playground = await startPlayground({
    host: config.host,
    port: config.port,
    now: () => new Date(),
    onError: events.pageFailed,
    product: createProduct(library, freshener),
    bot,
    desk,
  });

  const ended = startRounds({
    library,
    events,
    freshener,
    sender,
    tick: async () => {
      await look();
      await sender.tick();
    },
    ready: Promise.resolve(),
    signal: stopping.signal,
  });
  return {
    url: playground.url,
    async close() {
      stopping.abort();
      await playground.close();
      const stopped = ended.then(() => bot.stop());
      await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
    },
  };
}

/** The sender of the playground's digests, and the look at the stored days that it goes by. */
function createPlaygroundSender(
  library: Library,
  clock: PlaygroundClock,
  events: Events,
  bot: PlaygroundBot,
  report: () => RefreshReport | null,
): { readonly sender: Sender; readonly look: () => Promise<void> } {
  let listed: ReadonlySet<Day> = new Set();
  let sampleNotice: string | null = null;
  const { channels, ledger } = library;
  const sender = createSender({
    store: servingStore(library),
    index: { search: async (query) => (await library.context()).index.search(query) },
    channels,
    ledger,
    bots: new Map([[bot.platform, bot]]),
    clock: clock.now,
    random: Math.random,
    wait: waitFor,
    breathe: () => breathe(),
    owner: randomUUID(),
    report: events.sent,
    freshness: (day) => {
      if (!clock.isMoved()) return freshnessOf(report(), day);
      return listed.has(day)
        ? { state: "settled", detail: "" }
        : { state: "closed", detail: "There is no list for the day." };
    },
    sampleNotice: () => sampleNotice,
    profile: async (key: ChannelKey) => {
      const judged = await readJudged({ store: (await library.context()).store, channels }, key);
      return judged.length === 0 ? null : createProfile(judged);
    },
  });

  /** No slot of the time in between is owed. */
  async function goOnFrom(now: Date): Promise<void> {
    for (;;) {
      const due = await ledger.dueChannels(now.toISOString(), 100, [bot.platform]);
      if (due.length === 0) return;
      for (const key of due) {
        await channels.change(key, (state) => {
          if (state === null) return null;
          const channel = { ...state.channel, next: nextDueOf(state.channel, now), readFrom: feedDay(now) };
          return { ...state, channel };
        });
      }
    }
  }

  return {
    sender,
    async look() {
      const { store, notice } = await library.context();
      // The first list is here: the sample's days are over, and what was subscribed on them goes on from now.
      if (sampleNotice !== null && notice === null) {
        await clock.startOver(store);
        await goOnFrom(clock.now());
      }
      sampleNotice = notice;
      listed = new Set((await store.days({})).filter(({ count }) => count > 0).map(({ day }) => day));
    },
  };
}

/** The sample serves until the first list is here, so each question finds what serves then. */
function servingStore(library: Library): Archive["store"] {
  return {
    days: async (query) => (await library.context()).store.days(query),
    list: async (day) => (await library.context()).store.list(day),
    papers: async (ids) => (await library.context()).store.papers(ids),
    snapshots: async (ids, from) => (await library.context()).store.snapshots(ids, from),
  };
}

function createPlaygroundDesk(
  library: Library,
  clock: PlaygroundClock,
  bot: PlaygroundBot,
  sender: Sender,
  look: () => Promise<void>,
): PlaygroundDesk {
  const { channels, ledger } = library;
  const frequent = createFrequentTopics(servingStore(library), clock.now);
  const desk = async (): Promise<Desk> => ({
    ...(await library.context()),
    channels,
    ledger,
    frequent,
    async post(to, message) {
      await bot.say(to, { kind: "post", message, command: null, thread: null, file: null });
    },
  });

  /** Past all that is due on the way, each at its own instant, as if the time had gone by. */
  async function moveOn(target: number): Promise<void> {
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const [due] = await ledger.dueChannels(new Date(target).toISOString(), 1, ["playground"]);
      const attempt = await ledger.nextAttemptAt(["playground"]);
      const instants = [due?.next?.at, attempt]
        .flatMap((at) => (at === undefined || at === null ? [] : Date.parse(at)))
        .filter((at) => at <= target);
      if (instants.length === 0) break;
      await clock.moveTo(new Date(Math.max(clock.now().getTime(), Math.min(...instants) + 1000)));
      await sender.tick();
      await sender.deliver();
    }
    await clock.moveTo(new Date(target));
  }

  return {
    commands,
    runText: async (asker, text) => runText(await desk(), asker, text),
    press: async (asker, id, value) => press(await desk(), asker, id, value ?? undefined),
    complete: async (asker, text) => complete(await desk(), asker, text),
    clock: {
      now: clock.now,
      zone: async (key) => (await channels.channel(key))?.schedule.zone ?? "UTC",
      next: async (key) => (await channels.channel(key))?.next?.at ?? null,
      async move(action, key) {
        await look();
        if (action === "start-over") {
          await library.messages.clear();
          await clock.startOver((await library.context()).store);
          return;
        }
        const next = (await channels.channel(key))?.next?.at;
        if (action === "next-day") await moveOn(clock.now().getTime() + 86_400_000);
        else if (next !== undefined) await moveOn(Date.parse(next) + 1000);
      },
    },
  };
}

/** The page's questions about papers, answered from the library. */
function createProduct(library: Library, freshener: Freshener): PlaygroundProduct {
  let notice: string | null = null;
  const open = async () => {
    const context = await library.context();
    notice = context.notice;
    return context;
  };
  return {
    loading: freshener.isLoading,
    async days() {
      const { store } = await open();
      return (await store.days({})).filter(({ count }) => count > 0);
    },
    async digest({ day, topics, top, offset }) {
      const context = await open();
      const digest = await planDigest(context, { day, topics: topics.map((topic) => parseTopic(topic)) });
      // The day's general list is what `today` answers: its pages are that command's.
      const view = { command: "today", args: { date: day } };
      const pagesId =
        topics.length > 0
          ? "v1:page"
          : `v1:page:${await keepView({ ...context, channels: library.channels }, view)}`;
      return digestMessage(digest, {
        today: feedDay(new Date()),
        top,
        offset,
        pagesId,
        notice: context.notice,
      });
    },
    async search({ query, offset }) {
      const context = await open();
      const found = await searchPapers(context, query, MOST_RESULTS);
      const page = found.slice(offset, offset + PAGE);
      return searchMessage(page, { query, offset, total: found.length }, context);
    },
    async paper(text) {
      const context = await open();
      const id = parsePaperId(text);
      const [paper] = id === null ? [] : await context.store.papers([id]);
      return paper === undefined ? null : paperMessage(paper, context);
    },
    notice: () => notice ?? freshener.warning(),
  };
}
