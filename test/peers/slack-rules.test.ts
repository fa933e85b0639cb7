import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  checkSlackMessage,
  checkSlackPart,
  refuseMessage,
  refuseSuggestions,
  refuseView,
} from "./slack-rules.ts";

const plain = (text: string) => ({ type: "plain_text", text });
const mrkdwn = (text: string) => ({ type: "mrkdwn", text });
const section = (text: string) => ({ type: "section", text: mrkdwn(text) });
const button = (more: object = {}) => ({ type: "button", text: plain("Go"), action_id: "go", ...more });
const actions = (...elements: readonly object[]) => ({ type: "actions", elements });
const option = (value: string, more: object = {}) => ({ text: plain(value), value, ...more });
const options = (count: number) => Array.from({ length: count }, (_, index) => option(`o${index}`));
const select = (more: object) => ({ type: "static_select", action_id: "pick", ...more });
const input = (element: object, more: object = {}) => ({
  type: "input",
  label: plain("Topic"),
  element,
  ...more,
});
const words = { type: "plain_text_input", action_id: "words" };
const modal = (more: object = {}) => ({
  type: "modal",
  title: plain("Settings"),
  submit: plain("Save"),
  blocks: [section("Hello")],
  ...more,
});
const x = (count: number) => "x".repeat(count);

function messagesOf(blocks: readonly object[]): readonly string[] {
  return refuseMessage({ text: "fallback", blocks })?.messages ?? [];
}

describe("a message", () => {
  it("is refused with the error, the words and the pointers that Slack answers", () => {
    expect(refuseMessage({ text: "Hi", blocks: [section(x(3001))] })).toEqual({
      error: "invalid_blocks",
      messages: ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"],
    });
    expect(refuseMessage({ text: "Hi", blocks: Array.from({ length: 51 }, () => section("Hi")) })).toEqual({
      error: "invalid_blocks",
      messages: ["[ERROR] no more than 50 items allowed [json-pointer:/blocks]"],
    });
    expect(messagesOf([{ type: "divider", text: "x" }])).toEqual([
      "[ERROR] invalid additional property: text [json-pointer:/blocks/0]",
    ]);
    expect(messagesOf([{ type: "header" }])).toEqual([
      "[ERROR] missing required field: text [json-pointer:/blocks/0]",
    ]);
    expect(messagesOf([{ type: "section" }])).toEqual([
      "[ERROR] must define either `text` or `fields` [json-pointer:/blocks/0]",
    ]);
    expect(messagesOf([{ type: "marquee" }])).toEqual([
      "[ERROR] unsupported type: marquee [json-pointer:/blocks/0/type]",
    ]);
    expect(messagesOf([{ type: "header", text: mrkdwn("x") }])).toEqual([
      "[ERROR] unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
    ]);
    expect(messagesOf([actions(button({ text: "Go" }))])).toEqual([
      "[ERROR] must provide an object [json-pointer:/blocks/0/elements/0/text]",
    ]);
  });

  it("is refused as a whole where it is too long or says nothing", () => {
    expect(refuseMessage({})).toEqual({ error: "no_text", messages: [] });
    expect(refuseMessage({ text: x(4001) }, 4000)?.error).toBe("msg_too_long");
    expect(refuseMessage({ text: x(4001) })).toBeNull();
    const blocks = Array.from({ length: 5 }, () => section(x(2600)));
    expect(refuseMessage({ blocks })).toBeNull();
    expect(refuseMessage({ blocks: [...blocks, section("x")] })?.error).toBe("msg_blocks_too_long");
    expect(checkSlackMessage({ blocks })).toEqual(["msg_blocks_too_long"]);
  });

  it("may not have the same block id twice, nor the same action id twice within a block", () => {
    const one = { type: "divider", block_id: "one" };
    expect(messagesOf([one, one])).toEqual([
      "[ERROR] `block_id` already exists [json-pointer:/blocks/1/block_id]",
    ]);
    expect(messagesOf([actions(button()), actions(button())])).toEqual([]);
    expect(messagesOf([actions(button(), button())])).toEqual([
      '[ERROR] `action_id` "go" already exists [json-pointer:/blocks/0/elements/1/action_id]',
    ]);
    expect(checkSlackMessage({ blocks: [actions(button()), actions(button())] })).toHaveLength(1);
  });

  it("of ours shows https only, gives every element an action id and keeps values within 75 characters", () => {
    const blocks = [
      actions(
        button({ url: "http://example.com" }),
        { type: "button", text: plain("Go") },
        select({ options: [option("a", { value: x(76) })] }),
      ),
    ];
    expect(refuseMessage({ blocks })).toBeNull();
    expect(checkSlackMessage({ blocks })).toEqual([
      "invalid url [json-pointer:/blocks/0/elements/0/url]",
      "missing required field: action_id [json-pointer:/blocks/0/elements/1]",
      "must be less than 76 characters [json-pointer:/blocks/0/elements/2/options/0/value]",
    ]);
  });

  it("counts characters as code points and refuses half of one", () => {
    expect(refuseMessage({ blocks: [{ type: "header", text: plain("😀".repeat(150)) }] })).toBeNull();
    expect(messagesOf([{ type: "header", text: plain("\ud83d") }])).toEqual([
      "[ERROR] must be valid Unicode [json-pointer:/blocks/0/text/text]",
    ]);
  });
});

describe("a view", () => {
  it("is refused with Slack's words below /view", () => {
    expect(refuseView(modal(), ["modal"])).toBeNull();
    expect(refuseView({ type: "home", blocks: [section("Hello")] }, ["home"])).toBeNull();
    expect(refuseView(modal({ title: plain(x(25)) }), ["modal"])).toEqual({
      error: "invalid_arguments",
      messages: ["[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"],
    });
    expect(refuseView({ ...modal(), title: undefined }, ["modal"])?.messages).toEqual([
      "[ERROR] missing required field: title [json-pointer:/view]",
    ]);
    expect(refuseView(modal(), ["home"])?.messages).toEqual([
      "[ERROR] must be of type home [json-pointer:/view/type]",
    ]);
  });

  it("needs a submit button where it has inputs, and stays below 250 kB", () => {
    expect(refuseView(modal({ blocks: [input(words)], submit: undefined }), ["modal"])?.messages).toEqual([
      "[ERROR] missing required field: submit [json-pointer:/view]",
    ]);
    const huge = modal({ blocks: Array.from({ length: 90 }, () => section(x(2900))) });
    expect(refuseView(huge, ["modal"])?.error).toBe("view_too_large");
  });
});

it("suggestions are at most a hundred options, and may be none", () => {
  expect(refuseSuggestions({ options: options(100) })).toBeNull();
  expect(refuseSuggestions({ options: [] })).toBeNull();
  expect(refuseSuggestions({ options: options(101) })?.error).toBe("invalid_arguments");
  expect(refuseSuggestions({})?.error).toBe("invalid_arguments");
});

/**
 * An outside corpus: `<PAPERBOY_DATA>/slack-blocks` with its README. Its invalid cases are descriptions, so what
 * they describe is built here.
 */
const CORPUS = join(process.env["PAPERBOY_DATA"] ?? "", "slack-blocks", "fixtures");
const hasCorpus = process.env["PAPERBOY_DATA"] !== undefined && existsSync(CORPUS);
if (!hasCorpus)
  console.warn("Skipped: PAPERBOY_DATA=<folder with slack-blocks> checks the rules on fixtures.");

describe.runIf(hasCorpus)("an outside corpus of blocks", () => {
  it("has its valid parts accepted, of the kinds that Paperboy may use", () => {
    const others: string[] = [];
    const verdicts = globSync("valid/*/*.json", { cwd: CORPUS }).map((file) => {
      const value: Parsed = JSON.parse(readFileSync(join(CORPUS, file), "utf8"));
      const faults = faultsOfFixture(file.split("/")[1] ?? "", value);
      if (faults === null) others.push(file);
      return { file, faults };
    });
    const covered = verdicts.filter(({ faults }) => faults !== null);
    const refused = covered.filter(({ faults }) => faults?.length !== 0);
    console.log(
      `Slack corpus, valid: ${covered.length - refused.length} of ${covered.length} accepted; ` +
        `${others.length} of other kinds; refused: ${JSON.stringify(refused)}`,
    );
    expect(refused.map(({ file }) => file).sort()).toEqual(KNOWN_DISAGREEMENTS);
    expect(covered.length).toBeGreaterThan(50);
  });

  it("has its invalid parts refused, of the kinds that Paperboy may use", () => {
    const manifest: { readonly cases: readonly { readonly id: string }[] } = JSON.parse(
      readFileSync(join(CORPUS, "invalid", "manifest.json"), "utf8"),
    );
    const cases = manifest.cases.map(({ id }) => ({ id, faults: INVALID[id]?.() ?? null }));
    const covered = cases.filter(({ faults }) => faults !== null);
    const accepted = covered.filter(({ faults }) => faults?.length === 0);
    console.log(
      `Slack corpus, invalid: ${covered.length - accepted.length} of ${covered.length} refused; ` +
        `${cases.length - covered.length} of other kinds.`,
    );
    expect(accepted).toEqual([]);
    expect(covered.map(({ id }) => id).sort()).toEqual(Object.keys(INVALID).sort());
  });
});

type Parsed = { readonly type?: string; readonly [key: string]: unknown };

/** Slack refuses the same `block_id` twice, and metadata without an `event_type`. */
const KNOWN_DISAGREEMENTS = ["valid/messages/webhook_message_basic.json"];

const ELEMENTS_IN = {
  accessory: ["image"],
  input: ["plain_text_input"],
  actions: [
    "button",
    "overflow",
    "static_select",
    "multi_static_select",
    "external_select",
    "multi_external_select",
    "checkboxes",
    "radio_buttons",
    "timepicker",
    "datepicker",
  ],
};
const BLOCKS = ["section", "header", "context", "actions", "image", "divider", "input", "rich_text"];

/** Null: a kind that Paperboy does not use. */
function faultsOfFixture(folder: string, value: Parsed): readonly string[] | null {
  const { type = "" } = value;
  if (folder === "blocks") return BLOCKS.includes(type) ? messagesOf([value]) : null;
  if (folder === "elements") {
    if (ELEMENTS_IN.actions.includes(type)) return messagesOf([actions(value)]);
    if (ELEMENTS_IN.input.includes(type)) return messagesOf([input(value)]);
    return ELEMENTS_IN.accessory.includes(type) ? messagesOf([{ ...section("x"), accessory: value }]) : null;
  }
  if (folder === "rich_text") {
    const inline = { type: "rich_text_section", elements: [value] };
    return messagesOf([{ type: "rich_text", elements: [type.startsWith("rich_text_") ? value : inline] }]);
  }
  if (folder === "views") return refuseView(value, ["modal", "home"])?.messages ?? [];
  if (folder === "messages") {
    if ("attachments" in value) return null;
    const refused = refuseMessage(value);
    return refused === null ? [] : [refused.error, ...refused.messages];
  }
  if (folder === "objects") {
    if (type === "mrkdwn" || type === "plain_text") return checkSlackPart("text", value);
    if ("confirm" in value) return checkSlackPart("confirm", value);
    if ("label" in value) return messagesOf([actions(select({ option_groups: [value] }))]);
    if ("value" in value && "text" in value) return checkSlackPart("option", value);
    if ("trigger_actions_on" in value)
      return messagesOf([input({ ...words, dispatch_action_config: value })]);
  }
  return null;
}

const confirm = (more: object) =>
  checkSlackPart("confirm", {
    title: plain("Sure?"),
    text: plain("Really?"),
    confirm: plain("Yes"),
    deny: plain("No"),
    ...more,
  });
const buttons = (more: object) => messagesOf([actions(button(more))]);
const picks = (more: object) => messagesOf([actions(select(more))]);
const groups = (more: object) =>
  picks({ option_groups: [{ label: plain("G"), options: options(1), ...more }] });
const boxes = (type: string, count: number) =>
  messagesOf([actions({ type, action_id: "a", options: options(count) })]);
const views = (more: object) => refuseView(modal(more), ["modal"])?.messages ?? [];
const image = (more: object) =>
  messagesOf([{ type: "image", image_url: "https://example.com/a.png", alt_text: "A", ...more }]);

const INVALID: Readonly<Record<string, () => readonly string[]>> = {
  "text-empty": () => checkSlackPart("text", plain("")),
  "text-too-long": () => checkSlackPart("text", mrkdwn(x(3001))),
  "button-action-id-too-long": () => buttons({ action_id: x(256) }),
  "button-text-too-long": () => buttons({ text: plain(x(76)) }),
  "button-url-too-long": () => buttons({ url: `https://example.com/${x(3000)}` }),
  "button-value-too-long": () => buttons({ value: x(2001) }),
  "button-accessibility-label-too-long": () => buttons({ accessibility_label: x(76) }),
  "confirmation-title-too-long": () => confirm({ title: plain(x(101)) }),
  "confirmation-text-too-long": () => confirm({ text: plain(x(301)) }),
  "confirmation-confirm-too-long": () => confirm({ confirm: plain(x(31)) }),
  "confirmation-deny-too-long": () => confirm({ deny: plain(x(31)) }),
  "option-text-too-long": () => checkSlackPart("option", option("a", { text: plain(x(76)) })),
  "option-value-too-long": () => checkSlackPart("option", option("a", { value: x(151) })),
  "option-description-too-long": () => checkSlackPart("option", option("a", { description: plain(x(76)) })),
  "option-url-too-long": () =>
    messagesOf([
      actions({
        type: "overflow",
        action_id: "more",
        options: [option("a", { url: `https://example.com/${"😀".repeat(3000)}` })],
      }),
    ]),
  "option-group-label-too-long": () => groups({ label: plain(x(76)) }),
  "option-group-empty": () => groups({ options: [] }),
  "option-group-too-many-options": () => groups({ options: options(101) }),
  "select-placeholder-too-long": () => picks({ options: options(1), placeholder: plain(x(151)) }),
  "select-too-many-options": () => picks({ options: options(101) }),
  "select-too-many-option-groups": () =>
    picks({
      option_groups: Array.from({ length: 101 }, (_, index) => ({
        label: plain("G"),
        options: [option(`o${index}`)],
      })),
    }),
  "static-select-options-and-groups": () =>
    picks({ options: options(1), option_groups: [{ label: plain("G"), options: [option("b")] }] }),
  "overflow-empty": () => boxes("overflow", 0),
  "overflow-too-many-options": () => boxes("overflow", 6),
  "checkboxes-empty": () => boxes("checkboxes", 0),
  "checkboxes-too-many-options": () => boxes("checkboxes", 11),
  "radio-buttons-empty": () => boxes("radio_buttons", 0),
  "radio-buttons-too-many-options": () => boxes("radio_buttons", 11),
  "plain-text-input-max-length-too-large": () => messagesOf([input({ ...words, max_length: 3001 })]),
  "actions-too-many-elements": () =>
    messagesOf([actions(...Array.from({ length: 26 }, (_, index) => button({ action_id: `a${index}` })))]),
  "context-too-many-elements": () =>
    messagesOf([{ type: "context", elements: Array.from({ length: 11 }, () => plain("x")) }]),
  "context-invalid-element": () => messagesOf([{ type: "context", elements: [button()] }]),
  "header-text-too-long": () => messagesOf([{ type: "header", text: plain(x(151)) }]),
  "image-url-too-long": () => image({ image_url: `https://example.com/${x(3000)}` }),
  "image-alt-text-too-long": () => image({ alt_text: x(2001) }),
  "image-url-and-slack-file": () => image({ slack_file: { id: "F1" } }),
  "input-label-too-long": () => messagesOf([input(words, { label: plain(x(2001)) })]),
  "input-hint-too-long": () => messagesOf([input(words, { hint: plain(x(2001)) })]),
  "input-invalid-element": () => messagesOf([input(button())]),
  "section-text-too-long": () => messagesOf([section(x(3001))]),
  "section-too-many-fields": () =>
    messagesOf([{ type: "section", fields: Array.from({ length: 11 }, () => plain("x")) }]),
  "section-field-too-long": () => messagesOf([{ type: "section", fields: [plain(x(2001))] }]),
  "section-missing-content": () => messagesOf([{ type: "section" }]),
  "block-id-too-long": () => messagesOf([{ type: "divider", block_id: x(256) }]),
  "view-missing-blocks": () => views({ blocks: [] }),
  "view-too-many-blocks": () => views({ blocks: Array.from({ length: 101 }, () => section("x")) }),
  "view-private-metadata-too-long": () => views({ private_metadata: x(3001) }),
  "view-callback-id-too-long": () => views({ callback_id: x(256) }),
  "view-title-too-long": () => views({ title: plain(x(25)) }),
  "view-close-too-long": () => views({ close: plain(x(25)) }),
  "view-submit-too-long": () => views({ submit: plain(x(25)) }),
};
