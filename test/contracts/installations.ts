import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { InstallationKey, Installations } from "../../src/core/installation.ts";

const team = (id: string): InstallationKey => ({ id, isOrg: false });
const org = (id: string): InstallationKey => ({ id, isOrg: true });
const at = (seconds: number) => new Date(Date.UTC(2026, 3, 22) + seconds * 1000).toISOString();

/** What every keeper of installations keeps to. `open` gives one, which `clear` empties. */
export function installationsContract(
  name: string,
  open: () => Promise<{
    readonly installations: Installations;
    readonly clear: () => Promise<void>;
    readonly close: () => Promise<void>;
  }>,
): void {
  describe(`installations over ${name}`, () => {
    let installations: Installations;
    let clear: () => Promise<void>;
    let close: () => Promise<void>;
    beforeAll(async () => {
      ({ installations, clear, close } = await open());
    }, 30_000);
    beforeEach(() => clear());
    afterAll(() => close());

    const keep = (key: InstallationKey, value: string, seconds: number) =>
      installations.keep({ ...key, value, installedAt: at(seconds) });
    const kept = async (key: InstallationKey) => (await installations.find(key))?.value ?? null;

    test("gives back what it was given, to the letter", async () => {
      const value = '{"token":"xoxb-1","team":"Übergröße 🚀","long":"'.padEnd(100_000, "é");
      await keep(team("T1"), value, 1);
      expect(await installations.find(team("T1"))).toEqual({ ...team("T1"), value, installedAt: at(1) });
      await keep(team("T1"), "", 2);
      expect(await kept(team("T1"))).toBe("");
    });

    test("knows nothing of what was never installed", async () => {
      expect(await installations.find(team("T1"))).toBeNull();
      expect(await installations.list()).toEqual([]);
      expect(await installations.organizationOf("T1")).toBeNull();
      expect(await installations.remove(team("T1"), { at: at(9) })).toBe(false);
      expect(await installations.renew({ ...team("T1"), value: "a", installedAt: at(1) })).toBe(false);
    });

    test("keeps workspaces apart, and an organization from a workspace of the same id", async () => {
      await keep(team("X1"), "team", 1);
      await keep(org("X1"), "org", 2);
      await keep(team("X2"), "other", 3);
      await installations.remove(team("X1"), { at: at(9) });
      expect(await kept(team("X1"))).toBeNull();
      expect(await kept(org("X1"))).toBe("org");
      expect(await kept(team("X2"))).toBe("other");
    });

    test("lists them without their values, the longest standing first", async () => {
      await keep(team("T2"), "b", 2);
      await keep(org("E1"), "c", 3);
      await keep(team("T1"), "a", 1);
      const fine = { problem: null, hasOldKey: false };
      expect(await installations.list()).toEqual([
        { ...team("T1"), installedAt: at(1), ...fine },
        { ...team("T2"), installedAt: at(2), ...fine },
        { ...org("E1"), installedAt: at(3), ...fine },
      ]);
    });

    test("lets a newer installation replace an older one, and never the other way round", async () => {
      await keep(team("T1"), "second", 2);
      await keep(team("T1"), "first", 1);
      expect(await installations.find(team("T1"))).toMatchObject({ value: "second", installedAt: at(2) });
      await keep(team("T1"), "third", 3);
      expect(await kept(team("T1"))).toBe("third");
    });

    test("renews the tokens of a standing installation, whose instant stays", async () => {
      await keep(team("T1"), "a", 1);
      expect(await installations.renew({ ...team("T1"), value: "b", installedAt: at(1) })).toBe(true);
      expect(await installations.find(team("T1"))).toMatchObject({ value: "b", installedAt: at(1) });
    });

    test("neither revives a removed installation nor overwrites a newer one with renewed tokens", async () => {
      await keep(team("T1"), "a", 1);
      await keep(team("T1"), "installed again", 2);
      expect(await installations.renew({ ...team("T1"), value: "late", installedAt: at(1) })).toBe(false);
      expect(await kept(team("T1"))).toBe("installed again");
      await installations.remove(team("T1"), { at: at(3) });
      expect(await installations.renew({ ...team("T1"), value: "late", installedAt: at(2) })).toBe(false);
      expect(await kept(team("T1"))).toBeNull();
    });

    test("removes what ended, and leaves an installation that is newer or of the same second", async () => {
      await keep(team("T1"), "a", 1.4);
      expect(await installations.remove(team("T1"), { at: at(1) })).toBe(false);
      expect(await installations.remove(team("T1"), { at: at(0) })).toBe(false);
      expect(await kept(team("T1"))).toBe("a");
      expect(await installations.remove(team("T1"), { at: at(2) })).toBe(true);
      expect(await installations.remove(team("T1"), { at: at(2) })).toBe(false);
      expect(await kept(team("T1"))).toBeNull();
    });

    test("stands where the last thing that happened was an installation, however late, twice and in which order word of each end comes", async () => {
      // What happens, one a ten seconds, and how long the word of each end, which comes twice, is on its way.
      const delay = fc.tuple(fc.integer({ min: 0, max: 90 }), fc.integer({ min: 0, max: 90 }));
      const history = fc.array(
        fc.record({ kind: fc.constantFrom("install" as const, "end" as const), delay }),
        { maxLength: 6 },
      );
      await fc.assert(
        fc.asyncProperty(history, async (happenings) => {
          await clear();
          const arrivals = happenings.flatMap(({ kind, delay }, index) => {
            const happened = (index + 1) * 10;
            // An installation is known as it happens.
            const delays = kind === "install" ? [0] : delay;
            return delays.map((late) => ({ kind, happened, arrives: happened + late }));
          });
          for (const { kind, happened } of arrivals.toSorted((a, b) => a.arrives - b.arrives)) {
            if (kind === "install") await keep(team("T1"), String(happened), happened);
            else await installations.remove(team("T1"), { at: at(happened) });
          }
          const last = happenings.at(-1)?.kind === "install" ? String(happenings.length * 10) : null;
          expect(await kept(team("T1"))).toBe(last);
        }),
        { numRuns: 60 },
      );
    });

    test("remembers the organization that serves a workspace, as long as its installation stands", async () => {
      await installations.assign("T1", "E1");
      expect(await installations.organizationOf("T1")).toBeNull();
      await keep(org("E1"), "a", 1);
      expect(await installations.organizationOf("T1")).toBe("E1");
      expect(await installations.organizationOf("T2")).toBeNull();
      await keep(org("E2"), "b", 2);
      await installations.assign("T1", "E2");
      expect(await installations.organizationOf("T1")).toBe("E2");
      await installations.remove(org("E2"), { at: at(3) });
      expect(await installations.organizationOf("T1")).toBeNull();
      await keep(org("E2"), "c", 4);
      expect(await installations.organizationOf("T1")).toBe("E2");
    });
  });
}
