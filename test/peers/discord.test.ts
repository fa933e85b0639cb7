import {
  ActionRowBuilder,
  ButtonBuilder,
  ButtonStyle,
  ChannelType,
  Client,
  type ChatInputCommandInteraction,
  DiscordAPIError,
  GatewayIntentBits,
  type Interaction,
  MessageFlags,
  REST,
  Routes,
  TextDisplayBuilder,
} from "discord.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startDiscord, type DiscordOptions, type DiscordPeer } from "./discord.ts";

const COMMAND = {
  name: "papers",
  description: "Daily Papers",
  integration_types: [0, 1],
  contexts: [0, 1, 2],
  options: [
    { type: 1, name: "status", description: "How it is" },
    {
      type: 1,
      name: "subscribe",
      description: "Subscribe this channel",
      options: [{ type: 3, name: "topic", description: "A topic", autocomplete: true, max_length: 20 }],
    },
    {
      type: 1,
      name: "schedule",
      description: "When",
      options: [
        {
          type: 3,
          name: "every",
          description: "How often",
          required: true,
          choices: [{ name: "Day", value: "day" }],
        },
        { type: 4, name: "top", description: "How many", min_value: 1, max_value: 10 },
      ],
    },
  ],
};

let discord: DiscordPeer;
let client: Client;
let guildId: string;
let channelId: string;
let ada: string;
/** What the bot does with whatever comes; its failures are kept. */
let answer: (interaction: Interaction) => Promise<unknown>;
let failures: unknown[];
let running: Promise<unknown>[];

async function start(options: DiscordOptions = {}): Promise<void> {
  discord = await startDiscord(options);
  guildId = discord.addGuild({ locale: "de" }).id;
  channelId = discord.addChannel(guildId);
  ada = discord.addMember(guildId, { name: "ada", locale: "fr", permissions: ["MANAGE_CHANNELS"] });
  failures = [];
  running = [];
  answer = async () => undefined;
  client = new Client({ intents: [GatewayIntentBits.Guilds], rest: { api: discord.apiUrl } });
  client.on("error", (error) => failures.push(error));
  client.on("interactionCreate", (interaction) => {
    running.push(answer(interaction).catch((error: unknown) => failures.push(error)));
  });
  const ready = new Promise((resolve) => client.once("clientReady", resolve));
  await client.login(discord.token());
  await ready;
  await client.rest.put(Routes.applicationCommands(discord.applicationId), { body: [COMMAND] });
}
beforeEach(() => start());
afterEach(async () => {
  await Promise.all(running);
  await client.destroy();
  await discord.close();
  expect(failures).toEqual([]);
});

const command = (run: (interaction: ChatInputCommandInteraction) => Promise<unknown>) => {
  answer = async (interaction) => (interaction.isChatInputCommand() ? await run(interaction) : undefined);
};
const status = (where = channelId, who = ada) => discord.slash(who, where, "status");
/** Calls a webhook's or interaction's address as the bot would, without discord.js's own checks. */
async function call(method: string, path: string, body?: object) {
  const response = await fetch(`${discord.apiUrl}/v10${path}`, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text || "null") };
}
const codeOf = async (work: Promise<unknown>) =>
  await work.then(
    () => "taken",
    (error: unknown) => (error instanceof DiscordAPIError ? error.code : String(error)),
  );
const buttons = (...labels: string[]) =>
  new ActionRowBuilder<ButtonBuilder>().addComponents(
    labels.map((label) =>
      new ButtonBuilder().setLabel(label).setCustomId(label).setStyle(ButtonStyle.Primary),
    ),
  );

describe("a slash command", () => {
  test("reaches an unmodified discord.js with all that the place and the person are", async () => {
    const seen: Record<string, unknown> = {};
    answer = async (interaction) => {
      if (!interaction.isChatInputCommand()) return;
      Object.assign(seen, {
        command: [
          interaction.commandName,
          interaction.options.getSubcommand(),
          interaction.options.getString("topic"),
        ],
        guild: interaction.guild?.name,
        channel: interaction.channel?.id,
        user: [interaction.user.username, interaction.member?.user.username],
        locales: [interaction.locale, interaction.guildLocale],
        mayManage: interaction.memberPermissions?.has("ManageChannels"),
        botMay: [
          interaction.appPermissions.has("SendMessages"),
          interaction.appPermissions.has("ManageChannels"),
        ],
        context: interaction.context,
        owner: interaction.authorizingIntegrationOwners.guildId,
      });
      await interaction.reply("Subscribed.");
    };
    const said = await discord.slash(ada, channelId, "papers subscribe", { topic: "agents" });
    expect(seen).toEqual({
      command: ["papers", "subscribe", "agents"],
      guild: "A lab",
      channel: channelId,
      user: ["ada", "ada"],
      locales: ["fr", "de"],
      mayManage: true,
      botMay: [true, false],
      context: 0,
      owner: guildId,
    });
    expect(said).toMatchObject({ callbackType: 4, text: "Subscribed.", ephemeral: false, isThinking: false });
    expect(said.acknowledgedAfterMs).toBeLessThan(3000);
    expect(discord.messages(channelId)).toMatchObject([{ content: "Subscribed.", type: 20 }]);
  });

  test("is thought about, then answered to the asker alone", async () => {
    const { promise: thought, resolve: think } = Promise.withResolvers<void>();
    command(async (interaction) => {
      await interaction.deferReply({ flags: MessageFlags.Ephemeral });
      await thought;
      await interaction.editReply({
        flags: MessageFlags.IsComponentsV2,
        components: [new TextDisplayBuilder().setContent("All is well.")],
      });
      await interaction.followUp({ content: "One more thing", flags: MessageFlags.Ephemeral });
    });
    const said = await status();
    expect(said).toMatchObject({ callbackType: 5, isThinking: true, ephemeral: true });
    think();
    await said.settled();
    expect([said.text, said.ephemeral, said.isThinking]).toEqual(["All is well.", true, false]);
    expect(discord.messages(channelId)).toEqual([]);
    expect(discord.messages(channelId, ada)[0]).toMatchObject({ flags: 64 | (1 << 15) });
    const bo = discord.addMember(guildId, { name: "bo" });
    expect(discord.messages(channelId, bo)).toEqual([]);
    await expect(discord.press(bo, said.message!, "Go")).rejects.toThrow("bo does not see the message");
  });

  test("that was deferred is answered by the first follow-up, still to the asker alone", async () => {
    command((interaction) => interaction.deferReply({ flags: MessageFlags.Ephemeral }));
    const said = await status();
    const path = `/webhooks/${discord.applicationId}/${said.token}`;
    const first = await call("POST", path, { content: "Here" });
    expect([first.body.id, said.text, said.ephemeral, said.followUps]).toEqual([
      said.message?.id,
      "Here",
      true,
      [],
    ]);
    await call("POST", path, { content: "More" });
    expect(said.followUps).toMatchObject([{ content: "More" }]);
    expect(discord.messages(channelId)).toMatchObject([{ content: "More" }]);
    command((interaction) => interaction.deferReply());
    const open = await status();
    const flags = MessageFlags.Ephemeral;
    await call("POST", `/webhooks/${discord.applicationId}/${open.token}`, { content: "All see it", flags });
    expect([open.text, open.ephemeral]).toEqual(["All see it", false]);
  });

  test("can be answered with files, and the answer read, edited and deleted", async () => {
    command(async (interaction) => {
      const { resource } = await interaction.reply({
        content: "one",
        files: [{ attachment: Buffer.from("@article{a}"), name: "saved.bib" }],
        withResponse: true,
      });
      await interaction.editReply(`${resource?.message?.content} two ${(await interaction.fetchReply()).id}`);
    });
    const said = await status();
    while (said.message?.edited_timestamp === null) await new Promise(setImmediate);
    expect(said.message).toMatchObject({
      content: `one two ${said.message?.id}`,
      attachments: [{ filename: "saved.bib", size: 11 }],
    });
    const path = `/webhooks/${discord.applicationId}/${said.token}/messages/%40original`;
    expect((await call("GET", path)).body.id).toBe(said.message?.id);
    expect(await call("DELETE", path)).toEqual({ status: 204, body: null });
    expect((await call("PATCH", path, { content: "x" })).body.code).toBe(10008);
    expect([said.message, discord.messages(channelId)]).toEqual([null, []]);
  });

  test("goes unanswered after the deadline, and a late answer is unknown", async () => {
    await client.destroy();
    await discord.close();
    await start({ deadlineMs: 40 });
    const { promise: late, resolve } = Promise.withResolvers<ChatInputCommandInteraction>();
    command(async (interaction) => resolve(interaction));
    await expect(status()).rejects.toThrow("The application did not respond");
    expect(await codeOf((await late).reply("late"))).toBe(10062);
  });

  test("is answered once, in a way that fits it", async () => {
    command(async (interaction) => {
      const path = `/interactions/${interaction.id}/${interaction.token}/callback`;
      const refused = [];
      for (const body of [
        { type: 7, data: { content: "a" } },
        { type: 6 },
        { type: 8, data: { choices: [] } },
        { type: 1 },
        { type: 99 },
        { type: 4 },
        { type: 4, data: {} },
        { type: 4, data: { content: "x".repeat(2001) } },
        { type: 4, data: { content: "a", flags: 1 } },
        { type: 9, data: { custom_id: "m", title: "x".repeat(46), components: [] } },
      ]) {
        refused.push((await call("POST", path, body)).body.code);
      }
      expect(refused).toEqual([50035, 50035, 50035, 50035, 50035, 50006, 50006, 50035, 50035, 50035]);
      const wrongToken = await call("POST", `/interactions/${interaction.id}/x/callback`, { type: 5 });
      expect(wrongToken.body.code).toBe(10062);
      const early = await call("POST", `/webhooks/${discord.applicationId}/${interaction.token}`, {
        content: "a",
      });
      expect(early.body.code).toBe(10015);
      await interaction.reply("one");
      expect((await call("POST", path, { type: 4, data: { content: "two" } })).body.code).toBe(40060);
    });
    expect((await status()).text).toBe("one");
  });

  test("has a token of fifteen minutes", async () => {
    command((interaction) => interaction.reply("one"));
    const said = await status();
    const path = `/webhooks/${discord.applicationId}/${said.token}`;
    expect((await call("POST", `${path}x`, { content: "a" })).body.code).toBe(10015);
    expect((await call("POST", path.replace("webhooks/", "webhooks/1"), { content: "a" })).body.code).toBe(
      10015,
    );
    expect((await call("POST", path, {})).body.code).toBe(50006);
    discord.advance(14 * 60_000);
    expect((await call("POST", path, { content: "a" })).status).toBe(200);
    discord.advance(2 * 60_000);
    expect(await call("POST", path, { content: "a" })).toMatchObject({ status: 401, body: { code: 50027 } });
  });

  test("does not come over the gateway where an endpoint is set", async () => {
    await client.destroy();
    await discord.close();
    await start({ deadlineMs: 40 });
    discord.setInteractionsEndpoint("https://paperboy.example/discord");
    command((interaction) => interaction.reply("one"));
    await expect(status()).rejects.toThrow("did not respond");
  });

  test("is what a client lets a person send", async () => {
    const tries: [string, Record<string, string | number>, RegExp][] = [
      ["unsubscribe", {}, /no subcommand "unsubscribe"/],
      ["papers", {}, /needs a subcommand/],
      ["subscribe", { colour: "red" }, /has no option "colour"/],
      ["subscribe", { topic: "x".repeat(21) }, /between 1 and 20/],
      ["schedule", {}, /"every".* is required/],
      ["schedule", { every: "week" }, /has no choice "week"/],
      ["schedule", { every: "day", top: 11 }, /between 1 and 10/],
      ["schedule", { every: "day", top: "three" }, /takes a number/],
    ];
    for (const [path, options, why] of tries) {
      await expect(discord.slash(ada, channelId, path, options)).rejects.toThrow(why);
    }
    command((interaction) => interaction.reply(interaction.options.getString("every") ?? ""));
    expect((await discord.slash(ada, channelId, "schedule", { every: "week" }, { force: true })).text).toBe(
      "week",
    );
    const muted = discord.addChannel(guildId);
    discord.setOverwrite(muted, guildId, { deny: ["USE_APPLICATION_COMMANDS"] });
    await expect(status(muted)).rejects.toThrow("may not use application commands");
  });
});

describe("completion", () => {
  test("offers what the bot says of what was typed", async () => {
    answer = async (interaction) => {
      if (!interaction.isAutocomplete()) return;
      const { name, value } = interaction.options.getFocused(true);
      await interaction.respond([{ name: `${name} ${value}`, value: "agents" }]);
    };
    const choices = await discord.autocomplete(ada, channelId, "subscribe", { topic: "ag" }, "topic");
    expect(choices).toEqual([{ name: "topic ag", value: "agents" }]);
    await expect(discord.autocomplete(ada, channelId, "schedule", {}, "every")).rejects.toThrow(
      "is not completed",
    );
  });

  test("takes 25 choices of the option's type and no message", async () => {
    answer = async (interaction) => {
      const path = `/interactions/${interaction.id}/${interaction.token}/callback`;
      const offer = (choices: object[]) => call("POST", path, { type: 8, data: { choices } });
      const many = Array.from({ length: 26 }, (_, i) => ({ name: `n${i}`, value: `v${i}` }));
      expect((await offer(many)).body.code).toBe(50035);
      expect((await offer([{ name: "x".repeat(101), value: "a" }])).body.code).toBe(50035);
      expect((await offer([{ name: "a", value: 5 }])).body.code).toBe(50035);
      expect((await call("POST", path, { type: 4, data: { content: "a" } })).body.code).toBe(50035);
      await offer(many.slice(1));
    };
    expect(await discord.autocomplete(ada, channelId, "subscribe", {}, "topic")).toHaveLength(25);
  });
});

describe("components", () => {
  beforeEach(() => {
    answer = async (interaction) => {
      if (interaction.isChatInputCommand()) {
        const menu = {
          type: 1,
          components: [
            {
              type: 3,
              custom_id: "paper",
              placeholder: "Choose a paper",
              options: [
                { label: "AgentSPEX", value: "1" },
                { label: "PlayCoder", value: "2" },
              ],
            },
          ],
        };
        await interaction.reply({ content: "digest", components: [menu, buttons("Next", "Later", "Ask")] });
      } else if (interaction.isStringSelectMenu()) {
        await interaction.reply({ content: `card ${interaction.values}`, flags: MessageFlags.Ephemeral });
      } else if (interaction.isButton() && interaction.customId === "Next") {
        await interaction.update({ content: `after ${interaction.message.content}`, components: [] });
      } else if (interaction.isButton() && interaction.customId === "Later") {
        await interaction.deferUpdate();
        await interaction.editReply("later");
      } else if (interaction.isButton()) {
        const input = { type: 4, custom_id: "why", style: 1, min_length: 3 } as const;
        await interaction.showModal({
          custom_id: "modal",
          title: "Why?",
          components: [{ type: 18, label: "Why", component: input }],
        });
      } else if (interaction.isModalSubmit()) {
        const path = `/interactions/${interaction.id}/${interaction.token}/callback`;
        const again = {
          type: 9,
          data: { custom_id: "m", title: "Why?", components: [{ type: 10, content: "a" }] },
        };
        expect((await call("POST", path, again)).body.code).toBe(50035);
        await interaction.reply(`because ${interaction.fields.getTextInputValue("why")}`);
      }
    };
  });

  test("of a message are pressed by id or label, and the message changes", async () => {
    const { message } = await status();
    const pressed = await discord.press(ada, message!, "Next");
    expect(pressed).toMatchObject({ callbackType: 7, text: "after digest" });
    await expect(discord.press(ada, message!, "Next")).rejects.toThrow('no button "Next"');
  });

  test("may be acknowledged first and change their message later", async () => {
    const { message } = await status();
    const pressed = await discord.press(ada, message!, "Later");
    expect(pressed.callbackType).toBe(6);
    expect((await pressed.settled()).text).toBe("later");
  });

  test("that are disabled or links are not pressed", async () => {
    const off = buttons("Off");
    off.components[0]?.setDisabled(true);
    off.addComponents(
      new ButtonBuilder().setLabel("Link").setURL("https://a.org").setStyle(ButtonStyle.Link),
    );
    answer = async (interaction) =>
      interaction.isChatInputCommand()
        ? await interaction.reply({ content: "a", components: [off] })
        : undefined;
    const { message } = await status();
    await expect(discord.press(ada, message!, "Off")).rejects.toThrow("is disabled");
    await expect(discord.press(ada, message!, "Link")).rejects.toThrow("opens a link");
  });

  test("offer choices, of which one is chosen by value or label", async () => {
    const { message } = await status();
    const card = await discord.choose(ada, message!, "Choose a paper", ["PlayCoder"]);
    expect([card.text, card.ephemeral]).toEqual(["card 2", true]);
    await expect(discord.choose(ada, message!, "paper", ["3"])).rejects.toThrow('no option "3"');
    await expect(discord.choose(ada, message!, "paper", ["1", "2"])).rejects.toThrow("takes 1 to 1 values");
  });

  test("open a modal, which is filled in and sent", async () => {
    const { message } = await status();
    const { modal, callbackType } = await discord.press(ada, message!, "Ask");
    expect([callbackType, modal?.title]).toEqual([9, "Why?"]);
    await expect(discord.submit(ada, modal!, {})).rejects.toThrow("is required");
    await expect(discord.submit(ada, modal!, { why: "no" })).rejects.toThrow("3 to 4000 characters");
    expect((await discord.submit(ada, modal!, { why: "it is new" })).text).toBe("because it is new");
  });
});

describe("elsewhere than in a server's channel", () => {
  test("a command in direct messages carries the person and no member", async () => {
    command((interaction) =>
      interaction.reply(`${interaction.user.username} ${interaction.guildId} ${interaction.context}`),
    );
    expect((await status(discord.directMessages(ada))).text).toBe("ada null 1");
  });

  test("a person's own installation works in other servers and groups, with five follow-ups", async () => {
    const elsewhere = discord.addGuild({ isBotThere: false });
    const channel = discord.addChannel(elsewhere.id);
    discord.addMember(elsewhere.id, { id: ada });
    command((interaction) => interaction.reply(JSON.stringify(interaction.authorizingIntegrationOwners)));
    await expect(status(channel)).rejects.toThrow("not installed");
    const said = await discord.slash(ada, channel, "status", {}, { installedBy: "user" });
    expect(said.text).toBe(JSON.stringify({ 1: ada }));
    const path = `/webhooks/${discord.applicationId}/${said.token}`;
    const codes = [];
    for (let i = 0; i < 6; i++) codes.push((await call("POST", path, { content: "a" })).body.code);
    expect(codes).toEqual([undefined, undefined, undefined, undefined, undefined, 40094]);
    discord.setOverwrite(channel, elsewhere.id, { deny: ["USE_EXTERNAL_APPS"] });
    expect((await discord.slash(ada, channel, "status", {}, { installedBy: "user" })).ephemeral).toBe(true);
    const group = discord.addGroup([ada, discord.addUser()]);
    expect((await discord.slash(ada, group, "status", {}, { installedBy: "user" })).callbackType).toBe(4);
  });

  test("a command keeps to its contexts", async () => {
    const body = [{ ...COMMAND, contexts: [0], integration_types: [0] }];
    await client.rest.put(Routes.applicationCommands(discord.applicationId), { body });
    await expect(status(discord.directMessages(ada))).rejects.toThrow("see contexts");
    await expect(discord.slash(ada, channelId, "status", {}, { installedBy: "user" })).rejects.toThrow(
      "see integration_types",
    );
  });
});

describe("an unmodified discord.js", () => {
  async function channel() {
    const found = await client.channels.fetch(channelId);
    if (found?.type !== ChannelType.GuildText) throw new Error("no text channel");
    return found;
  }

  test("sends, edits, reads and deletes messages", async () => {
    const sent = await (await channel()).send({ content: "hello", allowedMentions: { parse: [] } });
    await sent.edit({ content: "hello again" });
    expect((await sent.channel.messages.fetch({ limit: 1 })).first()?.content).toBe("hello again");
    await sent.delete();
    expect(discord.messages(channelId)).toEqual([]);
    expect(await codeOf(sent.edit("x"))).toBe(10008);
  });

  test("posts in forums, starts threads and publishes", async () => {
    const forum = await client.channels.fetch(
      discord.addChannel(guildId, { type: "forum", tags: ["Paper"] }),
    );
    if (forum?.type !== ChannelType.GuildForum) throw new Error("no forum");
    expect(forum.availableTags.map(({ name }) => name)).toEqual(["Paper"]);
    const appliedTags = forum.availableTags.map(({ id }) => id);
    const post = await forum.threads.create({
      name: "AgentSPEX",
      message: { content: "first" },
      appliedTags,
    });
    await post.send("second");
    await post.setArchived(true);
    expect(discord.messages(post.id).map(({ content }) => content)).toEqual(["first", "second"]);
    const news = await client.channels.fetch(discord.addChannel(guildId, { type: "announcement" }));
    if (news?.type !== ChannelType.GuildAnnouncement) throw new Error("no announcements");
    const said = await news.send("news");
    await said.crosspost();
    expect(await codeOf(said.crosspost())).toBe(40033);
    const thread = await said.startThread({ name: "Discuss" });
    expect([thread.id, thread.type]).toEqual([said.id, ChannelType.AnnouncementThread]);
    expect(await codeOf(said.startThread({ name: "Discuss" }))).toBe(160004);
  });

  test("repeats a send that failed after it was taken, and the nonce keeps it single", async () => {
    const to = await channel();
    discord.fail({ method: "POST", times: 2, how: { kind: "status", status: 503, after: true } });
    await to.send({ content: "digest", nonce: "digest-1", enforceNonce: true });
    expect(discord.messages(channelId)).toHaveLength(1);
    discord.fail({ method: "POST", times: 1, how: { kind: "status", status: 503, after: true } });
    await to.send({ content: "no nonce" });
    expect(discord.messages(channelId)).toHaveLength(3);
  });

  test("waits for its bucket by the headers and so meets no 429", async () => {
    await client.destroy();
    await discord.close();
    await start({ limits: { "POST /channels/:channel/messages": { requests: 2, perMs: 100 } } });
    const to = await channel();
    await Promise.all(["a", "b", "c", "d", "e"].map((content) => to.send(content)));
    expect(discord.traffic()).toMatchObject({ sends: 5 });
    expect(discord.traffic().statuses[429]).toBeUndefined();
  });

  test("knows its application, its endpoint and its guilds", async () => {
    discord.setInteractionsEndpoint("https://paperboy.example/discord");
    const application = await client.application?.fetch();
    expect([application?.id, application?.interactionsEndpointURL]).toEqual([
      discord.applicationId,
      "https://paperboy.example/discord",
    ]);
    expect((await client.guilds.fetch()).map(({ id }) => id)).toEqual([guildId]);
    const guild = await client.guilds.fetch(guildId);
    expect((await guild.members.fetchMe({ force: true })).permissions.has("SendMessages")).toBe(true);
    expect((await guild.channels.fetchActiveThreads()).threads.size).toBe(0);
  });

  test("reports what Discord refuses with its code and field", async () => {
    const to = await channel();
    const error: unknown = await to.send({ content: "x".repeat(2001) }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 50035, status: 400 });
    expect(String(error)).toContain("content[BASE_TYPE_BAD_LENGTH]");
    discord.deleteChannel(channelId);
    expect(await codeOf(to.send("a"))).toBe(10003);
  });

  test("loses its token after one 401", async () => {
    const rest = new REST({ api: discord.apiUrl }).setToken(discord.token());
    discord.fail({ how: { kind: "unauthorized" } });
    await expect(rest.get(Routes.user())).rejects.toMatchObject({ status: 401 });
    await expect(rest.get(Routes.user())).rejects.toThrow("Expected token to be set");
  });
});
