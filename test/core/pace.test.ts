import fc from "fast-check";
import { expect, test } from "vitest";
import { createPace } from "../../src/core/pace.ts";

/** A clock that moves when it is waited on, each time a little too far. */
function createTime(lateness: () => number) {
  let now = 0;
  return {
    now: () => now,
    wait: async (ms: number) => {
      now += Math.ceil(ms) + lateness();
    },
    pass(ms: number) {
      now += ms;
    },
  };
}

test("a long run uses 95 to 100 percent of the limit, and no second has more calls than it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1 }), async (late) => {
      let turn = 0;
      const time = createTime(() => late[turn++ % late.length]!);
      const pace = createPace({ perSecond: 50, now: time.now, wait: time.wait });
      const instants: number[] = [];
      for (let call = 0; call < 500; call++) {
        await pace();
        instants.push(time.now());
      }
      const used = 500 / ((50 * instants.at(-1)!) / 1000);
      expect(used).toBeGreaterThan(0.95);
      expect(used).toBeLessThanOrEqual(1);
      for (const [index, instant] of instants.entries()) {
        const inSecond = instants.slice(index).filter((other) => other < instant + 1000).length;
        expect(inSecond).toBeLessThan(50);
      }
    }),
    { numRuns: 20 },
  );
});

test("after a rest it does not catch up on what was not asked for", async () => {
  const time = createTime(() => 0);
  const pace = createPace({ perSecond: 50, now: time.now, wait: time.wait });
  await pace();
  time.pass(60_000);
  const start = time.now();
  for (let call = 0; call < 48; call++) await pace();
  expect(time.now() - start).toBeGreaterThan(900);
});
