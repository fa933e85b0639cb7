import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderDiscord } from "../../src/bots/discord/render.ts";
import { renderSlack } from "../../src/bots/slack/render.ts";
import type { Reply } from "../../src/core/command.ts";
import { commands, complete, completeOption, press, runCommand, runText } from "../../src/core/commands.ts";
import { hostile } from "../bots/any-message.ts";
import { createAsker, createDesk, type TestDesk } from "../contracts/desk.ts";
import { checkDiscordMessage } from "../peers/discord-rules.ts";
import { checkSlackMessage } from "../peers/slack-rules.ts";

let desk: TestDesk;
beforeAll(async () => {
  desk = await createDesk();
});
afterAll(() => desk.close());

const ADA = createAsker();
const SAM = createAsker({ person: "U2", name: "Sam", maySet: false });
const say = (text: string, asker = ADA) => runText(desk, asker, text);
const textOf = ({ message }: Reply) => [message.title, ...message.intro].join("\n");

function expectLegal(reply: Reply): void {
  const { message } = reply;
  expect(message.title.trim()).not.toBe("");
  expect(checkDiscordMessage(renderDiscord(message))).toEqual([]);
  expect(checkSlackMessage(renderSlack(message))).toEqual([]);
}

describe("what is typed", () => {
  test("nothing at all is help", async () => {
    expect(textOf(await say(""))).toContain("/papers subscribe [topic]");
    expect(await say(" \u200b ")).toEqual(await say("help"));
  });

  test.each([
    "STATUS",
    "  status  ",
    "/papers status",
    "papers status",
    "\u200bsta\u200btus\u202e",
    "/status",
  ])("%j is status", async (text) => {
    expect(await say(text)).toEqual(await say("status"));
  });

  test.each([
    ["subscrbe agents", "/papers subscribe agents"],
    ["unsubscribed 3", "/papers unsubscribe 3"],
    ["find agents", "/papers search find"],
    ["shedule 09:00", "/papers schedule 09:00"],
    ["help subscrib", "/papers help subscribe"],
  ])("%j gets the nearest command as a line to copy", async (text, line) => {
    const reply = await say(text);
    expect(textOf(reply)).toMatch(/^There is no command/);
    expect(reply.message.intro).toContain(line);
    expect(reply.to).toBe("asker");
  });

  test("more than a command takes is named and refused", async () => {
    for (const { name } of commands.filter(({ options }) => options.length === 0)) {
      expect(textOf(await say(`${name} now please`))).toBe(
        `“${name}” takes nothing behind it: “now please” has no place.\n/papers ${name}`,
      );
    }
  });

  test("3,000 characters are read and one more is not", async () => {
    expect(textOf(await say(`search ${"a".repeat(2993)}`))).not.toContain("too much");
    expect(textOf(await say(`search ${"a".repeat(2994)}`))).toContain("too much");
    expect(textOf(await runCommand(desk, ADA, "search", { query: "a".repeat(3001) }))).toContain("too much");
  });
});

describe("who may what", () => {
  const settings = commands.filter(({ who }) => who === "settings").map(({ name }) => name);

  test("commands that change the channel are for those who may", async () => {
    expect(settings.toSorted()).toEqual(["pause", "resume", "schedule", "subscribe", "test", "unsubscribe"]);
    for (const name of settings) {
      const reply = await say(name, SAM);
      expect(textOf(reply)).toContain("full members of this channel");
      expect(reply.message.intro).toContain("/papers preview");
      expect(reply.to).toBe("asker");
    }
    expect(await desk.channels.channel(SAM.where)).toBeNull();
  });

  test("so are their buttons, and the reset of the profile", async () => {
    expect(textOf(await press(desk, SAM, "v1:undo:x"))).toContain("full members");
    expect(textOf(await say("profile reset", SAM))).toContain("full members");
  });

  test("on Discord it takes Manage Channels", async () => {
    const where = { platform: "discord", workspace: "G1", channel: "C1" } as const;
    const reply = await say("pause", { ...SAM, where });
    expect(reply.message.title).toBe("Only who may manage this channel can change this (Manage Channels).");
    expect(textOf(reply)).toContain("direct message");
  });

  test.each([
    ["discord", "(Manage Channels)"],
    ["slack", "full members of this channel"],
  ])("in the playground's %s it is that client's words, and who may is named", async (workspace, words) => {
    const where = { platform: "playground", workspace, channel: "C1" } as const;
    const reply = await say("pause", { ...SAM, where });
    expect(reply.message.title).toContain(words);
    expect(textOf(reply)).toContain("Ada (admin) may.");
    expect(textOf(reply)).not.toContain("direct message");
  });
});

describe("buttons", () => {
  test.each([
    "v0:show:2604.00001",
    "v2:undo:a",
    "v1:nothing",
    "v1",
    "show",
    "",
    "v1:toString",
    "v1:".repeat(200),
  ])("%j is said to be from an older version", async (id) => {
    expect(textOf(await press(desk, ADA, id))).toMatch(/^This button is from an older version of Paperboy:/);
  });

  test("whatever their id says, there is an answer", async () => {
    const verb = fc.constantFrom("undo", "preview", "show", "save", "more", "page", "discuss", "share", "x");
    await fc.assert(
      fc.asyncProperty(verb, hostile(60), fc.option(hostile(60)), async (name, rest, value) => {
        expectLegal(await press(desk, ADA, `v1:${name}:${rest}`, value));
      }),
      { numRuns: 100 },
    );
  });
});

describe("help", () => {
  test("lists each command once, with what is typed", async () => {
    const { intro } = (await say("help")).message;
    for (const { usage } of commands) {
      expect(intro.filter((line) => line.startsWith(`/papers ${usage} `))).toHaveLength(1);
    }
  });

  test("on one command shows lines that work", async () => {
    for (const { name, examples } of commands) {
      const reply = await say(`help ${name}`);
      expect(reply.message.title).toMatch(new RegExp(`^${name}: `));
      for (const example of examples) expect(reply.message.intro).toContain(`/papers ${example}`);
    }
  });

  test("fits both platforms whole", async () => {
    const reply = await say("help", SAM);
    expectLegal(reply);
    const rendered =
      JSON.stringify(renderDiscord(reply.message)) + JSON.stringify(renderSlack(reply.message));
    expect(rendered.match(/min:20/g)?.length).toBeGreaterThanOrEqual(2);
  });
});

describe("completion", () => {
  test("offers subcommands that begin so", async () => {
    expect((await complete(desk, ADA, "sub")).map(({ value }) => value)).toEqual([
      "subscribe",
      "subscriptions",
    ]);
    expect(await complete(desk, ADA, "")).toHaveLength(commands.length);
    expect(await complete(desk, ADA, "nothing ")).toEqual([]);
  });

  test("offers what the option under the cursor may be, in the place of the whole text", async () => {
    expect(await complete(desk, ADA, "trending w")).toEqual([{ label: "week", value: "trending week" }]);
    const [paris] = await complete(desk, ADA, "schedule 09:00 pari");
    expect(paris).toEqual({ label: "Europe/Paris · 14:00 now", value: "schedule 09:00 Europe/Paris" });
  });

  test("offers zones by city, name and the asker's own", async () => {
    const zones = async (typed: string, zone: string | null = null) =>
      (await completeOption(desk, createAsker({ zone }), { command: "schedule", option: "zone", typed })).map(
        ({ value }) => value,
      );
    expect((await zones("new y"))[0]).toBe("America/New_York");
    expect((await zones("", "Asia/Tokyo"))[0]).toBe("Asia/Tokyo");
    expect(await zones("")).toHaveLength(25);
  });

  test("stays within Discord's limits, whatever is typed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("", ...commands.map(({ name }) => name)),
        hostile(80),
        async (name, typed) => {
          const found = [
            ...(await complete(desk, ADA, `${name} ${typed}`)),
            ...(
              await Promise.all(
                (commands.find((each) => each.name === name)?.options ?? []).map((option) =>
                  completeOption(desk, ADA, { command: name, option: option.name, typed }),
                ),
              )
            ).flat(),
          ];
          for (const { label } of found) {
            expect(label.length).toBeGreaterThan(0);
            expect(label.length).toBeLessThanOrEqual(100);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

test("commands and options fit Discord", () => {
  for (const { name, summary, options } of commands) {
    expect(name).toMatch(/^[a-z]{1,32}$/);
    expect(summary.length).toBeLessThanOrEqual(100);
    for (const option of options) {
      expect(option.name).toMatch(/^[a-z]{1,32}$/);
      expect(option.summary.length).toBeLessThanOrEqual(100);
      expect(option.choices?.length ?? 0).toBeLessThanOrEqual(25);
    }
  }
});

test("any text at all gets an answer that is legal on both platforms", async () => {
  const name = fc.constantFrom("", "x", ...commands.map((each) => each.name));
  const argument = fc.oneof(
    hostile(300),
    hostile(40),
    fc.constantFrom(
      "agents",
      "1",
      "until monday",
      "09:00 Paris",
      "top 99",
      "“agents”",
      "-x",
      "reset",
      "\u202eabc",
    ),
    fc.integer({ min: 1, max: 3000 }).map((length) => "ж ".repeat(length / 2)),
  );
  await fc.assert(
    fc.asyncProperty(name, argument, fc.boolean(), async (command, rest, maySet) => {
      const where = { platform: "discord", workspace: "G", channel: "fuzz" } as const;
      expectLegal(await say(`${command} ${rest}`, createAsker({ maySet, where })));
    }),
    { numRuns: 250 },
  );
}, 60_000);

test("any options at all get an answer that is legal on both platforms", async () => {
  const options = fc.dictionary(
    fc.constantFrom(...new Set(commands.flatMap((each) => each.options.map(({ name }) => name)))),
    hostile(80),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...commands.map(({ name }) => name)), options, async (name, args) => {
      const where = { platform: "slack", workspace: "T", channel: "fuzz" } as const;
      expectLegal(await runCommand(desk, createAsker({ where }), name, args));
    }),
    { numRuns: 200 },
  );
}, 60_000);
