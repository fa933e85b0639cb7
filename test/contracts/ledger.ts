import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Channel, ChannelKey, ChannelStore, Platform } from "../../src/core/channel.ts";
import type { Delivery, Ending, FinalOutcome, Ledger, Plan } from "../../src/core/delivery.ts";
import { EMPTY, digest, messages } from "../bots/any-message.ts";
import { madeUpState } from "./channel-store.ts";

const at = (day: number, time = "09:00") => `2026-04-${String(day).padStart(2, "0")}T${time}:00.000Z`;
const slotOf = (day: number) => `2026-04-${String(day).padStart(2, "0")}`;
const due = (day: number) => ({ at: at(day), slot: slotOf(day) });
const ALL = ["discord", "slack", "playground"] as const;
const FAR = "2999-01-01T00:00:00.000Z";
const ids = (rows: readonly Delivery[]) => rows.map((row) => row.id);

/** What every ledger keeps to, beside its channels. `open` gives an empty one; each test leaves nothing on the way. */
export function ledgerContract(
  name: string,
  open: () => Promise<{
    readonly ledger: Ledger;
    readonly channels: ChannelStore;
    readonly close: () => Promise<void>;
  }>,
): void {
  describe(`the ledger over ${name}`, () => {
    let ledger: Ledger;
    let channels: ChannelStore;
    let close: () => Promise<void>;
    let places = 0;
    beforeAll(async () => {
      ({ ledger, channels, close } = await open());
    }, 30_000);
    afterEach(async () => {
      const left = await ledger.claim({
        owner: "after",
        now: FAR,
        leaseUntil: FAR,
        limit: 10_000,
        platforms: ALL,
      });
      await ledger.settle(
        "after",
        left.map(({ id }) => ending(id, "failed")),
      );
      const stillDue = await ledger.dueChannels(FAR, 10_000, ALL);
      await ledger.plan(stillDue.map((each) => ({ ...planOf(each, each.next?.at ?? ""), next: null })));
    });
    afterAll(() => close());

    const newPlace = (): ChannelKey => ({ platform: "slack", workspace: "T1", channel: `C${++places}` });

    async function newChannel(fields: Partial<Channel> = {}, key = newPlace()): Promise<ChannelKey> {
      await channels.change(key, () => madeUpState(key, ["agents"], fields));
      return key;
    }

    function planOf(channel: ChannelKey, expected: string, ...days: readonly number[]): Plan {
      return {
        channel,
        expected,
        slots: days.map((day) => ({ ...due(day), outcome: "pending", detail: "" })),
        next: due(22),
      };
    }

    /** A channel whose digest of 21 April is on the way. */
    async function newPending(fields: Partial<Channel> = {}): Promise<ChannelKey> {
      const key = await newChannel(fields);
      await ledger.plan([planOf(key, at(21), 21)]);
      return key;
    }

    function claim(
      owner: string,
      now: string,
      leaseUntil: string,
      limit = 25,
      platforms: readonly Platform[] = ALL,
    ): Promise<readonly Delivery[]> {
      return ledger.claim({ owner, now, leaseUntil, limit, platforms });
    }

    function ending(id: string, outcome: FinalOutcome, fields: Partial<Ending> = {}): Ending {
      return {
        id,
        outcome,
        detail: "",
        ref: null,
        at: at(21, "09:05"),
        readFrom: null,
        pause: null,
        notice: null,
        ...fields,
      };
    }

    const frozen = (id: string, title: string, paperIds: readonly string[] = [], shown = 0) => ({
      id,
      content: { ...EMPTY, title },
      paperIds,
      shown,
    });

    async function only(key: ChannelKey): Promise<Delivery> {
      const rows = await ledger.history(key, 10);
      expect(rows).toHaveLength(1);
      return rows[0]!;
    }

    test("gives the channels that are due, the longest due first, and none else", async () => {
      const second = await newChannel({ next: due(11) });
      const first = await newChannel({ next: due(10) });
      const third = await newChannel({ next: due(12) });
      await newChannel({ next: due(13) });
      await newChannel({ next: null });
      await newChannel({ next: due(10), paused: { until: null, reason: null } });
      await newChannel({ next: due(10), paused: { until: slotOf(10), reason: null } });
      const found = await ledger.dueChannels(at(12), 10, ALL);
      expect(found).toEqual(await Promise.all([first, second, third].map((key) => channels.channel(key))));
      expect(await ledger.dueChannels(at(12), 2, ALL)).toEqual(found.slice(0, 2));
      expect(await ledger.dueChannels(at(12, "08:59"), 10, ALL)).toHaveLength(2);
    });

    test("gives a channel whose pause ends before its next slot", async () => {
      const key = await newChannel({ next: due(11), paused: { until: slotOf(10), reason: null } });
      expect(await ledger.dueChannels(at(11), 10, ALL)).toMatchObject([key]);
    });

    test("enters slots and moves the channel's next digest", async () => {
      const key = await newChannel();
      const late = { ...due(20), outcome: "skipped-late" as const, detail: "It was too late." };
      const pending = { ...due(21), outcome: "pending" as const, detail: "merged" };
      await ledger.plan([{ channel: key, expected: at(21), slots: [late, pending], next: due(22) }]);
      expect(await channels.channel(key)).toMatchObject({ next: due(22), version: 1 });
      const [row, skipped] = await ledger.history(key, 10);
      expect(row).toEqual({
        ...key,
        id: row?.id,
        kind: "digest",
        slot: slotOf(21),
        person: null,
        dueAt: at(21),
        outcome: "pending",
        detail: "merged",
        attempts: 0,
        failures: 0,
        uncertain: false,
        nextAttemptAt: at(21),
        content: null,
        paperIds: [],
        shown: 0,
        ref: null,
        settledAt: null,
      });
      expect(row?.id).toMatch(/^[\w-]{20}$/);
      expect(skipped).toMatchObject({
        slot: slotOf(20),
        outcome: "skipped-late",
        detail: "It was too late.",
        settledAt: at(20),
      });
      expect(ids(await claim("me", FAR, FAR))).toEqual([row?.id]);
    });

    test("ends a channel's schedule where a plan has nothing next", async () => {
      const key = await newChannel();
      await ledger.plan([{ ...planOf(key, at(21), 21), next: null }]);
      expect(await channels.channel(key)).toMatchObject({ next: null });
      expect(await ledger.dueChannels(FAR, 10, ALL)).toEqual([]);
    });

    test("enters nothing of a plan for a channel that another process planned", async () => {
      const [planned, changed, fine] = [
        await newChannel(),
        await newChannel({ next: null }),
        await newChannel(),
      ];
      await ledger.plan([planOf(planned, at(21), 21)]);
      await ledger.plan([
        { ...planOf(planned, at(21), 20), next: due(25) },
        planOf(changed, at(21), 21),
        planOf(newPlace(), at(21), 21),
        planOf(fine, at(21), 21),
      ]);
      expect((await only(planned)).slot).toBe(slotOf(21));
      expect(await channels.channel(planned)).toMatchObject({ next: due(22) });
      expect(await ledger.history(changed, 10)).toEqual([]);
      expect(await channels.channel(changed)).toMatchObject({ next: null });
      expect((await only(fine)).outcome).toBe("pending");
      expect(await claim("me", FAR, FAR)).toHaveLength(2);
    });

    test("leaves a slot that stands as it is, and moves the channel all the same", async () => {
      const key = await newPending();
      const [row] = await claim("me", at(21), at(22));
      await ledger.settle("me", [ending(row!.id, "sent", { ref: "m1" })]);
      const settled = await only(key);
      await ledger.plan([{ ...planOf(key, at(22), 21), next: due(23) }]);
      expect(await only(key)).toEqual(settled);
      expect(await channels.channel(key)).toMatchObject({ next: due(23) });
      expect(await claim("me", FAR, FAR)).toEqual([]);
    });

    test("plans hundreds of channels at once", async () => {
      const keys: ChannelKey[] = [];
      for (let index = 0; index < 230; index++) keys.push(await newChannel());
      await ledger.plan(keys.map((key) => planOf(key, at(21), 20, 21)));
      expect(await claim("me", FAR, FAR, 1000)).toHaveLength(460);
      expect(await ledger.dueChannels(at(21), 10, ALL)).toEqual([]);
    });

    test("makes the same id of the same key, and another of any other", async () => {
      const keys = [
        { platform: "slack", workspace: "T", channel: "1C" },
        { platform: "slack", workspace: "T1", channel: "C" },
        { platform: "slack", workspace: "", channel: "T1C" },
        { platform: "discord", workspace: "T", channel: "1C" },
      ] as const;
      const made = new Set<string>();
      for (const key of keys) {
        for (const kind of ["sample", "notice"] as const) {
          const entry = { ...key, kind, slot: slotOf(1), person: null, dueAt: at(1), content: null };
          expect(await ledger.enter(entry)).toBe(true);
        }
        for (const row of await ledger.history(key, 10)) made.add(row.id);
      }
      expect(made.size).toBe(8);
      // The id is the nonce of a post: it must stay the same in every version of the program.
      expect([...made]).toContain("CEsxMCwIjBO44GJ3OtGE");
      for (const id of made) expect((await ledger.delivery(id))?.id).toBe(id);
      expect(await ledger.delivery("no-such-id")).toBeNull();
    });

    test("enters a sample or notice once, with its content", async () => {
      const key = newPlace();
      const content = digest(2);
      const entry = {
        ...key,
        kind: "sample" as const,
        slot: slotOf(21),
        person: null,
        dueAt: at(21),
        content,
      };
      expect(await ledger.enter(entry)).toBe(true);
      expect(await ledger.enter({ ...entry, content: null, dueAt: at(22) })).toBe(false);
      expect(await ledger.enter({ ...entry, kind: "notice", content: null })).toBe(true);
      const rows = await claim("me", at(21), at(22));
      expect(rows.find((row) => row.kind === "sample")).toMatchObject({ ...entry, outcome: "sending" });
      expect(rows.find((row) => row.kind === "notice")).toMatchObject({ content: null, dueAt: at(21) });
    });

    test("keeps who alone is told, in the place of a message to the channel", async () => {
      const key = newPlace();
      const entry = { ...key, kind: "notice" as const, slot: slotOf(21), dueAt: at(21), content: digest(1) };
      expect(await ledger.enter({ ...entry, person: "ada" })).toBe(true);
      expect(await ledger.enter({ ...entry, person: null })).toBe(false);
      expect(await claim("me", at(21), at(22))).toMatchObject([{ ...entry, person: "ada" }]);
      expect(await only(key)).toMatchObject({ person: "ada" });
    });

    test("keeps to the platforms that the caller serves", async () => {
      const keys = ALL.map((platform) => ({ ...newPlace(), platform }));
      for (const [index, key] of keys.entries()) await newChannel({ next: due(12 - index) }, key);
      const [discord, slack, playground] = keys;
      expect(await ledger.dueChannels(FAR, 10, ["discord", "playground"])).toMatchObject([
        playground!,
        discord!,
      ]);
      expect(await ledger.dueChannels(FAR, 1, ALL)).toMatchObject([playground!]);
      expect(await ledger.dueChannels(FAR, 10, [])).toEqual([]);
      await ledger.plan(keys.map((key, index) => planOf(key, at(12 - index), 12 - index)));
      expect(await ledger.nextAttemptAt(["discord", "slack"])).toBe(at(11));
      expect(await ledger.nextAttemptAt(["discord"])).toBe(at(12));
      expect(await ledger.nextAttemptAt([])).toBeNull();
      expect(await claim("me", at(13), FAR, 10, [])).toEqual([]);
      expect(await claim("me", at(13), FAR, 1, ["slack", "discord"])).toMatchObject([slack!]);
      expect(await claim("me", at(13), FAR, 10, ["discord", "slack", "discord"])).toMatchObject([discord!]);
      expect(await claim("me", at(13), FAR, 10, ["playground"])).toMatchObject([playground!]);
    });

    test("leaves a departed workspace alone until it is joined again, and no other", async () => {
      const here = await newPending();
      const gone: ChannelKey = { ...newPlace(), workspace: "T9" };
      for (const channel of ["planned", "due"]) await newChannel({}, { ...gone, channel });
      const planned = { ...gone, channel: "planned" };
      await ledger.plan([planOf(planned, at(21), 20)]);
      await channels.leave(gone, at(21));
      expect(await ledger.dueChannels(FAR, 10, ALL)).toMatchObject([here]);
      expect(await ledger.nextAttemptAt(ALL)).toBe(at(21));
      expect(await claim("me", at(21), at(22))).toMatchObject([here]);
      expect((await ledger.audit(FAR)).lost).toBe(1);
      await channels.join({ platform: "discord", workspace: "T9" });
      expect(await claim("me", at(21), at(22))).toEqual([]);
      await channels.join(gone);
      expect(await ledger.nextAttemptAt(ALL)).toBe(at(20));
      expect(await claim("me", at(21), at(22))).toMatchObject([{ ...planned, attempts: 1, lapsed: false }]);
      expect(await ledger.dueChannels(at(21), 10, ALL)).toMatchObject([{ channel: "due" }]);
      expect((await ledger.audit(FAR)).lost).toBe(2);
    });

    test("remembers that an attempt may have posted it", async () => {
      await newPending();
      const [row] = await claim("me", at(21), at(22));
      expect(row).toMatchObject({ uncertain: false });
      const later = {
        id: row!.id,
        outcome: "pending",
        nextAttemptAt: at(21),
        detail: "",
        failed: true,
      } as const;
      await ledger.postpone("me", [{ ...later, uncertain: true }]);
      const [again] = await claim("me", at(21), at(21, "09:10"));
      expect(again).toMatchObject({ uncertain: true });
      await ledger.postpone("me", [{ ...later, uncertain: false }]);
      expect((await claim("me", at(21), at(21, "09:10")))[0]).toMatchObject({ uncertain: true });
    });

    test("counts failures and nothing else, for whoever claims it next", async () => {
      await newPending();
      const [row] = await claim("me", at(21), at(22));
      expect(row).toMatchObject({ attempts: 1, failures: 0 });
      const later = { id: row!.id, nextAttemptAt: at(21), detail: "", uncertain: false };
      const seen: (readonly [number, number])[] = [];
      for (const failed of [true, false, true]) {
        const outcome = failed ? ("pending" as const) : ("waiting" as const);
        await ledger.postpone("me", [{ ...later, outcome, failed }]);
        const [again] = await claim("me", at(21), at(21, "09:10"));
        seen.push([again!.attempts, again!.failures]);
      }
      expect(seen).toEqual([
        [2, 1],
        [3, 1],
        [4, 2],
      ]);
      expect(await claim("other", at(21, "09:10"), at(22))).toMatchObject([{ attempts: 5, failures: 2 }]);
    });

    test("gives a claimed delivery to nobody else before the lease ends", async () => {
      const key = await newPending();
      expect(await claim("one", at(21, "08:59"), at(21, "09:10"))).toEqual([]);
      const [row] = await claim("one", at(21), at(21, "09:10"));
      expect(row).toMatchObject({ ...key, outcome: "sending", attempts: 1, lapsed: false });
      expect(await claim("two", at(21, "09:09"), at(22))).toEqual([]);
      await ledger.freeze("one", [frozen(row!.id, "frozen", ["2604.00001"], 1)]);
      const [again] = await claim("two", at(21, "09:10"), at(22));
      expect(again).toMatchObject({
        id: row!.id,
        outcome: "sending",
        attempts: 2,
        lapsed: true,
        content: { title: "frozen" },
        paperIds: ["2604.00001"],
        shown: 1,
      });
      expect(await claim("one", at(21, "09:11"), at(22))).toEqual([]);
    });

    test("gives the oldest first, and no more than asked for", async () => {
      for (const day of [14, 9, 12, 7, 13, 10, 8, 11]) {
        const key = await newChannel({ next: due(day) });
        await ledger.plan([planOf(key, at(day), day)]);
      }
      const slots = async (limit: number) => (await claim("me", at(13), FAR, limit)).map((row) => row.slot);
      expect(await slots(4)).toEqual([7, 8, 9, 10].map(slotOf));
      expect(await slots(4)).toEqual([11, 12, 13].map(slotOf));
      expect(await slots(4)).toEqual([]);
    });

    test("never gives one delivery to two owners that claim at once", async () => {
      for (let index = 0; index < 20; index++) await newPending();
      const owners = Array.from({ length: 8 }, (_, index) => `owner ${index}`);
      const taken = (await Promise.all(owners.map((owner) => claim(owner, at(21), at(22), 3)))).flatMap(ids);
      expect(taken).toHaveLength(20);
      expect(new Set(taken).size).toBe(20);
    });

    test("keeps the first content for ever", async () => {
      const key = await newPending();
      const [row] = await claim("one", at(21), at(21, "09:10"));
      const { id } = row!;
      expect(await ledger.freeze("one", [frozen(id, "first", ["2604.00001", "2604.00002"], 1)])).toEqual(
        new Set([id]),
      );
      expect(await ledger.freeze("one", [frozen(id, "second", [], 0)])).toEqual(new Set([id]));
      await ledger.postpone("one", [
        {
          id,
          outcome: "pending",
          nextAttemptAt: at(21, "09:20"),
          detail: "Slack is busy.",
          failed: false,
          uncertain: false,
        },
      ]);
      const [again] = await claim("two", at(21, "09:20"), at(22));
      const first = { content: { title: "first" }, paperIds: ["2604.00001", "2604.00002"], shown: 1 };
      expect(again).toMatchObject(first);
      await ledger.freeze("two", [frozen(id, "third")]);
      expect(await only(key)).toMatchObject(first);
    });

    test("lets a stale owner change nothing", async () => {
      const key = await newPending();
      const [row] = await claim("stale", at(21), at(21, "09:10"));
      const { id } = row!;
      await claim("holder", at(21, "09:10"), at(22));
      const held = await only(key);
      const staleActs = async () => {
        expect(await ledger.freeze("stale", [frozen(id, "stale", ["2604.00001"], 1)])).toEqual(new Set());
        const sent = ending(id, "sent", { ref: "m9", readFrom: slotOf(30), pause: "Gone." });
        await ledger.settle("stale", [sent]);
        await ledger.postpone("stale", [
          { id, outcome: "waiting", nextAttemptAt: at(1), detail: "stale", failed: false, uncertain: false },
        ]);
      };
      await staleActs();
      expect(await only(key)).toEqual(held);
      expect(await channels.channel(key)).toMatchObject({ readFrom: slotOf(20), paused: null });

      await ledger.postpone("holder", [
        { id, outcome: "waiting", nextAttemptAt: at(23), detail: "mine", failed: false, uncertain: false },
      ]);
      const waiting = await only(key);
      await staleActs();
      await ledger.postpone("holder", [
        { id, outcome: "pending", nextAttemptAt: at(1), detail: "again", failed: false, uncertain: false },
      ]);
      expect(await only(key)).toEqual(waiting);
      expect(await ledger.delivered(key, ["2604.00001"])).toEqual(new Set());
    });

    test("says which of many it still holds, and settles only those", async () => {
      const keys = [await newPending(), await newPending(), await newPending()];
      const [lost] = await claim("me", at(21), at(21, "09:01"), 1);
      const rest = await claim("me", at(21), at(22), 2);
      await claim("other", at(21, "09:05"), at(22), 1);
      const all = [lost!, ...rest];
      const contents = all.map((row) => frozen(row.id, row.channel, [`paper of ${row.channel}`], 1));
      const held = await ledger.freeze("me", contents);
      expect(held).toEqual(new Set(ids(rest)));
      for (const row of rest) expect((await ledger.delivery(row.id))?.content?.title).toBe(row.channel);
      await ledger.settle(
        "me",
        all.map((row) => ending(row.id, "sent", { ref: `ref of ${row.channel}`, detail: row.channel })),
      );
      for (const key of keys) {
        const row = await only(key);
        const mine = held.has(row.id);
        expect(row).toMatchObject({
          outcome: mine ? "sent" : "sending",
          ref: mine ? `ref of ${key.channel}` : null,
          detail: mine ? key.channel : "",
        });
        const had = await ledger.delivered(
          key,
          keys.map((each) => `paper of ${each.channel}`),
        );
        expect(had).toEqual(new Set(mine ? [`paper of ${key.channel}`] : []));
      }
    });

    test("puts a delivery back for later", async () => {
      const key = await newPending();
      const [row] = await claim("me", at(21), at(22));
      const later = at(21, "10:30");
      await ledger.postpone("me", [
        {
          id: row!.id,
          outcome: "waiting",
          nextAttemptAt: later,
          detail: "The list is still filling.",
          failed: false,
          uncertain: false,
        },
      ]);
      expect(await only(key)).toMatchObject({
        outcome: "waiting",
        nextAttemptAt: later,
        detail: "The list is still filling.",
        attempts: 1,
        settledAt: null,
      });
      expect(await claim("other", at(21, "10:29"), at(22))).toEqual([]);
      expect(await claim("other", later, at(22))).toMatchObject([
        { id: row!.id, attempts: 2, lapsed: false },
      ]);
    });

    test("empties the content of what it settles and keeps the rest", async () => {
      const key = await newPending();
      const [row] = await claim("me", at(21), at(22));
      await ledger.freeze("me", [frozen(row!.id, "x", ["2604.00001", "2604.00002"], 1)]);
      const detail = "Sent 12 minutes late.";
      await ledger.settle("me", [ending(row!.id, "sent-late", { ref: "m1", detail })]);
      expect(await only(key)).toMatchObject({
        id: row!.id,
        outcome: "sent-late",
        detail,
        ref: "m1",
        settledAt: at(21, "09:05"),
        content: null,
        paperIds: ["2604.00001", "2604.00002"],
        shown: 1,
        attempts: 1,
      });
    });

    const FINAL: readonly FinalOutcome[] = [
      "sent",
      "sent-late",
      "quiet",
      "no-list",
      "skipped-late",
      "rejected",
      "failed",
      "uncertain",
    ];
    test.each(FINAL)("never makes a delivery that ended as %s anything else", async (outcome) => {
      const key = await newPending();
      const [row] = await claim("me", at(21), at(22));
      const { id } = row!;
      await ledger.freeze("me", [frozen(id, "x", ["2604.00001"], 1)]);
      await ledger.settle("me", [ending(id, outcome, { ref: "m1" })]);
      const settled = await only(key);
      expect(settled.outcome).toBe(outcome);
      expect(await ledger.freeze("me", [frozen(id, "y")])).toEqual(new Set());
      await ledger.postpone("me", [
        { id, outcome: "pending", nextAttemptAt: at(1), detail: "again", failed: false, uncertain: false },
      ]);
      await ledger.settle("me", [ending(id, "failed", { readFrom: slotOf(30), pause: "Gone." })]);
      expect(await claim("me", FAR, FAR)).toEqual([]);
      expect(await only(key)).toEqual(settled);
      expect(await channels.channel(key)).toMatchObject({ readFrom: slotOf(20), paused: null });
    });

    test.each(FINAL)("knows which papers a channel has had when its digest ended as %s", async (outcome) => {
      const key = await newPending();
      const [row] = await claim("me", at(21), at(22));
      const papers = ["2604.00003", "2604.00001", "2604.00002"];
      await ledger.freeze("me", [frozen(row!.id, "x", papers, 2)]);
      expect(await ledger.delivered(key, papers)).toEqual(new Set());
      await ledger.settle("me", [ending(row!.id, outcome)]);
      const had = ["sent", "sent-late", "uncertain"].includes(outcome) ? papers.slice(0, 2) : [];
      expect(await ledger.delivered(key, papers)).toEqual(new Set(had));
      expect(await ledger.delivered(key, ["2604.00009", "2604.00001"])).toEqual(new Set(had.slice(1)));
      expect(await ledger.delivered(key, [])).toEqual(new Set());
    });

    test("does not count the papers of a sample as delivered", async () => {
      const key = newPlace();
      await ledger.enter({
        ...key,
        kind: "sample",
        slot: slotOf(21),
        person: null,
        dueAt: at(21),
        content: null,
      });
      const [row] = await claim("me", at(21), at(22));
      await ledger.freeze("me", [frozen(row!.id, "x", ["2604.00001"], 1)]);
      await ledger.settle("me", [ending(row!.id, "sent")]);
      expect(await ledger.delivered(key, ["2604.00001"])).toEqual(new Set());
    });

    test("takes a paper that two digests of a channel showed, in one call, once", async () => {
      const key = await newChannel();
      await ledger.plan([planOf(key, at(21), 20, 21)]);
      const rows = await claim("me", at(21), at(22));
      await ledger.freeze(
        "me",
        rows.map((row) => frozen(row.id, "x", ["2604.00001"], 1)),
      );
      await ledger.settle(
        "me",
        rows.map((row) => ending(row.id, "sent")),
      );
      expect(await ledger.delivered(key, ["2604.00001"])).toEqual(new Set(["2604.00001"]));
    });

    test("moves the first day that the next digest may show, and never back", async () => {
      const key = await newChannel();
      await ledger.plan([planOf(key, at(21), 19, 20, 21)]);
      const [first, second, third] = await claim("me", at(21), at(22));
      await ledger.settle("me", [
        ending(second!.id, "quiet", { readFrom: slotOf(24) }),
        ending(third!.id, "sent", { readFrom: slotOf(23) }),
      ]);
      expect(await channels.channel(key)).toMatchObject({ readFrom: slotOf(24), version: 1, paused: null });
      await ledger.settle("me", [ending(first!.id, "sent", { readFrom: slotOf(22) })]);
      expect(await channels.channel(key)).toMatchObject({ readFrom: slotOf(24) });
    });

    test("pauses a channel without end when told, counting its version up once", async () => {
      const other = await newPending();
      for (const paused of [null, { until: slotOf(20), reason: null }]) {
        const key = await newChannel({ paused });
        await ledger.plan([planOf(key, at(21), 20, 21)]);
        const rows = (await claim("me", at(21), at(22))).filter((row) => row.channel === key.channel);
        const pause = "Paperboy may not post there any more.";
        await ledger.settle(
          "me",
          rows.map((row) => ending(row.id, "rejected", { pause })),
        );
        const after = await channels.channel(key);
        expect(after).toMatchObject({ paused: { until: null, reason: pause }, next: null, version: 2 });
        expect(await ledger.dueChannels(FAR, 10, ALL)).not.toContainEqual(expect.objectContaining(key));
      }
      expect(await channels.channel(other)).toMatchObject({ paused: null, next: due(22), version: 1 });
    });

    test("leaves a channel that is paused without end as somebody paused it", async () => {
      const key = await newPending();
      const [row] = await claim("me", at(21), at(22));
      await channels.change(
        key,
        (now) =>
          now && { ...now, channel: { ...now.channel, paused: { until: null, reason: null }, next: null } },
      );
      await ledger.settle("me", [ending(row!.id, "rejected", { pause: "Gone." })]);
      expect(await channels.channel(key)).toMatchObject({
        paused: { until: null, reason: null },
        version: 2,
      });
    });

    test("tells who set a channel up that it pauses, in the same call, and once", async () => {
      const key = await newChannel({ setUpBy: "grace" });
      const quiet = await newPending();
      await ledger.plan([planOf(key, at(21), 20, 21)]);
      const rows = await claim("me", at(21), at(22));
      const [first, second] = rows.filter((row) => row.channel === key.channel);
      const notice = (title: string) => ({ ...EMPTY, title });
      await ledger.settle("me", [
        ending(first!.id, "rejected", { pause: "Gone.", notice: notice("first") }),
        ending(second!.id, "rejected", { pause: "Gone too.", notice: notice("second") }),
      ]);
      expect(await channels.channel(key)).toMatchObject({ paused: { reason: "Gone." }, version: 2 });
      const notices = (await ledger.history(key, 10)).filter((row) => row.kind === "notice");
      expect(notices).toMatchObject([
        {
          slot: slotOf(20),
          person: "grace",
          dueAt: at(21, "09:05"),
          outcome: "pending",
          content: { title: "first" },
          attempts: 0,
        },
      ]);
      expect(await ledger.history(quiet, 10)).toHaveLength(1);
      expect(await claim("you", at(21, "09:04"), at(22))).toEqual([]);
      expect(ids(await claim("you", at(21, "09:05"), at(22)))).toEqual(ids(notices));
    });

    test("tells nobody of a pause that changes nothing, nor for an owner that no longer holds it", async () => {
      const paused = await newPending();
      const lost = await newPending();
      const unknown = newPlace();
      await ledger.enter({
        ...unknown,
        kind: "sample",
        slot: slotOf(21),
        person: null,
        dueAt: at(21),
        content: null,
      });
      const rows = await claim("me", at(21), at(21, "09:01"));
      await channels.change(
        paused,
        (now) =>
          now && { ...now, channel: { ...now.channel, paused: { until: null, reason: null }, next: null } },
      );
      const [taken] = await claim("other", at(21, "09:01"), at(22)).then((again) =>
        again.filter((row) => row.channel === lost.channel),
      );
      const told = { pause: "Gone.", notice: { ...EMPTY, title: "Gone." } };
      await ledger.settle(
        "me",
        rows.map(({ id }) => ending(id, "rejected", told)),
      );
      await ledger.settle(
        "other",
        rows.filter(({ id }) => id !== taken!.id).map(({ id }) => ending(id, "rejected", told)),
      );
      for (const key of [paused, lost, unknown]) expect(await ledger.history(key, 10)).toHaveLength(1);
      expect(await channels.channel(lost)).toMatchObject({ paused: null, version: 1 });
    });

    test("enters a line for the channel with the ending that it comes of", async () => {
      const key = await newPending();
      const [row] = await claim("me", at(21), at(22));
      const notice = { ...EMPTY, title: "Nothing matched." };
      await ledger.settle("me", [ending(row!.id, "quiet", { notice })]);
      await ledger.settle("me", [ending(row!.id, "quiet", { notice })]);
      expect(await channels.channel(key)).toMatchObject({ paused: null, version: 1 });
      const line = { ...key, kind: "notice", slot: slotOf(21), person: null, content: notice };
      expect(await claim("me", at(21, "09:05"), at(22))).toMatchObject([line]);
    });

    test("gives a channel's deliveries, newest slot first", async () => {
      const key = await newChannel();
      await ledger.plan([planOf(key, at(21), 19, 21, 20)]);
      await ledger.enter({
        ...key,
        kind: "notice",
        slot: slotOf(20),
        person: null,
        dueAt: at(20, "12:00"),
        content: null,
      });
      const rows = await ledger.history(key, 10);
      expect(rows.map((row) => [row.slot, row.kind])).toEqual([
        [slotOf(21), "digest"],
        [slotOf(20), "notice"],
        [slotOf(20), "digest"],
        [slotOf(19), "digest"],
      ]);
      expect(await ledger.history(key, 2)).toEqual(rows.slice(0, 2));
    });

    test("says when a claim may find something", async () => {
      expect(await ledger.nextAttemptAt(ALL)).toBeNull();
      const key = await newChannel({ next: due(12) });
      await ledger.plan([planOf(key, at(12), 12)]);
      await newPending();
      expect(await ledger.nextAttemptAt(ALL)).toBe(at(12));
      const [row] = await claim("me", at(12), at(12, "09:10"));
      expect(await ledger.nextAttemptAt(ALL)).toBe(at(12, "09:10"));
      await ledger.postpone("me", [
        {
          id: row!.id,
          outcome: "waiting",
          nextAttemptAt: at(13),
          detail: "",
          failed: false,
          uncertain: false,
        },
      ]);
      expect(await ledger.nextAttemptAt(ALL)).toBe(at(13));
      const [again] = await claim("me", at(13), at(14));
      await ledger.settle("me", [ending(again!.id, "sent")]);
      expect(await ledger.nextAttemptAt(ALL)).toBe(at(21));
    });

    test("gives any content back as it was frozen", async () => {
      let day = 0;
      await fc.assert(
        fc.asyncProperty(messages(), async (content) => {
          const key = newPlace();
          const slot = slotOf((day++ % 28) + 1);
          await ledger.enter({ ...key, kind: "notice", slot, person: null, dueAt: at(1), content: null });
          const rows = await claim("me", at(1), FAR);
          await ledger.freeze(
            "me",
            rows.map(({ id }) => ({ id, content, paperIds: [], shown: 0 })),
          );
          expect((await only(key)).content).toEqual(JSON.parse(JSON.stringify(content)));
        }),
        { numRuns: 40 },
      );
    });

    test("audits what was delivered, lost, doubled and uncertain", async () => {
      const before = await ledger.audit(at(22, "03:00"));
      const keys = [await newPending(), await newPending(), await newPending(), await newPending()];
      const twice = await newChannel();
      await ledger.plan([planOf(twice, at(21), 20, 21)]);
      const rows = await claim("me", at(21), at(21, "09:10"));
      const of = (key: ChannelKey) => rows.filter((row) => row.channel === key.channel);
      await ledger.settle("me", [
        ending(of(keys[0]!)[0]!.id, "sent", { ref: "1.1" }),
        ending(of(keys[1]!)[0]!.id, "sent", { ref: "1.1" }),
        ending(of(keys[2]!)[0]!.id, "uncertain"),
        ...of(twice).map((row) => ending(row.id, "sent-late", { ref: "2.2" })),
      ]);
      const after = await ledger.audit(at(22, "03:00"));
      const count = (outcome: FinalOutcome) =>
        (after.byOutcome[outcome] ?? 0) - (before.byOutcome[outcome] ?? 0);
      expect(after.deliveries - before.deliveries).toBe(6);
      expect([count("sent"), count("sent-late"), count("uncertain")]).toEqual([2, 2, 1]);
      expect(after.byOutcome.sending).toBe(1);
      expect(after.byOutcome.pending).toBeUndefined();
      expect(after.uncertain - before.uncertain).toBe(1);
      expect(after.doubled - before.doubled).toBe(1);
      expect([before.lost, after.lost]).toEqual([0, 0]);
      expect((await ledger.audit(at(22, "03:01"))).lost).toBe(1);
    });

    test("takes a person's message for no second one of the channel's", async () => {
      const key = await newPending({ setUpBy: "ada" });
      const { doubled } = await ledger.audit(FAR);
      const [row] = await claim("me", at(21), at(22));
      const told = { pause: "Gone.", notice: { ...EMPTY, title: "Gone." } };
      await ledger.settle("me", [ending(row!.id, "uncertain", { ref: "1.1", ...told })]);
      const [notice] = await claim("me", at(21, "09:05"), at(22));
      await ledger.settle("me", [ending(notice!.id, "sent", { ref: "1.1" })]);
      expect((await ledger.audit(FAR)).doubled).toBe(doubled);
      await ledger.enter({
        ...key,
        kind: "notice",
        slot: slotOf(22),
        person: "ada",
        dueAt: at(22),
        content: null,
      });
      const [again] = await claim("me", at(22), at(23));
      await ledger.settle("me", [ending(again!.id, "sent", { ref: "1.1" })]);
      expect((await ledger.audit(FAR)).doubled).toBe(doubled + 1);
    });

    let run = 0;
    test("never gives one channel what is another's", async () => {
      const place = fc.record({
        platform: fc.constantFrom("discord" as const, "slack" as const, "playground" as const),
        workspace: fc.constantFrom("", "T", "T1", "t", "T'1", "%"),
        channel: fc.constantFrom("", "1", "11", "T1", "_", "c"),
      });
      const nameOf = (key: ChannelKey) => `${key.platform}/${key.workspace}/${key.channel}`;
      const all = fc.uniqueArray(place, { minLength: 2, maxLength: 8, selector: nameOf });
      await fc.assert(
        fc.asyncProperty(all, fc.nat(), async (keys, pick) => {
          run += 1;
          const own = keys.map((key) => ({ ...key, channel: `${key.channel}-run${run}` }));
          const chosen = own[pick % own.length]!;
          for (const key of own) await newChannel({}, key);
          await ledger.plan(own.map((key) => planOf(key, at(21), 21)));
          const rows = await claim("me", at(21), at(22));
          await ledger.freeze(
            "me",
            rows.map((row) => frozen(row.id, nameOf(row), [nameOf(row)], 1)),
          );
          const pausing = (row: Delivery) => nameOf(row) === nameOf(chosen);
          await ledger.settle(
            "me",
            rows.map((row) =>
              ending(row.id, "sent", {
                ref: nameOf(row),
                detail: nameOf(row),
                readFrom: pausing(row) ? slotOf(25) : null,
                pause: pausing(row) ? "Gone." : null,
              }),
            ),
          );
          for (const key of own) {
            const name = nameOf(key);
            expect(await only(key)).toMatchObject({ ...key, ref: name, detail: name, paperIds: [name] });
            expect(await ledger.delivered(key, own.map(nameOf))).toEqual(new Set([name]));
            expect(await channels.channel(key)).toMatchObject(
              key === chosen
                ? { readFrom: slotOf(25), paused: { reason: "Gone." }, next: null, version: 2 }
                : { readFrom: slotOf(20), paused: null, next: due(22), version: 1 },
            );
          }
        }),
        { numRuns: 15 },
      );
    });
  });
}
