import type { types } from "@slack/bolt";
import { z } from "zod";
import type { Reply } from "../../core/command.ts";
import { cutAtSentence, plainText } from "../../core/readable.ts";

/** What a form was opened about: Slack brings it back with each press and with the submission. */
export type Memo = SettingsMemo | TopicMemo;
export type SettingsMemo = z.infer<typeof SETTINGS_MEMO>;
export type TopicMemo = z.infer<typeof TOPIC_MEMO>;

/** The settings as a form has them. */
export type SettingsFields = z.infer<typeof SETTINGS_FIELDS>;

const SETTINGS_FIELDS = z.object({
  /** `HH:MM`. */
  time: z.string(),
  zone: z.string(),
  /** ISO weekdays, in order. */
  days: z.array(z.number()),
  /** Whether a digest a week was chosen: it has one day. */
  isWeekly: z.boolean(),
  top: z.number(),
  isPaused: z.boolean(),
  /** The last day of a pause; empty for none. */
  until: z.string(),
});

const PLACE = {
  workspace: z.string(),
  channel: z.string(),
  /** The thread that the pressed message stands in, where changes are confirmed too. */
  thread: z.string().nullable(),
  /**
   * Part of each input's `block_id`. Slack keeps what was typed while that stays the same, so what Paperboy puts into
   * a form itself needs a new one.
   */
  round: z.number(),
};

const SETTINGS_MEMO = z.object({
  kind: z.literal("settings"),
  ...PLACE,
  /** What stood when the form was filled. */
  shown: SETTINGS_FIELDS,
  /** The channel's version then; 0 for a channel that is not kept yet. */
  version: z.number(),
});

const TOPIC_MEMO = z.object({
  kind: z.literal("topic"),
  ...PLACE,
  /** A topic in fields, or as the one line that it is. */
  mode: z.enum(["fields", "line"]),
  /** The subscription being edited, and its topic when the form was filled; null for a new one. */
  edits: z.object({ number: z.number(), shown: z.string() }).nullable(),
  /** The settings' view below this one. */
  under: z.object({ view: z.string(), memo: SETTINGS_MEMO }).nullable(),
});

const MEMO = z.discriminatedUnion("kind", [SETTINGS_MEMO, TOPIC_MEMO]);

/** Null where an older version wrote it, or none is there. */
export function readMemo(metadata: string | undefined): Memo | null {
  try {
    return MEMO.safeParse(JSON.parse(metadata ?? "")).data ?? null;
  } catch {
    return null;
  }
}

const OPTION = z.object({ value: z.string() });
/** What an input holds; the parts that others than its kind have are absent. */
const HOLDING = z.object({
  value: z.string().nullish(),
  selected_option: OPTION.nullish(),
  selected_options: z.array(OPTION).nullish(),
  selected_time: z.string().nullish(),
  selected_date: z.string().nullish(),
});
const STATE = z.object({ values: z.record(z.string(), z.record(z.string(), HOLDING)) });
const INPUT = z.object({
  type: z.literal("input"),
  block_id: z.string(),
  element: z.object({
    action_id: z.string(),
    initial_value: z.string().nullish(),
    initial_option: OPTION.nullish(),
    initial_options: z.array(OPTION).nullish(),
    initial_time: z.string().nullish(),
    initial_date: z.string().nullish(),
  }),
});

/** What a view's inputs hold, by the field's name. */
export type Held = {
  /** What was typed or chosen; empty where nothing was. */
  text(field: string): string;
  many(field: string): readonly string[];
};

/**
 * Reads the view that comes with a press or a submission. Its `state` can lack inputs that an update filled, and hold
 * those of blocks that an update took away (https://github.com/slackapi/bolt-js/issues/625 and 1258): what counts are
 * the inputs of its `blocks`, each with what it was filled with where nothing else is known.
 */
export function readHeld(view: { readonly state: unknown; readonly blocks: readonly unknown[] }): Held {
  const { values } = STATE.safeParse(view.state).data ?? { values: {} };
  const held = new Map(
    view.blocks.flatMap((block) => {
      const input = INPUT.safeParse(block).data;
      if (input === undefined) return [];
      const { block_id, element } = input;
      const filled: z.infer<typeof HOLDING> = {
        value: element.initial_value,
        selected_option: element.initial_option,
        selected_options: element.initial_options,
        selected_time: element.initial_time,
        selected_date: element.initial_date,
      };
      return [[block_id.split(":")[0] ?? "", values[block_id]?.[element.action_id] ?? filled] as const];
    }),
  );
  return {
    text(field) {
      const one = held.get(field);
      return one?.value ?? one?.selected_option?.value ?? one?.selected_time ?? one?.selected_date ?? "";
    },
    many: (field) => held.get(field)?.selected_options?.map(({ value }) => value) ?? [],
  };
}

/** An input's `block_id`: where `response_action: errors` puts a sentence. */
export function blockId(field: string, { round }: Pick<Memo, "round">): string {
  return `${field}:${round}`;
}

/** https://docs.slack.dev/reference/views and https://docs.slack.dev/reference/block-kit */
const LIMITS = { title: 24, text: 3000, blocks: 100 };
/** Slack says no limit for what stands at a field; longer would hide the form. */
const LONGEST_ERROR = 600;

/** A modal; without `submit` it can only be closed. */
export function modal({
  title,
  blocks,
  submit = null,
  memo = null,
}: {
  readonly title: string;
  readonly blocks: readonly types.KnownBlock[];
  readonly submit?: string | null;
  readonly memo?: Memo | null;
}): types.ModalView {
  return {
    type: "modal",
    ...(memo === null ? {} : { callback_id: `v1:${memo.kind}`, private_metadata: JSON.stringify(memo) }),
    title: plain(title, LIMITS.title),
    close: plain(submit === null ? "Close" : "Cancel"),
    ...(submit === null ? {} : { submit: plain(submit) }),
    blocks: blocks.slice(0, LIMITS.blocks),
  };
}

/** A modal of sentences. */
export function noteModal(title: string, lines: readonly string[]): types.ModalView {
  return modal({ title, blocks: [lineSection(lines)] });
}

/** An answer's sentences, each a line. */
export function linesOf({ message }: Reply): readonly string[] {
  return [message.title, ...message.intro];
}

/** Sentences as they stand at a field. */
export function errorText(...lines: readonly string[]): string {
  return cutAtSentence(plainText(lines.join(" ")), LONGEST_ERROR);
}

/** Plain text is literal on Slack: it neither pings nor links nor formats. */
export function plain(text: string, max: number = LIMITS.text): types.PlainTextElement {
  return { type: "plain_text", text: cutAtSentence(plainText(text), max) || "–", emoji: false };
}

/** Lines of plain text in a section of their own. */
export function lineSection(lines: readonly string[]): types.SectionBlock {
  return { type: "section", text: lineText(lines) };
}

/** Lines of plain text in small print. */
export function smallPrint(lines: readonly string[]): types.ContextBlock {
  return { type: "context", elements: [lineText(lines)] };
}

function lineText(lines: readonly string[]): types.PlainTextElement {
  const text = lines.map(plainText).filter(Boolean).join("\n");
  return { type: "plain_text", text: cutAtSentence(text, LIMITS.text) || "–", emoji: false };
}
