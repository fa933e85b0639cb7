import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startDiscord, type DiscordOptions, type DiscordPeer, type Permission } from "./discord.ts";

let discord: DiscordPeer;
let guildId: string;
let channelId: string;

async function start(options: DiscordOptions = {}): Promise<void> {
  discord = await startDiscord(options);
  guildId = discord.addGuild().id;
  channelId = discord.addChannel(guildId);
}
beforeEach(() => start());
afterEach(() => discord.close());

/** Calls as a client would that checks nothing. */
async function call(method: string, path: string, body?: unknown, given: RequestInit = {}) {
  const response = await fetch(`${discord.apiUrl}/v10${path}`, {
    method,
    headers: { authorization: `Bot ${discord.token()}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...given,
  });
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text || "null"), headers: response.headers };
}
type Reply = Awaited<ReturnType<typeof call>>;
const send = (body: unknown, to = channelId) => call("POST", `/channels/${to}/messages`, body);

/** The codes of a form's refusals, such as `embeds.0.title BASE_TYPE_BAD_LENGTH`. */
function codesOf(errors: Reply["body"], path = ""): string[] {
  return Object.entries<Reply["body"]>(errors ?? {}).flatMap(([key, value]) =>
    key === "_errors"
      ? value.map(({ code }: { code: string }) => `${path} ${code}`.trim())
      : codesOf(value, path === "" ? key : `${path}.${key}`),
  );
}

/** The same as one line, with Discord's code. */
function outcome({ status, body }: Reply): string {
  return status < 300 ? "taken" : `${status} ${body.code}`;
}

/** Denies the bot something in a channel. */
function deny(permission: Permission, where = channelId): void {
  discord.setOverwrite(where, discord.applicationId, { deny: [permission] });
}

const V2 = 1 << 15;
const text = (content: string) => ({ type: 10, content });
const button = (customId: string, label = "Go") => ({ type: 2, style: 1, label, custom_id: customId });
const row = (...components: object[]) => ({ type: 1, components });
const select = (more: object = {}, values = ["a"]) => ({
  type: 3,
  custom_id: "s",
  options: values.map((value) => ({ label: value, value })),
  ...more,
});
const v2 = (...components: object[]) => ({ flags: V2, components });
const section = (accessory: object, ...lines: object[]) => ({ type: 9, components: lines, accessory });
const times = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));

describe("the door", () => {
  test("refuses a missing, wrong or revoked token in Discord's words", async () => {
    const wrong = await call("GET", "/users/@me", undefined, { headers: { authorization: "Bot nonsense" } });
    expect(wrong).toMatchObject({ status: 401, body: { message: "401: Unauthorized", code: 0 } });
    expect((await call("GET", "/users/@me", undefined, { headers: {} })).status).toBe(401);
    const old = discord.token();
    discord.revokeToken();
    const revoked = await call("GET", "/users/@me", undefined, { headers: { authorization: `Bot ${old}` } });
    expect(revoked.status).toBe(401);
    expect((await call("GET", "/users/@me")).body).toMatchObject({ id: discord.applicationId, bot: true });
  });

  test("answers 404 to what it does not know, 405 to a wrong method, 50041 to another version", async () => {
    expect(await call("GET", "/nothing")).toMatchObject({
      status: 404,
      body: { message: "404: Not Found", code: 0 },
    });
    expect((await call("PUT", `/channels/${channelId}/messages`, {})).status).toBe(405);
    const response = await fetch(`${discord.apiUrl}/v6/gateway`);
    expect([response.status, await response.json()]).toMatchObject([400, { code: 50041 }]);
    expect((await fetch(`${discord.apiUrl}/v9/gateway`)).status).toBe(200);
  });

  test("refuses a body that is not JSON", async () => {
    const broken = await call("POST", `/channels/${channelId}/messages`, undefined, { body: "{" });
    expect(outcome(broken)).toBe("400 50109");
  });

  test("says who the bot is and where its gateway is", async () => {
    discord.setInteractionsEndpoint("https://paperboy.example/discord");
    expect((await call("GET", "/applications/@me")).body).toMatchObject({
      id: discord.applicationId,
      interactions_endpoint_url: "https://paperboy.example/discord",
    });
    const { body } = await call("GET", "/gateway/bot");
    expect(body).toMatchObject({ shards: 1, session_start_limit: { total: 1000, remaining: 1000 } });
    expect(body.url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
  });

  test("keeps a log of what came and what became of it", async () => {
    await send({ content: "hello" });
    expect(discord.requests).toMatchObject([
      { method: "POST", path: `/channels/${channelId}/messages`, body: { content: "hello" }, status: 200 },
    ]);
  });
});

describe("a message is refused", () => {
  const item = (i: number) => section(button(`b${i}`), text(`line ${i}`));
  const embed = (more: object = {}) => ({ title: "t", ...more });
  test.each<[string, object, string]>([
    ["with content over 2000", { content: "x".repeat(2001) }, "content BASE_TYPE_BAD_LENGTH"],
    ["with content that is a number", { content: 5 }, "content STRING_TYPE_CONVERT"],
    ["with an unknown field", { content: "a", colour: 1 }, "colour UNKNOWN_FIELD"],
    ["with flags that are text", { content: "a", flags: "64" }, "flags NUMBER_TYPE_COERCE"],
    ["with the ephemeral flag in a channel", { content: "a", flags: 64 }, "flags BASE_TYPE_CHOICES"],
    ["with a nonce over 25", { content: "a", nonce: "n".repeat(26) }, "nonce BASE_TYPE_BAD_LENGTH"],
    ["with enforce_nonce alone", { content: "a", enforce_nonce: true }, "nonce BASE_TYPE_REQUIRED"],
    ["with 11 embeds", { embeds: times(11, () => embed()) }, "embeds BASE_TYPE_BAD_LENGTH"],
    [
      "with a title over 256",
      { embeds: [embed({ title: "x".repeat(257) })] },
      "embeds.0.title BASE_TYPE_BAD_LENGTH",
    ],
    [
      "with a description over 4096",
      { embeds: [embed({ description: "x".repeat(4097) })] },
      "embeds.0.description BASE_TYPE_BAD_LENGTH",
    ],
    [
      "with embeds over 6000 in all",
      { embeds: times(2, () => embed({ description: "x".repeat(3000) })) },
      "embeds MAX_EMBED_SIZE_EXCEEDED",
    ],
    [
      "with 26 embed fields",
      { embeds: [embed({ fields: times(26, () => ({ name: "n", value: "v" })) })] },
      "embeds.0.fields BASE_TYPE_BAD_LENGTH",
    ],
    [
      "with an empty embed field",
      { embeds: [embed({ fields: [{ name: "", value: "v" }] })] },
      "embeds.0.fields.0.name BASE_TYPE_BAD_LENGTH",
    ],
    [
      "with an embed color too high",
      { embeds: [embed({ color: 0x1000000 })] },
      "embeds.0.color NUMBER_TYPE_MAX",
    ],
    ["with a broken embed url", { embeds: [embed({ url: "no url" })] }, "embeds.0.url URL_TYPE_INVALID_URL"],
    ["with an empty embed", { embeds: [{}] }, "embeds.0.description BASE_TYPE_REQUIRED"],
    [
      "with an unknown mention kind",
      { content: "a", allowed_mentions: { parse: ["here"] } },
      "allowed_mentions.parse.0 BASE_TYPE_CHOICES",
    ],
    [
      "with users parsed and named",
      { content: "a", allowed_mentions: { parse: ["users"], users: ["1"] } },
      "allowed_mentions MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
    ],
    ["with V2 components and no flag", { components: [text("a")] }, "components.0.type UNION_TYPE_CHOICES"],
    [
      "with content beside V2",
      { ...v2(text("a")), content: "b" },
      "content MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ],
    [
      "with embeds beside V2",
      { ...v2(text("a")), embeds: [embed()] },
      "embeds MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ],
    [
      "with 41 components, the nested counted",
      v2({ type: 17, components: [...times(10, item), ...times(10, (i) => text(`t${i}`))] }),
      "components COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
    ],
    [
      "with text over 4000 in all",
      v2(text("x".repeat(2001)), text("x".repeat(2000))),
      "components COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
    ],
    ["with an empty text", v2(text(" ")), "components.0.content BASE_TYPE_BAD_LENGTH"],
    [
      "with six buttons in a row",
      v2(row(...times(6, (i) => button(`b${i}`)))),
      "components.0.components BASE_TYPE_BAD_LENGTH",
    ],
    ["with an empty row", v2(row()), "components.0.components BASE_TYPE_BAD_LENGTH"],
    [
      "with a label over 80",
      v2(row(button("a", "x".repeat(81)))),
      "components.0.components.0.label BASE_TYPE_BAD_LENGTH",
    ],
    [
      "with a custom id over 100",
      v2(row(button("x".repeat(101)))),
      "components.0.components.0.custom_id BASE_TYPE_BAD_LENGTH",
    ],
    [
      "with a custom id twice",
      v2(row(button("a"), button("a"))),
      "components.0.components.1.custom_id COMPONENT_CUSTOM_ID_DUPLICATED",
    ],
    [
      "with a button without a label",
      v2(row({ type: 2, style: 1, custom_id: "a" })),
      "components.0.components.0 BUTTON_COMPONENT_INVALID",
    ],
    [
      "with a link that has a custom id",
      v2(row({ type: 2, style: 5, label: "a", url: "https://a.org", custom_id: "a" })),
      "components.0.components.0 BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
    ],
    [
      "with a link to a script",
      v2(row({ type: 2, style: 5, label: "a", url: "javascript:x" })),
      "components.0.components.0.url URL_TYPE_INVALID_SCHEME",
    ],
    [
      "with a button url over 512",
      v2(row({ type: 2, style: 5, label: "a", url: `https://a.org/${"x".repeat(512)}` })),
      "components.0.components.0.url BASE_TYPE_BAD_LENGTH",
    ],
    [
      "with 26 options",
      v2(row(select({}, times(26, String)))),
      "components.0.components.0.options BASE_TYPE_BAD_LENGTH",
    ],
    ["without options", v2(row(select({}, []))), "components.0.components.0.options BASE_TYPE_BAD_LENGTH"],
    [
      "with an option's value twice",
      v2(row(select({}, ["a", "a"]))),
      "components.0.components.0.options.1.value SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
    ],
    [
      "with an option over 100",
      v2(row(select({}, ["x".repeat(101)]))),
      "components.0.components.0.options.0.value BASE_TYPE_BAD_LENGTH",
    ],
    [
      "with a placeholder over 150",
      v2(row(select({ placeholder: "x".repeat(151) }))),
      "components.0.components.0.placeholder BASE_TYPE_BAD_LENGTH",
    ],
    [
      "with a select beside a button",
      v2(row(select(), button("b"))),
      "components.0.components COMPONENT_LAYOUT_WIDTH_EXCEEDED",
    ],
    [
      "with a section of four texts",
      v2(section(button("a"), ...times(4, () => text("a")))),
      "components.0.components BASE_TYPE_BAD_LENGTH",
    ],
    [
      "with a section without accessory",
      v2({ type: 9, components: [text("a")] }),
      "components.0.accessory BASE_TYPE_REQUIRED",
    ],
    [
      "with a row in a section",
      v2(section(row(button("a")), text("a"))),
      "components.0.accessory.type UNION_TYPE_CHOICES",
    ],
    [
      "with a container in a container",
      v2({ type: 17, components: [{ type: 17, components: [text("a")] }] }),
      "components.0.components.0.type UNION_TYPE_CHOICES",
    ],
    [
      "with a file that did not come",
      v2({ type: 13, file: { url: "attachment://saved.bib" } }),
      "components.0.file.url UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
    ],
    [
      "with a file from the web",
      v2({ type: 13, file: { url: "https://a.org/saved.bib" } }),
      "components.0.file.url URL_TYPE_INVALID_SCHEME",
    ],
    [
      "with a reply to nothing",
      { content: "a", message_reference: { message_id: "1" } },
      "message_reference REPLIES_UNKNOWN_MESSAGE",
    ],
  ])("%s", async (_name, body, code) => {
    const reply = await send(body);
    expect(reply).toMatchObject({ status: 400, body: { code: 50035, message: "Invalid Form Body" } });
    expect(codesOf(reply.body.errors)).toContain(code);
    expect(discord.messages(channelId)).toEqual([]);
  });

  test("when it is empty", async () => {
    for (const body of [{}, { content: "" }, { content: null, embeds: [] }, { flags: V2, components: [] }]) {
      expect(outcome(await send(body))).toBe("400 50006");
    }
  });
});

describe("a message is taken", () => {
  test.each<[string, object]>([
    ["with content of 2000", { content: "x".repeat(2000) }],
    ["with what discord.js adds", { content: "a", tts: false, enforce_nonce: false, nonce: "7" }],
    ["with embeds of 6000", { embeds: times(2, () => ({ description: "x".repeat(3000) })) }],
    ["with buttons under content", { content: "a", components: [row(button("a"), button("b"))] }],
    [
      "with 40 components",
      v2({
        type: 17,
        components: [...times(9, (i) => section(button(`b${i}`), text("a"))), ...times(12, () => text("a"))],
      }),
    ],
    ["with text of 4000", v2(text("x".repeat(4000)))],
    ["with a full select", v2(row(select({ min_values: 0, max_values: 25 }, times(25, String))))],
    ["with a link", v2(row({ type: 2, style: 5, label: "a", url: "https://a.org" }))],
    ["silently", { content: "a", flags: 1 << 12 }],
  ])("%s", async (_name, body) => {
    expect((await send(body)).status).toBe(200);
    expect(discord.messages(channelId)).toHaveLength(1);
  });

  test("and shown back with its components numbered", async () => {
    const { body } = await send(v2(section(button("a"), text("hello")), row(select())));
    expect(body.components).toMatchObject([
      { id: 1, components: [{ id: 2 }], accessory: { id: 3 } },
      { id: 4, components: [{ id: 5 }] },
    ]);
    expect(discord.textOf(body)).toBe("hello");
  });

  test("with a file, which can be fetched", async () => {
    const form = new FormData();
    const component = { type: 13, file: { url: "attachment://saved.bib" } };
    form.set(
      "payload_json",
      JSON.stringify({ ...v2(component), attachments: [{ id: 0, filename: "saved.bib" }] }),
    );
    form.set("files[0]", new Blob(["@article{a}"]), "upload");
    const { status, body } = await call("POST", `/channels/${channelId}/messages`, undefined, {
      headers: { authorization: `Bot ${discord.token()}` },
      body: form,
    });
    expect([status, body.attachments[0].filename, body.components[0].name]).toEqual([
      200,
      "saved.bib",
      "saved.bib",
    ]);
    expect(await (await fetch(body.components[0].file.url)).text()).toBe("@article{a}");
  });

  test("and pings only whom allowed_mentions lets it", async () => {
    discord.inviteBot(guildId, ["MENTION_EVERYONE"]);
    const ada = discord.addMember(guildId, { name: "ada" });
    const content = `@everyone <@${ada}>`;
    expect((await send({ content })).body).toMatchObject({ mention_everyone: true, mentions: [{ id: ada }] });
    const quiet = await send({ content, allowed_mentions: { parse: [] } });
    expect(quiet.body).toMatchObject({ mention_everyone: false, mentions: [] });
    const shown = await send(v2(text(content)));
    expect(shown.body.mention_everyone).toBe(true);
  });
});

describe("commands are refused", () => {
  const command = (more: object = {}) => ({ name: "papers", description: "Papers", ...more });
  const option = (more: object = {}) => ({ type: 3, name: "topic", description: "A topic", ...more });
  const sub = (name: string, ...options: object[]) => ({ type: 1, name, description: "d", options });
  const put = (body: unknown) => call("PUT", `/applications/${discord.applicationId}/commands`, body);

  test.each<[string, unknown, string]>([
    ["with a capital", [command({ name: "Papers" })], "0.name APPLICATION_COMMAND_INVALID_NAME"],
    ["with a space", [command({ name: "my papers" })], "0.name APPLICATION_COMMAND_INVALID_NAME"],
    ["with a name over 32", [command({ name: "x".repeat(33) })], "0.name BASE_TYPE_BAD_LENGTH"],
    ["without a name", [{ description: "d" }], "0.name BASE_TYPE_REQUIRED"],
    ["without a description", [{ name: "papers" }], "0.description BASE_TYPE_REQUIRED"],
    [
      "with a description over 100",
      [command({ description: "x".repeat(101) })],
      "0.description BASE_TYPE_BAD_LENGTH",
    ],
    ["with an unknown field", [command({ colour: 1 })], "0.colour UNKNOWN_FIELD"],
    ["twice under a name", [command(), command()], "APPLICATION_COMMANDS_DUPLICATE_NAME"],
    [
      "with 26 options",
      [command({ options: times(26, (i) => option({ name: `o${i}` })) })],
      "0.options BASE_TYPE_BAD_LENGTH",
    ],
    [
      "with an unknown option type",
      [command({ options: [option({ type: 12 })] })],
      "0.options.0.type UNION_TYPE_CHOICES",
    ],
    [
      "with an option without description",
      [command({ options: [{ type: 3, name: "a" }] })],
      "0.options.0.description BASE_TYPE_REQUIRED",
    ],
    [
      "with an option twice",
      [command({ options: [option(), option()] })],
      "0.options.1 APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
    ],
    [
      "with a required option after an optional one",
      [command({ options: [option(), option({ name: "b", required: true })] })],
      "0.options.1 APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
    ],
    [
      "with a subcommand beside an option",
      [command({ options: [sub("a"), option()] })],
      "0.options APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
    ],
    [
      "with 26 choices",
      [command({ options: [option({ choices: times(26, (i) => ({ name: `${i}`, value: `${i}` })) })] })],
      "0.options.0.choices BASE_TYPE_BAD_LENGTH",
    ],
    [
      "with a choice over 100",
      [command({ options: [sub("a", option({ choices: [{ name: "n", value: "x".repeat(6001) }] }))] })],
      "0.options.0.options.0.choices.0.value BASE_TYPE_BAD_LENGTH",
    ],
    [
      "with choices and completion",
      [command({ options: [option({ autocomplete: true, choices: [{ name: "a", value: "a" }] })] })],
      "0.options.0.autocomplete APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_WITH_CHOICES",
    ],
    ["with no context", [command({ contexts: [] })], "0.contexts BASE_TYPE_BAD_LENGTH"],
    ["with an unknown context", [command({ contexts: [3] })], "0.contexts.0 BASE_TYPE_CHOICES"],
    [
      "with an unknown installation",
      [command({ integration_types: [2] })],
      "0.integration_types.0 BASE_TYPE_CHOICES",
    ],
    ["with a context twice", [command({ contexts: [0, 0] })], "0.contexts BASE_TYPE_DUPLICATE"],
    [
      "with text over 8000",
      [
        command({
          options: times(25, (i) =>
            sub(`s${i}`, ...times(25, (j) => option({ name: `o${j}`, description: "x".repeat(20) }))),
          ),
        }),
      ],
      "0 APPLICATION_COMMAND_TOO_LARGE",
    ],
    ["that are no list", {}, "LIST_TYPE_CONVERT"],
  ])("%s", async (_name, body, code) => {
    const reply = await put(body);
    expect(reply).toMatchObject({ status: 400, body: { code: 50035 } });
    expect(codesOf(reply.body.errors)).toContain(code);
    expect(discord.commands()).toEqual([]);
  });

  test("over a hundred, or of another application", async () => {
    expect(outcome(await put(times(101, (i) => command({ name: `c${i}` }))))).toBe("400 30032");
    expect(outcome(await call("PUT", "/applications/1/commands", []))).toBe("403 20012");
  });

  test("and else replace what was, keeping the id of the same name", async () => {
    const bits = command({
      default_member_permissions: "32",
      contexts: [0, 1, 2],
      integration_types: [0, 1],
    });
    const [first] = (await put([bits])).body;
    const [second, help] = (await put([{ ...bits, description: "New" }, command({ name: "help" })])).body;
    expect([second.id, second.description, help.name]).toEqual([first.id, "New", "help"]);
    expect((await call("GET", `/applications/${discord.applicationId}/commands`)).body).toHaveLength(2);
  });
});

describe("permissions", () => {
  test("hide a channel from the bot, or let it only read", async () => {
    deny("VIEW_CHANNEL");
    expect(outcome(await call("GET", `/channels/${channelId}`))).toBe("403 50001");
    expect(outcome(await send({ content: "a" }))).toBe("403 50001");
    deny("SEND_MESSAGES");
    expect(outcome(await send({ content: "a" }))).toBe("403 50013");
    expect(outcome(await call("GET", `/channels/${channelId}/messages`))).toBe("taken");
  });

  test("are computed as documented: everyone, roles together, the member, owner and administrator", async () => {
    const [ghost, special] = ["ghost", "special"].map((name) =>
      discord.addRole(guildId, { name, permissions: [] }),
    );
    const ada = discord.addMember(guildId, { name: "ada", roles: [ghost!, special!] });
    const admin = discord.addMember(guildId, { name: "admin", permissions: ["ADMINISTRATOR"] });
    const owner = discord.addGuild();
    const attempt = async (who: string, where = channelId) =>
      await discord
        .slash(who, where, "papers")
        .then(() => "")
        .catch(({ message }: Error) => message);
    discord.setOverwrite(channelId, guildId, { deny: ["VIEW_CHANNEL"] });
    expect(await attempt(ada)).toMatch(/does not see/);
    expect(await attempt(admin)).toMatch(/No command/);
    discord.setOverwrite(channelId, ghost!, { deny: ["VIEW_CHANNEL"] });
    discord.setOverwrite(channelId, special!, { allow: ["VIEW_CHANNEL"] });
    expect(await attempt(ada)).toMatch(/No command/);
    discord.setOverwrite(channelId, ada, { deny: ["VIEW_CHANNEL"] });
    expect(await attempt(ada)).toMatch(/does not see/);
    const hidden = discord.addChannel(owner.id);
    discord.setOverwrite(hidden, owner.id, { deny: ["VIEW_CHANNEL"] });
    expect(await attempt(owner.ownerId, hidden)).toMatch(/No command/);
  });

  test("are needed for embeds and files", async () => {
    deny("EMBED_LINKS");
    expect(outcome(await send({ embeds: [{ title: "a" }] }))).toBe("403 50013");
    expect(outcome(await send({ content: "a" }))).toBe("taken");
  });

  test("end with the bot's place in a guild, and what is gone is unknown", async () => {
    expect(outcome(await call("GET", "/channels/1"))).toBe("404 10003");
    expect(outcome(await call("GET", "/guilds/1"))).toBe("404 10004");
    expect(outcome(await call("GET", `/guilds/${guildId}/members/1`))).toBe("404 10013");
    const stranger = discord.addUser();
    expect(outcome(await call("GET", `/guilds/${guildId}/members/${stranger}`))).toBe("404 10007");
    discord.kickBot(guildId);
    expect(outcome(await send({ content: "a" }))).toBe("403 50001");
    expect(outcome(await call("GET", `/guilds/${guildId}`))).toBe("403 50001");
    expect((await call("GET", "/users/@me/guilds")).body).toEqual([]);
    discord.inviteBot(guildId);
    expect(outcome(await send({ content: "a" }))).toBe("taken");
    discord.deleteChannel(channelId);
    expect(outcome(await send({ content: "a" }))).toBe("404 10003");
  });

  test("are listed with roles, channels and members", async () => {
    discord.setOverwrite(channelId, guildId, { deny: ["SEND_MESSAGES"] });
    const roles = await call("GET", `/guilds/${guildId}/roles`);
    const channels = await call("GET", `/guilds/${guildId}/channels`);
    const member = await call("GET", `/guilds/${guildId}/members/${discord.applicationId}`);
    expect(roles.body).toMatchObject([{ id: guildId, name: "@everyone" }]);
    expect(channels.body).toMatchObject([
      { id: channelId, type: 0, permission_overwrites: [{ id: guildId, type: 0, allow: "0", deny: "2048" }] },
    ]);
    expect(member.body).toMatchObject({ user: { id: discord.applicationId }, roles: [] });
  });
});

describe("a message that is there", () => {
  test("is read, edited and deleted by the bot alone", async () => {
    const ada = discord.addMember(guildId, { name: "ada" });
    const theirs = discord.say(ada, channelId, "hello");
    const { body } = await send({ content: "one" });
    const path = `/channels/${channelId}/messages`;
    expect(outcome(await call("PATCH", `${path}/${theirs.id}`, { content: "x" }))).toBe("403 50005");
    expect(outcome(await call("DELETE", `${path}/${theirs.id}`))).toBe("403 50013");
    expect(outcome(await call("PATCH", `${path}/1`, { content: "x" }))).toBe("404 10008");
    expect(outcome(await call("PATCH", `${path}/${body.id}`, { content: "" }))).toBe("400 50006");
    const edited = await call("PATCH", `${path}/${body.id}`, { content: "two", tts: false });
    expect(edited.body).toMatchObject({ content: "two", edited_timestamp: expect.any(String) });
    expect((await call("GET", `${path}?limit=1`)).body).toMatchObject([{ id: body.id }]);
    expect((await call("GET", `${path}?before=${body.id}`)).body).toMatchObject([{ id: theirs.id }]);
    const gone = await call("DELETE", `${path}/${body.id}`);
    expect([gone.status, gone.body, gone.headers.get("content-type")]).toEqual([204, null, null]);
    expect(outcome(await call("GET", `${path}/${body.id}`))).toBe("404 10008");
  });

  test("stays V2 once it is", async () => {
    const { body } = await send(v2(text("one")));
    const path = `/channels/${channelId}/messages/${body.id}`;
    expect(codesOf((await call("PATCH", path, { content: "plain" })).body.errors)).toEqual([
      "content MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ]);
    const { flags } = (await call("PATCH", path, { components: [text("two")], flags: 0 })).body;
    expect([flags, discord.messages(channelId).map((each) => discord.textOf(each))]).toEqual([V2, ["two"]]);
  });

  test("is published once, and only from an announcement channel", async () => {
    const { id } = (await send({ content: "a" })).body;
    expect(outcome(await call("POST", `/channels/${channelId}/messages/${id}/crosspost`))).toBe("400 50024");
    const news = discord.addChannel(guildId, { type: "announcement" });
    const said = (await send({ content: "a" }, news)).body.id;
    const path = `/channels/${news}/messages/${said}/crosspost`;
    expect((await call("POST", path)).body.flags).toBe(1);
    expect(outcome(await call("POST", path))).toBe("400 40033");
  });
});

describe("a nonce", () => {
  const sent = async (more: object, to = channelId) => (await send({ content: "a", ...more }, to)).body.id;

  test("gives the same message again, in whatever channel, for some minutes", async () => {
    const nonce = { nonce: "digest-1", enforce_nonce: true };
    const first = await sent(nonce);
    const other = discord.addChannel(guildId);
    expect(await sent(nonce)).toBe(first);
    expect(await sent(nonce, other)).toBe(first);
    expect(discord.messages(other)).toEqual([]);
    discord.advance(299_000);
    expect(await sent(nonce)).toBe(first);
    discord.advance(2_000);
    expect(await sent(nonce)).not.toBe(first);
  });

  test("that is not enforced does nothing", async () => {
    expect(await sent({ nonce: "a" })).not.toBe(await sent({ nonce: "a" }));
  });
});

describe("threads", () => {
  test("of a forum come with a message, and with a tag where one is needed", async () => {
    const forum = discord.addChannel(guildId, { type: "forum", tags: ["Paper"], needsTag: true });
    const tag = discord.tags(forum)["Paper"];
    const post = (more: object = {}) =>
      call("POST", `/channels/${forum}/threads`, {
        name: "AgentSPEX",
        message: { content: "hello" },
        ...more,
      });
    expect(outcome(await send({ content: "a" }, forum))).toBe("400 50008");
    expect(outcome(await post())).toBe("400 40067");
    expect(outcome(await post({ applied_tags: ["1"] }))).toBe("404 10087");
    expect(codesOf((await post({ applied_tags: times(6, String) })).body.errors)).toEqual([
      "applied_tags BASE_TYPE_BAD_LENGTH",
    ]);
    expect(codesOf((await post({ name: "x".repeat(101) })).body.errors)).toEqual([
      "name BASE_TYPE_BAD_LENGTH",
    ]);
    expect(codesOf((await post({ auto_archive_duration: 5 })).body.errors)).toEqual([
      "auto_archive_duration BASE_TYPE_CHOICES",
    ]);
    expect(codesOf((await post({ message: undefined })).body.errors)).toEqual(["message BASE_TYPE_REQUIRED"]);
    expect(outcome(await post({ message: {} }))).toBe("400 50006");
    const { status, body } = await post({ applied_tags: [tag] });
    expect([status, body.type, body.applied_tags, body.message.id]).toEqual([201, 11, [tag], body.id]);
    expect(discord.threads(forum)).toMatchObject([{ id: body.id, name: "AgentSPEX", parent_id: forum }]);
  });

  test("hang from a message once", async () => {
    const { id } = (await send({ content: "a" })).body;
    const path = `/channels/${channelId}/messages/${id}/threads`;
    expect((await call("POST", path, { name: "Discuss" })).body).toMatchObject({ id, type: 11 });
    expect(outcome(await call("POST", path, { name: "Discuss" }))).toBe("400 160004");
  });

  test("without a message are private unless told, and need their permission", async () => {
    const path = `/channels/${channelId}/threads`;
    expect(outcome(await call("POST", path, { name: "a" }))).toBe("403 50013");
    expect((await call("POST", path, { name: "a", type: 11 })).body.type).toBe(11);
    deny("CREATE_PUBLIC_THREADS");
    expect(outcome(await call("POST", path, { name: "a", type: 11 }))).toBe("403 50013");
  });

  test("are limited in a guild", async () => {
    await discord.close();
    await start({ maxActiveThreads: 1 });
    discord.addThread(channelId);
    const path = `/channels/${channelId}/threads`;
    expect(outcome(await call("POST", path, { name: "a", type: 11 }))).toBe("400 160006");
  });

  test("wake when something is sent, unless they are locked", async () => {
    const thread = discord.addThread(channelId, { archived: true });
    expect((await call("GET", `/guilds/${guildId}/threads/active`)).body.threads).toEqual([]);
    const { id } = (await send({ content: "a" }, thread)).body;
    expect((await call("GET", `/guilds/${guildId}/threads/active`)).body.threads).toMatchObject([
      { id: thread },
    ]);
    discord.archiveThread(thread);
    const edit = await call("PATCH", `/channels/${thread}/messages/${id}`, { content: "b" });
    expect(outcome(edit)).toBe("400 50083");
    discord.lockThread(thread);
    expect(outcome(await send({ content: "a" }, thread))).toBe("400 50083");
    discord.archiveThread(thread, false);
    expect(outcome(await send({ content: "a" }, thread))).toBe("403 160005");
  });

  test("are archived by their maker and locked by a moderator", async () => {
    const path = `/channels/${channelId}/threads`;
    const { id } = (await call("POST", path, { name: "a", type: 11 })).body;
    const change = (body: object) => call("PATCH", `/channels/${id}`, body);
    expect(outcome(await change({ locked: true }))).toBe("403 50013");
    expect((await change({ archived: true })).body.thread_metadata.archived).toBe(true);
    expect(outcome(await change({ name: "b" }))).toBe("400 50083");
    expect((await change({ archived: false })).body.thread_metadata.archived).toBe(false);
    expect(codesOf((await change({ archived: "yes" })).body.errors)).toEqual([
      "archived BOOLEAN_TYPE_CONVERT",
    ]);
    discord.setOverwrite(channelId, discord.applicationId, { allow: ["MANAGE_THREADS"] });
    expect((await change({ locked: true })).body.thread_metadata.locked).toBe(true);
  });
});

describe("direct messages", () => {
  test("are one channel a person, closed by those who want none", async () => {
    const [open, closed] = [discord.addMember(guildId), discord.addMember(guildId, { isOpen: false })];
    const to = async (who: string) => (await call("POST", "/users/@me/channels", { recipient_id: who })).body;
    const channel = await to(open);
    expect(channel).toMatchObject({ type: 1, recipients: [{ id: open }] });
    expect((await to(open)).id).toBe(channel.id);
    expect(outcome(await send({ content: "a" }, channel.id))).toBe("taken");
    expect(outcome(await send({ content: "a" }, (await to(closed)).id))).toBe("403 50007");
    expect(outcome(await call("POST", "/users/@me/channels", { recipient_id: "1" }))).toBe("400 50033");
  });
});

describe("limits", () => {
  test("let five messages a channel through in five seconds, and say so in headers", async () => {
    const replies = [];
    for (const content of "abcdef") replies.push(await send({ content }));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
    const { headers, body } = replies[5]!;
    expect(body).toMatchObject({ message: "You are being rate limited.", global: false });
    expect(body.retry_after).toBeGreaterThan(4);
    expect(headers.get("x-ratelimit-scope")).toBe("user");
    expect(Number(headers.get("retry-after"))).toBe(5);
    expect(replies[0]!.headers.get("x-ratelimit-remaining")).toBe("4");
    expect(headers.get("x-ratelimit-bucket")).toBe(replies[0]!.headers.get("x-ratelimit-bucket"));
    expect((await send({ content: "a" }, discord.addChannel(guildId))).status).toBe(200);
    discord.advance(5000);
    expect((await send({ content: "g" })).status).toBe(200);
    expect(discord.traffic()).toMatchObject({ sends: 7, statuses: { 200: 7, 429: 1 } });
  });

  test("let ten publications a channel through in an hour", async () => {
    const news = discord.addChannel(guildId, { type: "announcement" });
    const statuses = [];
    for (let i = 0; i < 11; i++) {
      if (i % 5 === 0) discord.advance(5000);
      const { id } = (await send({ content: "a" }, news)).body;
      statuses.push((await call("POST", `/channels/${news}/messages/${id}/crosspost`)).status);
    }
    expect(statuses).toEqual([...times(10, () => 200), 429]);
  });

  test("hold for the whole bot, but not for answers to interactions", async () => {
    await discord.close();
    await start({ perSecond: 3 });
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push(await call("GET", "/users/@me"));
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(statuses[3]).toMatchObject({ body: { global: true } });
    expect(statuses[3]!.headers.get("x-ratelimit-global")).toBe("true");
    expect(outcome(await call("POST", "/interactions/1/2/callback", { type: 5 }))).toBe("404 10062");
    discord.advance(1000);
    expect((await call("GET", "/users/@me")).status).toBe(200);
    expect(discord.traffic().seconds.reduce((sum, { requests }) => sum + requests, 0)).toBe(6);
  });
});

describe("faults", () => {
  const said = () => discord.messages(channelId).length;

  test("strike before or after a message is taken", async () => {
    const fault = discord.fail({ method: "POST", route: /messages$/, how: { kind: "status", status: 503 } });
    expect((await send({ content: "a" })).status).toBe(503);
    expect([said(), fault.hits()]).toEqual([0, 1]);
    discord.fail({ how: { kind: "status", status: 502, after: true } });
    expect((await send({ content: "a" })).status).toBe(502);
    expect(said()).toBe(1);
    expect((await send({ content: "a" })).status).toBe(200);
  });

  test("break the connection before or after", async () => {
    discord.fail({ how: { kind: "reset" } });
    await expect(send({ content: "a" })).rejects.toThrow("fetch failed");
    expect(said()).toBe(0);
    discord.fail({ how: { kind: "reset", after: true } });
    await expect(send({ content: "a" })).rejects.toThrow("fetch failed");
    expect(said()).toBe(1);
    expect(discord.requests.map(({ status }) => status)).toEqual([null, null]);
  });

  test("hang until they are released", async () => {
    const fault = discord.fail({ how: { kind: "hang", after: true } });
    const reply = send({ content: "a" });
    await fault.struck();
    const later = await send({ content: "b" });
    expect(later.status).toBe(200);
    expect(said()).toBe(2);
    fault.release();
    expect((await reply).status).toBe(200);
  });

  test("refuse as often as told, on the routes told", async () => {
    discord.fail({ route: /messages/, times: 2, how: { kind: "forbidden", code: 50013 } });
    expect((await call("GET", "/users/@me")).status).toBe(200);
    expect(outcome(await send({ content: "a" }))).toBe("403 50013");
    expect(outcome(await send({ content: "a" }))).toBe("403 50013");
    expect(outcome(await send({ content: "a" }))).toBe("taken");
    discord.fail({ how: { kind: "unauthorized" } });
    expect(outcome(await send({ content: "a" }))).toBe("401 0");
    discord.fail({ how: { kind: "rate-limit", scope: "shared", retryAfterMs: 1500 } });
    const limited = await send({ content: "a" });
    expect([limited.body.retry_after, limited.headers.get("x-ratelimit-scope")]).toEqual([1.5, "shared"]);
  });

  test("slow an answer down", async () => {
    discord.fail({ how: { kind: "slow", ms: 60 } });
    const before = performance.now();
    await send({ content: "a" });
    expect(performance.now() - before).toBeGreaterThan(55);
  });
});
