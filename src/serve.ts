import { randomUUID } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import cron from "node-cron";
import { createPlaygroundBot } from "./bots/playground/bot.ts";
import type { PlaygroundDesk } from "./bots/playground/chat.ts";
import { type PlaygroundProduct, startPlayground } from "./bots/playground/server.ts";
import type { Config } from "./config.ts";
import { paperMessage, searchMessage, searchPapers } from "./core/answer.ts";
import type { ChannelKey } from "./core/channel.ts";
import type { Desk } from "./core/command.ts";
import { commands, complete, press, runText } from "./core/commands.ts";
import { addDays, type Day, feedDay, shortDate } from "./core/day.ts";
import { digestMessage, freshnessOf, planDigest } from "./core/digest.ts";
import { RECENT_DAYS, type RefreshReport, waitFor } from "./core/ingest.ts";
import { parsePaperId } from "./core/paper.ts";
import { createProfile, readJudged } from "./core/profile.ts";
import { keepView, MOST_RESULTS, PAGE } from "./core/reply.ts";
import { nextDueOf } from "./core/schedule.ts";
import { createSender, type Sender } from "./core/sender.ts";
import { SourceError } from "./core/source.ts";
import { parseTopic } from "./core/topic.ts";
import type { Events } from "./events.ts";
import type { Library } from "./library.ts";
import type { PlaygroundClock } from "./playground-clock.ts";
import { collectGarbage } from "./storage/collect-garbage.ts";

export type Service = {
  /** Where the page is, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  close(): Promise<void>;
};

/** Instants that one move of the playground's clock may stop at. */
const MAX_STEPS = 500;

/**
 * Serves the playground, keeps the store fresh and sends digests at their minute. Resolves once the page can be
 * opened; the rest goes on behind it.
 * @throws the system's error where the port cannot be had
 */
export async function serve(
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
  const desk = createPlaygroundDesk(library, clock, sender, look);
  const playground = await startPlayground({
    host: config.host,
    port: config.port,
    now: () => new Date(),
    onError: events.pageFailed,
    product: createProduct(library, freshener),
    bot,
    desk,
  });

  const tick = async () => {
    await look();
    await sender.tick();
  };
  const guarded = (what: string, run: () => Promise<void>) => async () => {
    try {
      await run();
    } catch (error) {
      if (!stopping.signal.aborted) events.unexpected(what, error);
    }
  };
  const begin = guarded("starting", async () => {
    await library.warmUp();
    collectGarbage();
    await freshener.refresh();
    await tick();
  });
  // Only after a first look at the lists: without one, an owed digest could not tell a missing list from an unread one.
  const underWay = begin().then(() => sender.run(stopping.signal));
  // A minute of our own, so that not every Paperboy asks Hugging Face at the same one.
  const offset = Math.floor(Math.random() * 5);
  const jobs = [
    cron.schedule("* * * * *", guarded("planning digests", tick), { noOverlap: true }),
    cron.schedule(`${offset}-59/5 * * * *`, guarded("reading the current lists", freshener.refresh), {
      noOverlap: true,
    }),
  ];
  return {
    url: playground.url,
    async close() {
      stopping.abort();
      for (const job of jobs) await job.destroy();
      await playground.close();
      const ended = underWay.then(() => bot.stop());
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
    },
  };
}

type Freshener = {
  /** The current lists, and, until all are there, those of the last six weeks. */
  refresh(): Promise<void>;
  /** What the last refresh found; null before the first. */
  report(): RefreshReport | null;
  /** Whether the first lists of an empty store are on their way. */
  isLoading(): boolean;
  /** A sentence while Hugging Face cannot be reached; null while it can. */
  warning(): string | null;
};

function createFreshener(library: Library, events: Events, signal: AbortSignal): Freshener {
  let last: RefreshReport | null = null;
  let isComplete = false;
  let isLoading = true;
  let warning: string | null = null;

  async function readRecent(): Promise<void> {
    const to = feedDay(new Date());
    try {
      const { kept, failed, stopped } = await library.ingest.backfill({
        from: addDays(to, -RECENT_DAYS),
        to,
        signal,
      });
      isComplete = failed.length === 0 && !stopped;
      events.recentListsRead({ kept, failedDays: failed.length });
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
    }
  }

  return {
    async refresh() {
      if (library.isGone()) events.storeGone();
      last = await library.ingest.refresh();
      events.refreshed(last);
      const isOut = last.days.some((day) => day.outcome === "failed");
      library.explainSample(isOut ? "while Hugging Face is out of reach" : "until the first list is here");
      warning = isOut ? await outOfReach(library, last.today) : null;
      if (!isOut && !isComplete) await readRecent();
      isLoading = false;
    },
    report: () => last,
    isLoading: () => isLoading,
    warning: () => warning,
  };
}

async function outOfReach(library: Library, today: Day): Promise<string | null> {
  const [newest] = await library.store.days({ limit: 1 });
  return newest === undefined
    ? null
    : `Hugging Face is out of reach: the last good list is of ${shortDate(newest.seenAt.slice(0, 10), today)}.`;
}

/** The sender of the playground's digests, and the look at the stored days that it goes by. */
function createPlaygroundSender(
  library: Library,
  clock: PlaygroundClock,
  events: Events,
  bot: ReturnType<typeof createPlaygroundBot>,
  report: () => RefreshReport | null,
): { readonly sender: Sender; readonly look: () => Promise<void> } {
  let listed: ReadonlySet<Day> = new Set();
  let sampleNotice: string | null = null;
  const { channels, ledger } = library;
  const sender = createSender({
    // The sample serves until the first list is here, so each question finds what serves then.
    store: {
      days: async (query) => (await library.context()).store.days(query),
      list: async (day) => (await library.context()).store.list(day),
      papers: async (ids) => (await library.context()).store.papers(ids),
      snapshots: async (ids, from) => (await library.context()).store.snapshots(ids, from),
    },
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

function createPlaygroundDesk(
  library: Library,
  clock: PlaygroundClock,
  sender: Sender,
  look: () => Promise<void>,
): PlaygroundDesk {
  const { channels, ledger } = library;
  const desk = async (): Promise<Desk> => ({ ...(await library.context()), channels, ledger });

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
      const { channels, ledger } = library;
      const pagesId =
        topics.length > 0 ? "v1:page" : `v1:page:${await keepView({ ...context, channels, ledger }, view)}`;
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
