import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PersonKey } from "../../src/core/channel.ts";
import { createFloodGuard } from "../../src/core/flood.ts";

const MINUTE = 60_000;
const START = Date.parse("2026-04-22T09:00:00.000Z");
const somebody = (person: string, workspace = "T1"): PersonKey => ({ platform: "slack", workspace, person });

function setUp({ perPerson = 3, perWorkspace = 5 } = {}) {
  let now = START;
  const guard = createFloodGuard({ perPerson, perWorkspace, windowMs: MINUTE, clock: () => new Date(now) });
  return {
    admit: guard.admit,
    calls: (caller: PersonKey, times: number) => Array.from({ length: times }, () => guard.admit(caller)),
    setNow(at: number) {
      now = at;
    },
  };
}

describe("a flood guard", () => {
  test("admits so many calls of a person, then says how long to wait, and admits again after it", () => {
    const { calls, admit, setNow } = setUp();
    setNow(START + 20_000);
    expect(calls(somebody("ada"), 5)).toEqual([null, null, null, 40_000, 40_000]);
    expect(admit(somebody("bob"))).toBeNull();
    setNow(START + MINUTE - 1);
    expect(admit(somebody("ada"))).toBe(1);
    setNow(START + MINUTE);
    expect(calls(somebody("ada"), 4)).toEqual([null, null, null, MINUTE]);
  });

  test("admits so many calls of a workspace, and counts none that it refused a person", () => {
    const { calls, admit } = setUp();
    expect(calls(somebody("ada"), 9).filter((wait) => wait === null)).toHaveLength(3);
    expect(calls(somebody("bob"), 3)).toEqual([null, null, MINUTE]);
    expect(admit(somebody("eve"))).toBe(MINUTE);
    expect(admit(somebody("eve", "T2"))).toBeNull();
    expect(admit({ ...somebody("eve"), platform: "discord" })).toBeNull();
  });

  test("counts direct messages by person alone", () => {
    const { admit, calls } = setUp({ perPerson: 2, perWorkspace: 2 });
    expect(["ada", "bob", "eve"].map((person) => admit(somebody(person, "")))).toEqual([null, null, null]);
    expect(calls(somebody("ada", ""), 2)).toEqual([null, MINUTE]);
  });

  test("begins again where the clock was set back", () => {
    const { calls, setNow } = setUp();
    calls(somebody("ada"), 4);
    setNow(START - 1);
    expect(calls(somebody("ada"), 4)).toEqual([null, null, null, 1]);
  });

  test("never admits more than the limits in a window, and always after the wait it told", () => {
    const call = fc.record({
      after: fc.integer({ min: 0, max: 30_000 }),
      person: fc.constantFrom("a", "b", "c"),
      workspace: fc.constantFrom("T1", "T2"),
    });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), (sequence) => {
        const { admit, setNow } = setUp();
        const admitted = new Map<string, number>();
        let now = START;
        for (const { after, person, workspace } of sequence) {
          now += after;
          setNow(now);
          const caller = somebody(person, workspace);
          const wait = admit(caller);
          if (wait !== null) {
            expect(wait).toBeGreaterThan(0);
            now += wait;
            setNow(now);
            expect(admit(caller)).toBeNull();
          }
          const window = Math.floor(now / MINUTE);
          for (const [key, most] of [
            [`${window} ${workspace} ${person}`, 3],
            [`${window} ${workspace}`, 5],
          ] as const) {
            admitted.set(key, (admitted.get(key) ?? 0) + 1);
            expect(admitted.get(key)).toBeLessThanOrEqual(most);
          }
        }
      }),
    );
  });
});
