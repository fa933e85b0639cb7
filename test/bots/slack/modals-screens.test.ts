import { webApi } from "@slack/bolt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createScreens } from "../../../src/bots/slack/modals-screens.ts";
import { noteModal } from "../../../src/bots/slack/modals-views.ts";
import { CLIENT_OPTIONS } from "../../../src/bots/slack/sending.ts";
import { type Answer, refusal, startAnswers } from "./answers.ts";

let slack: Awaited<ReturnType<typeof startAnswers>>;
let client: webApi.WebClient;
let passed: number;
let waits: number[];
beforeEach(async () => {
  slack = await startAnswers();
  client = new webApi.WebClient("xoxb-1", { ...CLIENT_OPTIONS, slackApiUrl: slack.url });
  passed = 10_000;
  waits = [];
});
afterEach(() => slack.close());

function screens() {
  return createScreens({
    now: () => passed,
    wait: async (ms) => {
      waits.push(ms);
      passed += ms;
    },
  });
}

const shown = (hash: string): Answer => ({ body: { view: { id: "V1", hash } } });
const place = { viewId: "V1", hash: "h0", round: 1 };
const view = (text: string) => async () => noteModal("A form", [text]);
const updates = () =>
  slack.asked
    .filter(({ method }) => method === "views.update")
    .map(({ args }) => [args["hash"], JSON.parse(args["view"] ?? "").blocks[0].text.text]);

describe("previews", () => {
  test("come a second apart, each upon the one before", async () => {
    let made = 0;
    slack.tell("views.update", () => shown(`h${++made}`));
    const { preview } = screens();
    await preview(client, place, view("a"));
    await preview(client, place, view("ag"));
    passed += 5000;
    await preview(client, place, view("agents"));
    expect(waits).toEqual([1000]);
    expect(updates()).toEqual([
      ["h0", "a"],
      ["h1", "ag"],
      ["h2", "agents"],
    ]);
  });

  test("that something newer was typed after are not drawn, or not shown", async () => {
    slack.tell("views.update", shown("h1"));
    const { preview } = screens();
    let drawn = 0;
    const draw = (text: string) => () => {
      drawn += 1;
      return view(text)();
    };
    await Promise.all(["a", "ag", "age"].map((text) => preview(client, place, draw(text))));
    expect(updates()).toEqual([["h0", "age"]]);
    expect(drawn).toBe(1);
  });

  test("of what a form held before it was filled anew are not shown", async () => {
    slack.tell("views.update", shown("h1"));
    const { preview, refill } = screens();
    const early = preview(client, place, view("a"));
    refill("V1", 2);
    await early;
    await preview(client, place, view("late"));
    await preview(client, { ...place, round: 2 }, view("new"));
    expect(updates()).toEqual([["h0", "new"]]);
  });

  test.each(["not_found", "hash_conflict"])("that Slack answers with %s end there", async (word) => {
    slack.tell("views.update", refusal(word));
    await expect(screens().preview(client, place, view("a"))).resolves.toBeUndefined();
  });

  test("wait as long as Slack asks", async () => {
    slack.tell("views.update", { status: 429, headers: { "retry-after": "30" }, body: { ok: false } });
    const { preview } = screens();
    await preview(client, place, view("a"));
    slack.tell("views.update", shown("h1"));
    await preview(client, place, view("ag"));
    expect(waits).toEqual([30_000]);
  });

  test("fail with any other error, and the next one comes all the same", async () => {
    slack.tell("views.update", refusal("invalid_arguments"));
    const { preview } = screens();
    await expect(preview(client, place, view("a"))).rejects.toThrow("invalid_arguments");
    slack.tell("views.update", shown("h1"));
    await preview(client, place, view("ag"));
    expect(updates().at(-1)).toEqual(["h0", "ag"]);
  });
});

describe("opening", () => {
  test("takes one call where the view is ready", async () => {
    slack.tell("views.open", shown("h1"));
    expect(await screens().open(client, "open", "t", "A form", view("ready")())).toBe(true);
    expect(slack.asked.map(({ method }) => method)).toEqual(["views.open"]);
  });

  test.each(["expired_trigger_id", "exchanged_trigger_id"])("says where Slack answers %s", async (word) => {
    slack.tell("views.push", refusal(word));
    expect(await screens().open(client, "push", "t", "A form", view("ready")())).toBe(false);
  });

  test("fails where Slack refuses the view", async () => {
    slack.tell("views.open", refusal("invalid_arguments"));
    const opening = screens().open(client, "open", "t", "A form", view("ready")());
    await expect(opening).rejects.toThrow("invalid_arguments");
  });
});
