import fc from "fast-check";
import { expect, test } from "vitest";
import { createProfile, explainProfile } from "../../src/core/profile.ts";
import type { StoredPaper } from "../../src/core/store.ts";
import { madeUpPaper } from "../contracts/made-up-paper.ts";

function paper(title: string, lab: string, aiKeywords: readonly string[] = []): StoredPaper {
  const made = madeUpPaper({
    id: title,
    title,
    aiKeywords,
    organization: { name: lab, fullname: `Lab ${lab}` },
  });
  return { ...made, summary: null, listedOn: null, seenAt: "2026-04-22T12:00:00.000Z", revision: 1 };
}

const AGENTS = paper("Planning for Agents", "a", ["tool use"]);
const AGENTS_AGAIN = paper("Agents Again", "a");
const ROBOTS = paper("Grasping for Robots", "b");

test("says nothing of anything before somebody said something", () => {
  expect(createProfile([])(AGENTS)).toBe(0);
  expect(explainProfile([])).toEqual({ organizations: [], words: [] });
});

test("lifts what is like what was liked, and lowers what is like what was not", () => {
  const likes = createProfile([
    { paper: AGENTS, value: 1 },
    { paper: ROBOTS, value: -1 },
  ]);
  expect(likes(paper("Agents That Plan", "c"))).toBeGreaterThan(0);
  expect(likes(paper("Robots That Grasp", "c"))).toBeLessThan(0);
  expect(likes(paper("Speech Codecs", "c"))).toBe(0);
});

test("explains itself in organizations and words as they are written, the weightiest first", () => {
  const terms = explainProfile([
    { paper: AGENTS, value: 1 },
    { paper: AGENTS_AGAIN, value: 1 },
    { paper: ROBOTS, value: -1 },
  ]);
  expect(terms.organizations).toEqual([{ name: "Lab a", weight: 0.5 }]);
  expect(terms.words).toEqual([{ name: "agents", weight: 0.5 }]);
});

test("names what one paper alone has while fewer than three are judged", () => {
  const two = [
    { paper: AGENTS_AGAIN, value: 1 },
    { paper: AGENTS_AGAIN, value: 1 },
    { paper: ROBOTS, value: -1 },
  ];
  expect(explainProfile(two).organizations).toEqual([
    { name: "Lab a", weight: 0.5 },
    { name: "Lab b", weight: -1 / 3 },
  ]);
  expect(explainProfile(two).words.map(({ name }) => name)).toEqual(["agents", "grasping", "robots"]);
});

test("names a paper's keywords rather than its title's words, where it has some", () => {
  const { words } = explainProfile([{ paper: AGENTS, value: 1 }]);
  expect(words.map(({ name }) => name)).toEqual(["tool"]);
});

test("leaves out what was said for and against alike", () => {
  const terms = explainProfile([
    { paper: AGENTS, value: 1 },
    { paper: AGENTS, value: -1 },
  ]);
  expect(terms).toEqual({ organizations: [], words: [] });
});

test("stays within -1 and 1, and the order of what was judged is of no account", () => {
  const judged = fc.array(
    fc.record({ paper: fc.constantFrom(AGENTS, ROBOTS), value: fc.constantFrom(1, -1) }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(judged, (all) => {
      const likes = createProfile(all)(AGENTS);
      expect(Math.abs(likes)).toBeLessThanOrEqual(1);
      expect(createProfile(all.toReversed())(AGENTS)).toBeCloseTo(likes, 12);
    }),
  );
});
