import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Neighbor, RecentDays } from "../../src/core/volume.ts";
import { narrowerOrWider, recentDays, volumeForPeople, volumeOf } from "../../src/core/volume.ts";
import { parseTopic } from "../../src/core/topic.ts";
import { createDesk, type TestDesk } from "../contracts/desk.ts";
import { madeUpPaper } from "../contracts/made-up-paper.ts";

let desk: TestDesk;
let recent: RecentDays;
beforeAll(async () => {
  desk = await createDesk();
  recent = await recentDays(desk.store);
});
afterAll(() => desk.close());

const volume = (text: string) => volumeOf(desk, parseTopic(text), recent);
const near = (text: string) => narrowerOrWider(desk, parseTopic(text), recent);

test("counts over the last fourteen stored list days that have papers, newest first", async () => {
  expect(recent).toHaveLength(14);
  expect(recent.map(({ day }) => day)).toEqual(
    recent
      .map(({ day }) => day)
      .toSorted()
      .reverse(),
  );
  expect(recent[0]?.day).toBe("2026-04-22");
  expect(await volumeOf(desk, null, recent)).toMatchObject({ days: 14, aDay: 12, emptyDays: 0 });
});

test("ends with the day that it is given", async () => {
  const before = await recentDays(desk.store, "2026-04-20");
  expect(before[0]?.day).toBe("2026-04-20");
  expect(before).toHaveLength(14);
});

test("leaves out stored days without papers", async () => {
  const own = await createDesk({ days: 2 });
  await own.store.saveList({ day: "2026-04-18", seenAt: "2026-04-18T12:00:00.000Z", papers: [] });
  const days = await recentDays(own.store);
  expect(days.map(({ day }) => day)).toEqual(["2026-04-22", "2026-04-21"]);
  await own.close();
});

test("counts a paper once that is listed on several days, on the first of them", async () => {
  const own = await createDesk({ days: 0 });
  const papers = [{ paper: madeUpPaper({ id: "2604.00001" }), summary: null }];
  for (const day of ["2026-04-20", "2026-04-21"]) {
    await own.store.saveList({ day, seenAt: `${day}T12:00:00.000Z`, papers });
  }
  const days = await recentDays(own.store);
  expect(days.map((each) => each.papers.length)).toEqual([0, 1]);
  const found = await volumeOf(own, parseTopic("agents"), days);
  expect(found).toMatchObject({ days: 2, aDay: 0.5, emptyDays: 1 });
  expect(volumeForPeople(found)).toBe("Last 2 days: 1 paper, 0.5 a day, 1 day without.");
  await own.close();
});

test("agrees with counting each day by itself", async () => {
  const { papers, emptyDays } = await volume("agents");
  let counted = 0;
  let empty = 0;
  for (const day of recent) {
    const own = await volumeOf(desk, parseTopic("agents"), [day]);
    counted += own.papers.length;
    empty += own.papers.length === 0 ? 1 : 0;
  }
  expect(papers).toHaveLength(counted);
  expect(emptyDays).toBe(empty);
  expect(counted).toBeGreaterThan(5);
});

test("counts beyond what one search gives", async () => {
  const own = await createDesk({ days: 14, perDay: 50 });
  const found = await volumeOf(own, parseTopic("min:0"), await recentDays(own.store));
  expect(found.papers).toHaveLength(700);
  await own.close();
});

test("says it in one line", async () => {
  expect(volumeForPeople(await volumeOf(desk, null, recent))).toBe("Last 14 days: 168 papers, 12 a day.");
  expect(volumeForPeople(await volume("xylophone"))).toBe("Last 14 days: no paper.");
  expect(volumeForPeople(await volumeOf(desk, null, []))).toBe("There is no list here yet to count in.");
});

test("offers a narrower topic that brings less, and something", async () => {
  const found = await near("org:north-lab");
  expect(found?.kind).toBe("narrower");
  expectTrue(found, (aDay) => aDay < 1.8 && aDay > 0);
});

test("offers a wider topic where less than one paper in two days comes", async () => {
  const found = await near("robotics vocoder");
  expect(found?.kind).toBe("wider");
  expectTrue(found, (aDay) => aDay > 0);
});

test("offers nothing where there is no list, or nothing near", async () => {
  expect(await narrowerOrWider(desk, null, [])).toBeNull();
  expect(await near("xylophone")).toBeNull();
});

test("offers no wider topic that brings the same", async () => {
  const { aDay } = await volume("min:109");
  expect(aDay).toBeGreaterThan(0);
  expect(aDay).toBeLessThan(0.5);
  expect(await near("min:109 -xylophone")).toBeNull();
});

test("offers no narrower topic that brings the same", async () => {
  const own = await createDesk({ days: 0 });
  const codeUrl = "https://github.com/example/code";
  const papers = [{ paper: madeUpPaper({ codeUrl }), summary: null }];
  await own.store.saveList({ day: "2026-04-21", seenAt: "2026-04-21T12:00:00.000Z", papers });
  const days = await recentDays(own.store);
  expect((await volumeOf(own, parseTopic("agents"), days)).aDay).toBe(1);
  expect(await narrowerOrWider(own, parseTopic("agents"), days)).toBeNull();
  await own.close();
});

test("keeps a phrase whole where leaving out another word suffices", async () => {
  expect((await near('"video editing" xylophone'))?.topic.text).toBe('"video editing"');
});

test("what it offers brings what it says", async () => {
  const words = [
    "agents",
    "robotics",
    "video",
    "has:code",
    "min:50",
    "org:openriver",
    "-speech",
    '"tool use"',
  ];
  await fc.assert(
    fc.asyncProperty(fc.subarray(words, { minLength: 1, maxLength: 4 }), async (parts) => {
      const text = parts.join(" ");
      if (text === "-speech") return;
      const found = await near(text);
      if (found === null) return;
      const [before, again] = [await volume(text), await volume(found.topic.text)];
      expect(again.aDay).toBe(found.volume.aDay);
      if (found.kind === "wider") expect(again.aDay).toBeGreaterThan(before.aDay);
      else expect(again.aDay).toBeLessThan(before.aDay);
    }),
    { numRuns: 60 },
  );
});

function expectTrue(found: Neighbor | null, holds: (aDay: number) => boolean): void {
  expect({ topic: found?.topic.text, holds: found !== null && holds(found.volume.aDay) }).toMatchObject({
    holds: true,
  });
}
