import * as spec from "discord-api-spec/zod";
import { safeParse, type $ZodCheck, type $ZodIssue, type $ZodType, type $ZodTypes } from "zod/v4/core";
import { refuseMessage, type MessageOccasion, type Refusal } from "./discord-rules.ts";

/** The forms of requests that are checked by Discord's published description. */
export type Form = keyof typeof FORMS;

const FORMS = {
  autocomplete: spec.ApplicationCommandAutocompleteCallbackRequestSchema,
  channel: spec.UpdateGuildChannelRequestPartialSchema,
  command: spec.ApplicationCommandUpdateRequestSchema,
  directMessages: spec.CreatePrivateChannelRequestSchema,
  edit: spec.MessageEditRequestPartialSchema,
  followUp: spec.IncomingWebhookRequestPartialSchema,
  forumPost: spec.CreateForumThreadRequestSchema,
  message: spec.MessageCreateRequestSchema,
  modal: spec.ModalInteractionCallbackRequestSchema,
  response: spec.CreateMessageInteractionCallbackRequestSchema,
  responseEdit: spec.IncomingWebhookUpdateRequestPartialSchema,
  thread: spec.UpdateThreadRequestPartialSchema,
  threadOfMessage: spec.CreateTextThreadWithMessageRequestSchema,
  threadWithoutMessage: spec.CreateTextThreadWithoutMessageRequestSchema,
  update: spec.UpdateMessageInteractionCallbackRequestSchema,
};

/**
 * What Discord's OpenAPI description says against a body: wrong types, lengths, choices and unknown fields, in the
 * words of error 50035. Discord itself takes some fields that the description of a form leaves out, and discord.js
 * sends them all the same; those are let through.
 */
export function checkForm(form: Form, body: unknown, path = ""): Refusal[] {
  return check(FORMS[form], body, path);
}

/** The same and Discord's rules of messages; of one field the description's refusal comes first. */
export function checkMessageForm(form: Form, body: unknown, occasion: MessageOccasion): Refusal[] {
  const formal = checkForm(form, body);
  const paths = new Set(formal.map(({ path }) => path));
  return [...formal, ...refuseMessage(body, occasion).filter(({ path }) => !paths.has(path))];
}

/** discord.js sends `tts` and `enforce_nonce` (false) with edits, responses and forum posts too. */
const MESSAGE_EXTRAS = new Set(["tts", "nonce", "enforce_nonce", "sticker_ids", "message_reference"]);
/** And both of a thread that hangs from a message, whose type follows from its channel. */
const THREAD_EXTRAS = new Set(["type", "invitable"]);
/** Bitsets are digit strings on the wire: https://docs.discord.com/developers/topics/permissions */
const BITSETS = new Set(["default_member_permissions", "allow", "deny"]);

/** Unions are told apart by `type`, as Discord does, so that a refusal names the field and not the whole union. */
function check(schema: $ZodType, value: unknown, path: string): Refusal[] {
  const def = bare(schema, value);
  if (def === null) return [];
  if (def.type === "object" && isObject(value)) {
    const known = def.shape;
    const isMessage = Object.hasOwn(known, "embeds");
    const isThread = Object.hasOwn(known, "auto_archive_duration");
    const isExtra = (key: string) =>
      (isMessage && MESSAGE_EXTRAS.has(key)) || (isThread && THREAD_EXTRAS.has(key));
    const unknown = Object.keys(value).filter((key) => !Object.hasOwn(known, key) && !isExtra(key));
    return [
      ...unknown.map((key) => ({ path: join(path, key), code: "UNKNOWN_FIELD", message: "Unknown field" })),
      ...Object.entries(known).flatMap(([key, field]) => {
        const given = value[key];
        const isBitset = BITSETS.has(key) && typeof given === "string" && /^\d{1,20}$/.test(given);
        return isBitset ? [] : check(field, given, join(path, key));
      }),
    ];
  }
  if (def.type === "array" && Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const inside = items.flatMap((item, i) => check(def.element, item, `${path}[${i}]`));
    return [...inside, ...checkLength(def.checks ?? [], items.length, path)];
  }
  if (def.type === "union") return checkUnion(def.options, value, path);
  // A snowflake may come as a number: the reference writes attachment ids so.
  const isFormatted =
    def.type === "string" && def.checks?.some(({ _zod }) => _zod.def.check === "string_format");
  if (isFormatted === true && Number.isSafeInteger(value) && leaf(schema, String(value), path).length === 0) {
    return [];
  }
  return leaf(schema, value, path);
}

/** A list's own checks alone: parsing it whole would parse what is in it once more a level. */
function checkLength(checks: readonly $ZodCheck[], length: number, path: string): Refusal[] {
  return checks.flatMap(({ _zod: { def } }) => {
    const minimum = "minimum" in def ? Number(def.minimum) : 0;
    const maximum = "maximum" in def ? Number(def.maximum) : Number.POSITIVE_INFINITY;
    const [isShort, isLong] = [length < minimum, length > maximum];
    if (!isShort && !isLong) return [];
    const bound = isShort ? `${minimum} or more` : `${maximum} or fewer`;
    return [{ path, code: "BASE_TYPE_BAD_LENGTH", message: `Must be ${bound} in length.` }];
  });
}

function checkUnion(options: readonly $ZodType[], value: unknown, path: string): Refusal[] {
  if (isObject(value)) {
    const types: unknown[] = [];
    for (const option of options) {
      const def = bare(option, value);
      if (def?.type !== "object") continue;
      const type = def.shape["type"];
      const literal = type === undefined ? null : bare(type, value["type"]);
      if (literal?.type !== "literal") continue;
      if (literal.values.some((each) => each === value["type"])) return check(option, value, path);
      types.push(...literal.values);
    }
    if (types.length > 0) {
      const message = `Value of field "type" must be one of (${types.join(", ")}).`;
      return [{ path: join(path, "type"), code: "UNION_TYPE_CHOICES", message }];
    }
  }
  const alike = options.filter((option) => bare(option, value)?.type === typeof value);
  const all = (alike.length > 0 ? alike : options).map((option) => check(option, value, path));
  return all.reduce((least, each) => (each.length < least.length ? each : least));
}

/** Null where the value may be absent and is. */
function bare(schema: $ZodType, value: unknown): $ZodTypes["_zod"]["def"] | null {
  let inner = schema;
  for (;;) {
    // Each schema of Zod is one of these; the union of all is what narrows.
    const { def } = (inner as $ZodTypes)._zod;
    if (def.type === "lazy") inner = def.getter();
    else if (def.type === "optional" || def.type === "nullable") {
      if (value === undefined && def.type === "optional") return null;
      if (value === null && def.type === "nullable") return null;
      inner = def.innerType;
    } else return def;
  }
}

function leaf(schema: $ZodType, value: unknown, path: string): Refusal[] {
  const result = safeParse(schema, value);
  if (result.success) return [];
  return result.error.issues.map((issue) => {
    const at = issue.path.reduce<string>(
      (so, key) => (typeof key === "number" ? `${so}[${key}]` : join(so, String(key))),
      path,
    );
    return { path: at, ...words(issue, value) };
  });
}

function words(issue: $ZodIssue, value: unknown): { readonly code: string; readonly message: string } {
  if (value === undefined || value === null) {
    return { code: "BASE_TYPE_REQUIRED", message: "This field is required" };
  }
  if (issue.code === "too_big" || issue.code === "too_small") {
    const [bound, edge] = issue.code === "too_big" ? [issue.maximum, "or fewer"] : [issue.minimum, "or more"];
    const isNumber = typeof value === "number";
    const side = issue.code === "too_big" ? "less" : "greater";
    return isNumber
      ? {
          code: issue.code === "too_big" ? "NUMBER_TYPE_MAX" : "NUMBER_TYPE_MIN",
          message: `int value should be ${side} than or equal to ${bound}.`,
        }
      : { code: "BASE_TYPE_BAD_LENGTH", message: `Must be ${bound} ${edge} in length.` };
  }
  if (issue.code === "invalid_value") {
    return {
      code: "BASE_TYPE_CHOICES",
      message: `Value must be one of (${issue.values.map(String).join(", ")}).`,
    };
  }
  if (issue.code === "invalid_format") {
    return issue.format === "url"
      ? { code: "URL_TYPE_INVALID_URL", message: "Not a well formed URL." }
      : { code: "NUMBER_TYPE_COERCE", message: `Value ${JSON.stringify(value)} is not ${issue.format}.` };
  }
  const expected = issue.code === "invalid_type" ? issue.expected : "valid";
  return { code: EXPECTED[expected] ?? "BASE_TYPE_BAD_TYPE", message: `The value is not ${expected}.` };
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: "STRING_TYPE_CONVERT",
  number: "NUMBER_TYPE_COERCE",
  int: "NUMBER_TYPE_COERCE",
  boolean: "BOOLEAN_TYPE_CONVERT",
  array: "LIST_TYPE_CONVERT",
  object: "MODEL_TYPE_CONVERT",
};

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
