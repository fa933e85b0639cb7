import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { completeTopic, createFrequentTopics } from "../../src/core/frequent-topics.ts";
import { parseTopic } from "../../src/core/topic.ts";
import { createDesk, type TestDesk } from "../contracts/desk.ts";

const FREQUENT = async () => [
  { topic: "large language models", papers: 40 },
  { topic: "agents", papers: 12 },
  { topic: "robotics", papers: 7 },
  { topic: "multi-agent systems", papers: 3 },
];

let desk: TestDesk;
beforeAll(async () => {
  desk = await createDesk({ days: 4, perDay: 12 });
});
afterAll(() => desk.close());

test("an empty field offers what many papers are about, the most frequent first", async () => {
  const choices = await completeTopic(FREQUENT, "");
  expect(choices.map(({ value }) => value).slice(0, 2)).toEqual(["large language models", "agents"]);
  expect(choices[0]?.label).toBe("large language models · 40 papers lately");
});

test("a word behind others is completed alone, with its minus sign, and as a phrase where it is several", async () => {
  expect((await completeTopic(FREQUENT, "agents -rob")).map(({ value }) => value)).toEqual([
    "agents -robotics",
  ]);
  expect((await completeTopic(FREQUENT, "robotics large")).map(({ value }) => value)).toEqual([
    'robotics "large language models"',
  ]);
});

test("whatever is offered can be subscribed to", async () => {
  const frequent = createFrequentTopics(desk.store, desk.clock);
  expect((await frequent()).length).toBeGreaterThan(0);
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 12 }), async (typed) => {
      for (const { value, label } of await completeTopic(frequent, typed)) {
        expect(label.length).toBeLessThanOrEqual(100);
        if (typed.trim() === "") expect(() => parseTopic(value)).not.toThrow();
      }
    }),
  );
});
