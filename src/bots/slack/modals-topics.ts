import type { types } from "@slack/bolt";
import type { Desk } from "../../core/command.ts";
import { HAS } from "../../core/paper.ts";
import { cutAtSentence, plainText, readable } from "../../core/readable.ts";
import {
  type Alternative,
  type Group,
  parseTopic,
  type Term,
  type Topic,
  TopicError,
} from "../../core/topic.ts";
import {
  narrowerOrWider,
  rateForPeople,
  type RecentDays,
  volumeForPeople,
  volumeOf,
} from "../../core/volume.ts";
import { blockId, type Held, lineSection, modal, plain, smallPrint, type TopicMemo } from "./modals-views.ts";

/** A topic in the form's fields, all as typed. */
export type TopicFields = {
  readonly words: string;
  readonly without: string;
  readonly org: string;
  readonly author: string;
  readonly has: readonly string[];
  readonly min: string;
};

export const NO_FIELDS: TopicFields = { words: "", without: "", org: "", author: "", has: [], min: "" };

/** What the form is filled with, in either mode. */
export type TopicDraft = { readonly fields: TopicFields; readonly line: string };

/** What a line would bring, in lines for people, and another one to take instead. */
export type Preview = {
  readonly line: string;
  readonly lines: readonly string[];
  readonly instead: { readonly label: string; readonly line: string } | null;
};

/** As long as a topic may be: core says so where it is longer. */
const LONGEST_LINE = 300;
const EXAMPLES = 3;
const LONGEST_EXAMPLE = 90;

/** Fields for a topic, or one line, and what it would bring. */
export function topicModal(
  memo: TopicMemo,
  draft: TopicDraft,
  preview: Preview,
  notice: readonly types.KnownBlock[] = [],
): types.ModalView {
  const isLine = memo.mode === "line";
  return modal({
    title: topicTitle(memo),
    submit: memo.edits === null ? "Subscribe" : "Save",
    memo,
    blocks: [
      ...notice,
      ...(isLine ? [lineInput(memo, draft.line)] : fieldInputs(memo, draft.fields)),
      {
        type: "actions",
        elements: [
          {
            type: "button",
            action_id: isLine ? "v1:topic:as-fields" : "v1:topic:as-line",
            text: plain(isLine ? "Use fields instead" : "Write it as one line instead"),
          },
        ],
      },
      { type: "divider" },
      ...previewBlocks(preview),
    ],
  });
}

export function topicTitle({ edits }: Pick<TopicMemo, "edits">): string {
  return edits === null ? "Add a topic" : `Edit topic ${edits.number}`;
}

function previewBlocks({ line, lines, instead }: Preview): readonly types.KnownBlock[] {
  return [
    { type: "header", text: plain(line === "" ? "The day's top list" : line, 150) },
    smallPrint(lines),
    ...(instead === null
      ? []
      : [
          {
            ...lineSection([instead.label]),
            accessory: {
              type: "button" as const,
              action_id: "v1:topic:use",
              text: plain("Use it"),
              value: instead.line,
            },
          },
        ]),
  ];
}

function lineInput(memo: TopicMemo, line: string): types.InputBlock {
  return {
    ...textInput(memo, "line", "Topic", line, "agents -robotics org:nvidia has:code min:20"),
    hint: plain(
      'Words, "a phrase", -without, OR, org:nvidia, author:"Song Han", has:code, min:20; empty for the day\'s top list.',
    ),
  };
}

function fieldInputs(memo: TopicMemo, fields: TopicFields): readonly types.InputBlock[] {
  const boxes = HAS.map((name) => ({ text: plain(HAS_LABELS[name], 75), value: name }));
  const ticked = boxes.filter(({ value }) => fields.has.includes(value));
  return [
    {
      ...textInput(memo, "words", "Words", fields.words, "efficient inference"),
      hint: plain('All of them must be there. "Quotes" keep words together, OR leaves a choice.'),
    },
    textInput(memo, "without", "Without", fields.without, "robotics, computer vision"),
    textInput(memo, "org", "Organization", fields.org, "nvidia"),
    textInput(memo, "author", "Author", fields.author, "Song Han"),
    {
      type: "input",
      block_id: blockId("has", memo),
      label: plain("Has all of these"),
      optional: true,
      dispatch_action: true,
      element: {
        type: "checkboxes",
        action_id: "v1:topic:has",
        options: boxes,
        ...(ticked.length === 0 ? {} : { initial_options: ticked }),
      },
    },
    textInput(memo, "min", "Upvotes, at least", fields.min, "20"),
  ];
}

const HAS_LABELS: Readonly<Record<(typeof HAS)[number], string>> = {
  code: "Code",
  model: "A model",
  dataset: "A dataset",
  space: "A space",
  video: "A video",
  project: "A project page",
};

function textInput(
  memo: TopicMemo,
  field: string,
  label: string,
  typed: string,
  example: string,
): types.InputBlock {
  const initial = plainText(typed).slice(0, LONGEST_LINE).toWellFormed();
  return {
    type: "input",
    block_id: blockId(field, memo),
    label: plain(label),
    optional: true,
    dispatch_action: true,
    element: {
      type: "plain_text_input",
      action_id: `v1:topic:${field}`,
      max_length: LONGEST_LINE,
      placeholder: plain(example, 150),
      ...(initial === "" ? {} : { initial_value: initial }),
      dispatch_action_config: { trigger_actions_on: ["on_enter_pressed", "on_character_entered"] },
    },
  };
}

/** What the form holds. */
export function readTopicDraft(held: Held, { mode }: Pick<TopicMemo, "mode">): TopicDraft {
  if (mode === "line") return { fields: NO_FIELDS, line: plainText(held.text("line")) };
  const fields = {
    words: held.text("words"),
    without: held.text("without"),
    org: held.text("org"),
    author: held.text("author"),
    has: held.many("has"),
    min: held.text("min"),
  };
  return { fields, line: topicLine(fields) };
}

/** The fields as one line of the topic language. */
export function topicLine(fields: TopicFields): string {
  return partsOf(fields)
    .map(([, part]) => part)
    .filter(Boolean)
    .join(" ");
}

function partsOf(fields: TopicFields): readonly (readonly [field: string, part: string])[] {
  const { words, without, org, author, has, min } = fields;
  const left = termsOf(without).map((term) => `-${term}`);
  return [
    ["words", closed(straight(words).replace(/^(\s*OR\b)+|(\bOR\s*)+$/g, ""))],
    ["org", namesOf("org", org)],
    ["author", namesOf("author", author)],
    ["has", has.map((name) => `has:${name}`).join(" ")],
    ["without", left.join(" ")],
    ["min", min.trim() === "" ? "" : `min:${straight(min).replace(/[\s"]+/g, "")}`],
  ];
}

/** `robotics, computer vision` leaves out a word and a phrase; without commas, each word or quoted phrase. */
function termsOf(typed: string): readonly string[] {
  const text = straight(typed);
  if (/[,;]/.test(text)) {
    return text
      .split(/[,;]/)
      .map(bare)
      .filter(Boolean)
      .map((term) => (/\s/.test(term) ? `"${term}"` : term));
  }
  return [...closed(text).matchAll(/"([^"]*)"|[^\s"]+/g)].flatMap(([whole, quoted]) => {
    const term = bare(quoted ?? whole);
    if (term === "") return [];
    return [quoted === undefined ? term : `"${term}"`];
  });
}

/** Of several names with commas between them, any one will do. */
function namesOf(key: "org" | "author", typed: string): string {
  return straight(typed)
    .split(/[,;]/)
    .map(bare)
    .filter(Boolean)
    .map((name) => `${key}:"${name}"`)
    .join(" OR ");
}

/** Phones write curly quotes. */
function straight(text: string): string {
  return plainText(text).replace(/[\u201c-\u201f\u00ab\u00bb]/g, '"');
}

function bare(text: string): string {
  return text.replaceAll('"', " ").trim().replace(/^-+/, "").trim();
}

/** A quote that is left open would swallow the other fields. */
function closed(text: string): string {
  return (text.split('"').length - 1) % 2 === 0 ? text.trim() : `${text.trim()}"`;
}

/** The field that a line's mistake is in: the first that cannot be read by itself. */
export function fieldOfMistake({ fields }: TopicDraft, { mode }: Pick<TopicMemo, "mode">): string {
  if (mode === "line") return "line";
  const found = partsOf(fields).find(
    ([, part]) => part !== "" && readTopic(`agents ${part}`) instanceof Error,
  );
  return found?.[0] ?? "words";
}

/** A topic in fields; null where it says more than they can. */
export function topicFields(topic: Topic | null): TopicFields | null {
  if (topic === null) return NO_FIELDS;
  const of = (kind: Alternative["kind"]) => topic.groups.filter((group) => group[0]?.kind === kind);
  const fields = {
    words: of("words").map(printWords).join(" "),
    without: topic.excluded.map(printTerm).join(" "),
    org: of("org").map(printNames).join(", "),
    author: of("author").map(printNames).join(", "),
    has: of("has").flatMap((group) => group.flatMap((each) => (each.kind === "has" ? [each.value] : []))),
    min: topic.min === null ? "" : String(topic.min),
  };
  const again = readTopic(topicLine(fields));
  return again !== null && !(again instanceof Error) && sameTopic(again, topic) ? fields : null;
}

/** Whether two topics ask for the same, in whatever order. */
export function sameTopic(one: Topic | null, other: Topic | null): boolean {
  if (one === null || other === null) return one === other;
  const parts = ({ groups, excluded, min }: Topic) =>
    JSON.stringify([
      groups
        .map((group) => group.map((each) => JSON.stringify(each)).sort())
        .map(String)
        .sort(),
      excluded.map(printTerm).sort(),
      min,
    ]);
  return parts(one) === parts(other);
}

function printWords(group: Group): string {
  return group
    .map((each) => (each.kind === "words" ? each.terms.map(printTerm).join(" ") : each.value))
    .join(" OR ");
}

function printNames(group: Group): string {
  return group.map((each) => (each.kind === "words" ? "" : each.value)).join(", ");
}

function printTerm({ text, phrase }: Term): string {
  return phrase ? `"${text}"` : text;
}

/** Null for nothing at all, which is the top list. */
export function readTopic(line: string): Topic | TopicError | null {
  if (plainText(line) === "") return null;
  try {
    return parseTopic(line);
  } catch (error) {
    if (error instanceof TopicError) return error;
    throw error;
  }
}

/** What a line would have brought lately, or what is wrong with it. */
export async function previewTopic(
  desk: Desk,
  line: string,
  recent: () => Promise<RecentDays>,
): Promise<Preview> {
  const topic = readTopic(line);
  if (topic instanceof Error) {
    const { message, suggestion } = topic;
    const instead = suggestion === null ? null : { label: `Try: ${suggestion}`, line: suggestion };
    return { line: plainText(line), lines: [message], instead };
  }
  const days = await recent();
  const [volume, neighbor] = await Promise.all([
    volumeOf(desk, topic, days),
    narrowerOrWider(desk, topic, days),
  ]);
  const examples = volume.papers
    .slice(0, EXAMPLES)
    .map(({ title }) => cutAtSentence(plainText(readable(title)), LONGEST_EXAMPLE));
  return {
    line: topic?.text ?? "",
    lines: [
      volumeForPeople(volume),
      ...(volume.days > 0 && volume.papers.length === 0
        ? ["Nothing like it was listed: check the spelling."]
        : []),
      ...(examples.length === 0 ? [] : ["The latest:", ...examples.map((title) => `• ${title}`)]),
      ...(desk.notice === null ? [] : [desk.notice]),
    ],
    instead:
      neighbor === null
        ? null
        : {
            label: `${neighbor.kind === "narrower" ? "Narrower" : "Wider"}: ${neighbor.topic.text} brings ${rateForPeople(neighbor.volume.aDay)}.`,
            line: neighbor.topic.text,
          },
  };
}
