/**
 * Slack's own refusals of a message body (`chat.postMessage`, `chat.update`, `chat.postEphemeral`, a
 * `response_url`), in the words of `response_metadata.messages`; an empty array means that Slack takes it. A
 * refusal of the whole message is its bare error, such as `no_text`. Kinds that Paperboy never sends
 * (attachments, rich text, inputs, other menus) are refused. Characters are counted as code points. Written from
 * https://docs.slack.dev/reference/block-kit, not from the renderer.
 */
export function checkSlackMessage(body: unknown): string[] {
  const errors: string[] = [];
  const say = (sentence: string, pointer: string) => errors.push(`${sentence} [json-pointer:${pointer}]`);
  const seen: Seen = { characters: 0, actionIds: new Set(), blockIds: new Set(), say };
  if (!isObject(body)) return ["invalid_arguments"];
  checkKeys(body, MESSAGE_KEYS, "", seen);

  const text = body.text;
  if (text !== undefined && typeof text !== "string") say("must provide a string", "/text");
  if (typeof text === "string" && length(text) > MAX_FALLBACK) errors.push("msg_too_long");
  for (const key of FLAGS) {
    if (body[key] !== undefined && typeof body[key] !== "boolean") say("must provide a boolean", `/${key}`);
  }

  const blocks = body.blocks;
  if (blocks !== undefined && checkItems(blocks, "/blocks", 0, 50, seen)) {
    for (const [i, block] of blocks.entries()) checkBlock(block, `/blocks/${i}`, seen);
  }
  const hasBlocks = Array.isArray(blocks) && blocks.length > 0;
  if (!hasBlocks && (text === undefined || text === "")) errors.push("no_text");
  if (seen.characters > MAX_BLOCKS_TEXT) errors.push("msg_blocks_too_long");
  return errors;
}

/** The method cuts at 40,000, but an update already refuses more than 4,000, so no message may have more. */
const MAX_FALLBACK = 4000;
/** Undocumented; seen from 11,000 on. The margin is ours. */
const MAX_BLOCKS_TEXT = 10_000;

const FLAGS = [
  "unfurl_links",
  "unfurl_media",
  "mrkdwn",
  "link_names",
  "reply_broadcast",
  "replace_original",
] as const;
const MESSAGE_KEYS = [
  ...FLAGS,
  "channel",
  "user",
  "text",
  "blocks",
  "ts",
  "thread_ts",
  "metadata",
  "parse",
  "response_type",
  "delete_original",
];

/** Whatever came; the names are those that are looked at. */
type Fields = { readonly [field in Field]?: unknown };
type Field =
  | "type"
  | "text"
  | "blocks"
  | "block_id"
  | "elements"
  | "fields"
  | "accessory"
  | "title"
  | "image_url"
  | "alt_text"
  | "action_id"
  | "url"
  | "value"
  | "style"
  | "accessibility_label"
  | "placeholder"
  | "options"
  | "description"
  | "unfurl_links"
  | "unfurl_media"
  | "mrkdwn"
  | "link_names"
  | "reply_broadcast"
  | "replace_original"
  | "emoji"
  | "verbatim";
type Seen = {
  characters: number;
  readonly actionIds: Set<string>;
  readonly blockIds: Set<string>;
  say(sentence: string, pointer: string): void;
};
type Check = (fields: Fields, pointer: string, seen: Seen) => void;

const BLOCKS: Readonly<Record<string, Check>> = {
  section: checkSection,
  header(block, pointer, seen) {
    checkKeys(block, ["type", "block_id", "text"], pointer, seen);
    checkTextObject(block.text, `${pointer}/text`, ["plain_text"], 150, seen);
  },
  context(block, pointer, seen) {
    checkKeys(block, ["type", "block_id", "elements"], pointer, seen);
    checkElements(block.elements, `${pointer}/elements`, 10, { image: checkImage, ...TEXTS }, seen);
  },
  actions(block, pointer, seen) {
    checkKeys(block, ["type", "block_id", "elements"], pointer, seen);
    const kinds = { button: checkButton, static_select: checkSelect };
    checkElements(block.elements, `${pointer}/elements`, 25, kinds, seen);
  },
  image(block, pointer, seen) {
    if (block.title !== undefined) {
      checkTextObject(block.title, `${pointer}/title`, ["plain_text"], 2000, seen);
    }
    const { title: _title, block_id: _id, ...image } = block;
    checkImage(image, pointer, seen);
  },
  divider(block, pointer, seen) {
    checkKeys(block, ["type", "block_id"], pointer, seen);
  },
};

const TEXTS: Readonly<Record<string, Check>> = {
  mrkdwn: (text, pointer, seen) => checkTextObject(text, pointer, ["mrkdwn"], 3000, seen),
  plain_text: (text, pointer, seen) => checkTextObject(text, pointer, ["plain_text"], 3000, seen),
};

function checkBlock(block: unknown, pointer: string, seen: Seen): void {
  if (!isObject(block)) {
    seen.say("must provide an object", pointer);
    return;
  }
  checkKind(block, pointer, BLOCKS, seen);
  const id = block.block_id;
  if (id === undefined) return;
  checkString(id, `${pointer}/block_id`, 1, 255, seen);
  if (typeof id !== "string") return;
  if (seen.blockIds.has(id)) seen.say("`block_id` already exists", `${pointer}/block_id`);
  seen.blockIds.add(id);
}

function checkKind(
  fields: Fields,
  pointer: string,
  kinds: Readonly<Record<string, Check>>,
  seen: Seen,
): void {
  const type = fields.type;
  const check = typeof type === "string" && Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (check === undefined) seen.say(`unsupported type: ${String(type)}`, `${pointer}/type`);
  else check(fields, pointer, seen);
}

function checkSection(block: Fields, pointer: string, seen: Seen): void {
  checkKeys(block, ["type", "block_id", "text", "fields", "accessory", "expand"], pointer, seen);
  const { text, fields, accessory } = block;
  if (text === undefined && fields === undefined) seen.say("missing required field: text", pointer);
  if (text !== undefined) checkTextObject(text, `${pointer}/text`, ["mrkdwn", "plain_text"], 3000, seen);
  if (fields !== undefined && checkItems(fields, `${pointer}/fields`, 1, 10, seen)) {
    for (const [i, field] of fields.entries()) {
      checkTextObject(field, `${pointer}/fields/${i}`, ["mrkdwn", "plain_text"], 2000, seen);
    }
  }
  if (accessory === undefined) return;
  if (!isObject(accessory)) {
    seen.say("must provide an object", `${pointer}/accessory`);
    return;
  }
  const kinds = { button: checkButton, static_select: checkSelect, image: checkImage };
  checkKind(accessory, `${pointer}/accessory`, kinds, seen);
}

function checkImage(image: Fields, pointer: string, seen: Seen): void {
  checkKeys(image, ["type", "image_url", "alt_text"], pointer, seen);
  checkUrl(image.image_url, `${pointer}/image_url`, seen);
  seen.characters += checkString(image.alt_text, `${pointer}/alt_text`, 1, 2000, seen);
}

function checkButton(button: Fields, pointer: string, seen: Seen): void {
  const keys = ["type", "text", "action_id", "url", "value", "style", "accessibility_label"];
  checkKeys(button, keys, pointer, seen);
  checkTextObject(button.text, `${pointer}/text`, ["plain_text"], 75, seen);
  checkActionId(button.action_id, pointer, seen);
  if (button.url !== undefined) checkUrl(button.url, `${pointer}/url`, seen);
  if (button.value !== undefined) checkString(button.value, `${pointer}/value`, 1, 2000, seen);
  if (button.style !== undefined && button.style !== "primary" && button.style !== "danger") {
    seen.say("must be a valid enum value", `${pointer}/style`);
  }
  const label = button.accessibility_label;
  if (label !== undefined)
    seen.characters += checkString(label, `${pointer}/accessibility_label`, 1, 75, seen);
}

function checkSelect(select: Fields, pointer: string, seen: Seen): void {
  const keys = ["type", "action_id", "placeholder", "options", "initial_option", "focus_on_load"];
  checkKeys(select, keys, pointer, seen);
  checkActionId(select.action_id, pointer, seen);
  if (select.placeholder !== undefined) {
    checkTextObject(select.placeholder, `${pointer}/placeholder`, ["plain_text"], 150, seen);
  }
  const options = select.options;
  if (!checkItems(options, `${pointer}/options`, 1, 100, seen)) return;
  const values = new Set<unknown>();
  for (const [i, option] of options.entries()) {
    const at = `${pointer}/options/${i}`;
    if (!isObject(option)) {
      seen.say("must provide an object", at);
      continue;
    }
    checkKeys(option, ["text", "value", "description"], at, seen);
    checkTextObject(option.text, `${at}/text`, ["plain_text"], 75, seen);
    // Slack's sources disagree whether it is 75 or 150.
    checkString(option.value, `${at}/value`, 1, 75, seen);
    if (option.description !== undefined) {
      checkTextObject(option.description, `${at}/description`, ["plain_text"], 75, seen);
    }
    if (values.has(option.value)) seen.say("`value` already exists", `${at}/value`);
    values.add(option.value);
  }
}

function checkActionId(id: unknown, pointer: string, seen: Seen): void {
  // Slack makes one up where it is missing; a press could then not be routed.
  checkString(id, `${pointer}/action_id`, 1, 255, seen);
  if (typeof id !== "string") return;
  if (seen.actionIds.has(id)) seen.say(`\`action_id\` "${id}" already exists`, `${pointer}/action_id`);
  seen.actionIds.add(id);
}

function checkTextObject(
  text: unknown,
  pointer: string,
  types: readonly string[],
  max: number,
  seen: Seen,
): void {
  if (!isObject(text)) {
    seen.say(
      text === undefined ? `missing required field: ${pointer.split("/").at(-1)}` : "must provide an object",
      pointer,
    );
    return;
  }
  const type = text.type;
  if (typeof type !== "string" || !types.includes(type)) {
    seen.say(`must be one of: ${types.join(", ")}`, `${pointer}/type`);
    return;
  }
  const flag = type === "mrkdwn" ? "verbatim" : "emoji";
  checkKeys(text, ["type", "text", flag], pointer, seen);
  if (text[flag] !== undefined && typeof text[flag] !== "boolean") {
    seen.say("must provide a boolean", `${pointer}/${flag}`);
  }
  seen.characters += checkString(text.text, `${pointer}/text`, 1, max, seen);
}

function checkElements(
  elements: unknown,
  pointer: string,
  max: number,
  kinds: Readonly<Record<string, Check>>,
  seen: Seen,
): void {
  if (!checkItems(elements, pointer, 1, max, seen)) return;
  for (const [i, element] of elements.entries()) {
    if (isObject(element)) checkKind(element, `${pointer}/${i}`, kinds, seen);
    else seen.say("must provide an object", `${pointer}/${i}`);
  }
}

function checkItems(
  list: unknown,
  pointer: string,
  min: number,
  max: number,
  seen: Seen,
): list is readonly unknown[] {
  if (!Array.isArray(list)) {
    seen.say(
      list === undefined ? `missing required field: ${pointer.split("/").at(-1)}` : "must provide an array",
      pointer,
    );
    return false;
  }
  if (list.length > max) seen.say(`no more than ${max} items allowed`, pointer);
  if (list.length < min) seen.say(`no fewer than ${min} items allowed`, pointer);
  return true;
}

/** Returns the number of characters. */
function checkString(text: unknown, pointer: string, min: number, max: number, seen: Seen): number {
  if (typeof text !== "string") {
    seen.say(
      text === undefined ? `missing required field: ${pointer.split("/").at(-1)}` : "must provide a string",
      pointer,
    );
    return 0;
  }
  if (!text.isWellFormed()) seen.say("must be valid Unicode", pointer);
  const count = length(text);
  if (count < min) seen.say(`must be more than ${min - 1} characters`, pointer);
  if (count > max) seen.say(`must be less than ${max + 1} characters`, pointer);
  return count;
}

/** Slack takes http too; Paperboy shows nothing but https. */
function checkUrl(url: unknown, pointer: string, seen: Seen): void {
  checkString(url, pointer, 1, 3000, seen);
  if (typeof url !== "string") return;
  if (URL.parse(url)?.protocol !== "https:" || /\s/.test(url)) seen.say("invalid url", pointer);
}

function checkKeys(fields: Fields, known: readonly string[], pointer: string, seen: Seen): void {
  for (const key of Object.keys(fields)) {
    if (!known.includes(key)) seen.say(`invalid additional property: ${key}`, pointer);
  }
}

function length(text: string): number {
  return Array.from(text).length;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
