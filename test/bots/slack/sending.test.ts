import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTurns } from "../../../src/bots/slack/sending.ts";
import { PostError } from "../../../src/core/bot.ts";

type Sent = {
  readonly at: number;
  readonly workspace: string;
  readonly channel: string;
  readonly name: string;
};

/** A clock that moves from one thing that waits to the next, and people who come again when they are told to. */
function createLines() {
  let time = 0;
  const waits: { readonly at: number; readonly done: () => void }[] = [];
  const sent: Sent[] = [];
  const wait = (ms: number) =>
    new Promise<void>((resolve) => {
      waits.push({ at: time + ms, done: resolve });
    });
  const turns = createTurns({ now: () => time, wait });

  async function post(workspace: string, channel: string, name: string): Promise<void> {
    for (;;) {
      try {
        await turns.take(workspace, channel, name);
        break;
      } catch (error) {
        if (!(error instanceof PostError) || error.kind !== "retry") throw error;
        await wait(error.retryAfterMs!);
      }
    }
    sent.push({ at: time, workspace, channel, name });
  }

  async function settle(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = waits.sort((one, other) => one.at - other.at).splice(0, 1);
      if (next === undefined) return;
      time = Math.max(time, next.at);
      next.done();
    }
  }

  return { turns, post, settle, sent, wait, now: () => time };
}

const ofChannel = (sent: readonly Sent[], channel: string) => sent.filter((each) => each.channel === channel);

describe("turns under Slack's rate limits", () => {
  test("keep a second between the messages of a channel, in the order of asking", async () => {
    const { post, settle, sent } = createLines();
    for (const name of ["one", "two", "three", "four"]) void post("T1", "C1", name);
    await settle();
    expect(sent.map(({ name }) => name)).toEqual(["one", "two", "three", "four"]);
    expect(sent.map(({ at }) => at)).toEqual([0, 1050, 2100, 3150]);
  });

  test("let no other channel wait for one that has many messages", async () => {
    const { post, settle, sent } = createLines();
    for (let index = 0; index < 30; index++) void post("T1", "C1", `busy ${index}`);
    for (let index = 0; index < 5; index++) void post("T1", `C${index + 2}`, `other ${index}`);
    await settle();
    const others = sent.filter(({ name }) => name.startsWith("other"));
    expect(Math.max(...others.map(({ at }) => at))).toBeLessThanOrEqual(1000);
  });

  test("hold the one channel that Slack asked for, its refused message first, and no other", async () => {
    const { turns, post, settle, sent } = createLines();
    await post("T1", "C1", "refused");
    sent.length = 0;
    const before = ["behind", "further behind"].map((name) => post("T1", "C1", name));
    turns.hold("T1", "C1", "refused", 30_000);
    const after = ["refused", "last"].map((name) => post("T1", "C1", name));
    void post("T1", "C2", "elsewhere");
    await settle();
    await Promise.all([...before, ...after]);
    expect(ofChannel(sent, "C2").map(({ at }) => at)).toEqual([expect.toSatisfy((at: number) => at <= 400)]);
    const held = ofChannel(sent, "C1");
    expect(held.map(({ name }) => name)).toEqual(["refused", "behind", "further behind", "last"]);
    expect(held[0]!.at).toBeGreaterThanOrEqual(30_000);
  });

  test("keep a workspace under 300 messages a minute, and others out of it", async () => {
    const { post, settle, sent } = createLines();
    for (let index = 0; index < 400; index++) void post("T1", `C${index}`, `one ${index}`);
    for (let index = 0; index < 20; index++) void post("T2", `C${index}`, `two ${index}`);
    await settle();
    const of = (workspace: string) => sent.filter((each) => each.workspace === workspace).map(({ at }) => at);
    expect(of("T1")).toHaveLength(400);
    expect(of("T1").at(-1)).toBeCloseTo(399 * 200, -3);
    expect(of("T2").at(-1)).toBeLessThan(5000);
  });

  test("go on after a message that never came back for its turn", async () => {
    const { turns, post, settle, sent, now } = createLines();
    turns.hold("T1", "C1", "gone", 2000);
    void post("T1", "C1", "waiting");
    await settle();
    expect(sent.map(({ name }) => name)).toEqual(["waiting"]);
    expect(now()).toBeGreaterThan(2000);
    expect(now()).toBeLessThan(12_000);
  });

  test("never come too soon, whoever asks when, and leave none out", async () => {
    const asked = fc.array(
      fc.record({
        workspace: fc.constantFrom("T1", "T2"),
        channel: fc.constantFrom("C1", "C2", "C3"),
        afterMs: fc.integer({ min: 0, max: 900 }),
        held: fc.option(fc.integer({ min: 100, max: 8000 }), { freq: 8 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(asked, async (all) => {
        const { turns, post, settle, sent, wait } = createLines();
        const posts = (async () => {
          const under: Promise<void>[] = [];
          for (const [index, { workspace, channel, afterMs, held }] of all.entries()) {
            await wait(afterMs);
            if (held !== null) turns.hold(workspace, channel, `m${index}`, held);
            under.push(post(workspace, channel, `m${index}`));
          }
          await Promise.all(under);
        })();
        await settle();
        await posts;
        expect(sent).toHaveLength(all.length);
        for (const line of Object.values(Object.groupBy(sent, (each) => each.workspace + each.channel))) {
          for (const [index, { at }] of line!.entries()) {
            if (index > 0) expect(at - line![index - 1]!.at).toBeGreaterThanOrEqual(1050);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
