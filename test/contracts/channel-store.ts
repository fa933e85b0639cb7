import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Channel,
  type ChannelKey,
  type ChannelState,
  type ChannelStore,
  DEFAULT_SCHEDULE,
  type PersonKey,
  type Platform,
  type Subscription,
} from "../../src/core/channel.ts";
import type { Ledger } from "../../src/core/delivery.ts";
import { EMPTY } from "../bots/any-message.ts";

const at = (day: number, hour = 9) =>
  `2026-04-${String(day).padStart(2, "0")}T${String(hour).padStart(2, "0")}:00:00.000Z`;
const daysLater = (instant: string, days: number, ms = 0) =>
  new Date(Date.parse(instant) + days * 86_400_000 + ms).toISOString();
const place = (channel: string, workspace = "W1"): ChannelKey => ({
  platform: "discord",
  workspace,
  channel,
});
const somebody = (person: string, workspace = "W1"): PersonKey => ({
  platform: "discord",
  workspace,
  person,
});
const subscription = (number: number, topic: string): Subscription => ({
  number,
  topic,
  createdBy: "ada",
  createdAt: at(1),
});

/** A channel with these topics, due on 21 April. */
export function madeUpState(
  key: ChannelKey,
  topics: readonly string[] = ["agents"],
  fields: Partial<Channel> = {},
): ChannelState {
  return {
    channel: {
      ...key,
      schedule: DEFAULT_SCHEDULE,
      top: 5,
      paused: null,
      publish: false,
      next: { at: at(21), slot: "2026-04-21" },
      readFrom: "2026-04-20",
      version: 0,
      setUpBy: "ada",
      lastNumber: topics.length,
      ...fields,
    },
    subscriptions: topics.map((topic, index) => subscription(index + 1, topic)),
  };
}

/** What every channel store keeps to. `open` gives an empty one, with the ledger of the same store; each test uses places of its own. */
export function channelStoreContract(
  name: string,
  open: () => Promise<{
    readonly channels: ChannelStore;
    readonly ledger: Ledger;
    readonly close: () => Promise<void>;
  }>,
): void {
  describe(`the channel store over ${name}`, () => {
    let channels: ChannelStore;
    let ledger: Ledger;
    let close: () => Promise<void>;
    beforeAll(async () => {
      ({ channels, ledger, close } = await open());
    }, 30_000);
    afterAll(() => close());

    test("knows nothing of a channel that nobody set up", async () => {
      expect(await channels.channel(place("none"))).toBeNull();
      expect(await channels.subscriptions(place("none"))).toEqual([]);
      expect(await channels.change(place("none"), () => null)).toBeNull();
      expect(await channels.channel(place("none"))).toBeNull();
    });

    test("keeps a channel with all its settings, with and without a workspace", async () => {
      for (const key of [place("full"), place("full", "")]) {
        const made = madeUpState(key, ["agents", 'org:nvidia "ünïcode" \\'], {
          schedule: { time: "23:59", zone: "America/Argentina/Buenos_Aires", weekdays: [1, 7] },
          top: 20,
          paused: { until: "2026-05-04", reason: "It's away." },
          publish: true,
          lastNumber: 12,
        });
        const after = await channels.change(key, (now) => (now === null ? made : null));
        expect(after).toEqual({ ...made, channel: { ...made.channel, version: 1 } });
        expect(await channels.channel(key)).toEqual(after?.channel);
        expect(await channels.subscriptions(key)).toEqual(made.subscriptions);
      }
    });

    test("keeps a pause without end, and a channel that is never due", async () => {
      const key = place("paused");
      await channels.change(key, () =>
        madeUpState(key, [], { paused: { until: null, reason: null }, next: null }),
      );
      expect(await channels.channel(key)).toMatchObject({
        paused: { until: null, reason: null },
        next: null,
      });
      await channels.change(key, (now) => now && { ...now, channel: { ...now.channel, paused: null } });
      expect(await channels.channel(key)).toMatchObject({ paused: null, next: null });
    });

    test("names a platform's channels that have a subscription, the next due first, up to a limit", async () => {
      const due = (day: number) => ({ next: { at: at(day), slot: `2026-04-${day}` } });
      const key = (channel: string, workspace: string): ChannelKey => ({
        platform: "slack",
        workspace,
        channel,
      });
      const make = (each: ChannelKey, topics: readonly string[], fields: Partial<Channel>) =>
        channels.change(each, () => madeUpState(each, topics, fields));
      await make(key("paused", "S1"), ["agents"], { next: null });
      await make(key("later", "S1"), ["agents", "speech"], due(23));
      await make(key("also-later", "S1"), ["vision"], due(23));
      await make(key("first", "S2"), ["agents"], due(22));
      await make(key("left", "S2"), [], { next: null });
      await make({ ...key("other", "S1"), platform: "playground" }, ["agents"], due(21));
      expect(await channels.subscribed("slack", 10)).toEqual({
        channels: [key("first", "S2"), key("also-later", "S1"), key("later", "S1"), key("paused", "S1")],
        total: 4,
      });
      expect(await channels.subscribed("slack", 1)).toEqual({ channels: [key("first", "S2")], total: 4 });
    });

    test("shows a change what there is, and replaces it by what it gives", async () => {
      const key = place("changing");
      const first = await channels.change(key, () => madeUpState(key, ["agents", "speech", "vision"]));
      let seen: ChannelState | null = null;
      const kept = [subscription(4, "robots"), subscription(2, "speech -music")];
      const after = await channels.change(key, (now) => {
        seen = now;
        return now && { channel: { ...now.channel, top: 7, lastNumber: 4 }, subscriptions: kept };
      });
      expect(seen).toEqual(first);
      expect(after?.subscriptions.map((each) => each.number)).toEqual([2, 4]);
      expect(await channels.subscriptions(key)).toEqual([kept[1], kept[0]]);
      expect(await channels.channel(key)).toMatchObject({ top: 7, lastNumber: 4, version: 2 });
    });

    test("counts a version up with each real change, whatever version a change gives, and not else", async () => {
      const key = place("versions");
      await channels.change(key, () => madeUpState(key, ["agents"], { version: 40 }));
      expect(await channels.change(key, () => null)).toMatchObject({ channel: { version: 1 } });
      const same = await channels.change(key, () => madeUpState(key, ["agents"], { version: 99 }));
      expect(same?.channel.version).toBe(1);
      const topic = await channels.change(key, () => madeUpState(key, ["speech"]));
      expect(topic?.channel.version).toBe(2);
      const due = await channels.change(key, () => madeUpState(key, ["speech"], { next: null }));
      expect(due?.channel.version).toBe(3);
      expect(await channels.channel(key)).toEqual(due?.channel);
    });

    test("makes changes at once one after the other, the first one of a channel too", async () => {
      const key = place("busy");
      await Promise.all(
        Array.from({ length: 12 }, () =>
          channels.change(key, (now) => {
            const { channel, subscriptions } = now ?? madeUpState(key, []);
            const number = channel.lastNumber + 1;
            return {
              channel: { ...channel, lastNumber: number },
              subscriptions: [...subscriptions, subscription(number, `topic ${number}`)],
            };
          }),
        ),
      );
      expect(await channels.channel(key)).toMatchObject({ lastNumber: 12, version: 12 });
      expect(await channels.subscriptions(key)).toHaveLength(12);
    });

    test("leaves everything as it was when a change throws", async () => {
      const key = place("throwing");
      const before = await channels.change(key, () => madeUpState(key));
      await expect(
        channels.change(key, () => {
          throw new Error("no such zone");
        }),
      ).rejects.toThrow("no such zone");
      expect(await channels.change(key, () => null)).toEqual(before);
    });

    test("writes a change into the channel that was asked for, wherever its state says it is", async () => {
      const key = place("asked");
      const elsewhere = place("elsewhere");
      const after = await channels.change(key, () => madeUpState(elsewhere));
      expect(after?.channel).toMatchObject(key);
      expect(await channels.channel(elsewhere)).toBeNull();
      expect(await channels.subscriptions(elsewhere)).toEqual([]);
    });

    test("counts the channels that have a subscription", async () => {
      const before = await channels.count();
      await channels.change(place("counted"), () => madeUpState(place("counted"), ["agents", "speech"]));
      await channels.change(place("empty"), () => madeUpState(place("empty"), []));
      expect(await channels.count()).toBe(before + 1);
      await channels.change(place("counted"), () => madeUpState(place("counted"), []));
      expect(await channels.count()).toBe(before);
    });

    test("finds a person's channels in a workspace: set up or subscribed by them, the next due first", async () => {
      const due = (day: number) => ({ next: { at: at(day), slot: `2026-04-${day}` } });
      const own = (name: string, topic: string): Subscription => ({
        ...subscription(2, topic),
        createdBy: name,
      });
      const make = async (key: ChannelKey, fields: Partial<Channel>, more: readonly Subscription[] = []) => {
        const made = madeUpState(key, ["agents"], fields);
        return channels.change(key, () => ({ ...made, subscriptions: [...made.subscriptions, ...more] }));
      };
      const later = await make(place("later", "P1"), { setUpBy: "eve", ...due(23) });
      const first = await make(place("first", "P1"), due(22), [own("eve", "speech")]);
      const never = await make(place("never", "P1"), { setUpBy: "eve", next: null });
      await make(place("others", "P1"), due(21), [own("EVE", "speech")]);
      await make(place("elsewhere", "P2"), { setUpBy: "eve" });
      await make({ ...place("later", "P1"), platform: "slack" }, { setUpBy: "eve" });
      const empty = place("empty", "P1");
      await channels.change(empty, () => madeUpState(empty, [], { setUpBy: "eve", next: null }));
      expect(await channels.channelsOf(somebody("eve", "P1"), 10)).toEqual({
        channels: [first, later, never],
        total: 3,
      });
      expect(await channels.channelsOf(somebody("eve", "P1"), 1)).toEqual({ channels: [first], total: 3 });
      expect(await channels.channelsOf(somebody("", "P1"), 10)).toEqual({ channels: [], total: 0 });
    });

    test("notes where a paper was shown, once a while, and shows what was noted again", async () => {
      const key = place("mentions");
      const shown = (ref: string, when: string, quietSince: string | null) =>
        channels.mention(key, { paperId: "2604.00001", ref, at: when }, quietSince);
      const first = { paperId: "2604.00001", ref: "m1", at: at(1) };
      expect(await shown("m1", at(1), at(1, 8))).toEqual({ isNoted: true, before: null });
      expect(await shown("m2", at(1, 10), at(1, 8))).toEqual({ isNoted: false, before: first });
      expect(await shown("m1", at(1, 10), at(1, 8))).toEqual({ isNoted: true, before: null });
      expect(await channels.lastMention(key, "2604.00001", at(2))).toEqual(first);
      expect(await shown("m3", at(1, 10), at(1))).toEqual({ isNoted: true, before: first });
      expect(await shown("m4", at(1, 10), null)).toEqual({
        isNoted: true,
        before: { ...first, ref: "m3", at: at(1, 10) },
      });
      expect(await channels.lastMention(key, "2604.00002", at(2))).toBeNull();
      for (const other of [place("mention"), place("mentions", "W2"), place("mentions", "")])
        expect(await channels.lastMention(other, "2604.00001", at(2))).toBeNull();
    });

    test("lets one of two messages at once show a paper", async () => {
      const key = place("mentions-at-once");
      const all = await Promise.all(
        ["a", "b", "c"].map((ref) => channels.mention(key, { paperId: "2604.00001", ref, at: at(2) }, at(1))),
      );
      expect(all.filter(({ isNoted }) => isNoted)).toHaveLength(1);
    });

    test("forgets a mention after a year", async () => {
      const key = place("old-mentions");
      const mention = { paperId: "2604.00001", ref: "m1", at: at(1) };
      await channels.mention(key, mention, null);
      expect(await channels.lastMention(key, "2604.00001", daysLater(at(1), 365))).toEqual(mention);
      expect(await channels.lastMention(key, "2604.00001", daysLater(at(1), 365, 1))).toBeNull();
      const late = daysLater(at(1), 365, 1);
      expect(await channels.mention(key, { ...mention, ref: "m2", at: late }, at(1))).toEqual({
        isNoted: true,
        before: null,
      });
      expect(await channels.lastMention(key, "2604.00001", at(2))).toEqual({
        ...mention,
        ref: "m2",
        at: late,
      });
    });

    test("saves a paper once, gives them newest first, and takes them back once", async () => {
      const person = somebody("saver");
      expect(await channels.save(person, "2604.00001", at(1))).toBe(true);
      expect(await channels.save(person, "2604.00002", at(3))).toBe(true);
      expect(await channels.save(person, "2604.00003", at(2))).toBe(true);
      expect(await channels.save(person, "2604.00001", at(9))).toBe(false);
      expect(await channels.saved(person)).toEqual([
        { paperId: "2604.00002", savedAt: at(3) },
        { paperId: "2604.00003", savedAt: at(2) },
        { paperId: "2604.00001", savedAt: at(1) },
      ]);
      expect(await channels.unsave(person, "2604.00003")).toBe(true);
      expect(await channels.unsave(person, "2604.00003")).toBe(false);
      expect(await channels.saved(person)).toHaveLength(2);
      expect(await channels.saved(somebody("saver", "W2"))).toEqual([]);
    });

    test("keeps one word a person and paper, the newest, of the whole channel", async () => {
      const key = place("liking");
      await channels.giveFeedback(key, "ada", { paperId: "2604.00001", value: 1 }, at(1));
      await channels.giveFeedback(key, "bob", { paperId: "2604.00001", value: 1 }, at(2));
      await channels.giveFeedback(key, "ada", { paperId: "2604.00002", value: -1 }, at(3));
      await channels.giveFeedback(key, "ada", { paperId: "2604.00001", value: -1 }, at(4));
      expect(await channels.feedback(key)).toEqual([
        { paperId: "2604.00001", value: -1 },
        { paperId: "2604.00002", value: -1 },
        { paperId: "2604.00001", value: 1 },
      ]);
      expect(await channels.resetFeedback(key)).toBe(3);
      expect(await channels.feedback(key)).toEqual([]);
      expect(await channels.resetFeedback(key)).toBe(0);
    });

    test("forgets what it keeps of a person, in that workspace and of nobody else", async () => {
      const there = somebody("forgotten", "W7");
      const others = [
        somebody("forgotten", "W8"),
        somebody("other", "W7"),
        { ...there, platform: "slack" as const },
      ];
      for (const person of [there, ...others]) {
        await channels.save(person, "2604.00001", at(1));
        for (const channel of ["one", "two"]) {
          const key = { platform: person.platform, workspace: person.workspace, channel };
          await channels.giveFeedback(key, person.person, { paperId: "2604.00001", value: 1 }, at(1));
        }
      }
      expect(await channels.forget(there)).toEqual({ saved: 1, feedback: 2 });
      expect(await channels.saved(there)).toEqual([]);
      for (const person of others) expect(await channels.saved(person)).toHaveLength(1);
      expect(await channels.feedback(place("one", "W7"))).toHaveLength(1);
      expect(await channels.feedback(place("one", "W8"))).toHaveLength(1);
      expect(await channels.feedback({ ...place("one", "W7"), platform: "slack" })).toHaveLength(1);
      expect(await channels.forget(there)).toEqual({ saved: 0, feedback: 0 });
    });

    test("keeps a view for thirty days after it was last kept, under an id made from it", async () => {
      const id = await channels.keepView("search agents", at(1));
      expect(id).toMatch(/^[\w-]{1,30}$/);
      expect(await channels.view(id, at(1))).toBe("search agents");
      expect(await channels.view(id, daysLater(at(1), 30))).toBe("search agents");
      expect(await channels.view(id, daysLater(at(1), 30, 1))).toBeNull();
      expect(await channels.keepView("search agents", at(9))).toBe(id);
      expect(await channels.keepView("search agents", at(2))).toBe(id);
      expect(await channels.view(id, daysLater(at(9), 30))).toBe("search agents");
      expect(await channels.keepView("search speech", at(9))).not.toBe(id);
      expect(await channels.view("never-kept", at(1))).toBeNull();
    });

    test("lets old views go when it keeps new ones", async () => {
      const old = await channels.keepView("an old view", "2020-01-01T00:00:00.000Z");
      expect(await channels.view(old, "2020-01-02T00:00:00.000Z")).toBe("an old view");
      for (let index = 0; index < 3; index++) await channels.keepView(`a new view ${index}`, at(20));
      expect(await channels.view(old, "2020-01-02T00:00:00.000Z")).toBeNull();
    });

    test("knows which workspaces were left, from the first time they were", async () => {
      const left = { platform: "slack", workspace: "L1" } as const;
      expect(await channels.join(left)).toBe(false);
      await channels.leave(left, at(3));
      await channels.leave(left, at(9));
      expect(await channels.departed("slack")).toEqual(["L1"]);
      expect(await channels.departed("discord")).toEqual([]);
      expect(await channels.deleteDeparted(at(3))).toBe(0);
      expect(await channels.join({ ...left, workspace: "L2" })).toBe(false);
      expect(await channels.join({ ...left, platform: "discord" })).toBe(false);
      expect(await channels.join(left)).toBe(true);
      expect(await channels.join(left)).toBe(false);
      await channels.leave(left, at(3));
      await channels.leave(left, at(9));
      expect(await channels.deleteDeparted(at(4))).toBe(1);
      expect(await channels.join(left)).toBe(false);
      await expect(channels.leave({ platform: "discord", workspace: "" }, at(1))).rejects.toThrow(TypeError);
    });

    test("keeps all of a workspace that is joined again in time", async () => {
      const key = { ...place("back", "L3"), platform: "slack" as const };
      const before = await channels.change(key, () => madeUpState(key));
      await channels.leave(key, at(3));
      expect(await channels.channel(key)).toEqual(before?.channel);
      await channels.join(key);
      expect(await channels.deleteDeparted(at(28))).toBe(0);
      expect(await channels.channel(key)).toEqual(before?.channel);
    });

    let run = 0;
    test("deletes all that is kept of a workspace that was left, and nothing of any other", async () => {
      const places = fc.uniqueArray(
        fc.record({
          platform: fc.constantFrom("discord" as const, "slack" as const, "playground" as const),
          workspace: fc.constantFrom("", "T", "T1", "t", "T'1", "%", "T_"),
        }),
        { minLength: 2, maxLength: 8, selector: (each) => `${each.platform}/${each.workspace}` },
      );
      const parts = ["channel", "delivery", "saved", "feedback", "mention"] as const;
      const part = fc.subarray([...parts], { minLength: 1 });
      const fate = fc.constantFrom("stays", "left", "left lately", "back");
      await fc.assert(
        fc.asyncProperty(
          places,
          fc.array(part, { minLength: 8 }),
          fc.array(fate, { minLength: 8 }),
          async (...all) => {
            run += 1;
            const own = all[0].map((each, index) => ({
              platform: each.platform,
              workspace: each.workspace === "" ? "" : `${each.workspace}-run${run}`,
              channel: `c-run${run}`,
              parts: all[1][index] ?? parts,
              fate: each.workspace === "" ? "stays" : (all[2][index] ?? "stays"),
            }));
            for (const each of own) await keepSomething(each, each.parts);
            const before = await Promise.all(own.map(everythingOf));
            for (const [index, each] of own.entries()) {
              if (each.fate !== "stays")
                await channels.leave(each, each.fate === "left lately" ? at(20) : at(index + 1));
              if (each.fate === "back") expect(await channels.join(each)).toBe(true);
            }
            const standing = (fates: readonly string[]) =>
              own.filter((each) => each.workspace !== "" && fates.includes(each.fate));
            const known = async () =>
              (
                await Promise.all(
                  ["discord", "slack", "playground"].map((platform) =>
                    channels.workspaces(platform as Platform),
                  ),
                )
              ).flat();
            expect((await known()).filter((each) => each.endsWith(`-run${run}`)).sort()).toEqual(
              standing(["stays", "back"])
                .map(({ workspace }) => workspace)
                .sort(),
            );
            expect(await channels.deleteDeparted(at(20))).toBe(standing(["left"]).length);
            expect(await channels.deleteDeparted(at(20))).toBe(0);
            for (const [index, each] of own.entries()) {
              expect(await everythingOf(each)).toEqual(each.fate === "left" ? NOTHING : before[index]);
              if (each.workspace !== "") expect(await channels.join(each)).toBe(each.fate === "left lately");
            }
          },
        ),
        { numRuns: 25 },
      );
    });

    const NOTHING = {
      channel: null,
      subscriptions: [],
      history: [],
      had: [],
      saved: [],
      feedback: [],
      mention: null,
    };
    const personIn = ({ platform, workspace }: ChannelKey) => ({ platform, workspace, person: "ada" });

    async function keepSomething(key: ChannelKey, parts: readonly string[]): Promise<void> {
      if (parts.includes("channel")) await channels.change(key, () => madeUpState(key, ["agents", "speech"]));
      if (parts.includes("saved")) await channels.save(personIn(key), "2604.00001", at(1));
      if (parts.includes("feedback")) {
        await channels.giveFeedback(key, "ada", { paperId: "2604.00002", value: -1 }, at(1));
      }
      if (parts.includes("mention")) {
        await channels.mention(key, { paperId: "2604.00004", ref: "m1", at: at(1) }, null);
      }
      if (!parts.includes("delivery")) return;
      const { platform, workspace, channel } = key;
      const where = { platform, workspace, channel };
      await ledger.enter({
        ...where,
        kind: "digest",
        slot: "2026-04-21",
        person: null,
        dueAt: at(21),
        content: null,
      });
      await ledger.enter({
        ...where,
        kind: "notice",
        slot: "2026-04-21",
        person: "ada",
        dueAt: at(21),
        content: EMPTY,
      });
      const by = { owner: "me", now: at(21), leaseUntil: at(22), limit: 100, platforms: [platform] };
      const digests = (await ledger.claim(by)).filter(({ kind }) => kind === "digest");
      const paperIds = ["2604.00003"];
      await ledger.freeze(
        "me",
        digests.map(({ id }) => ({ id, content: EMPTY, paperIds, shown: 1 })),
      );
      const rest = { detail: "", ref: null, at: at(21), readFrom: null, pause: null, notice: null };
      await ledger.settle(
        "me",
        digests.map(({ id }) => ({ id, outcome: "sent" as const, ...rest })),
      );
    }

    async function everythingOf(key: ChannelKey) {
      return {
        channel: await channels.channel(key),
        subscriptions: await channels.subscriptions(key),
        history: await ledger.history(key, 100),
        had: [...(await ledger.delivered(key, ["2604.00003"]))],
        saved: await channels.saved(personIn(key)),
        feedback: await channels.feedback(key),
        mention: await channels.lastMention(key, "2604.00004", at(2)),
      };
    }

    test("never gives one channel or person what is another's", async () => {
      const key = fc.record({
        platform: fc.constantFrom("discord" as const, "slack" as const, "playground" as const),
        workspace: fc.constantFrom("", "T", "T1", "t", "T'1", "%"),
        channel: fc.constantFrom("", "1", "11", "T1", "_", "c"),
      });
      const name = (each: ChannelKey) => `${each.platform}/${each.workspace}/${each.channel}`;
      const keys = fc.uniqueArray(key, { minLength: 2, maxLength: 8, selector: name });
      await fc.assert(
        fc.asyncProperty(keys, async (all) => {
          run += 1;
          const own = all.map((each) => ({ ...each, channel: `${each.channel}-run${run}` }));
          const person = (each: ChannelKey): PersonKey => ({
            platform: each.platform,
            workspace: each.workspace,
            person: each.channel,
          });
          for (const each of own) {
            await channels.change(each, () => madeUpState(each, [name(each)], { setUpBy: name(each) }));
            await channels.save(person(each), name(each), at(1));
            await channels.giveFeedback(each, each.channel, { paperId: name(each), value: 1 }, at(1));
            await channels.mention(each, { paperId: "2604.00001", ref: name(each), at: at(1) }, null);
          }
          for (const each of own) {
            const known = await channels.channelsOf({ ...person(each), person: name(each) }, 10);
            expect(known.channels.map(({ channel }) => name(channel))).toEqual([name(each)]);
            expect(await channels.lastMention(each, "2604.00001", at(2))).toMatchObject({ ref: name(each) });
          }
          const first = own[0]!;
          await channels.change(
            first,
            (now) => now && { ...now, channel: { ...now.channel, setUpBy: "x" }, subscriptions: [] },
          );
          await channels.forget(person(first));
          await channels.resetFeedback(own[1]!);
          for (const [index, each] of own.entries()) {
            expect(await channels.channel(each)).toMatchObject({
              ...each,
              setUpBy: index === 0 ? "x" : name(each),
            });
            expect((await channels.subscriptions(each)).map(({ topic }) => topic)).toEqual(
              index === 0 ? [] : [name(each)],
            );
            expect((await channels.saved(person(each))).map(({ paperId }) => paperId)).toEqual(
              index === 0 ? [] : [name(each)],
            );
            expect((await channels.feedback(each)).map(({ paperId }) => paperId)).toEqual(
              index < 2 ? [] : [name(each)],
            );
          }
        }),
        { numRuns: 15 },
      );
    });
  });
}
