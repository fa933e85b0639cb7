import { z } from "zod";

/**
 * Slack's grammar of blocks, messages and views as schemas, for the kinds that Paperboy may use; any other kind and
 * any unknown key is refused. `ours` adds what Slack would still take and Paperboy must not send: values over 75
 * characters (Slack's sources disagree whether it is 75 or 150), addresses without https, elements without an
 * `action_id` (a press could not be routed). Characters are counted as code points. Written from
 * https://docs.slack.dev/reference/block-kit, not from the renderer.
 */
export function createBlockKit(ours: boolean) {
  const valueMax = ours ? 75 : 150;
  const actionId = ours ? characters(1, 255) : characters(1, 255).optional();
  const flag = z.boolean().optional();
  const address = characters(1, 3000).check(({ value, issues }) => {
    const protocol = URL.parse(value)?.protocol;
    const isFine = protocol === "https:" || (protocol === "http:" && !ours);
    if (!isFine || /\s/.test(value)) issues.push({ code: "custom", message: "invalid url", input: value });
  });

  const plain = (max: number) =>
    z.strictObject({ type: z.literal("plain_text"), text: characters(1, max), emoji: flag });
  const mrkdwn = (max: number) =>
    z.strictObject({ type: z.literal("mrkdwn"), text: characters(1, max), verbatim: flag });
  const text = (max: number) => z.discriminatedUnion("type", [plain(max), mrkdwn(max)]);

  const style = z.enum(["primary", "danger"]).optional();
  const confirm = z
    .strictObject({
      title: plain(100).optional(),
      text: text(300),
      confirm: plain(30).optional(),
      deny: plain(30).optional(),
      style,
    })
    .optional();
  const placeholder = plain(150).optional();
  const choosable = { action_id: actionId, confirm, focus_on_load: flag };

  const option = z.strictObject({
    text: plain(75),
    value: characters(1, valueMax),
    description: plain(75).optional(),
  });
  const richOption = z.strictObject({
    text: text(75),
    value: characters(1, valueMax),
    description: text(75).optional(),
  });
  const overflowOption = option.extend({ url: address.optional() });
  const options = list(option, 1, 100);
  const groups = list(z.strictObject({ label: plain(75), options }), 1, 100);

  const elements = {
    button: z.strictObject({
      type: z.literal("button"),
      text: plain(75),
      action_id: actionId,
      url: address.optional(),
      value: characters(1, 2000).optional(),
      style,
      confirm,
      accessibility_label: characters(1, 75).optional(),
    }),
    overflow: z.strictObject({
      type: z.literal("overflow"),
      action_id: actionId,
      options: list(overflowOption, 1, 5),
      confirm,
    }),
    static_select: z
      .strictObject({
        type: z.literal("static_select"),
        ...choosable,
        placeholder,
        options: options.optional(),
        option_groups: groups.optional(),
        initial_option: option.optional(),
      })
      .check(checkChoices),
    multi_static_select: z
      .strictObject({
        type: z.literal("multi_static_select"),
        ...choosable,
        placeholder,
        options: options.optional(),
        option_groups: groups.optional(),
        initial_options: list(option, 1, 100).optional(),
        max_selected_items: whole(1, 1000).optional(),
      })
      .check(checkChoices),
    external_select: z.strictObject({
      type: z.literal("external_select"),
      ...choosable,
      placeholder,
      initial_option: option.optional(),
      min_query_length: whole(0, 1000).optional(),
    }),
    multi_external_select: z.strictObject({
      type: z.literal("multi_external_select"),
      ...choosable,
      placeholder,
      initial_options: list(option, 1, 100).optional(),
      min_query_length: whole(0, 1000).optional(),
      max_selected_items: whole(1, 1000).optional(),
    }),
    checkboxes: z
      .strictObject({
        type: z.literal("checkboxes"),
        ...choosable,
        options: list(richOption, 1, 10),
        initial_options: list(richOption, 1, 10).optional(),
      })
      .check(checkChoices),
    radio_buttons: z
      .strictObject({
        type: z.literal("radio_buttons"),
        ...choosable,
        options: list(richOption, 1, 10),
        initial_option: richOption.optional(),
      })
      .check(checkChoices),
    timepicker: z.strictObject({
      type: z.literal("timepicker"),
      ...choosable,
      placeholder,
      initial_time: z
        .string()
        .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: "must be in the format HH:mm" })
        .optional(),
      timezone: characters(1, 255).optional(),
    }),
    datepicker: z.strictObject({
      type: z.literal("datepicker"),
      ...choosable,
      placeholder,
      initial_date: z.iso.date({ error: "must be in the format YYYY-MM-DD" }).optional(),
    }),
  };
  const input = z.strictObject({
    type: z.literal("plain_text_input"),
    action_id: actionId,
    placeholder,
    initial_value: z.string().optional(),
    multiline: flag,
    min_length: whole(0, 3000).optional(),
    max_length: whole(1, 3000).optional(),
    focus_on_load: flag,
    dispatch_action_config: z
      .strictObject({
        trigger_actions_on: list(z.enum(["on_enter_pressed", "on_character_entered"]), 1, 2),
      })
      .optional(),
  });
  const picture = {
    image_url: address.optional(),
    slack_file: z
      .strictObject({ id: characters(1, 255).optional(), url: address.optional() })
      .check(exactlyOne("id", "url"))
      .optional(),
    alt_text: characters(1, 2000),
  };
  const image = z
    .strictObject({ type: z.literal("image"), ...picture })
    .check(exactlyOne("image_url", "slack_file"));

  const choices = [
    elements.static_select,
    elements.multi_static_select,
    elements.external_select,
    elements.multi_external_select,
    elements.checkboxes,
    elements.radio_buttons,
    elements.timepicker,
    elements.datepicker,
  ] as const;
  const action = z.discriminatedUnion("type", [elements.button, elements.overflow, ...choices]);
  const accessory = z.discriminatedUnion("type", [elements.button, elements.overflow, image, ...choices]);
  const blockId = characters(1, 255).optional();

  const block = z.discriminatedUnion("type", [
    z
      .strictObject({
        type: z.literal("section"),
        block_id: blockId,
        text: text(3000).optional(),
        fields: list(text(2000), 1, 10).optional(),
        accessory: accessory.optional(),
        expand: flag,
      })
      .check(({ value, issues }) => {
        if (value.text !== undefined || value.fields !== undefined) return;
        issues.push({ code: "custom", message: "must define either `text` or `fields`", input: value });
      }),
    z.strictObject({ type: z.literal("header"), block_id: blockId, text: plain(150) }),
    z.strictObject({
      type: z.literal("context"),
      block_id: blockId,
      elements: list(z.discriminatedUnion("type", [plain(3000), mrkdwn(3000), image]), 1, 10),
    }),
    z.strictObject({ type: z.literal("actions"), block_id: blockId, elements: list(action, 1, 25) }),
    z
      .strictObject({
        type: z.literal("image"),
        block_id: blockId,
        title: plain(2000).optional(),
        ...picture,
      })
      .check(exactlyOne("image_url", "slack_file")),
    z.strictObject({ type: z.literal("divider"), block_id: blockId }),
    z.strictObject({
      type: z.literal("input"),
      block_id: blockId,
      label: plain(2000),
      element: z.discriminatedUnion("type", [input, ...choices]),
      dispatch_action: flag,
      hint: plain(2000).optional(),
      optional: flag,
    }),
    z.strictObject({
      type: z.literal("rich_text"),
      block_id: blockId,
      elements: list(richText(address), 1, 1000),
    }),
  ]);

  const message = z.strictObject({
    channel: z.string().optional(),
    user: z.string().optional(),
    ts: z.string().optional(),
    thread_ts: z.string().optional(),
    text: z.string().optional(),
    blocks: list(block, 0, 50).optional(),
    metadata: z.strictObject({ event_type: characters(1, 255), event_payload: z.looseObject({}) }).optional(),
    parse: z.enum(["none", "full"]).optional(),
    mrkdwn: flag,
    link_names: flag,
    unfurl_links: flag,
    unfurl_media: flag,
    reply_broadcast: flag,
    response_type: z.enum(["ephemeral", "in_channel"]).optional(),
    replace_original: flag,
    delete_original: flag,
  });

  const viewKeys = {
    blocks: list(block, 1, 100),
    private_metadata: characters(0, 3000).optional(),
    callback_id: characters(0, 255).optional(),
    external_id: characters(0, 255).optional(),
  };
  const view = z.discriminatedUnion("type", [
    z
      .strictObject({
        type: z.literal("modal"),
        title: plain(24),
        close: plain(24).optional(),
        submit: plain(24).optional(),
        clear_on_close: flag,
        notify_on_close: flag,
        submit_disabled: flag,
        ...viewKeys,
      })
      .check(({ value, issues }) => {
        if (value.submit !== undefined || !value.blocks.some(({ type }) => type === "input")) return;
        issues.push({
          code: "custom",
          message: "missing required field: submit",
          input: value,
        });
      }),
    z.strictObject({ type: z.literal("home"), ...viewKeys }),
  ]);

  /** What an app answers to a `block_suggestion`. */
  const suggestions = z
    .strictObject({ options: list(option, 0, 100).optional(), option_groups: groups.optional() })
    .check(exactlyOne("options", "option_groups"));

  return { block, message, view, suggestions, text: text(3000), option, confirm };
}

/**
 * What does not fit a schema, in Slack's words and with its pointers: `must be less than 3001 characters
 * [json-pointer:/blocks/0/text/text]`. Something missing points at what it is missing from.
 */
export function faultsOf(schema: z.ZodType, value: unknown, root = ""): readonly string[] {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return [];
  return parsed.error.issues.flatMap((issue) => {
    const { path } = issue;
    const at = (keys: readonly PropertyKey[]) =>
      ` [json-pointer:${root}${keys.map((key) => `/${String(key)}`).join("")}]`;
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => `invalid additional property: ${key}${at(path)}`);
      case "invalid_type":
        if (issue.input === undefined) return [missing(path, at)];
        return [`must provide ${article(issue.expected)}${at(path)}`];
      case "invalid_union":
        if (issue.input === undefined) return [missing(path, at)];
        return [`unsupported type: ${String(typeOf(issue.input))}${at(path)}`];
      case "invalid_value":
        if (issue.input === undefined) return [missing(path, at)];
        if (path.at(-1) === "type") return [`unsupported type: ${String(issue.input)}${at(path)}`];
        return [`must be a valid enum value${at(path)}`];
      case "too_big":
        if (issue.origin === "array") return [`no more than ${issue.maximum} items allowed${at(path)}`];
        return [`must be less than ${Number(issue.maximum) + 1}${at(path)}`];
      case "too_small":
        if (issue.origin === "array") return [`no fewer than ${issue.minimum} items allowed${at(path)}`];
        return [`must be greater than ${Number(issue.minimum) - 1}${at(path)}`];
      default:
        return [`${issue.message}${at(path)}`];
    }
  });
}

/** Code points, as Slack is taken to count: it does not say. */
export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function missing(path: readonly PropertyKey[], at: (keys: readonly PropertyKey[]) => string): string {
  return `missing required field: ${String(path.at(-1))}${at(path.slice(0, -1))}`;
}

function article(expected: string): string {
  const kind = expected === "int" ? "integer" : expected;
  return `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind}`;
}

function typeOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "type" in value ? value.type : value;
}

function characters(min: number, max: number) {
  return z.string().check(({ value, issues }) => {
    const say = (message: string) => issues.push({ code: "custom", message, input: value });
    if (!value.isWellFormed()) say("must be valid Unicode");
    const count = countCharacters(value);
    if (count < min) say(`must be more than ${min - 1} characters`);
    if (count > max) say(`must be less than ${max + 1} characters`);
  });
}

function list<Item extends z.ZodType>(item: Item, min: number, max: number) {
  return z.array(item).min(min).max(max);
}

function whole(min: number, max: number) {
  return z.int().min(min).max(max);
}

type Check<Value> = { readonly value: Value; readonly issues: z.core.$ZodRawIssue[] };

function exactlyOne<Key extends string>(one: Key, other: Key) {
  return ({ value, issues }: Check<{ readonly [key in Key]?: unknown }>) => {
    if ((value[one] === undefined) !== (value[other] === undefined)) return;
    const both = value[one] !== undefined;
    const message = both
      ? `cannot define both \`${one}\` and \`${other}\``
      : `missing required field: ${one}`;
    issues.push({ code: "custom", message, input: value });
  };
}

type Choice = { readonly value: string };
type Choices = {
  readonly type: string;
  readonly options?: readonly Choice[] | undefined;
  readonly option_groups?: readonly { readonly options: readonly Choice[] }[] | undefined;
  readonly initial_option?: Choice | undefined;
  readonly initial_options?: readonly Choice[] | undefined;
};

function checkChoices({ value, issues }: Check<Choices>): void {
  const say = (message: string, ...path: readonly (string | number)[]) =>
    issues.push({ code: "custom", message, input: value, path: [...path] });
  if (value.options !== undefined && value.option_groups !== undefined)
    say("cannot define both `options` and `option_groups`");
  if (value.options === undefined && value.option_groups === undefined)
    say("missing required field: options");
  const offered = [
    ...(value.options ?? []),
    ...(value.option_groups ?? []).flatMap(({ options }) => options),
  ];
  const seen = new Set<string>();
  for (const [index, { value: each }] of offered.entries()) {
    if (seen.has(each)) say("`value` already exists", "options", index, "value");
    seen.add(each);
  }
  const chosen = [
    ...(value.initial_option === undefined ? [] : [value.initial_option]),
    ...(value.initial_options ?? []),
  ];
  if (chosen.some((each) => !offered.some((one) => JSON.stringify(one) === JSON.stringify(each))))
    say("initial option must be one of the options", "initial_option");
}

function richText(address: z.ZodType) {
  const looks = z
    .strictObject(
      Object.fromEntries(
        ["bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"].map(
          (name) => [name, z.boolean().optional()],
        ),
      ),
    )
    .optional();
  const words = z.strictObject({ type: z.literal("text"), text: characters(1, 13_000), style: looks });
  const link = z.strictObject({
    type: z.literal("link"),
    url: address,
    text: z.string().optional(),
    unsafe: z.boolean().optional(),
    style: looks,
  });
  const mention = <Type extends string>(type: Type, key: string) =>
    z.strictObject({ type: z.literal(type), [key]: characters(1, 255), style: looks });
  const inline = z.discriminatedUnion("type", [
    words,
    link,
    mention("user", "user_id"),
    mention("channel", "channel_id"),
    mention("usergroup", "usergroup_id"),
    z.strictObject({
      type: z.literal("emoji"),
      name: characters(1, 255),
      unicode: z.string().optional(),
      style: looks,
    }),
    z.strictObject({
      type: z.literal("broadcast"),
      range: z.enum(["here", "channel", "everyone"]),
      style: looks,
    }),
    z.strictObject({
      type: z.literal("date"),
      timestamp: z.int(),
      format: characters(1, 255),
      url: address.optional(),
      fallback: z.string().optional(),
      style: looks,
    }),
  ]);
  const section = z.strictObject({ type: z.literal("rich_text_section"), elements: z.array(inline) });
  const border = whole(0, 100).optional();
  return z.discriminatedUnion("type", [
    section,
    z.strictObject({
      type: z.literal("rich_text_list"),
      elements: z.array(section),
      style: z.enum(["bullet", "ordered"]),
      indent: whole(0, 8).optional(),
      offset: whole(0, 1_000_000).optional(),
      border,
    }),
    z.strictObject({ type: z.literal("rich_text_quote"), elements: z.array(inline), border }),
    z.strictObject({
      type: z.literal("rich_text_preformatted"),
      elements: z.array(z.discriminatedUnion("type", [words, link])),
      border,
      language: z.string().optional(),
    }),
  ]);
}
