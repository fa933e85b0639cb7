import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { settingsFields, settingsModal } from "../../../src/bots/slack/modals-settings.ts";
import {
  NO_FIELDS,
  readTopic,
  readTopicDraft,
  sameTopic,
  topicFields,
  topicLine,
  topicModal,
} from "../../../src/bots/slack/modals-topics.ts";
import {
  blockId,
  lineSection,
  type Memo,
  readHeld,
  readMemo,
  type SettingsMemo,
  type TopicMemo,
} from "../../../src/bots/slack/modals-views.ts";
import type { ChannelState } from "../../../src/core/channel.ts";
import { newChannel } from "../../../src/core/channel-change.ts";
import { HAS } from "../../../src/core/paper.ts";
import { parseTopic, TopicError } from "../../../src/core/topic.ts";
import { createAsker, NOW } from "../../contracts/desk.ts";
import { refuseView } from "../../peers/slack-rules.ts";
import { hostile } from "../any-message.ts";

const desk = { clock: () => new Date(NOW) };

/** Texts as people and attackers type them; some are topics. */
const typed = fc.oneof(
  hostile(300),
  fc.tuple(hostile(60), fc.integer({ min: 1, max: 60 })).map(([unit, times]) => `${unit} `.repeat(times)),
  fc
    .array(
      fc.constantFrom(
        ...'agents robots OR -web -"tool use" "a b" org:nvidia org:"ai2 lab" author:song has:code has:model min:5 org: min:x ( ) , “ ” 日本語 c++'.split(
          / (?=(?:[^"]*"[^"]*")*[^"]*$)/,
        ),
      ),
      { maxLength: 14 },
    )
    .map((words) => words.join(" ")),
);
const topics = typed.map((text) => {
  try {
    return parseTopic(text).text;
  } catch (error) {
    if (error instanceof TopicError) return "";
    throw error;
  }
});
const zones = fc.constantFrom("UTC", "Europe/Paris", "America/Argentina/ComodRivadavia");
const weekdays = fc
  .uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 7 })
  .map((days) => days.sort((a, b) => a - b));

/** A channel with up to 25 subscriptions. */
const states: fc.Arbitrary<ChannelState> = fc
  .record({
    topics: fc.array(topics, { maxLength: 25 }),
    zone: zones,
    time: fc
      .tuple(fc.nat(23), fc.nat(59))
      .map((parts) => parts.map((n) => String(n).padStart(2, "0")).join(":")),
    weekdays,
    top: fc.integer({ min: 1, max: 20 }),
    until: fc.option(fc.constantFrom("2026-05-04", "2026-04-01", null), { nil: undefined }),
    reason: fc.option(hostile(500)),
  })
  .map(({ topics: texts, zone, time, weekdays: days, top, until, reason }) => ({
    channel: {
      ...newChannel(createAsker(), desk.clock()).channel,
      schedule: { time, zone, weekdays: days },
      top,
      paused: until === undefined ? null : { until, reason },
      next: { at: "2026-04-23T07:00:00.000Z", slot: "2026-04-23" },
    },
    subscriptions: texts.map((topic, at) => ({ number: at + 1, topic, createdBy: "U1", createdAt: NOW })),
  }));

const memos: fc.Arbitrary<{ readonly settings: SettingsMemo; readonly state: ChannelState }> = fc
  .record({ state: states, round: fc.nat(1000), thread: fc.option(fc.constant("1713787200.000100")) })
  .map(({ state, round, thread }) => ({
    state,
    settings: {
      kind: "settings",
      workspace: "T0000000001",
      channel: "C0000000001",
      thread,
      round,
      shown: settingsFields(state, desk.clock()),
      version: round,
    },
  }));

/** Any payload's state: what was typed into every field, in Slack's form or in none. */
const fields = fc.record({ words: typed, without: typed, org: typed, author: typed, min: typed });

test("settings are a view that Slack takes, whatever the channel holds", () => {
  fc.assert(
    fc.property(
      memos,
      fc.boolean(),
      fc.array(hostile(400), { maxLength: 3 }),
      ({ settings, state }, maySet, lines) => {
        const notice = lines.length === 0 ? [] : [lineSection(lines)];
        const asker = createAsker({ maySet });
        const view = settingsModal(desk, asker, { memo: settings, fields: settings.shown, state, notice });
        expect(refuseView(view, ["modal"])).toBeNull();
        if (maySet) expect(readMemo(view.private_metadata)).toEqual(settings);
      },
    ),
    { numRuns: 200 },
  );
});

test("with 25 of the longest topics they are still one view", () => {
  const longest = "&".repeat(150) + "<!channel>".repeat(15);
  const state = {
    channel: newChannel(createAsker(), desk.clock()).channel,
    subscriptions: Array.from({ length: 25 }, (_, at) => ({
      number: at + 1,
      topic: longest,
      createdBy: "U1",
      createdAt: NOW,
    })),
  };
  const memo: SettingsMemo = {
    kind: "settings",
    workspace: "T1",
    channel: "C1",
    thread: null,
    round: 1,
    shown: settingsFields(state, desk.clock()),
    version: 1,
  };
  const view = settingsModal(desk, createAsker(), { memo, fields: memo.shown, state, notice: [] });
  expect(refuseView(view, ["modal"])).toBeNull();
  expect(JSON.stringify(view.blocks).split(longest).length - 1).toBe(25);
});

test("a topic's form is a view that Slack takes, whatever was typed and whatever it would bring", () => {
  const preview = fc.record({
    line: typed,
    lines: fc.array(hostile(400), { minLength: 1, maxLength: 6 }),
    instead: fc.option(fc.record({ label: hostile(400), line: topics.filter((text) => text !== "") })),
  });
  fc.assert(
    fc.property(
      memos,
      fields,
      fc.subarray([...HAS]),
      typed,
      fc.boolean(),
      preview,
      topics,
      (given, texts, has, line, isLine, shown, topic) => {
        const { workspace, channel, thread, round } = given.settings;
        const memo: TopicMemo = {
          kind: "topic",
          workspace,
          channel,
          thread,
          round,
          mode: isLine ? "line" : "fields",
          edits: { number: 999, shown: topic },
          under: { view: "V0000000001", memo: given.settings },
        };
        const view = topicModal(memo, { fields: { ...texts, has }, line }, shown);
        expect(refuseView(view, ["modal"])).toBeNull();
        expect(readMemo(view.private_metadata)).toEqual(memo satisfies Memo);
      },
    ),
    { numRuns: 200 },
  );
});

describe("the fields of a topic", () => {
  test("can hold any text, and what they come to is a topic or a mistake in a sentence", () => {
    fc.assert(
      fc.property(fields, fc.subarray([...HAS]), (texts, has) => {
        const topic = readTopic(topicLine({ ...texts, has }));
        if (topic instanceof Error) expect(topic.message).toMatch(/.\.$/s);
      }),
      { numRuns: 500 },
    );
  });

  test("say the same topic again, or nothing where it is more than they can say", () => {
    let said = 0;
    fc.assert(
      fc.property(topics, (text) => {
        const topic = readTopic(text);
        if (topic instanceof Error) throw topic;
        const found = topicFields(topic);
        if (found === null) return;
        said += 1;
        const again = readTopic(topicLine(found));
        if (again instanceof Error) throw again;
        expect(sameTopic(again, topic)).toBe(true);
      }),
      { numRuns: 500 },
    );
    expect(said).toBeGreaterThan(200);
  });

  test.each([
    ["agents plan", { words: "agents plan" }],
    ['"tool use" OR agents', { words: '"tool use" OR agents' }],
    ["org:nvidia OR org:google", { org: "nvidia, google" }],
    [
      'author:"song han" -"web search" -robots',
      { author: "song han", without: '"web search" -robots'.replace("-", "") },
    ],
    ["has:code has:model min:20", { has: ["code", "model"], min: "20" }],
    ["agents OR org:nvidia", null],
    ["org:nvidia org:google", null],
    ["has:code OR has:model", null],
  ])("of %s", (text, expected) => {
    expect(topicFields(parseTopic(text))).toEqual(expected === null ? null : { ...NO_FIELDS, ...expected });
  });

  test.each([
    ["without", "robots, web search", '-robots -"web search"'],
    ["without", "-robots “web search” x", '-robots -"web search" -x'],
    ["org", "nvidia; ai2 lab", 'org:"nvidia" OR org:"ai2 lab"'],
    ["words", 'OR "tool use', '"tool use"'],
    ["words", "agents OR", "agents"],
    ["min", " 20 ", "min:20"],
  ] as const)("take %s typed as %s", (field, text, line) => {
    expect(topicLine({ ...NO_FIELDS, [field]: text })).toBe(line);
  });
});

describe("what a form holds", () => {
  const memo = { round: 2 };
  const input = (field: string, element: object) => ({
    type: "input",
    block_id: blockId(field, memo),
    element: { action_id: field, ...element },
  });
  const blocks = [
    { type: "section", text: { type: "plain_text", text: "above" } },
    input("words", { initial_value: "agents" }),
    input("has", { initial_options: [{ value: "code" }] }),
    input("min", {}),
  ];

  test("is what was typed, and nothing where that was taken away", () => {
    const values = {
      "words:2": { words: { type: "plain_text_input", value: null } },
      "has:2": { has: { type: "checkboxes", selected_options: [] } },
      "min:2": { min: { type: "plain_text_input", value: "5" } },
    };
    const held = readHeld({ state: { values }, blocks });
    expect([held.text("words"), held.many("has"), held.text("min")]).toEqual(["", [], "5"]);
  });

  test("is what it was filled with where Slack tells of nothing else, or of an older filling", () => {
    for (const values of [
      {},
      { "words:1": { words: { value: "robots" } }, "min:1": { min: { value: "9" } } },
    ]) {
      const held = readHeld({ state: { values }, blocks });
      expect([held.text("words"), held.many("has"), held.text("min")]).toEqual(["agents", ["code"], ""]);
    }
  });

  test("is read whatever comes", () => {
    fc.assert(
      fc.property(fc.anything(), fc.array(fc.anything()), (state, anything) => {
        const held = readHeld({ state, blocks: [...blocks, ...anything] });
        expect(readTopicDraft(held, { mode: "fields" }).line).toBeTypeOf("string");
        expect(readTopicDraft(held, { mode: "line" }).line).toBeTypeOf("string");
        expect(readMemo(JSON.stringify(state))).toBeNull();
      }),
      { numRuns: 200 },
    );
  });
});
