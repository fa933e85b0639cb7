import type { APIMessage } from "discord.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commands } from "../../src/core/commands.ts";
import { createDesk, type TestDesk } from "../contracts/desk.ts";
import type { Answer as DiscordAnswer } from "../peers/discord-people.ts";
import { allComponents, messageText } from "../peers/discord-state.ts";
import type { SlackSeen } from "../peers/slack-people.ts";
import { asList, isJson, type PostedMessage } from "../peers/slack-state.ts";
import { createWorld as createDiscord, type World as Discord } from "./discord/world.ts";
import { createWorld as createSlack, type World as Slack } from "./slack/world.ts";

/**
 * What is wanted to differ, and why:
 * - Settings: only Slack has modals behind that button.
 * - "by ada" under a change: Discord shows who used a command, Slack does not.
 * - An export: a file on Discord; on Slack text to copy, since a file would need one more right.
 * - Discuss: Discord opens the thread on the message itself, Slack by a first reply under it.
 * - `test` names Discord's permissions, each by its name there; Slack has none to name.
 * - Who may change a channel: Manage Channels on Discord, any full member on Slack.
 * - How markup is escaped, and where a title stands.
 */
type Answer = {
  readonly to: "asker" | "channel";
  /** Whether it took the place of what was pressed. */
  readonly replaces: boolean;
  readonly lines: readonly string[];
  /** Buttons and menus, in order: each label with its id. */
  readonly controls: readonly string[];
  /** The menus' options: each label with its value. */
  readonly options: readonly string[];
};
type Side = {
  type(step: Typed, who: Who): Promise<Answer>;
  /** Presses a button of the last answer that had any, by its label's beginning. */
  press(label: string, who: Who): Promise<Answer>;
  choose(position: number, who: Who): Promise<Answer>;
};
type Who = "member" | "guest";
type Typed = { readonly text: string; readonly options?: Readonly<Record<string, string | number>> };

let library: TestDesk;
let discord: Discord;
let slack: Slack;
beforeAll(async () => {
  library = await createDesk();
  discord = await createDiscord({ library });
  const unlimited = { channelPerSecond: 1000, channelBurst: 1000, workspacePerMinute: 100_000 };
  slack = await createSlack({ library, limits: unlimited });
});
afterAll(async () => {
  await discord.close();
  await slack.close();
  await library.close();
});

/** Each walk begins in channels that nothing was done in. */
const walks: Readonly<Record<string, readonly Step[]>> = {
  "searching, sharing and paging": [
    type("search", { query: "agents" }),
    press("Next page"),
    press("Previous page"),
    press("Share to channel"),
    press("Next page"),
    type("search", { query: "org:nobody-at-all" }),
    type("search", { query: "min:many" }),
    type("search", { query: '"an unfinished phrase' }),
    type("search", { query: "2604.10189" }),
    type("search", { query: "<!channel> @everyone *bold*" }),
    type("search", { query: "x".repeat(2990) }),
    type("search", { query: "x".repeat(3001) }),
  ],
  "the lists of days": [
    type("today", {}),
    choose(1),
    type("today", { date: "2026-04-20" }),
    type("today", { date: "someday" }),
    type("trending", { period: "week" }),
    type("trending", {}),
  ],
  "a card and what is saved of it": [
    type("saved", {}),
    type("show", { paper: "2604.10189" }),
    press("Save"),
    press("Unsave"),
    type("show", { paper: "2604.10189" }),
    press("Save"),
    type("saved", {}),
    type("similar", { paper: "2604.10189" }),
    type("show", { paper: "https://arxiv.org/abs/2604.10189v2" }),
    press("More like this"),
    type("show", { paper: "9999.99999" }),
    type("profile", {}),
    type("profile", { action: "reset" }),
    type("forget", {}),
  ],
  "subscribing and what follows": [
    type("subscriptions", {}),
    type("preview", {}),
    type("status", {}),
    type("unsubscribe", { subscription: "3" }),
    type("subscribe", { topic: "agents" }),
    press("Preview"),
    type("subscribe", { topic: "agents -robotics" }),
    type("subscribe", { topic: "agents -robotics" }),
    press("Preview"),
    type("subscribe", { topic: "quantum gravity of nowhere" }),
    press("Undo"),
    type("subscribe", {}),
    type("subscriptions", {}),
    type("schedule", { time: "17:30 Europe/Paris weekdays top 8" }),
    press("Undo"),
    type("schedule", {}),
    type("schedule", { time: "at some time" }),
    type("pause", { until: "2026-05-04" }),
    press("Undo"),
    type("pause", {}),
    type("status", {}),
    type("resume", {}),
    type("resume", {}),
    type("unsubscribe", { subscription: "agents" }),
    type("status", {}),
  ],
  "a member who may not change anything": [
    type("subscriptions", {}, "guest"),
    type("today", {}, "guest"),
    type("help", {}, "guest"),
    type("profile", {}, "guest"),
    type("saved", {}, "guest"),
  ],
  help: [
    type("help", {}),
    ...commands.map(({ name }) => type("help", { command: name })),
    type("help", { command: "nothing" }),
  ],
};

type Step = { readonly name: string; readonly run: (side: Side) => Promise<Answer> };
function type(name: string, options: Typed["options"], who: Who = "member"): Step {
  const text = [name, ...Object.values(options ?? {})].join(" ");
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return {
    name: short,
    run: (side) => side.type({ text, ...(options === undefined ? {} : { options }) }, who),
  };
}
function press(label: string): Step {
  return { name: `press ${label}`, run: (side) => side.press(label, "member") };
}
function choose(position: number): Step {
  return { name: `choose paper ${position + 1}`, run: (side) => side.choose(position, "member") };
}

describe.each(Object.entries(walks))("the same on Discord and Slack: %s", (_name, steps) => {
  let sides: { readonly discord: Side; readonly slack: Side };
  beforeAll(async () => {
    sides = { discord: discordSide(), slack: await slackSide() };
  });
  test.each(steps.map((step, index) => [index + 1, step.name, step] as const))(
    "%i. %s",
    async (_index, _name_, step) => {
      const [there, here] = [await step.run(sides.discord), await step.run(sides.slack)];
      expect(here).toEqual(there);
      expect(here.lines.length).toBeGreaterThan(0);
    },
  );
});

test("whoever may not change a channel is told so on both, each in its platform's words", async () => {
  for (const [side, words] of [
    [discordSide(), "only who may manage this channel can change this (manage channels)."],
    [await slackSide(), "only full members of this channel can change this."],
  ] as const) {
    for (const name of ["subscribe", "pause", "resume", "test"]) {
      const answer = await side.type({ text: name, options: {} }, "guest");
      expect(answer).toMatchObject({ to: "asker", controls: [], lines: expect.arrayContaining([words]) });
    }
  }
});

test("every command is walked", () => {
  const walked = Object.values(walks).flatMap((steps) => steps.map(({ name }) => name.split(" ")[0]));
  const missing = commands.map(({ name }) => name).filter((name) => !walked.includes(name));
  // It posts a sample, and names Discord's permissions.
  expect(missing).toEqual(["test"]);
});

function discordSide(): Side {
  const channel = discord.discord.addChannel(discord.guildId, { name: "parity" });
  let last: APIMessage | null = null;
  const person = (who: Who) => (who === "member" ? discord.ada : discord.sam);

  async function read(answer: DiscordAnswer, pressed: string | null): Promise<Answer> {
    await answer.settled();
    const message = answer.followUps.at(-1) ?? answer.message;
    if (message === null) throw new Error("Nothing was answered.");
    const parts = allComponents(message).filter(isJson);
    const controls = parts.flatMap(({ type: kind, custom_id, url, label, placeholder }) =>
      kind === 2 || kind === 3 ? [`${label ?? placeholder}: ${idOf(String(custom_id ?? url))}`] : [],
    );
    const options = parts.flatMap((part) =>
      asList(part["options"]).map(({ label, value }) => `${label}: ${value}`),
    );
    if (controls.length > 0) last = message;
    return {
      to: ((message.flags ?? 0) & 64) === 0 ? "channel" : "asker",
      replaces: message.id === pressed,
      lines: linesOf(messageText(message).replace(/\\(?=[^A-Za-z0-9\s])/g, "")),
      controls,
      options,
    };
  }

  return {
    async type({ text, options = {} }, who) {
      const [path = ""] = text.split(" ");
      return read(await discord.discord.slash(person(who), channel, path, options, { force: true }), null);
    },
    async press(label, who) {
      const found = allComponents(last!)
        .filter(isJson)
        .find((each) => String(each["label"]).startsWith(label));
      return read(await discord.discord.press(person(who), last!, String(found?.["custom_id"])), last!.id);
    },
    async choose(position, who) {
      const menu = allComponents(last!)
        .filter(isJson)
        .find((each) => each["type"] === 3)!;
      const value = String(asList(menu["options"])[position]!["value"]);
      return read(
        await discord.discord.choose(person(who), last!, String(menu["custom_id"]), [value]),
        last!.id,
      );
    },
  };
}

async function slackSide(): Promise<Side> {
  const peer = slack.slack;
  // Discord tells nobody's zone.
  const ada = peer.addUser(slack.team, { name: "Ada", tz: "UTC" }).id;
  const channel = peer.addChannel(slack.team, {
    name: `parity-${peer.requests.length}`,
    members: [ada, slack.gus],
  }).id;
  await peer.invite(channel);
  let last: PostedMessage | null = null;
  const person = (who: Who) => (who === "member" ? ada : slack.gus);

  async function read(seen: SlackSeen, pressed: string | null): Promise<Answer> {
    await seen.until(({ messages, ephemerals }) => messages.length + ephemerals.length > 0);
    const message = [...seen.messages, ...seen.ephemerals].at(-1)!;
    const parts = message.blocks.flatMap(({ elements }) => asList(elements));
    const text = (value: unknown) => (isJson(value) ? value["text"] : undefined);
    const controls = parts.flatMap(({ type: kind, action_id, url, text: label, placeholder }) =>
      (kind === "button" || kind === "static_select") && !/^v1:(settings|build)\b/.test(String(action_id))
        ? [`${text(label) ?? text(placeholder)}: ${idOf(String(url ?? action_id))}`]
        : [],
    );
    const options = parts.flatMap((part) =>
      asList(part["options"]).map((each) => `${text(each["text"])}: ${each["value"]}`),
    );
    if (controls.length > 0) last = message;
    const shown = message.blocks
      .filter(({ type: kind }) => kind !== "actions")
      .flatMap(textsOf)
      .join("\n");
    return {
      to: message.ephemeralTo === null ? "channel" : "asker",
      replaces: message.ts === pressed,
      lines: linesOf(plainOf(shown))
        .filter((line) => line !== "by ada")
        .map((line) => line.replace(/ · by ada$/, "")),
      controls,
      options,
    };
  }

  return {
    type: async ({ text }, who) => read(await peer.command(person(who), channel, "/papers", text), null),
    async press(label, who) {
      const button = last!.blocks
        .flatMap(({ elements }) => asList(elements))
        .find(({ text }) => isJson(text) && String(text["text"]).startsWith(label));
      return read(await peer.press(person(who), last!, String(button?.["action_id"])), last!.ts);
    },
    async choose(position, who) {
      const menu = last!.blocks
        .flatMap(({ elements }) => asList(elements))
        .find((each) => each["type"] === "static_select")!;
      const value = String(asList(menu["options"])[position]!["value"]);
      return read(await peer.choose(person(who), last!, String(menu["action_id"]), value), last!.ts);
    },
  };
}

/** What an id stands for where it names a kept text, which holds the platform and the channel. */
function idOf(id: string): string {
  return id.replace(/^v1:undo:.*/, "v1:undo:…");
}

function textsOf(block: Readonly<Record<string, unknown>>): readonly string[] {
  const own = isJson(block["text"]) ? [String(block["text"]["text"])] : [];
  return [
    ...own,
    ...asList(block["elements"]).flatMap(({ text }) => (typeof text === "string" ? [text] : [])),
  ];
}

/** Slack's markup as plain text: its entities and its look-alikes taken back. */
function plainOf(text: string): string {
  return text
    .replaceAll("∗", "*")
    .replaceAll("ˍ", "_")
    .replaceAll("∼", "~")
    .replaceAll("ˋ", "`")
    .replaceAll("∶", ":")
    .replace(/<https?:[^|>]*\|([^>]*)>/g, "$1")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

/** The lines that people read, without what either platform draws with. */
function linesOf(text: string): readonly string[] {
  return text
    .replace(/\[([^\]]*)\]\(<?https?:[^)]*>?\)/g, "$1")
    .split("\n")
    .map((line) =>
      line
        .replace(/^(#+|-#|>) /, "")
        .replace(/[*_`]/g, "")
        .replace(/^(\d+) · /, "$1 ")
        .replace(/\s+/g, " ")
        .trim()
        .toLowerCase(),
    )
    .filter((line) => line !== "");
}
