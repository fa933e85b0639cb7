import type { z } from "zod";
import { countCharacters, createBlockKit, faultsOf } from "./slack-block-kit.ts";

/** Slack's answer to something that it does not take: its error, and what `response_metadata.messages` says. */
export type SlackRefusal = { readonly error: string; readonly messages: readonly string[] };

/**
 * Slack's own refusals of a message body (`chat.postMessage`, `chat.update`, `chat.postEphemeral`, a
 * `response_url`), in the words of `response_metadata.messages`, and those of what Paperboy must not send though
 * Slack may take it; an empty array means that it is fine. A refusal of the whole message is its bare error, such
 * as `no_text`.
 */
export function checkSlackMessage(body: unknown): string[] {
  const faults = [...faultsOf(OURS.message, body)];
  const seen = look(blocksOf(body), "/blocks", "message");
  faults.push(...seen.faults);
  const text = textOf(body);
  if (countCharacters(text) > MAX_UPDATED_TEXT) faults.push("msg_too_long");
  if (text === "" && blocksOf(body).length === 0) faults.push("no_text");
  if (seen.characters > OUR_MAX_BLOCKS_TEXT) faults.push("msg_blocks_too_long");
  return faults;
}

/** How Slack refuses a message; null where it takes it. `maxText`: where the method refuses a longer fallback. */
export function refuseMessage(body: unknown, maxText = Number.POSITIVE_INFINITY): SlackRefusal | null {
  const seen = look(blocksOf(body), "/blocks", "block");
  const faults = [...faultsOf(SLACK.message, body), ...seen.faults];
  if (faults.length > 0) {
    const inBlocks = faults.every((fault) => fault.includes("[json-pointer:/blocks"));
    return refusal(inBlocks ? "invalid_blocks" : "invalid_arguments", faults);
  }
  if (seen.characters > MAX_BLOCKS_TEXT) return refusal("msg_blocks_too_long");
  const text = textOf(body);
  if (text === "" && blocksOf(body).length === 0) return refusal("no_text");
  if (countCharacters(text) > maxText) return refusal("msg_too_long");
  return null;
}

/** How Slack refuses a view of one of these types; null where it takes it. */
export function refuseView(view: unknown, types: readonly ("modal" | "home")[]): SlackRefusal | null {
  if (Buffer.byteLength(JSON.stringify(view) ?? "") > MAX_VIEW_BYTES) return refusal("view_too_large");
  const faults = [...faultsOf(SLACK.view, view, "/view")];
  const type = isFields(view) ? view["type"] : undefined;
  if (faults.length === 0 && !types.some((each) => each === type))
    faults.push(`must be of type ${types.join(" or ")} [json-pointer:/view/type]`);
  faults.push(...look(blocksOf(view), "/view/blocks", "block").faults);
  return faults.length === 0 ? null : refusal("invalid_arguments", faults);
}

/** How Slack refuses what an app answers to a `block_suggestion`; null where it shows it. */
export function refuseSuggestions(answer: unknown): SlackRefusal | null {
  const faults = faultsOf(SLACK.suggestions, answer);
  return faults.length === 0 ? null : refusal("invalid_arguments", faults);
}

/** Faults of one part alone, such as a block: for fixtures. */
export function checkSlackPart(part: "block" | "text" | "option" | "confirm", value: unknown): string[] {
  const schemas: Readonly<Record<typeof part, z.ZodType>> = SLACK;
  return [...faultsOf(schemas[part], value)];
}

/** `chat.update` refuses a longer text: https://docs.slack.dev/reference/methods/chat.update. */
export const MAX_UPDATED_TEXT = 4000;
/** `chat.postMessage` cuts a longer text: https://docs.slack.dev/reference/methods/chat.postMessage. */
export const MAX_POSTED_TEXT = 40_000;
/** Undocumented: Slack has refused from 11,000 and taken up to 13,000 characters over all blocks. */
const MAX_BLOCKS_TEXT = 13_000;
const OUR_MAX_BLOCKS_TEXT = 10_000;
/** https://docs.slack.dev/reference/methods/views.open: `view_too_large`. */
const MAX_VIEW_BYTES = 250_000;

const SLACK = createBlockKit(false);
const OURS = createBlockKit(true);

/**
 * What no schema of a part can see: ids that are there twice, and how much text there is altogether. Slack wants
 * action ids to differ within a block; ours differ within a message.
 */
function look(blocks: readonly unknown[], root: string, actionIdsWithin: "block" | "message") {
  const faults: string[] = [];
  const blockIds = new Set<unknown>();
  let actionIds = new Set<unknown>();
  let focused = 0;
  let characters = 0;
  const visit = (value: unknown, pointer: string): void => {
    if (Array.isArray(value)) {
      for (const [index, each] of value.entries()) visit(each, `${pointer}/${index}`);
    } else if (isFields(value)) {
      for (const [key, each] of Object.entries(value)) {
        if (typeof each !== "string") visit(each, `${pointer}/${key}`);
        else if (TEXT_KEYS.has(key)) characters += countCharacters(each);
      }
      if (value["focus_on_load"] === true && ++focused === 2)
        faults.push(`only one element can have \`focus_on_load\` [json-pointer:${pointer}/focus_on_load]`);
      const id = value["action_id"];
      if (typeof id !== "string") return;
      if (actionIds.has(id))
        faults.push(`\`action_id\` "${id}" already exists [json-pointer:${pointer}/action_id]`);
      actionIds.add(id);
    }
  };
  for (const [index, block] of blocks.entries()) {
    if (actionIdsWithin === "block") actionIds = new Set();
    visit(block, `${root}/${index}`);
    const id = isFields(block) ? block["block_id"] : undefined;
    if (id === undefined) continue;
    if (blockIds.has(id)) faults.push(`\`block_id\` already exists [json-pointer:${root}/${index}/block_id]`);
    blockIds.add(id);
  }
  return { faults, characters };
}

const TEXT_KEYS: ReadonlySet<string> = new Set(["text", "alt_text", "accessibility_label"]);

function refusal(error: string, faults: readonly string[] = []): SlackRefusal {
  return { error, messages: faults.map((fault) => `[ERROR] ${fault}`) };
}

function blocksOf(body: unknown): readonly unknown[] {
  const blocks: unknown = isFields(body) ? body["blocks"] : undefined;
  return Array.isArray(blocks) ? blocks : [];
}

function textOf(body: unknown): string {
  const text = isFields(body) ? body["text"] : undefined;
  return typeof text === "string" ? text : "";
}

function isFields(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
