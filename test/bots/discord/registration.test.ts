import { ApplicationCommandOptionType, type APIApplicationCommandSubcommandOption } from "discord.js";
import { afterEach, describe, expect, test } from "vitest";
import { commandsFor, readRegistration, register } from "../../../src/bots/discord/registration.ts";
import { createRest } from "../../../src/bots/discord/rest.ts";
import type { Command } from "../../../src/core/command.ts";
import { commands } from "../../../src/core/commands.ts";
import { type Answer, refusal, startAnswers, TOKEN } from "./answers.ts";

// https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-naming
const NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u;
const ROUTE = "/applications/7/commands";

type Json = Record<string, unknown>;
const [papers] = commandsFor(commands) as unknown as [
  Json & { options: (APIApplicationCommandSubcommandOption & { options: Json[] })[] },
];
const option = (command: string, name: string) =>
  papers.options.find((each) => each.name === command)!.options.find((each) => each["name"] === name) as
    | Json
    | undefined;

describe("the command that Discord gets", () => {
  test("is /papers alone, for servers, direct messages and people, with no right set", () => {
    expect(commandsFor(commands)).toHaveLength(1);
    expect(papers).toMatchObject({ type: 1, name: "papers", contexts: [0, 1, 2], integration_types: [0, 1] });
    expect(papers).not.toHaveProperty("default_member_permissions");
  });

  test("has every command as a subcommand, in the order of the help", () => {
    expect(papers.options.map(({ name }) => name)).toEqual(commands.map(({ name }) => name));
    expect(papers.options.every(({ type }) => type === ApplicationCommandOptionType.Subcommand)).toBe(true);
  });

  test("keeps to Discord's rules of names, lengths, numbers and order", () => {
    let total = 0;
    const check = (part: Json) => {
      const options = (part["options"] ?? []) as Json[];
      const choices = (part["choices"] ?? []) as Json[];
      const [name, description] = [String(part["name"]), String(part["description"])];
      expect(name).toMatch(NAME);
      expect(name).toBe(name.toLowerCase());
      expect(description.length, description).toBeLessThanOrEqual(100);
      expect(description).not.toBe("");
      expect(options.length).toBeLessThanOrEqual(25);
      expect(new Set(options.map((each) => each["name"])).size).toBe(options.length);
      const required = options.map((each) => each["required"] === true);
      expect(required).toEqual(required.toSorted((a, b) => Number(b) - Number(a)));
      expect(choices.length).toBeLessThanOrEqual(25);
      for (const choice of choices) {
        expect(String(choice["name"]).length).toBeLessThanOrEqual(100);
        total += String(choice["name"]).length + String(choice["value"]).length;
      }
      if (choices.length > 0) expect(part["autocomplete"]).not.toBe(true);
      total += name.length + description.length;
      for (const each of options) check(each);
    };
    check(papers);
    expect(total).toBeLessThanOrEqual(8000);
  });

  test("offers completion where the core has it, choices where those are all there is", () => {
    expect(option("show", "paper")).toMatchObject({ type: 3, required: true, autocomplete: true });
    expect(option("saved", "format")).toMatchObject({
      type: 3,
      choices: expect.arrayContaining([{ name: "bibtex", value: "bibtex" }]),
    });
    expect(option("saved", "format")).not.toHaveProperty("autocomplete");
    expect(option("subscribe", "topic")).not.toHaveProperty("choices");
    for (const command of commands) {
      for (const { name, complete } of command.options)
        expect(option(command.name, name)!["autocomplete"] === true, name).toBe(complete !== null);
    }
  });

  test("asks for a number of papers as a whole number from 1 to 20", () => {
    expect(option("schedule", "top")).toMatchObject({ type: 4, min_value: 1, max_value: 20 });
  });

  test("puts required options first, whatever the order in the core", () => {
    const made = { summary: "Made up", choices: null, complete: null };
    const command: Command = {
      ...commands[0]!,
      options: [
        { ...made, name: "may", required: false },
        { ...made, name: "must", required: true },
      ],
    };
    expect(commandsFor([command])).toMatchObject([
      { options: [{ options: [{ name: "must" }, { name: "may" }] }] },
    ]);
  });
});

let discord: Awaited<ReturnType<typeof startAnswers>> | null = null;
afterEach(async () => {
  await discord?.close();
  discord = null;
});

async function over(registered: Answer) {
  discord = await startAnswers({ [`GET ${ROUTE}`]: registered, [`PUT ${ROUTE}`]: { body: [] } });
  const rest = createRest({ token: TOKEN, apiUrl: discord.url });
  return { discord, options: { rest, applicationId: "7", commands } };
}

/** `/papers` as Discord gives it back: with ids and defaults, and in another order. */
function asRegistered(): Json {
  const dress = (part: Json): Json => {
    const { options, choices, ...rest } = part as { options?: Json[]; choices?: Json[] };
    return {
      ...(options === undefined || options.length === 0 ? {} : { options: options.map(dress) }),
      ...Object.fromEntries(
        Object.entries(rest)
          .filter(([, value]) => value !== false)
          .toReversed(),
      ),
      ...(choices === undefined
        ? {}
        : { choices: choices.map((each) => ({ ...each, name_localizations: null })) }),
      name_localizations: null,
      description_localizations: null,
    };
  };
  return {
    id: "70",
    application_id: "7",
    version: "700",
    default_member_permissions: null,
    dm_permission: true,
    nsfw: false,
    ...dress(papers),
    integration_types: [1, 0],
    something_new: { of: "Discord's" },
  };
}

describe("registering", () => {
  test("puts /papers where there is nothing", async () => {
    const { discord, options } = await over({ body: [] });
    expect(await register(options)).toEqual({ state: "missing", others: [] });
    expect(discord.asked.map(({ route }) => route)).toEqual([`GET ${ROUTE}`, `PUT ${ROUTE}`]);
    expect(discord.asked[1]!.body).toEqual(JSON.parse(JSON.stringify([papers])));
  });

  test("changes nothing where Discord has it, with whatever Discord adds", async () => {
    const { discord, options } = await over({ body: [asRegistered()] });
    expect(await register(options)).toEqual({ state: "current", others: [] });
    expect(discord.asked.map(({ route }) => route)).toEqual([`GET ${ROUTE}`]);
  });

  const first = (change: (part: Json) => Json) => (command: Json) => ({
    ...command,
    options: (command["options"] as Json[]).map((each, at) => (at === 0 ? change(each) : each)),
  });
  test.each<[string, (command: Json) => Json]>([
    ["a description", (command) => ({ ...command, description: "Older" })],
    ["a right", (command) => ({ ...command, default_member_permissions: "16" })],
    ["a translation", (command) => ({ ...command, name_localizations: { fr: "articles" } })],
    ["where it can be used", (command) => ({ ...command, contexts: [0] })],
    ["a subcommand too few", (command) => ({ ...command, options: (command["options"] as Json[]).slice(1) })],
    [
      "the order of subcommands",
      (command) => ({ ...command, options: (command["options"] as Json[]).toReversed() }),
    ],
    ["an option", first((search) => ({ ...search, options: [] }))],
    [
      "whether an option is required",
      first((search) => ({
        ...search,
        options: (search["options"] as Json[]).map((each) => ({ ...each, required: false })),
      })),
    ],
  ])("changes %s that differs, with one PUT", async (_, change) => {
    const { discord, options } = await over({ body: [change(asRegistered())] });
    expect(await readRegistration(options)).toEqual({ state: "different", others: [] });
    expect(await register(options)).toMatchObject({ state: "different" });
    expect(discord.asked.filter(({ route }) => route.startsWith("PUT"))).toHaveLength(1);
  });

  test("keeps the application's other commands as they are, with their translations", async () => {
    const ping = {
      id: "71",
      application_id: "7",
      version: "701",
      type: 1,
      name: "ping",
      name_localizations: { fr: "sonner" },
      description: "Answers",
      default_member_permissions: "16",
      dm_permission: false,
      contexts: null,
      nsfw: false,
    };
    const menu = {
      ...ping,
      id: "72",
      type: 3,
      name: "papers",
      description: "",
      contexts: [0],
      name_localizations: null,
    };
    const { discord, options } = await over({ body: [ping, menu] });
    expect(await register(options)).toEqual({ state: "missing", others: ["ping", "papers"] });
    expect(discord.asked[0]!.query).toBe("?with_localizations=true");
    expect((discord.asked[1]!.body as Json[]).slice(1)).toEqual([
      {
        id: "71",
        type: 1,
        name: "ping",
        name_localizations: { fr: "sonner" },
        description: "Answers",
        default_member_permissions: "16",
        dm_permission: false,
      },
      { id: "72", type: 3, name: "papers", default_member_permissions: "16", contexts: [0] },
    ]);
  });
});

describe("a registration that fails", () => {
  test.each<[string, Answer, RegExp]>([
    [
      "a refused token",
      refusal(401, 0, "401: Unauthorized"),
      /^Discord refuses the token in DISCORD_TOKEN: choose .*Reset Token.*\.$/,
    ],
    [
      "a malformed command",
      refusal(400, 50_035, "Invalid Form Body", {
        errors: {
          0: {
            description: {
              _errors: [{ code: "BASE_TYPE_BAD_LENGTH", message: "Must be 100 or fewer in length." }],
            },
          },
        },
      }),
      /^Discord refused GET \/api\/v10\/applications\/7\/commands as malformed \(Invalid Form Body; 0\.description\[BASE_TYPE_BAD_LENGTH\]: Must be 100 or fewer in length\): .*report it\.$/,
    ],
    [
      "another refusal",
      refusal(403, 50_001, "Missing Access"),
      /\(Missing Access, code 50001\): see the application's settings/,
    ],
    [
      "a fault of Discord's",
      { status: 502, raw: "<html>" },
      /^Discord answers with a fault of its own \(502\): try again/,
    ],
    [
      "something that is no Discord",
      { raw: "<html>Welcome</html>" },
      /does not speak as Discord does: check DISCORD_API_URL/,
    ],
    ["JSON of something else", { body: { hello: "world" } }, /does not speak as Discord does/],
  ])("on %s says so in a sentence that tells what to do", async (_, answer, sentence) => {
    const { options } = await over(answer);
    await expect(register(options)).rejects.toThrow(sentence);
    await expect(register(options)).rejects.not.toThrow(TOKEN);
  });

  test("at a rate limit says how long to wait", async () => {
    const { discord, options } = await over({ body: [] });
    discord.tell(`GET ${ROUTE}`, {
      status: 429,
      headers: { "retry-after": "61", "x-ratelimit-scope": "user" },
      body: { message: "You are being rate limited.", retry_after: 61, global: false },
    });
    await expect(register(options)).rejects.toThrow(/takes no more requests .* try again in 6[12] s\.$/);
  });

  test("where nobody listens says what to check", async () => {
    const { discord, options } = await over({ body: [] });
    await discord.close();
    await expect(register(options)).rejects.toThrow(
      /^Discord cannot be reached at http:\/\/127\.0\.0\.1:\d+\/api \(ECONNREFUSED\): check the network and DISCORD_API_URL\.$/,
    );
  });
});
