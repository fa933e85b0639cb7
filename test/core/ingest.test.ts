import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHuggingFace } from "../../src/core/hugging-face.ts";
import { createIngest, type Ingest, type IngestEvent, isSettled } from "../../src/core/ingest.ts";
import { mergePapers, type Paper } from "../../src/core/paper.ts";
import type { Store, StoredPaper, SummarizedPaper } from "../../src/core/store.ts";
import { type HuggingFacePeer, madeUpLists, startHuggingFace, weekdaysUntil } from "../peers/hugging-face.ts";

/** A Wednesday noon in New York. */
const NOW = "2026-04-22T16:00:00.000Z";
const TODAY = "2026-04-22";
const DAYS = weekdaysUntil(TODAY, 12);
const LISTS = madeUpLists({ days: DAYS, perDay: 12, seed: 5 });

let peer: HuggingFacePeer;
let store: Store;
let now: number;
let events: IngestEvent[];
let waits: number[];
let ingest: Ingest;

beforeEach(async () => {
  now = Date.parse(NOW);
  peer = await startHuggingFace({ lists: LISTS, now: new Date(NOW) });
  store = createMemoryStore();
  events = [];
  waits = [];
  ingest = create();
});

afterEach(() => peer.close());

function create(wait: (ms: number) => Promise<void> = async (ms) => void waits.push(ms)): Ingest {
  return createIngest({
    source: createHuggingFace({
      endpoint: peer.url,
      token: null,
      userAgent: "paperboy-test",
      clock: () => now,
      wait: async () => {},
    }),
    store,
    clock: () => now,
    summarizer: {
      summarize: async (papers) =>
        papers.map(({ aiSummary }) =>
          aiSummary === null ? null : { text: aiSummary, method: "huggingface" },
        ),
    },
    report: (event) => events.push(event),
    wait,
  });
}

function moveTo(instant: string): void {
  now = Date.parse(instant);
  peer.setNow(new Date(instant));
}

function askedDays(): readonly string[] {
  return peer.requests.flatMap(({ path }) => /date=([\d-]+)/.exec(path)?.[1] ?? []);
}

async function* linesOf(...lines: readonly unknown[]): AsyncGenerator<string> {
  for (const line of lines) yield typeof line === "string" ? line : JSON.stringify(line);
}

describe("refresh", () => {
  test("reads today's list and the one before, and the details of some papers, newest first", async () => {
    const report = await ingest.refresh();
    expect(report).toEqual({
      today: TODAY,
      days: [
        { day: TODAY, outcome: "read", count: 12, asOf: NOW, settled: true },
        { day: "2026-04-21", outcome: "read", count: 12, asOf: NOW, settled: true },
      ],
      details: 20,
      failure: null,
      retryAfterMs: null,
    });
    const today = (await store.list(TODAY))?.papers ?? [];
    const before = (await store.list("2026-04-21"))?.papers ?? [];
    expect(today.every(({ linked }) => linked !== null)).toBe(true);
    expect(before.map(({ linked }) => linked !== null)).toEqual(before.map((_, index) => index < 8));
    expect(today.find(({ aiSummary }) => aiSummary !== null)?.summary?.method).toBe("huggingface");
    expect(events.map(({ kind, day }) => [kind, day])).toEqual([
      ["list-saved", TODAY],
      ["list-saved", "2026-04-21"],
    ]);
  });

  test("details that are known are not asked for again, and stay when the list is read again", async () => {
    const id = LISTS.at(-1)?.items[0]?.paper.id ?? "";
    peer.setPaper(id, { linkedModels: [{ id: "north-lab/prism" }] });
    await ingest.refresh();
    now += 60_000;
    expect((await ingest.refresh()).details).toBe(4);
    expect((await ingest.refresh()).details).toBe(0);
    expect((await store.papers([id]))[0]?.linked?.modelIds).toEqual(["north-lab/prism"]);
  });

  test("details of older papers leave the instant of their votes as it was", async () => {
    await ingest.importLines(linesOf(LISTS[0]));
    await ingest.refresh();
    await ingest.refresh();
    const [paper] = (await store.list(DAYS[0] ?? ""))?.papers ?? [];
    expect(paper?.linked).not.toBeNull();
    expect(paper?.seenAt).toBe(`${DAYS[0]}T12:00:00.000Z`);
  });

  test("on a weekend only Friday's list is asked for", async () => {
    moveTo("2026-04-25T16:00:00Z");
    const report = await ingest.refresh();
    expect(report.today).toBe("2026-04-25");
    expect(askedDays()).toEqual(["2026-04-24"]);
  });

  test("on a Monday the list before is Friday's", async () => {
    moveTo("2026-04-20T16:00:00Z");
    await ingest.refresh();
    expect(askedDays()).toEqual(["2026-04-20", "2026-04-17"]);
  });

  test("a list that Hugging Face has not opened is no failure", async () => {
    now = Date.parse("2026-04-23T02:00:00Z");
    const report = await ingest.refresh();
    expect(report.days.map(({ day, outcome }) => [day, outcome])).toEqual([
      ["2026-04-23", "closed"],
      [TODAY, "read"],
    ]);
    expect(report.failure).toBeNull();
  });

  test("when Hugging Face fails, the last good list stays and the report says since when", async () => {
    await ingest.refresh();
    const good = await store.list(TODAY);
    now += 600_000;
    peer.setFault({ kind: "status", status: 503, times: Number.POSITIVE_INFINITY });
    const report = await ingest.refresh();
    expect(report.days[0]).toEqual({ day: TODAY, outcome: "failed", count: 12, asOf: NOW, settled: true });
    expect(report.days[1]).toMatchObject({ outcome: "failed", asOf: NOW });
    expect(report.failure).toMatch(/^Hugging Face is in trouble: it answered 503/);
    expect(await store.list(TODAY)).toEqual(good);
    expect(events.at(-1)).toMatchObject({ kind: "list-failed", day: TODAY });
  });

  test("a list of which no row is understood is a failure and replaces nothing", async () => {
    await ingest.refresh();
    peer.setList({ date: TODAY, items: [{ paper: { id: "changed" } }] });
    const report = await ingest.refresh();
    expect(report.failure).toBe(`None of the 1 rows of ${TODAY} could be understood: no arXiv id.`);
    expect((await store.list(TODAY))?.papers).toHaveLength(12);
  });

  test("rows that are no papers are told to the log, and the others are saved", async () => {
    peer.setFault({ kind: "bad-rows" });
    await ingest.refresh();
    expect(events[0]).toMatchObject({ kind: "list-saved", day: TODAY, kept: 12 });
    expect(events[0]).toHaveProperty("dropped.length", 4);
  });

  test("details stop where the quota runs low, and the lists are there", async () => {
    peer.setQuota({ api: 10 });
    const report = await ingest.refresh();
    expect(report.days.map(({ outcome }) => outcome)).toEqual(["read", "read"]);
    expect(report).toMatchObject({ details: 7, retryAfterMs: 300_000 });
    expect(report.failure).toMatch(/^Few calls to Hugging Face are left/);
  });

  test("a paper without a page of its own is not asked for again", async () => {
    peer.setFault({ kind: "status", status: 404, path: /papers\/2/, times: Number.POSITIVE_INFINITY });
    expect((await ingest.refresh()).details).toBe(20);
    expect((await store.list(TODAY))?.papers[0]?.linked).toMatchObject({ models: 0, modelIds: [] });
  });

  test("a paper whose page cannot be read does not hold up the others", async () => {
    const id = (LISTS.at(-1)?.items ?? [])[3]?.paper.id ?? "";
    peer.setFault({ kind: "html", path: new RegExp(`papers/${id}`), times: Number.POSITIVE_INFINITY });
    expect(await ingest.refresh()).toMatchObject({ details: 20, failure: null });
    expect((await ingest.refresh()).details).toBe(3);
    expect(peer.requests.filter(({ path }) => path.includes(id))).toHaveLength(1);
    expect(events.filter(({ kind }) => kind === "details-failed")).toHaveLength(1);
  });

  test("three pages that cannot be read end a run", async () => {
    peer.setFault({ kind: "html", path: /api\/papers/, times: Number.POSITIVE_INFINITY });
    const report = await ingest.refresh();
    expect(report.details).toBe(0);
    expect(report.failure).toMatch(/text\/html/);
    expect(events.filter(({ kind }) => kind === "details-failed")).toHaveLength(3);
  });

  test("a second call joins the one under way", async () => {
    const [one, other] = await Promise.all([ingest.refresh(), ingest.refresh()]);
    expect(one).toBe(other);
    expect(askedDays()).toEqual([TODAY, "2026-04-21"]);
  });

  test("a list with a single paper is not settled until it stops growing", async () => {
    await ingest.backfill({ from: "2026-04-01", to: "2026-04-21" });
    const items = LISTS.at(-1)?.items ?? [];
    const settled: boolean[] = [];
    for (const size of [0, 1, 1, 2, 2, 2, 12]) {
      peer.setList({ date: TODAY, items: items.slice(0, size) });
      settled.push((await ingest.refresh()).days[0]?.settled ?? false);
    }
    expect(settled).toEqual([false, false, false, false, false, true, true]);
  });
});

describe("backfill", () => {
  test("reads every weekday of the range, newest first, and tells how far it is", async () => {
    const progress: string[] = [];
    const report = await ingest.backfill({
      from: "2026-04-14",
      to: "2026-04-30",
      onDay: ({ day, done, total, kept, dropped }) =>
        progress.push(`${day} ${done}/${total} ${kept} ${dropped}`),
    });
    expect(report).toEqual({ read: 84, kept: 84, dropped: [], failed: [], stopped: false });
    expect(progress).toEqual([
      "2026-04-22 1/7 12 0",
      "2026-04-21 2/7 12 0",
      "2026-04-20 3/7 12 0",
      "2026-04-17 4/7 12 0",
      "2026-04-16 5/7 12 0",
      "2026-04-15 6/7 12 0",
      "2026-04-14 7/7 12 0",
    ]);
    expect(waits).toEqual(Array.from({ length: 6 }, () => 200));
  });

  test("a day whose list was read after it had closed is not read again", async () => {
    moveTo("2026-04-21T16:00:00Z");
    await ingest.backfill({ from: "2026-04-20", to: "2026-04-21" });
    moveTo("2026-04-22T16:00:00Z");
    const before = askedDays().length;
    await ingest.backfill({ from: "2026-04-20", to: "2026-04-22" });
    expect(askedDays().slice(before)).toEqual(["2026-04-22", "2026-04-21"]);
    await ingest.backfill({ from: "2026-04-20", to: "2026-04-21" });
    expect(askedDays()).toHaveLength(before + 2);
  });

  test("an empty past day is kept and not read again", async () => {
    peer.setList({ date: "2026-04-20", items: [] });
    await ingest.backfill({ from: "2026-04-20", to: "2026-04-20" });
    expect((await store.list("2026-04-20"))?.papers).toEqual([]);
    await ingest.backfill({ from: "2026-04-20", to: "2026-04-20" });
    expect(askedDays()).toEqual(["2026-04-20"]);
  });

  test("nothing is asked for from before the first list", async () => {
    await ingest.backfill({ from: "2020-01-01", to: "2023-05-05" });
    expect(askedDays()).toEqual(["2023-05-05", "2023-05-04"]);
  });

  test("a spent quota is waited out", async () => {
    peer.setQuota({ api: 3 });
    const wait = async (ms: number) => {
      waits.push(ms);
      moveTo(new Date(now + ms).toISOString());
    };
    const report = await create(wait).backfill({ from: "2026-04-14", to: "2026-04-22" });
    expect(report).toMatchObject({ kept: 84, failed: [], stopped: false });
    expect(waits.filter((ms) => ms > 200)).toHaveLength(2);
  });

  test("it stops when told, also while it waits, and goes on from there", async () => {
    const stop = new AbortController();
    const progress: string[] = [];
    const report = await ingest.backfill({
      from: "2026-04-14",
      to: "2026-04-22",
      signal: stop.signal,
      onDay: ({ day }) => {
        progress.push(day);
        if (progress.length === 2) stop.abort();
      },
    });
    expect(report).toMatchObject({ read: 24, kept: 24, stopped: true });

    peer.setQuota({ api: 0 });
    const again = new AbortController();
    const stopped = await create(async () => again.abort()).backfill({
      from: "2026-04-14",
      to: "2026-04-22",
      signal: again.signal,
    });
    expect(stopped).toMatchObject({ read: 0, failed: [], stopped: true });
  });

  test("a day that cannot be read is named and left out", async () => {
    peer.setFault({ kind: "html", path: /2026-04-21/ });
    const report = await ingest.backfill({ from: "2026-04-20", to: "2026-04-22" });
    expect(report).toMatchObject({ kept: 24, stopped: false });
    expect(report.failed.map(({ day }) => day)).toEqual(["2026-04-21"]);
    expect(report.failed[0]?.message).toMatch(/text\/html/);
  });

  test("days that cannot be read, with good ones between, do not end it", async () => {
    peer.setFault({ kind: "html", path: /2026-04-(22|20|16|14)/, times: Number.POSITIVE_INFINITY });
    const report = await ingest.backfill({ from: "2026-04-14", to: "2026-04-22" });
    expect(report).toMatchObject({ kept: 36, stopped: false });
    expect(report.failed).toHaveLength(4);
  });

  test("three days in a row that cannot be read end it", async () => {
    peer.setFault({ kind: "html", times: Number.POSITIVE_INFINITY });
    await expect(ingest.backfill({ from: "2026-04-01", to: "2026-04-22" })).rejects.toThrow(/text\/html/);
    expect(askedDays()).toHaveLength(3);
  });
});

describe("importLines", () => {
  test("each line's papers are listed on its day, as seen at noon", async () => {
    const report = await ingest.importLines(linesOf(...LISTS, "", "  "));
    expect(report).toEqual({ read: 144, kept: 144, dropped: [] });
    const list = await store.list("2026-04-15");
    expect(list?.papers).toHaveLength(12);
    expect(list?.seenAt).toBe("2026-04-15T12:00:00.000Z");
    expect(waits).toEqual(DAYS.map(() => 0));
    expect(await ingest.importLines(linesOf(...LISTS))).toEqual(report);
    expect((await store.size()).papers).toBe(144);
  });

  test("an imported day is still read by a backfill, since it was seen before it closed", async () => {
    await ingest.importLines(linesOf(...LISTS));
    await ingest.backfill({ from: "2026-04-15", to: "2026-04-15" });
    expect(askedDays()).toEqual(["2026-04-15"]);
  });

  test("bad lines and bad rows are counted by their reasons and stop nothing", async () => {
    const report = await ingest.importLines(
      linesOf(
        "{",
        "[]",
        "null",
        { date: "2026-02-30", items: [] },
        { date: TODAY, items: "none" },
        { date: TODAY, items: [{}, null, { paper: { id: "x" } }, ...(LISTS.at(-1)?.items ?? [])] },
      ),
    );
    expect(report).toEqual({
      read: 20,
      kept: 12,
      dropped: [
        { reason: "a line without date and items", count: 4 },
        { reason: "no arXiv id", count: 2 },
        { reason: "a line that is no JSON", count: 1 },
        { reason: "not an object", count: 1 },
      ],
    });
  });

  test("it stops between two lines when told", async () => {
    const stop = new AbortController();
    const report = await ingest.importLines(linesOf(...LISTS), {
      signal: stop.signal,
      onDay: () => stop.abort(),
    });
    expect(report.kept).toBe(12);
  });
});

describe("isSettled", () => {
  test.each([
    [[], [20, 22], false, "nothing was polled"],
    [[0, 0, 0], [20], false, "an empty list stays open"],
    [[4], [], false, "too few, and nothing to compare with"],
    [[5], [], true, "five, and nothing to compare with"],
    [[7], [20, 20, 20], false, "under two fifths of the usual"],
    [[8], [20, 20, 20], true, "two fifths of the usual"],
    [[9], [10, 30, 20, 26], false, "the median of an even number lies between the two in the middle"],
    [[10], [10, 30, 20, 26], true, "the same, reached"],
    [[1, 1], [20], false, "one poll without growth"],
    [[1, 1, 1], [20], true, "two polls without growth"],
    [[1, 2, 2], [20], false, "grown since"],
  ])("sizes %j after lists of %j: %s (%s)", (sizes, recent, settled) => {
    expect(isSettled(sizes, recent)).toBe(settled);
  });

  test("a list that is settled stays so as it grows", () => {
    const sizes = fc.nat({ max: 60 });
    fc.assert(
      fc.property(sizes, sizes, fc.array(sizes, { maxLength: 10 }), (size, more, recent) => {
        if (isSettled([size], recent)) expect(isSettled([size, size + more], recent)).toBe(true);
      }),
    );
  });
});

/** Just enough of a store: lists in order, newer facts over older ones. */
function createMemoryStore(): Store {
  const papers = new Map<string, StoredPaper>();
  const lists = new Map<string, { seenAt: string; ids: string[] }>();
  let revision = 0;

  function save({ paper, summary }: SummarizedPaper, seenAt: string, day: string | null): void {
    const known = papers.get(paper.id);
    const merged: Paper =
      known === undefined
        ? paper
        : seenAt >= known.seenAt
          ? mergePapers(known, paper)
          : mergePapers(paper, known);
    const before = known?.listedOn ?? null;
    const listedOn = before === null || (day !== null && day > before) ? day : before;
    papers.set(paper.id, { ...merged, summary, listedOn, seenAt, revision: ++revision });
  }
  function ofIds(ids: readonly string[]): readonly StoredPaper[] {
    return ids.flatMap((id) => papers.get(id) ?? []);
  }

  return {
    async saveList({ day, seenAt, papers: all }) {
      for (const each of all) save(each, seenAt, day);
      const ids = new Set([...all.map(({ paper }) => paper.id), ...(lists.get(day)?.ids ?? [])]);
      lists.set(day, { seenAt, ids: [...ids] });
    },
    async savePapers(all, seenAt) {
      for (const each of all) save(each, seenAt, null);
    },
    async list(day) {
      const list = lists.get(day);
      return list === undefined ? null : { day, seenAt: list.seenAt, papers: ofIds(list.ids) };
    },
    async days({ from = "", to = "9", limit }) {
      const days = [...lists.keys()]
        .filter((day) => day >= from && day <= to)
        .sort((one, other) => other.localeCompare(one));
      return days.slice(0, limit).map((day) => {
        const list = lists.get(day);
        return { day, count: list?.ids.length ?? 0, seenAt: list?.seenAt ?? "" };
      });
    },
    papers: async (ids) => ofIds(ids),
    changedSince: async () => [],
    snapshots: async () => [],
    size: async () => ({ papers: papers.size, revision, id: "1" }),
    close: async () => {},
  };
}
