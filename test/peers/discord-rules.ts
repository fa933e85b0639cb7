/** One refusal as Discord's error 50035 words it. The path is written `components[0].custom_id`, `""` is the body. */
export type Refusal = { readonly path: string; readonly code: string; readonly message: string };

/** What is known of a message besides its body. */
export type MessageOccasion = {
  /** Names of the files that came with it or that it has; those that `attachments` names unless told. */
  readonly files?: readonly string[];
  /** The flags that may be set here; any unless told. */
  readonly flags?: number;
  /** The flags of the message that the body edits: Components V2 cannot be taken back, and a part may be left out. */
  readonly editing?: number;
};

/**
 * Discord's own refusals of a message body, as `path: sentence (CODE)` lines in the words of its error 50035; an
 * empty array means that Discord takes it. Kinds that Paperboy never sends (polls, stickers, galleries, other
 * selects) are refused. Written from https://docs.discord.com/developers/components/reference and the OpenAPI
 * description, not from the renderer.
 */
export function checkDiscordMessage(body: unknown): string[] {
  return refuseMessage(body).map(({ path, code, message }) => `${path}: ${message} (${code})`);
}

/** The same as values. Code `50006` stands for Discord's error of that number, not for a field's. */
export function refuseMessage(body: unknown, occasion: MessageOccasion = {}): Refusal[] {
  const errors: Refusal[] = [];
  const say = (path: string, code: string, message: string) => errors.push({ path, code, message });
  if (!isObject(body)) {
    say("", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType");
    return errors;
  }
  const files = occasion.files ?? namedFiles(body.attachments);
  const seen: Seen = { components: 0, text: 0, customIds: new Set(), files, say };
  checkKeys(body, MESSAGE_KEYS, "", seen);
  const flags = body.flags ?? 0;
  if (!isInteger(flags, 0, 2 ** 53))
    say("flags", "NUMBER_TYPE_COERCE", `Value "${String(flags)}" is not int.`);
  const known = typeof flags === "number" ? flags : 0;
  if (occasion.flags !== undefined && (known & ~occasion.flags) !== 0) {
    say(
      "flags",
      "BASE_TYPE_CHOICES",
      `Value must be made of the flags (${bits(occasion.flags).join(", ")}).`,
    );
  }
  const isV2 = ((known | (occasion.editing ?? 0)) & IS_COMPONENTS_V2) !== 0;

  if (body.content !== undefined && body.content !== null) {
    checkText(body.content, "content", 0, 2000, seen);
  }
  if (isV2) {
    for (const key of ["content", "embeds", "poll", "sticker_ids"] as const) {
      const value = body[key];
      if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) continue;
      const code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2";
      say(key, code, `The '${key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2`);
    }
  }
  checkEmbeds(body.embeds, seen);
  checkMentions(body.allowed_mentions, seen);
  checkNonce(body, seen);

  const components = body.components ?? [];
  if (!Array.isArray(components)) {
    say("components", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
  } else {
    checkLength(components, "components", 0, isV2 ? MAX_COMPONENTS : 5, seen);
    const allowed = isV2 ? TOP_LEVEL : [TYPE.row];
    for (const [i, component] of components.entries())
      checkComponent(component, `components[${i}]`, allowed, seen);
    if (seen.components > MAX_COMPONENTS) {
      const code = "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED";
      say("components", code, `The total number of components cannot exceed ${MAX_COMPONENTS}`);
    }
    if (seen.text > MAX_TEXT) {
      const code = "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED";
      say("components", code, `The total displayable text size exceeds maximum size of ${MAX_TEXT}`);
    }
  }
  const isEmpty = (value: unknown) =>
    value === undefined || value === null || value === "" || isEmptyArray(value);
  const isBare = isV2
    ? isEmpty(body.components)
    : isEmpty(body.content) && isEmpty(body.embeds) && isEmpty(body.components) && files.length === 0;
  if (isBare && occasion.editing === undefined) say("", "50006", "Cannot send an empty message");
  return errors;
}

const IS_COMPONENTS_V2 = 1 << 15;
const MAX_COMPONENTS = 40;
const MAX_TEXT = 4000;
const MAX_EMBEDS = 6000;
const TYPE = {
  row: 1,
  button: 2,
  select: 3,
  section: 9,
  text: 10,
  thumbnail: 11,
  file: 13,
  separator: 14,
  container: 17,
};
const TOP_LEVEL = [TYPE.row, TYPE.section, TYPE.text, TYPE.file, TYPE.separator, TYPE.container];
const MESSAGE_KEYS = [
  "content",
  "embeds",
  "attachments",
  "components",
  "flags",
  "allowed_mentions",
  "nonce",
  "enforce_nonce",
  "tts",
  "message_reference",
];

/** Whatever came; the names are those that are looked at. */
type Fields = { readonly [field in Field]?: unknown };
type Field =
  | "type"
  | "components"
  | "content"
  | "flags"
  | "allowed_mentions"
  | "embeds"
  | "poll"
  | "sticker_ids"
  | "nonce"
  | "enforce_nonce"
  | "parse"
  | "accent_color"
  | "spacing"
  | "style"
  | "label"
  | "emoji"
  | "custom_id"
  | "url"
  | "placeholder"
  | "min_values"
  | "max_values"
  | "options"
  | "value"
  | "description"
  | "accessory"
  | "media"
  | "file"
  | "attachments"
  | "filename"
  | "users"
  | "roles"
  | "title"
  | "fields"
  | "footer"
  | "author"
  | "image"
  | "thumbnail"
  | "name"
  | "text";
type Seen = {
  components: number;
  text: number;
  readonly customIds: Set<string>;
  readonly files: readonly string[];
  say(path: string, code: string, sentence: string): void;
};

function checkComponent(component: unknown, path: string, allowed: readonly number[], seen: Seen): void {
  if (!isObject(component)) {
    seen.say(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
    return;
  }
  seen.components += 1;
  const type = component.type;
  if (typeof type !== "number" || !allowed.includes(type)) {
    seen.say(
      `${path}.type`,
      "UNION_TYPE_CHOICES",
      `Value of field "type" must be one of (${allowed.join(", ")}).`,
    );
    return;
  }
  if (type === TYPE.row) checkRow(component, path, seen);
  if (type === TYPE.button) checkButton(component, path, seen);
  if (type === TYPE.select) checkSelect(component, path, seen);
  if (type === TYPE.section) checkSection(component, path, seen);
  if (type === TYPE.thumbnail) checkThumbnail(component, path, seen);
  if (type === TYPE.file) checkFile(component, path, seen);
  if (type === TYPE.text) {
    checkKeys(component, ["type", "id", "content"], path, seen);
    seen.text += checkText(component.content, `${path}.content`, 1, MAX_TEXT, seen);
  }
  if (type === TYPE.separator) {
    checkKeys(component, ["type", "id", "divider", "spacing"], path, seen);
    if (component.spacing !== undefined) checkChoice(component.spacing, `${path}.spacing`, [1, 2], seen);
  }
  if (type === TYPE.container) {
    checkKeys(component, ["type", "id", "accent_color", "spoiler", "components"], path, seen);
    const color = component.accent_color ?? 0;
    if (!isInteger(color, 0, 0xffffff)) {
      seen.say(
        `${path}.accent_color`,
        "NUMBER_TYPE_MAX",
        "int value should be less than or equal to 16777215.",
      );
    }
    const inside = TOP_LEVEL.filter((kind) => kind !== TYPE.container);
    checkChildren(component.components, `${path}.components`, 1, MAX_COMPONENTS, inside, seen);
  }
}

function checkRow(row: Fields, path: string, seen: Seen): void {
  checkKeys(row, ["type", "id", "components"], path, seen);
  checkChildren(row.components, `${path}.components`, 1, 5, [TYPE.button, TYPE.select], seen);
  const children = Array.isArray(row.components) ? row.components : [];
  const selects = children.filter((child) => isObject(child) && child.type === TYPE.select).length;
  if (selects > 0 && children.length > 1) {
    const code = "COMPONENT_LAYOUT_WIDTH_EXCEEDED";
    seen.say(`${path}.components`, code, "The specified component exceeds the maximum width");
  }
}

function checkButton(button: Fields, path: string, seen: Seen): void {
  checkKeys(button, ["type", "id", "style", "label", "emoji", "custom_id", "url", "disabled"], path, seen);
  checkChoice(button.style, `${path}.style`, [1, 2, 3, 4, 5], seen);
  if (button.label === undefined && button.emoji === undefined) {
    seen.say(path, "BUTTON_COMPONENT_INVALID", "A button must have a label or an emoji");
  }
  if (button.label !== undefined) checkText(button.label, `${path}.label`, 1, 80, seen);
  const isLink = button.style === 5;
  const [wanted, unwanted] = isLink ? (["url", "custom_id"] as const) : (["custom_id", "url"] as const);
  if (button[unwanted] !== undefined) {
    const code = "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE";
    seen.say(path, code, "A custom id and url cannot both be specified");
  }
  if (button[wanted] === undefined)
    seen.say(`${path}.${wanted}`, "BASE_TYPE_REQUIRED", "This field is required");
  else if (isLink) checkUrl(button.url, `${path}.url`, 512, seen);
  else checkCustomId(button.custom_id, path, seen);
}

function checkSelect(select: Fields, path: string, seen: Seen): void {
  const keys = [
    "type",
    "id",
    "custom_id",
    "placeholder",
    "min_values",
    "max_values",
    "disabled",
    "options",
    "required",
  ];
  checkKeys(select, keys, path, seen);
  checkCustomId(select.custom_id, path, seen);
  if (select.placeholder !== undefined) checkText(select.placeholder, `${path}.placeholder`, 0, 150, seen);
  if (!isInteger(select.min_values ?? 1, 0, 25) || !isInteger(select.max_values ?? 1, 1, 25)) {
    seen.say(path, "NUMBER_TYPE_MAX", "int value should be less than or equal to 25.");
  }
  const options = select.options;
  if (!checkLength(options, `${path}.options`, 1, 25, seen)) return;
  const values = new Set<unknown>();
  for (const [i, option] of options.entries()) {
    const at = `${path}.options[${i}]`;
    if (!isObject(option)) {
      seen.say(at, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
      continue;
    }
    checkKeys(option, ["label", "value", "description", "emoji", "default"], at, seen);
    checkText(option.label, `${at}.label`, 1, 100, seen);
    checkText(option.value, `${at}.value`, 1, 100, seen);
    if (option.description !== undefined) checkText(option.description, `${at}.description`, 1, 100, seen);
    if (values.has(option.value)) {
      const code = "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED";
      seen.say(`${at}.value`, code, "The specified option value is already used");
    }
    values.add(option.value);
  }
}

function checkSection(section: Fields, path: string, seen: Seen): void {
  checkKeys(section, ["type", "id", "components", "accessory"], path, seen);
  checkChildren(section.components, `${path}.components`, 1, 3, [TYPE.text], seen);
  if (section.accessory === undefined) {
    seen.say(`${path}.accessory`, "BASE_TYPE_REQUIRED", "This field is required");
    return;
  }
  checkComponent(section.accessory, `${path}.accessory`, [TYPE.button, TYPE.thumbnail], seen);
}

function checkThumbnail(thumbnail: Fields, path: string, seen: Seen): void {
  checkKeys(thumbnail, ["type", "id", "media", "description", "spoiler"], path, seen);
  if (thumbnail.description !== undefined) {
    checkText(thumbnail.description, `${path}.description`, 1, 1024, seen);
  }
  const media = thumbnail.media;
  if (!isObject(media)) {
    seen.say(`${path}.media`, "BASE_TYPE_REQUIRED", "This field is required");
    return;
  }
  checkKeys(media, ["url"], `${path}.media`, seen);
  checkUrl(media.url, `${path}.media.url`, 2048, seen);
}

/** https://docs.discord.com/developers/components/reference#file: only what came with the message can be shown. */
function checkFile(component: Fields, path: string, seen: Seen): void {
  checkKeys(component, ["type", "id", "file", "spoiler"], path, seen);
  const file = component.file;
  if (!isObject(file)) {
    seen.say(`${path}.file`, "BASE_TYPE_REQUIRED", "This field is required");
    return;
  }
  checkKeys(file, ["url"], `${path}.file`, seen);
  const name = typeof file.url === "string" ? /^attachment:\/\/(.+)$/.exec(file.url)?.[1] : undefined;
  if (name === undefined) {
    seen.say(`${path}.file.url`, "URL_TYPE_INVALID_SCHEME", "Scheme must be one of ('attachment',).");
  } else if (!seen.files.includes(name)) {
    const code = "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND";
    seen.say(`${path}.file.url`, code, `The referenced attachment "${name}" was not found.`);
  }
}

/** The sum runs over all embeds of a message: https://docs.discord.com/developers/resources/message#embed-object-embed-limits */
function checkEmbeds(embeds: unknown, seen: Seen): void {
  if (embeds === undefined || embeds === null || !checkLength(embeds, "embeds", 0, 10, seen)) return;
  let size = 0;
  const lengthOf = (value: unknown) => (typeof value === "string" ? value.length : 0);
  for (const [i, embed] of embeds.entries()) {
    const path = `embeds[${i}]`;
    if (!isObject(embed)) {
      seen.say(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
      continue;
    }
    if (embed.title !== undefined) checkText(embed.title, `${path}.title`, 0, 256, seen);
    if (embed.description !== undefined) checkText(embed.description, `${path}.description`, 0, 4096, seen);
    size += lengthOf(embed.title) + lengthOf(embed.description);
    if (isObject(embed.footer)) size += checkText(embed.footer.text, `${path}.footer.text`, 1, 2048, seen);
    if (isObject(embed.author)) size += checkText(embed.author.name, `${path}.author.name`, 1, 256, seen);
    const fields = embed.fields ?? [];
    if (!checkLength(fields, `${path}.fields`, 0, 25, seen)) continue;
    for (const [j, field] of fields.entries()) {
      if (!isObject(field)) continue;
      size += checkText(field.name, `${path}.fields[${j}].name`, 1, 256, seen);
      size += checkText(field.value, `${path}.fields[${j}].value`, 1, 1024, seen);
    }
    const parts = [embed.title, embed.description, embed.footer, embed.author, embed.image, embed.thumbnail];
    if (fields.length === 0 && parts.every((part) => part === undefined || part === null || part === "")) {
      seen.say(`${path}.description`, "BASE_TYPE_REQUIRED", "This field is required");
    }
  }
  if (size > MAX_EMBEDS) {
    seen.say("embeds", "MAX_EMBED_SIZE_EXCEEDED", `Embed size exceeds maximum size of ${MAX_EMBEDS}`);
  }
}

function checkCustomId(id: unknown, path: string, seen: Seen): void {
  checkText(id, `${path}.custom_id`, 1, 100, seen);
  if (typeof id !== "string") return;
  if (seen.customIds.has(id)) {
    const code = "COMPONENT_CUSTOM_ID_DUPLICATED";
    seen.say(`${path}.custom_id`, code, "Component custom id cannot be duplicated");
  }
  seen.customIds.add(id);
}

function checkMentions(mentions: unknown, seen: Seen): void {
  if (mentions === undefined || mentions === null) return;
  if (!isObject(mentions)) {
    seen.say("allowed_mentions", "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
    return;
  }
  checkKeys(mentions, ["parse", "roles", "users", "replied_user"], "allowed_mentions", seen);
  const parse = mentions.parse;
  if (parse === undefined || !checkLength(parse, "allowed_mentions.parse", 0, 3, seen)) return;
  for (const [i, kind] of parse.entries()) {
    checkChoice(kind, `allowed_mentions.parse[${i}]`, ["roles", "users", "everyone"], seen);
  }
  for (const kind of ["users", "roles"] as const) {
    const ids = mentions[kind];
    if (ids === undefined || ids === null || isEmptyArray(ids) || !parse.includes(kind)) continue;
    const code = "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE";
    seen.say("allowed_mentions", code, `parse:["${kind}"] and ${kind}: [ids...] are mutually exclusive.`);
  }
}

function checkNonce(body: Fields, seen: Seen): void {
  const nonce = body.nonce;
  if (nonce === undefined || nonce === null) {
    if (body.enforce_nonce === true) seen.say("nonce", "BASE_TYPE_REQUIRED", "This field is required");
    return;
  }
  if (typeof nonce === "number" && Number.isSafeInteger(nonce)) return;
  checkText(nonce, "nonce", 1, 25, seen);
}

function checkChildren(
  children: unknown,
  path: string,
  min: number,
  max: number,
  allowed: readonly number[],
  seen: Seen,
): void {
  if (!checkLength(children, path, min, max, seen)) return;
  for (const [i, child] of children.entries()) checkComponent(child, `${path}[${i}]`, allowed, seen);
}

function checkLength(
  list: unknown,
  path: string,
  min: number,
  max: number,
  seen: Seen,
): list is readonly unknown[] {
  if (!Array.isArray(list)) {
    seen.say(path, "BASE_TYPE_REQUIRED", "This field is required");
    return false;
  }
  if (list.length < min || list.length > max) {
    seen.say(path, "BASE_TYPE_BAD_LENGTH", `Must be between ${min} and ${max} in length.`);
  }
  return true;
}

/** Returns the length in UTF-16 units, the strictest way to count. Discord trims before it counts. */
function checkText(text: unknown, path: string, min: number, max: number, seen: Seen): number {
  if (text === undefined || text === null) {
    seen.say(path, "BASE_TYPE_REQUIRED", "This field is required");
    return 0;
  }
  if (typeof text !== "string") {
    seen.say(path, "STRING_TYPE_CONVERT", "Only strings may be used in a StringType");
    return 0;
  }
  if (!text.isWellFormed()) seen.say(path, "STRING_TYPE_CONVERT", "The string has a lone surrogate");
  if (text.length > max || text.trim().length < min) {
    seen.say(path, "BASE_TYPE_BAD_LENGTH", `Must be between ${min} and ${max} in length.`);
  }
  return text.length;
}

/** Discord takes http too; Paperboy shows nothing but https. */
function checkUrl(url: unknown, path: string, max: number, seen: Seen): void {
  checkText(url, path, 1, max, seen);
  if (typeof url !== "string") return;
  const parsed = URL.parse(url);
  if (parsed === null || /\s/.test(url)) seen.say(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.");
  else if (parsed.protocol !== "https:") {
    seen.say(
      path,
      "URL_TYPE_INVALID_SCHEME",
      `Scheme "${parsed.protocol}" is not supported. Scheme must be 'https'.`,
    );
  }
}

function checkChoice(value: unknown, path: string, choices: readonly unknown[], seen: Seen): void {
  if (choices.includes(value)) return;
  seen.say(path, "BASE_TYPE_CHOICES", `Value must be one of (${choices.join(", ")}).`);
}

function checkKeys(fields: Fields, known: readonly string[], path: string, seen: Seen): void {
  for (const key of Object.keys(fields)) {
    if (!known.includes(key))
      seen.say(path === "" ? key : `${path}.${key}`, "UNKNOWN_FIELD", "Unknown field");
  }
}

function namedFiles(attachments: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(attachments) ? attachments : [];
  return list.flatMap((each) => (isObject(each) && typeof each.filename === "string" ? [each.filename] : []));
}

function bits(mask: number): readonly number[] {
  return Array.from({ length: 31 }, (_, i) => 2 ** i).filter((bit) => (mask & bit) !== 0);
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isInteger(value: unknown, min: number, max: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}

function isEmptyArray(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
