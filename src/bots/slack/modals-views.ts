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

/** What an input of a modal holds; the parts that others than its kind have are absent. */
const HELD = z.object({
  value: z.string().nullish(),
  selected_option: z.object({ value: z.string() }).nullish(),
  selected_options: z.array(z.object({ value: z.string() })).nullish(),
  selected_time: z.string().nullish(),
  selected_date: z.string().nullish(),
});
const STATE = z.object({ values: z.record(z.string(), z.record(z.string(), HELD)) });

/** What a view's inputs hold, by the field's name. */
export type Held = {
  /** What was typed or chosen; empty where nothing was. */
  text(field: string): string;
  many(field: string): readonly string[];
};

/** Reads the `state` that comes with a press or a submission. */
export function readHeld(state: unknown): Held {
  const { values } = STATE.safeParse(state).data ?? { values: {} };
  const held = new Map(
    Object.entries(values).flatMap(([block, elements]) =>
      Object.values(elements).map((element) => [block.split(":")[0] ?? "", element] as const),
    ),
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
