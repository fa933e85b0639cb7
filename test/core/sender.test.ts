import { afterEach, describe, expect, test, vi } from "vitest";
import type { Bot } from "../../src/core/bot.ts";
import { createBm25 } from "../../src/core/bm25.ts";
import { catchUp } from "../../src/core/catch-up.ts";
import type { Channel, Pause } from "../../src/core/channel.ts";
import type { Day } from "../../src/core/day.ts";
import type { Delivery } from "../../src/core/delivery.ts";
import { type Freshness, freshnessOf } from "../../src/core/digest.ts";
import type { RefreshReport } from "../../src/core/ingest.ts";
import { introLines, type Message } from "../../src/core/message.ts";
import type { Paper } from "../../src/core/paper.ts";
import type { Profile } from "../../src/core/rank.ts";
import { nextDueOf } from "../../src/core/schedule.ts";
import { createSender, type SenderEvent } from "../../src/core/sender.ts";
import { createChannelStore } from "../../src/storage/channels.ts";
import { openSqlite } from "../../src/storage/database.ts";
import { createLedger } from "../../src/storage/ledger.ts";
import { createStore } from "../../src/storage/store.ts";
import { botContract } from "../contracts/bot.ts";
import { madeUpPaper } from "../contracts/made-up-paper.ts";
import { createFakeBot, type FakeBotOptions } from "../peers/fake-bot.ts";

for (const afterUncertain of ["repeat", "repeat-once", "settle"] as const) {
  botContract(`that is fake and after an uncertain post: ${afterUncertain}`, async () => {
    const bot = createFakeBot({ afterUncertain });
    return {
      bot,
      to: { platform: "discord", workspace: "w", channel: "c" },
      unknown: null,
      standing: async () =>
        bot.accepted.filter(({ person }) => person === null).map(({ message }) => JSON.stringify(message)),
    };
  });
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SETTLED: Freshness = { state: "settled", detail: "" };

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

type SetUp = {
  readonly now?: string;
  readonly bot?: FakeBotOptions;
  readonly profile?: Profile;
};

/** A sender over a real store, with a clock that only tests move. It begins on Wednesday, an hour before 09:00 Paris. */
async function setUp({ now = "2026-04-22T06:00:00Z", bot: botOptions = {}, profile }: SetUp = {}) {
  const db = await openSqlite(":memory:");
  const [store, channels, ledger] = [createStore(db), createChannelStore(db), createLedger(db)];
  let time = Date.parse(now);
  let fresh: (day: Day) => Freshness = () => SETTLED;
  const events: SenderEvent[] = [];
  const waits = new Set<{ readonly at: number; readonly done: () => void }>();
  const bm25 = createBm25();
  let revision = 0;
  const bot = createFakeBot(botOptions);
  await bot.start();
  open.push(() => store.close());

  const clock = () => new Date(time);
  const create = (owner: string, theBot: Bot = bot) =>
    createSender({
      channels,
      ledger,
      store,
      index: { search: async (query) => bm25.search(query) },
      bots: new Map([[theBot.platform, theBot]]),
      clock,
      random: () => 0.5,
      wait: (ms, signal) =>
        new Promise((resolve) => {
          const wait = { at: time + ms, done: resolve };
          waits.add(wait);
          signal.addEventListener("abort", () => {
            waits.delete(wait);
            resolve();
          });
          if (signal.aborted) resolve();
        }),
      breathe: () => new Promise((resolve) => setImmediate(resolve)),
      owner,
      report: (event) => events.push(event),
      freshness: (day) => fresh(day),
      ...(profile === undefined ? {} : { profile: async () => profile }),
    });
  const sender = create("one");
  return {
    db,
    bot,
    channels,
    ledger,
    sender,
    create,
    events,
    clock,
    setFreshness(freshness: (day: Day) => Freshness) {
      fresh = freshness;
    },
    /** Moves the clock and ends the waits that are over by then. */
    advance(ms: number) {
      time += ms;
      for (const wait of [...waits].filter(({ at }) => at <= time)) {
        waits.delete(wait);
        wait.done();
      }
    },
    setNow(instant: string) {
      time = Date.parse(instant);
    },
    async list(day: Day, papers: readonly (Partial<Paper> & { readonly id: string })[]) {
      await store.saveList({
        day,
        seenAt: `${day}T05:00:00.000Z`,
        papers: papers.map((fields) => ({
          paper: madeUpPaper({ submittedOn: day, ...fields }),
          summary: null,
        })),
      });
      const index = {
        revision: () => revision,
        update: async (documents: Parameters<typeof bm25.update>[0], to: number) => {
          bm25.update(documents);
          revision = to;
        },
      };
      await catchUp(store, index);
    },
    async subscribe(name: string, topics: readonly string[], fields: Partial<Channel> = {}) {
      const key = { platform: "discord", workspace: "w", channel: name } as const;
      const schedule = { time: "09:00", zone: "Europe/Paris", weekdays: [1, 2, 3, 4, 5, 6, 7] };
      await channels.change(key, () => {
        const paused: Pause | null = fields.paused ?? null;
        const channel: Channel = {
          ...key,
          schedule,
          top: 2,
          paused,
          publish: false,
          next: nextDueOf({ schedule: fields.schedule ?? schedule, paused }, clock()),
          readFrom: "2026-04-22",
          version: 0,
          setUpBy: "ada",
          lastNumber: topics.length,
          ...fields,
        };
        const subscriptions = topics.map((topic, index) => ({
          number: index + 1,
          topic,
          createdBy: "ada",
          createdAt: clock().toISOString(),
        }));
        return { channel, subscriptions };
      });
      return key;
    },
    /** What the channel's slots came to, oldest first. */
    async outcomes(name: string, kind: Delivery["kind"] = "digest") {
      const key = { platform: "discord", workspace: "w", channel: name } as const;
      const rows = (await ledger.history(key, 50)).filter((row) => row.kind === kind);
      return rows.map(({ slot, outcome }) => `${slot} ${outcome}`).reverse();
    },
    async detail(name: string, slot: Day) {
      const key = { platform: "discord", workspace: "w", channel: name } as const;
      return (await ledger.history(key, 50)).find((row) => row.slot === slot && row.kind === "digest")
        ?.detail;
    },
    async tickAndDeliver() {
      await sender.tick();
      await sender.deliver();
    },
    titles: () =>
      bot.accepted.map(({ message }) =>
        [message.title, ...message.items.map(({ title }) => title)].join(" | "),
      ),
  };
}

const agents = { title: "Agents that plan", abstract: "Agents plan and act with tools in the world." };
const videos = { title: "Long videos", abstract: "A diffusion model makes long videos from words." };
const robots = { title: "Agents in robotics", abstract: "Robotics agents grasp objects with care." };

describe("a channel's digest", () => {
  test("comes at its time, with the best papers, its topics and the next instant", async () => {
    const { bot, sender, subscribe, list, setNow, outcomes, ledger, titles, detail } = await setUp();
    await list("2026-04-22", [
      { id: "2604.00001", upvotes: 9, ...agents },
      { id: "2604.00002", upvotes: 30, ...robots },
      { id: "2604.00003", upvotes: 90, ...videos },
    ]);
    const key = await subscribe("papers", ["agents -robotics", "org:example-lab min:20"]);
    await sender.tick();
    await sender.deliver();
    expect(bot.asked).toHaveLength(0);
    setNow("2026-04-22T07:00:10Z");
    await sender.tick();
    await sender.deliver();
    expect(titles()).toEqual(["Daily Papers · Wednesday 22 April | Long videos | Agents that plan"]);
    const [{ message, nonce } = bot.accepted[0]!] = bot.accepted;
    expect(introOf(message)).toEqual(["2 of 3 papers · topics 1 agents, 2 org:example-lab"]);
    expect(message.footer).toBe("Next: Thu 23 April, 09:00 Paris");
    expect(message.pages).toEqual({ id: `v1:page:${nonce}`, offset: 0, total: 3 });
    expect(message.select?.options.map(({ value }) => value)).toEqual(["2604.00003", "2604.00001"]);
    expect(message.items[0]?.facts).toContain("matches org:example-lab");
    expect(nonce.length).toBeLessThanOrEqual(25);
    expect(await outcomes("papers")).toEqual(["2026-04-22 sent"]);
    expect(await detail("papers", "2026-04-22")).toBe(introOf(message)[0]);
    expect([...(await ledger.delivered(key, ["2604.00001", "2604.00002", "2604.00003"]))].sort()).toEqual([
      "2604.00001",
      "2604.00003",
    ]);
  });

  test("shows a paper once, though lists grow and overlap, and of all papers where no topic is named", async () => {
    const { list, subscribe, setNow, tickAndDeliver, titles, bot } = await setUp();
    await list("2026-04-22", [{ id: "2604.00001", title: "One", upvotes: 9 }]);
    await subscribe("papers", [""], { top: 5 });
    setNow("2026-04-22T07:00:00Z");
    await tickAndDeliver();
    await list("2026-04-22", [{ id: "2604.00002", title: "Two", upvotes: 5, abstract: "late" }]);
    await list("2026-04-23", [
      { id: "2604.00001", title: "One", upvotes: 99 },
      { id: "2604.00002", title: "Two", upvotes: 5, abstract: "late" },
      { id: "2604.00003", title: "Three", upvotes: 50, abstract: "new words" },
    ]);
    setNow("2026-04-23T07:00:00Z");
    await tickAndDeliver();
    expect(titles()).toEqual([
      "Daily Papers · Wednesday 22 April | One",
      "Daily Papers · Thursday 23 April | Three | Two",
    ]);
    expect(introOf(bot.accepted[1]!.message)).toEqual(["2 of 2 papers"]);
    expect(bot.accepted[0]?.message.items[0]?.facts).toContain("most upvoted of 1");
  });

  test("leads with what a channel likes, all else being equal", async () => {
    const profile: Profile = (paper) => (paper.id === "2604.00002" ? 1 : -1);
    const { list, subscribe, setNow, tickAndDeliver, titles } = await setUp({ profile });
    await list("2026-04-22", [
      { id: "2604.00001", upvotes: 11, ...agents },
      { id: "2604.00002", upvotes: 10, ...videos },
    ]);
    await subscribe("papers", [""]);
    setNow("2026-04-22T07:00:00Z");
    await tickAndDeliver();
    expect(titles()).toEqual(["Daily Papers · Wednesday 22 April | Long videos | Agents that plan"]);
  });

  test("is not there on a weekend, and the slot says so", async () => {
    const { list, subscribe, setNow, tickAndDeliver, outcomes, bot, detail, setFreshness } = await setUp();
    setFreshness((day) => freshnessOf(null, day));
    await list("2026-04-24", [{ id: "2604.00001" }]);
    await subscribe("papers", [""], {
      next: { at: "2026-04-25T07:00:00.000Z", slot: "2026-04-25" },
      readFrom: "2026-04-25",
    });
    setNow("2026-04-25T07:00:00Z");
    await tickAndDeliver();
    expect(await outcomes("papers")).toEqual(["2026-04-25 no-list"]);
    expect(await detail("papers", "2026-04-25")).toBe("Weekends have no list.");
    expect(bot.asked).toHaveLength(0);
  });

  test("says nothing on quiet days, and one line after three", async () => {
    const { list, subscribe, setNow, tickAndDeliver, outcomes, bot, detail } = await setUp({
      now: "2026-04-20T06:00:00Z",
    });
    await subscribe("papers", ["agents robotics videos"], { readFrom: "2026-04-20" });
    for (const day of [20, 21, 22, 23, 24]) {
      await list(`2026-04-${day}`, [
        { id: `2604.000${day}`, ...agents },
        { id: `2604.001${day}`, ...videos },
      ]);
      setNow(`2026-04-${day}T07:00:00Z`);
      await tickAndDeliver();
    }
    expect(await outcomes("papers")).toEqual([20, 21, 22, 23, 24].map((day) => `2026-04-${day} quiet`));
    expect(await detail("papers", "2026-04-20")).toBe("0 of 2 papers matched.");
    expect(await outcomes("papers", "notice")).toEqual(["2026-04-22 sent"]);
    expect(bot.accepted).toHaveLength(1);
    expect(bot.accepted[0]?.message.title).toBe("Nothing matched in 3 digests in a row");
    expect(bot.accepted[0]?.message.intro[0]).toMatch(
      /^Wider than 1 agents robotics videos: .+ \(\d+ papers? in the last 3 lists\)$/,
    );
  });
});

describe("a top list", () => {
  test("is quiet where all of it was here before, and says so after three", async () => {
    const { list, subscribe, setNow, tickAndDeliver, outcomes, bot } = await setUp({
      now: "2026-04-20T06:00:00Z",
    });
    await subscribe("papers", ["agents", ""], { readFrom: "2026-04-20" });
    for (const day of [20, 21, 22, 23]) {
      await list(`2026-04-${day}`, [{ id: "2604.00001", ...agents }]);
      setNow(`2026-04-${day}T07:00:00Z`);
      await tickAndDeliver();
    }
    expect(await outcomes("papers")).toEqual([
      "2026-04-20 sent",
      ...[21, 22, 23].map((day) => `2026-04-${day} quiet`),
    ]);
    expect(await outcomes("papers", "notice")).toEqual(["2026-04-23 sent"]);
    expect(bot.accepted[1]?.message.intro).toEqual([
      "Every paper on the newest list was in a digest before.",
    ]);
  });
});

describe("a list that is not there yet", () => {
  const CLOSED: Freshness = { state: "closed", detail: "Hugging Face has no list for the day." };
  const FILLING: Freshness = { state: "filling", detail: "The day's list is still filling." };

  test("is waited for, and then sent", async () => {
    const { list, subscribe, setNow, tickAndDeliver, sender, outcomes, detail, setFreshness } = await setUp();
    setFreshness(() => FILLING);
    await list("2026-04-22", [{ id: "2604.00001" }]);
    await subscribe("papers", [""]);
    setNow("2026-04-22T07:00:00Z");
    await tickAndDeliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 waiting"]);
    expect(await detail("papers", "2026-04-22")).toBe(
      "The day's list is still filling: the digest comes by 10:30 Paris.",
    );
    setFreshness(() => SETTLED);
    setNow("2026-04-22T07:05:00Z");
    await sender.deliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 sent"]);
  });

  test("is sent as it is after ninety minutes, called late and filling", async () => {
    const { list, subscribe, setNow, tickAndDeliver, sender, outcomes, bot, setFreshness } = await setUp();
    setFreshness(() => FILLING);
    await list("2026-04-22", [{ id: "2604.00001" }]);
    await subscribe("papers", [""]);
    setNow("2026-04-22T07:00:00Z");
    await tickAndDeliver();
    setNow("2026-04-22T08:29:00Z");
    await sender.deliver();
    expect(bot.accepted).toHaveLength(0);
    setNow("2026-04-22T08:30:00Z");
    await sender.deliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 sent-late"]);
    expect(introOf(bot.accepted[0]!.message)).toEqual([
      "1 of 1 paper",
      "Late: this was due Wed 22 April, 09:00 Paris. The day's list is still filling.",
    ]);
  });

  test("ends as no list where it stays empty, and the slot says until when", async () => {
    const { subscribe, setNow, tickAndDeliver, sender, outcomes, detail, setFreshness } = await setUp();
    setFreshness(() => FILLING);
    await subscribe("papers", [""]);
    setNow("2026-04-22T07:00:00Z");
    await tickAndDeliver();
    setNow("2026-04-22T08:30:20Z");
    await sender.deliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 no-list"]);
    expect(await detail("papers", "2026-04-22")).toBe("Nothing was on the list by 10:30 Paris.");
  });

  test("is promised only if it comes, and is no list rather than late where it never came", async () => {
    const { subscribe, setNow, tickAndDeliver, sender, outcomes, detail, setFreshness } = await setUp();
    setFreshness(() => CLOSED);
    await subscribe("papers", [""]);
    setNow("2026-04-22T07:00:00Z");
    await tickAndDeliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 waiting"]);
    expect(await detail("papers", "2026-04-22")).toBe(
      "Hugging Face has no list for the day: the digest comes by 10:30 Paris if there is a list.",
    );
    setNow("2026-04-23T06:00:00Z");
    await sender.deliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 no-list"]);
    expect(await detail("papers", "2026-04-22")).toBe("Hugging Face has no list for the day.");
  });

  test.each([
    ["other papers are owed", CLOSED, "2026-04-21"],
    ["nobody knows whether it came", FILLING, "2026-04-22"],
  ] as const)("is late after twelve hours of waiting where %s", async (_, freshness, readFrom) => {
    const { list, subscribe, setNow, tickAndDeliver, sender, outcomes, detail, setFreshness, bot } =
      await setUp();
    setFreshness(() => freshness);
    await list("2026-04-21", [{ id: "2604.00001" }]);
    await subscribe("papers", ["matches nothing"], { readFrom });
    setNow("2026-04-22T07:00:00Z");
    await tickAndDeliver();
    setNow("2026-04-22T19:00:01Z");
    await sender.deliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 skipped-late"]);
    expect(await detail("papers", "2026-04-22")).toBe(
      "It was more than 12 hours late; its papers come with the next digest.",
    );
    expect(bot.asked).toHaveLength(0);
  });

  test("is not waited for once Hugging Face is at the next day's", async () => {
    const { subscribe, setNow, tickAndDeliver, sender, outcomes, setFreshness } = await setUp({
      now: "2026-04-22T23:00:00Z",
    });
    setFreshness(() => CLOSED);
    const schedule = { time: "21:00", zone: "America/New_York", weekdays: [1, 2, 3, 4, 5] };
    await subscribe("papers", [""], { schedule });
    setNow("2026-04-23T01:25:00Z");
    await tickAndDeliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 waiting"]);
    setNow("2026-04-23T01:30:00Z");
    await sender.deliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 no-list"]);
  });

  test("fails where Hugging Face is out of reach, and the next digest has its papers too", async () => {
    const { list, subscribe, setNow, tickAndDeliver, sender, outcomes, titles, detail, setFreshness } =
      await setUp();
    const report: RefreshReport = {
      today: "2026-04-22",
      days: [
        { day: "2026-04-22", outcome: "failed", count: 0, asOf: null, settled: false },
        { day: "2026-04-21", outcome: "failed", count: 3, asOf: "2026-04-22T04:00:00.000Z", settled: true },
      ],
      details: 0,
      failure: "no answer",
      retryAfterMs: null,
    };
    setFreshness((day) => freshnessOf(report, day));
    await subscribe("papers", [""]);
    setNow("2026-04-22T07:00:00Z");
    await tickAndDeliver();
    setNow("2026-04-22T08:30:00Z");
    await sender.deliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 failed"]);
    expect(await detail("papers", "2026-04-22")).toBe(
      "Hugging Face is out of reach: the last good list is as of 04:00 UTC.",
    );
    setFreshness(() => SETTLED);
    await list("2026-04-22", [{ id: "2604.00001", title: "One", upvotes: 20 }]);
    await list("2026-04-23", [{ id: "2604.00002", title: "Two", upvotes: 9, abstract: "other words" }]);
    setNow("2026-04-23T07:00:00Z");
    await tickAndDeliver();
    expect(titles()).toEqual(["Daily Papers · Wednesday 22 April to Thursday 23 April | One | Two"]);
  });

  test("stands as the last refresh saw it", () => {
    const report = (outcome: "read" | "closed", settled: boolean): RefreshReport => ({
      today: "2026-04-22",
      days: [{ day: "2026-04-22", outcome, count: 3, asOf: null, settled }],
      details: 0,
      failure: null,
      retryAfterMs: null,
    });
    expect(freshnessOf(report("read", true), "2026-04-22").state).toBe("settled");
    expect(freshnessOf(report("read", false), "2026-04-22").state).toBe("filling");
    expect(freshnessOf(report("closed", false), "2026-04-22").state).toBe("closed");
    expect(freshnessOf(report("read", false), "2026-04-20").state).toBe("settled");
    expect(freshnessOf(report("read", true), "2026-04-25").state).toBe("closed");
    expect(freshnessOf(null, "2026-04-22").state).toBe("filling");
  });
});

describe("slots that were missed", () => {
  test("each get a row, and one digest has their papers", async () => {
    const { list, subscribe, setNow, tickAndDeliver, outcomes, titles, channels, detail } = await setUp();
    const key = await subscribe("papers", [""], { top: 5 });
    await list("2026-04-22", [{ id: "2604.00001", title: "One", upvotes: 20 }]);
    await list("2026-04-24", [{ id: "2604.00002", title: "Two", upvotes: 9, abstract: "other words" }]);
    setNow("2026-04-24T08:00:00Z");
    await tickAndDeliver();
    expect(await outcomes("papers")).toEqual([
      "2026-04-22 skipped-late",
      "2026-04-23 skipped-late",
      "2026-04-24 sent-late",
    ]);
    expect(await detail("papers", "2026-04-22")).toBe("It was missed; its papers come with the next digest.");
    expect(titles()).toEqual(["Daily Papers · Wednesday 22 April to Friday 24 April | One | Two"]);
    expect((await channels.channel(key))?.next?.slot).toBe("2026-04-25");
    await tickAndDeliver();
    expect(titles()).toHaveLength(1);
  });

  test("are not sent more than twelve hours late", async () => {
    const { list, subscribe, setNow, tickAndDeliver, outcomes, bot, detail, titles } = await setUp();
    await subscribe("papers", [""]);
    await list("2026-04-22", [{ id: "2604.00001", title: "One" }]);
    setNow("2026-04-23T19:00:01Z");
    await tickAndDeliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 skipped-late", "2026-04-23 skipped-late"]);
    expect(await detail("papers", "2026-04-22")).toBe("It was missed; its papers come with the next digest.");
    expect(await detail("papers", "2026-04-23")).toBe(
      "It was more than 12 hours late; its papers come with the next digest.",
    );
    expect(bot.asked).toHaveLength(0);
    setNow("2026-04-24T07:00:00Z");
    await tickAndDeliver();
    expect(titles()).toEqual(["Daily Papers · Wednesday 22 April | One"]);
  });

  test("promise no papers that are too old for the next digest", async () => {
    const { list, subscribe, setNow, tickAndDeliver, detail, titles } = await setUp();
    await subscribe("papers", [""]);
    await list("2026-04-22", [{ id: "2604.00001", title: "One" }]);
    await list("2026-04-23", [{ id: "2604.00002", title: "Two" }]);
    setNow("2026-05-06T07:00:00Z");
    await tickAndDeliver();
    expect(await detail("papers", "2026-04-22")).toBe("It was missed.");
    expect(await detail("papers", "2026-04-23")).toBe("It was missed; its papers come with the next digest.");
    expect(titles()).toEqual(["Daily Papers · Thursday 23 April | Two"]);
  });

  test("are not owed during a pause, which ends by itself", async () => {
    const { list, subscribe, setNow, tickAndDeliver, outcomes } = await setUp();
    await subscribe("papers", [""], { paused: { until: "2026-04-23", reason: null } });
    await subscribe("stopped", [""], { paused: { until: null, reason: null } });
    await list("2026-04-24", [{ id: "2604.00001" }]);
    for (const day of [22, 23, 24]) {
      setNow(`2026-04-${day}T07:00:00Z`);
      await tickAndDeliver();
    }
    expect(await outcomes("papers")).toEqual(["2026-04-24 sent"]);
    expect(await outcomes("stopped")).toEqual([]);
  });

  test("are not sent to a channel that paused, or unsubscribed, meanwhile", async () => {
    const { list, subscribe, setNow, sender, outcomes, bot, channels } = await setUp();
    const key = await subscribe("papers", [""]);
    const other = await subscribe("other", [""]);
    await list("2026-04-22", [{ id: "2604.00001" }]);
    setNow("2026-04-22T07:00:00Z");
    await sender.tick();
    await channels.change(
      key,
      (state) =>
        state && {
          ...state,
          channel: { ...state.channel, next: null, paused: { until: null, reason: null } },
        },
    );
    await channels.change(other, (state) => state && { ...state, subscriptions: [] });
    await sender.deliver();
    expect([await outcomes("papers"), await outcomes("other")]).toEqual([
      ["2026-04-22 skipped-late"],
      ["2026-04-22 skipped-late"],
    ]);
    expect(bot.asked).toHaveLength(0);
  });
});

describe("a post that goes wrong", () => {
  async function oneDue(options: SetUp = {}) {
    const world = await setUp(options);
    await world.list("2026-04-22", [{ id: "2604.00001" }]);
    await world.subscribe("papers", [""]);
    world.setNow("2026-04-22T07:00:00Z");
    return world;
  }

  test("is tried again, no sooner than the platform asks, with the same words and nonce", async () => {
    const { tickAndDeliver, advance, sender, outcomes, bot, list } = await oneDue({
      bot: { retryAfterMs: 90_000 },
    });
    bot.befall("retry");
    await tickAndDeliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 pending"]);
    await list("2026-04-22", [{ id: "2604.00009", upvotes: 400 }]);
    advance(89_000);
    await sender.deliver();
    expect(bot.asked).toHaveLength(1);
    advance(1_000);
    await sender.deliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 sent"]);
    expect(bot.asked[1]).toEqual({ ...bot.asked[0], attempt: 2 });
  });

  test("is told apart by its attempt, of which waits for the list are none", async () => {
    const { tickAndDeliver, setNow, setFreshness, sender, bot } = await oneDue();
    setFreshness(() => ({ state: "filling", detail: "The day's list is still filling." }));
    await tickAndDeliver();
    setNow("2026-04-22T07:05:00Z");
    await sender.deliver();
    setFreshness(() => SETTLED);
    bot.befall("retry");
    setNow("2026-04-22T07:10:00Z");
    await sender.deliver();
    expect(bot.asked).toMatchObject([{ person: null, kind: "digest", attempt: 1 }]);
    setNow("2026-04-22T07:20:00Z");
    await sender.deliver();
    expect(bot.asked).toHaveLength(2);
    expect(bot.asked[1]?.attempt).toBeGreaterThan(1);
  });

  test("is tried less and less often, also by a process that starts anew", async () => {
    const { sender, create, advance, events, setFreshness } = await oneDue({ bot: { rates: { retry: 1 } } });
    setFreshness(() => ({ state: "filling", detail: "The day's list is still filling." }));
    await sender.tick();
    await sender.deliver();
    setFreshness(() => SETTLED);
    advance(5 * MINUTE);
    for (const owner of ["two", "three", "four", "five"]) {
      await create(owner).deliver();
      advance(MINUTE);
    }
    const waits = events.flatMap((event) =>
      event.kind === "postponed" && event.detail === "The platform is busy." ? [event] : [],
    );
    const began = Date.parse("2026-04-22T07:05:00Z");
    expect(
      waits.map(({ nextAttemptAt }, index) => Date.parse(nextAttemptAt) - began - index * MINUTE),
    ).toEqual([1000, 2000, 4000, 8000]);
  });

  test("is not made once it is eighteen hours old, however far it had come", async () => {
    const { tickAndDeliver, advance, sender, outcomes, detail, bot, list, setNow, titles } = await oneDue({
      bot: { retryAfterMs: MINUTE },
    });
    bot.befall("retry");
    await tickAndDeliver();
    advance(18 * HOUR + 1);
    await sender.deliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 skipped-late"]);
    expect(await detail("papers", "2026-04-22")).toBe(
      "It was more than 18 hours late; its papers come with the next digest.",
    );
    expect(bot.asked).toHaveLength(1);
    await list("2026-04-23", [{ id: "2604.00002", title: "Two", abstract: "other words" }]);
    setNow("2026-04-23T07:00:00Z");
    await tickAndDeliver();
    expect(titles()[0]).toContain("Wednesday 22 April to Thursday 23 April");
  });

  test("fails after eighteen hours, with the reason, and gives its papers to the next digest", async () => {
    const { tickAndDeliver, advance, sender, outcomes, bot, detail, setNow, list, titles } = await oneDue({
      bot: { rates: { retry: 1 } },
    });
    await tickAndDeliver();
    let tries = 0;
    while ((await outcomes("papers"))[0] === "2026-04-22 pending" && tries++ < 500) {
      advance(5 * MINUTE);
      await sender.deliver();
    }
    expect(await outcomes("papers")).toEqual(["2026-04-22 failed"]);
    expect(await detail("papers", "2026-04-22")).toBe(
      "The platform is busy. It was given up after 18 hours.",
    );
    // Half of fifteen minutes at most: about 140 in eighteen hours, once the first doublings are over.
    expect(bot.asked.length).toBeGreaterThan(90);
    expect(bot.asked.length).toBeLessThan(230);
    bot.befall("none");
    await list("2026-04-23", [{ id: "2604.00002", title: "Two", abstract: "other words" }]);
    setNow("2026-04-23T07:00:00Z");
    await tickAndDeliver();
    expect(titles()[0]).toContain("Wednesday 22 April to Thursday 23 April");
  });

  test("pauses the channel where somebody has to act, and says why", async () => {
    const { tickAndDeliver, setNow, outcomes, bot, channels } = await oneDue();
    bot.befall("rejected");
    await tickAndDeliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 rejected"]);
    const channel = await channels.channel({ platform: "discord", workspace: "w", channel: "papers" });
    expect(channel?.paused).toEqual({ until: null, reason: "Invite the app to this channel." });
    setNow("2026-04-23T07:00:00Z");
    await tickAndDeliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 rejected"]);
    expect(bot.asked.filter(({ person }) => person === null)).toHaveLength(1);
  });

  test("is told to who set the channel up, alone and once, though the channel is paused", async () => {
    const { tickAndDeliver, advance, sender, outcomes, bot } = await oneDue();
    bot.befall("rejected", "retry");
    await tickAndDeliver();
    expect(await outcomes("papers", "notice")).toEqual(["2026-04-22 pending"]);
    advance(MINUTE);
    await sender.deliver();
    expect(await outcomes("papers", "notice")).toEqual(["2026-04-22 sent"]);
    const to = { platform: "discord", workspace: "w", channel: "papers" };
    expect(bot.accepted).toMatchObject([{ to, person: "ada" }]);
    expect(bot.asked.map(({ kind, person }) => [kind, person])).toEqual([
      ["digest", null],
      ["notice", "ada"],
      ["notice", "ada"],
    ]);
    const { message } = bot.accepted[0]!;
    expect([message.title, ...message.intro]).toEqual([
      "Digests are paused in a channel that you set up.",
      "A digest could not be posted there: Invite the app to this channel.",
      "Once that is done, digests go on with this, typed in the channel:",
      "/papers resume",
    ]);
  });

  test.each([
    ["rejected", "rejected"],
    ["uncertain-before", "uncertain"],
  ] as const)("is not told of when the telling goes wrong too: %s", async (fault, outcome) => {
    const { tickAndDeliver, advance, sender, outcomes, bot, channels, events } = await oneDue({
      bot: { afterUncertain: "settle" },
    });
    bot.befall("rejected", fault);
    await tickAndDeliver();
    advance(HOUR);
    await sender.deliver();
    expect(await outcomes("papers", "notice")).toEqual([`2026-04-22 ${outcome}`]);
    expect(bot.asked).toHaveLength(2);
    const channel = await channels.channel({ platform: "discord", workspace: "w", channel: "papers" });
    expect(channel).toMatchObject({ paused: { reason: "Invite the app to this channel." }, version: 2 });
    expect(events.filter(({ kind }) => kind === "unexpected")).toEqual([]);
  });

  test("pauses nothing where it was a line on three quiet digests", async () => {
    const { list, subscribe, setNow, tickAndDeliver, outcomes, bot, channels } = await setUp({
      now: "2026-04-20T06:00:00Z",
    });
    const key = await subscribe("papers", ["agents robotics"], { readFrom: "2026-04-20" });
    bot.befall("rejected");
    for (const day of [20, 21, 22]) {
      await list(`2026-04-${day}`, [{ id: `2604.000${day}`, ...videos }]);
      setNow(`2026-04-${day}T07:00:00Z`);
      await tickAndDeliver();
    }
    expect(await outcomes("papers", "notice")).toEqual(["2026-04-22 rejected"]);
    expect(await channels.channel(key)).toMatchObject({ paused: null });
    expect(bot.asked).toMatchObject([{ person: null, kind: "notice" }]);
  });

  test.each(["uncertain-before", "uncertain-after", "strange-before", "strange-after", "hang"] as const)(
    "is made once where the bot dedupes: %s",
    async (fault) => {
      const { tickAndDeliver, advance, sender, outcomes, bot } = await oneDue();
      bot.befall(fault);
      const first = tickAndDeliver();
      if (fault === "hang") await untilAsked(bot, 1);
      advance(40_000);
      await first;
      expect(await outcomes("papers")).toEqual(["2026-04-22 pending"]);
      advance(10_000);
      await sender.deliver();
      expect(await outcomes("papers")).toEqual(["2026-04-22 sent"]);
      expect(bot.accepted).toHaveLength(1);
    },
  );

  test("is not made again where the bot does not dedupe, and its papers count as had", async () => {
    const { tickAndDeliver, advance, sender, outcomes, bot, ledger } = await oneDue({
      bot: { afterUncertain: "settle" },
    });
    bot.befall("uncertain-after");
    await tickAndDeliver();
    advance(HOUR);
    await sender.deliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 uncertain"]);
    expect(bot.accepted).toHaveLength(1);
    const key = { platform: "discord", workspace: "w", channel: "papers" } as const;
    expect(await ledger.delivered(key, ["2604.00001"])).toEqual(new Set(["2604.00001"]));
  });

  describe("where it is tried once more", () => {
    const once = { bot: { afterUncertain: "repeat-once" } } as const;

    test("is made again, and what may stand twice is settled as uncertain with its place", async () => {
      const { tickAndDeliver, advance, sender, outcomes, bot, ledger } = await oneDue(once);
      bot.befall("uncertain-after");
      await tickAndDeliver();
      expect(await outcomes("papers")).toEqual(["2026-04-22 pending"]);
      advance(HOUR);
      await sender.deliver();
      expect(await outcomes("papers")).toEqual(["2026-04-22 uncertain"]);
      expect(bot.accepted).toHaveLength(2);
      const key = { platform: "discord", workspace: "w", channel: "papers" } as const;
      const [settled] = await ledger.history(key, 1);
      expect(settled).toMatchObject({ ref: "m2", detail: expect.stringContaining("may stand twice") });
      expect(await ledger.delivered(key, ["2604.00001"])).toEqual(new Set(["2604.00001"]));
    });

    test("is not tried a third time", async () => {
      const { tickAndDeliver, advance, sender, outcomes, bot } = await oneDue(once);
      bot.befall("uncertain-before", "uncertain-before");
      await tickAndDeliver();
      advance(HOUR);
      await sender.deliver();
      advance(HOUR);
      await sender.deliver();
      expect(await outcomes("papers")).toEqual(["2026-04-22 uncertain"]);
      expect(bot.asked).toHaveLength(2);
    });

    test("a definite failure before or after uses nothing of the one more", async () => {
      const { tickAndDeliver, advance, sender, outcomes, bot } = await oneDue(once);
      bot.befall("retry", "retry", "uncertain-before", "retry");
      await tickAndDeliver();
      for (let hour = 0; hour < 5; hour++) {
        advance(HOUR);
        await sender.deliver();
      }
      expect(await outcomes("papers")).toEqual(["2026-04-22 uncertain"]);
      expect(bot.asked).toHaveLength(5);
      expect(bot.accepted).toHaveLength(1);
    });
  });

  test("that names its time is no failure: the wait does not grow", async () => {
    const { tickAndDeliver, advance, sender, bot, ledger } = await oneDue({ bot: { retryAfterMs: 5000 } });
    bot.befall("retry", "retry", "retry", "retry");
    await tickAndDeliver();
    for (let turn = 0; turn < 3; turn++) {
      advance(6000);
      await sender.deliver();
    }
    expect(bot.asked).toHaveLength(4);
    const key = { platform: "discord", workspace: "w", channel: "papers" } as const;
    expect((await ledger.history(key, 1))[0]).toMatchObject({ failures: 0 });
  });

  test("of one channel stops no other, and is reported", async () => {
    const { tickAndDeliver, subscribe, outcomes, bot, events, channels, setNow } = await oneDue();
    setNow("2026-04-22T06:00:00Z");
    await subscribe("broken", ["has:nothing"]);
    await subscribe("fine", [""]);
    setNow("2026-04-22T07:00:00Z");
    bot.befall("strange-before");
    await tickAndDeliver();
    const all = [await outcomes("papers"), await outcomes("fine")].flat().sort();
    expect(all).toEqual(["2026-04-22 pending", "2026-04-22 sent"]);
    expect(await outcomes("broken")).toEqual(["2026-04-22 pending"]);
    expect(events.filter(({ kind }) => kind === "unexpected")).toHaveLength(2);
    expect(await channels.count()).toBe(3);
  });
});

describe("several senders", () => {
  test("send what an owner left behind once its lease is over, and the owner then sends nothing", async () => {
    const { list, subscribe, setNow, sender, create, advance, bot, outcomes, ledger } = await setUp();
    await list("2026-04-22", [{ id: "2604.00001" }]);
    await subscribe("papers", [""]);
    setNow("2026-04-22T07:00:00Z");
    await sender.tick();
    const [claimed] = await ledger.claim({
      owner: "dead",
      now: "2026-04-22T07:00:00.000Z",
      leaseUntil: "2026-04-22T07:01:00.000Z",
      limit: 1,
      platforms: ["discord"],
    });
    await create("two").deliver();
    expect(bot.asked).toHaveLength(0);
    advance(MINUTE);
    await create("two").deliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 sent"]);
    const frozen = { id: claimed!.id, content: bot.accepted[0]!.message, paperIds: [], shown: 0 };
    expect(await ledger.freeze("dead", [frozen])).toEqual(new Set());
  });

  test("leave the channels of other platforms to who serves those", async () => {
    const { list, subscribe, setNow, create, channels, ledger, bot } = await setUp();
    await list("2026-04-22", [{ id: "2604.00001" }]);
    const here = await subscribe("papers", [""]);
    const there = { ...here, platform: "slack" } as const;
    const made = await channels.channel(here);
    const subscriptions = await channels.subscriptions(here);
    await channels.change(there, () => made && { channel: made, subscriptions });
    setNow("2026-04-22T07:00:00Z");
    const slackBot = createFakeBot({ platform: "slack" });
    await slackBot.start();
    for (const each of [create("one"), create("two", slackBot)]) {
      await each.tick();
      await each.deliver();
      if (slackBot.asked.length > 0) break;
      expect(await ledger.history(there, 9)).toEqual([]);
      expect(await channels.channel(there)).toMatchObject({ next: made?.next });
    }
    expect(bot.accepted.map(({ to }) => to)).toEqual([here]);
    expect(slackBot.accepted.map(({ to }) => to)).toEqual([there]);
  });

  test("do not repeat what was under way, where the bot does not dedupe", async () => {
    const { list, subscribe, setNow, sender, create, advance, bot, outcomes } = await setUp({
      bot: { afterUncertain: "settle" },
    });
    await list("2026-04-22", [{ id: "2604.00001" }]);
    await subscribe("papers", [""]);
    setNow("2026-04-22T07:00:00Z");
    bot.befall("hang");
    const abandoned = sender.tick().then(() => sender.deliver());
    await untilAsked(bot, 1);
    // The first process is gone for good: only the clock moves, not its waits.
    setNow("2026-04-22T07:01:01Z");
    await create("two").deliver();
    expect(await outcomes("papers")).toEqual(["2026-04-22 uncertain"]);
    expect(bot.asked).toHaveLength(1);
    // What the first one writes down once it comes back changes nothing.
    advance(HOUR);
    await abandoned;
    expect(await outcomes("papers")).toEqual(["2026-04-22 uncertain"]);
  });
});

describe("a running sender", () => {
  test("sends once it is woken, and ends after what is under way", async () => {
    const { list, subscribe, setNow, sender, bot, outcomes } = await setUp();
    await list("2026-04-22", [{ id: "2604.00001" }]);
    await subscribe("papers", [""]);
    const stopping = new AbortController();
    const running = sender.run(stopping.signal);
    setNow("2026-04-22T07:00:00Z");
    await sender.tick();
    await untilAsked(bot, 1);
    stopping.abort();
    await running;
    expect(await outcomes("papers")).toEqual(["2026-04-22 sent"]);
    await sender.tick();
    expect(bot.asked).toHaveLength(1);
  });

  test("ends only when the posts under way have ended and are written down", async () => {
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { list, subscribe, setNow, advance, sender, bot, outcomes } = await setUp({
      bot: { delay: () => answered },
    });
    await list("2026-04-22", [{ id: "2604.00001" }]);
    await subscribe("papers", [""]);
    await subscribe("more", [""]);
    setNow("2026-04-22T07:00:00Z");
    await sender.tick();
    const stopping = new AbortController();
    let hasEnded = false;
    const running = sender.run(stopping.signal).then(() => {
      hasEnded = true;
    });
    await untilAsked(bot, 2);
    stopping.abort();
    // Its waits for something new to send are over too.
    advance(5000);
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(hasEnded).toBe(false);
    answer();
    await running;
    expect([await outcomes("papers"), await outcomes("more")]).toEqual([
      ["2026-04-22 sent"],
      ["2026-04-22 sent"],
    ]);
  });

  test("writes down together what is posted within a moment", async () => {
    let posts = 0;
    const { list, subscribe, setNow, tickAndDeliver, bot, ledger } = await setUp({
      bot: {
        // One after the other.
        delay: async () => {
          const turns = 20 * ++posts;
          for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        },
      },
    });
    await list("2026-04-22", [{ id: "2604.00001" }]);
    for (let index = 0; index < 30; index++) await subscribe(`c${index}`, [""]);
    setNow("2026-04-22T07:00:00Z");
    const settle = vi.spyOn(ledger, "settle");
    await tickAndDeliver();
    expect(bot.accepted).toHaveLength(30);
    expect(settle.mock.calls.flatMap(([, endings]) => endings)).toHaveLength(30);
    expect(settle.mock.calls.length).toBeLessThan(10);
  });

  test("keeps many posts under way, but not more than thirty-two a bot", async () => {
    const { list, subscribe, setNow, tickAndDeliver, bot } = await setUp({
      bot: {
        delay: async () => {
          for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
        },
      },
    });
    await list("2026-04-22", [{ id: "2604.00001" }]);
    for (let index = 0; index < 120; index++) await subscribe(`c${index}`, [""]);
    setNow("2026-04-22T07:00:00Z");
    await tickAndDeliver();
    expect(bot.accepted).toHaveLength(120);
    expect(bot.mostAtOnce()).toBeGreaterThan(8);
    expect(bot.mostAtOnce()).toBeLessThanOrEqual(32);
  });
});

function introOf(message: Message): readonly string[] {
  return introLines(message, message.items.length);
}

async function untilAsked(bot: { readonly asked: readonly unknown[] }, posts: number): Promise<void> {
  while (bot.asked.length < posts) await new Promise((resolve) => setImmediate(resolve));
}
