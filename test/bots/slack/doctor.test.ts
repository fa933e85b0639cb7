import { createServer, type RequestListener, type Server } from "node:http";
import { HTTPReceiver, LogLevel } from "@slack/bolt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { examineSlack } from "../../../src/bots/slack/doctor.ts";
import { createInstallationStore } from "../../../src/bots/slack/installations.ts";
import { SCOPES } from "../../../src/bots/slack/manifest.ts";
import type { Check } from "../../../src/core/bot.ts";
import type { ChannelKey } from "../../../src/core/channel.ts";
import type { InstallationKey } from "../../../src/core/installation.ts";
import { type Database, openSqlite } from "../../../src/storage/database.ts";
import { createInstallations } from "../../../src/storage/installations.ts";
import { type Answer, type Asked, refusal, startAnswers } from "./answers.ts";

const [KEY, OLD_KEY] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString("base64")) as [string, string];
const NOW = new Date("2026-04-22T09:00:00.000Z");
const SOCKET = {
  botToken: "xoxb-hush",
  appToken: "xapp-hush",
  signingSecret: null,
  clientId: null,
  clientSecret: null,
};
const OAUTH = {
  botToken: null,
  appToken: null,
  signingSecret: "hush-signing",
  clientId: "1.2",
  clientSecret: "hush-client",
};
const ALL = SCOPES.map(({ name }) => name);
const TEAM: InstallationKey = { id: "T1", isOrg: false };
const channel = (id: string, workspace = "T1"): ChannelKey => ({ platform: "slack", workspace, channel: id });

const identity = (scopes: readonly string[] = ALL): Answer => ({
  headers: { "x-oauth-scopes": scopes.join(",") },
  body: {
    url: "https://acme.slack.com/",
    team: "Acme",
    user: "paperboy",
    team_id: "T1",
    user_id: "UB",
    bot_id: "B1",
  },
});
/** All as it should be. */
const WELL = {
  "auth.test": identity(),
  "apps.connections.open": { body: { url: "wss://wss.slack.com/link/?ticket=hush-ticket" } },
  "oauth.v2.access": refusal("invalid_code"),
};

let db: Database;
let slack: Awaited<ReturnType<typeof startAnswers>>;
beforeEach(async () => {
  db = await openSqlite(":memory:");
});
afterEach(async () => {
  await slack.close();
  await db.destroy();
});

async function examine(
  methods: Parameters<typeof startAnswers>[0] = {},
  {
    set = SOCKET,
    subscribed = [channel("C1")],
    total,
    url = null,
    keys = [KEY],
    apiUrl,
    now = NOW,
  }: {
    readonly set?: Omit<Parameters<typeof examineSlack>[0]["slack"], "apiUrl">;
    readonly subscribed?: readonly ChannelKey[];
    readonly total?: number;
    readonly url?: string | null;
    readonly keys?: readonly string[];
    readonly apiUrl?: string;
    readonly now?: Date;
  } = {},
) {
  slack = await startAnswers({ ...WELL, ...methods });
  const { checks, install } = await examineSlack({
    slack: { ...set, apiUrl: apiUrl ?? slack.url },
    installations: createInstallations(db, { keys }),
    subscribed: async (limit) => ({
      channels: subscribed.slice(0, limit),
      total: total ?? subscribed.length,
    }),
    url,
    now,
  });
  expect(JSON.stringify(checks)).not.toMatch(/hush/);
  return { checks, install, of: (name: string) => checks.filter((check) => check.name === name) };
}

async function install(
  key = TEAM,
  { scopes = ALL as readonly string[], expiresAt = null as string | null, keys = [KEY] } = {},
): Promise<void> {
  const installations = createInstallations(db, { keys });
  await createInstallationStore(installations, () => NOW).storeInstallation({
    team: key.isOrg ? undefined : { id: key.id },
    enterprise: key.isOrg ? { id: key.id } : undefined,
    user: { id: "U1", token: undefined, scopes: undefined },
    bot: {
      token: `xoxb-hush-${key.id}`,
      scopes: [...scopes],
      id: "B1",
      userId: "UB",
      ...(expiresAt === null ? {} : { refreshToken: "xoxe-hush", expiresAt: Date.parse(expiresAt) / 1000 }),
    },
    isEnterpriseInstall: key.isOrg,
    authVersion: "v2",
  });
}

const told = (checks: readonly Check[]) =>
  checks.map(({ name, state, detail, fix }) => [name, state, detail, fix]);
const containing = (text: string): unknown => expect.stringContaining(text);

describe("the doctor of Slack, with one workspace's tokens", () => {
  test("says of everything that it is well, in order, and needs no link", async () => {
    const { checks, install } = await examine();
    expect(told(checks)).toEqual([
      ["token", "ok", "accepted for the bot paperboy in Acme", null],
      ["scopes", "ok", "all 7 granted", null],
      ["socket", "ok", "Slack lets one be opened, so it needs no public address", null],
      [
        "channels",
        "ok",
        containing(
          "1 channel with a subscription; of 1 nothing is known: Slack tells only with channels:read",
        ),
        null,
      ],
    ]);
    expect(checks.every(({ platform }) => platform === "slack")).toBe(true);
    expect(install).toBeNull();
    expect(slack.asked.map(({ method, token }) => [method, token])).toEqual([
      ["auth.test", "xoxb-hush"],
      ["apps.connections.open", "xapp-hush"],
    ]);
  });

  test("says which scopes are missing, what that costs, and which of them it cannot do without", async () => {
    const less = await examine({
      "auth.test": identity(["commands", "chat:write", "chat:write.public", "im:write"]),
    });
    expect(told(less.of("scopes"))).toEqual([
      [
        "scopes",
        "warning",
        "links:read, links:write and users:read not granted: links to papers get no card; times are UTC until a zone is given",
        containing("let it be"),
      ],
    ]);
    await slack.close();
    const none = await examine({ "auth.test": identity(["chat:write"]) });
    expect(told(none.of("scopes"))).toEqual([
      [
        "scopes",
        "error",
        "commands missing, without which nothing works",
        containing("npx paperboy manifest"),
      ],
    ]);
    await slack.close();
    const silent = await examine({ "auth.test": { body: identity().body ?? {} } });
    expect(told(silent.of("scopes"))).toEqual([
      ["scopes", "warning", "Slack did not name them", "check SLACK_API_URL"],
    ]);
  });

  test.each([
    [
      "a refused token",
      refusal("invalid_auth"),
      "Slack refuses the token SLACK_BOT_TOKEN (invalid_auth)",
      "copy the present one",
    ],
    [
      "a dead one",
      refusal("account_inactive"),
      "Slack refuses the token SLACK_BOT_TOKEN (account_inactive)",
      "copy the present one",
    ],
    [
      "a policy",
      refusal("org_login_required"),
      "Slack refused auth.test with the token SLACK_BOT_TOKEN (org_login_required)",
      "settings",
    ],
    [
      "a limit",
      { status: 429, headers: { "retry-after": "30" } },
      "Slack takes no more auth.test for now",
      "try again in 30 s",
    ],
    ["a limit without an end", { status: 429 }, "Slack cannot be reached", "check the network"],
    ["a fault", { status: 503 }, "Slack answers with a fault of its own (503)", "slack-status.com"],
    [
      "a fault in words",
      refusal("fatal_error"),
      "Slack answers with a fault of its own (fatal_error)",
      "slack-status.com",
    ],
    [
      "a page",
      { raw: "<html>hush</html>" },
      "What answered auth.test does not speak as Slack does",
      "check SLACK_API_URL",
    ],
    [
      "something else",
      { body: { hello: 1 } },
      "What answered auth.test does not speak as Slack does",
      "check SLACK_API_URL",
    ],
    [
      "a person's token",
      { body: { team_id: "T1", user_id: "U1" } },
      "What answered auth.test does not speak as Slack does",
      "check SLACK_API_URL",
    ],
  ])("says so of %s, and looks at the rest", async (_, answer: Answer, detail, fix) => {
    const { checks } = await examine({ "auth.test": answer });
    expect(told(checks)).toEqual([
      ["token", "error", containing(detail), containing(fix)],
      ["socket", "ok", expect.any(String), null],
    ]);
  });

  test("says so where nothing answers", async () => {
    const { checks } = await examine({}, { apiUrl: `${await emptyAddress()}/api/` });
    expect(told(checks)).toEqual([
      [
        "token",
        "error",
        expect.stringMatching(/^Slack cannot be reached at http:\/\/127.0.0.1:\d+\/api\/ \(ECONNREFUSED\)$/),
        "check the network and SLACK_API_URL",
      ],
      ["socket", "error", containing("ECONNREFUSED"), expect.any(String)],
    ]);
  });

  test.each([
    [refusal("invalid_auth"), "Slack refuses the token SLACK_APP_TOKEN (invalid_auth)"],
    [
      refusal("missing_scope", { needed: "connections:write", provided: "authorizations:read" }),
      "The token SLACK_APP_TOKEN lacks connections:write",
    ],
    [
      refusal("not_allowed_token_type"),
      "Slack refused apps.connections.open with the token SLACK_APP_TOKEN (not_allowed_token_type)",
    ],
  ])("says what keeps the socket from opening (%#)", async (answer, detail) => {
    const { of } = await examine({ "apps.connections.open": answer });
    expect(told(of("socket"))).toEqual([["socket", "error", detail, expect.any(String)]]);
  });

  test("takes no name from Slack for more than text on a line", async () => {
    const { of } = await examine({
      "auth.test": {
        ...identity(),
        body: { ...identity().body, team: `A\u001b[2J\n${"x".repeat(99)}`, user: "\u202e" },
      },
    });
    expect(of("token")[0]?.detail).toMatch(/^accepted for the bot \(no name\) in A\[2J x+…$/);
  });
});

describe("the doctor of Slack, of the channels that have a subscription", () => {
  const MAY_READ = { "auth.test": identity([...ALL, "channels:read"]) };
  const info = (fields: object) => ({
    body: { channel: { id: "C1", name: "papers", is_member: true, ...fields } },
  });
  const answers = (asked: Asked, by: Readonly<Record<string, Answer>>) =>
    by[asked.args["channel"] ?? ""] ?? refusal("channel_not_found");

  test("tells which cannot be posted to, where the scopes let it see", async () => {
    const channels: Readonly<Record<string, Answer>> = {
      C1: info({}),
      C2: info({ is_archived: true }),
      C3: info({ is_member: false, is_private: true }),
      C4: info({ is_member: false }),
      D1: { body: { channel: { id: "D1", is_im: true } } },
    };
    const { of } = await examine(
      { ...MAY_READ, "conversations.info": (asked) => answers(asked, channels) },
      { subscribed: [...Object.keys(channels), "C9"].map((id) => channel(id)) },
    );
    expect(told([...of("channels"), ...of("channel")])).toEqual([
      ["channels", "error", "6 channels with a subscription: 3 cannot be posted to", null],
      ["channel", "error", "#papers is archived", "unarchive it, or let it be"],
      ["channel", "error", "#papers lacks the bot", "type /invite @Paperboy there"],
      ["channel", "error", "C9 is private and lacks the bot, or is gone", containing("/invite")],
    ]);
  });

  test("needs the bot in public channels too, where it may not post without", async () => {
    const { of } = await examine({
      "auth.test": identity(["commands", "chat:write", "channels:read"]),
      "conversations.info": info({ is_member: false }),
    });
    expect(told(of("channel"))).toEqual([
      ["channel", "error", "#papers lacks the bot", "type /invite @Paperboy there"],
    ]);
  });

  test("is silent on what Slack does not tell, and on which scope it takes", async () => {
    const { checks, of } = await examine({
      ...MAY_READ,
      "conversations.info": refusal("missing_scope", { needed: "groups:read" }),
    });
    expect(of("channels")[0]).toMatchObject({ state: "ok", detail: containing("of 1 nothing is known") });
    expect(checks.every(({ state }) => state === "ok")).toBe(true);
  });

  test("says so of a channel in another workspace, of a call that failed, and of none at all", async () => {
    const other = await examine(MAY_READ, { subscribed: [channel("C1", "T9")] });
    expect(told(other.of("channel"))).toEqual([
      [
        "channel",
        "warning",
        "C1 is in the workspace T9, which has not installed Paperboy",
        containing("let it be"),
      ],
    ]);
    await slack.close();
    const broken = await examine({ ...MAY_READ, "conversations.info": { status: 500 } });
    expect(told(broken.of("channel"))).toEqual([
      [
        "channel",
        "error",
        "C1 was not looked at: Slack answers with a fault of its own (500)",
        expect.any(String),
      ],
    ]);
    await slack.close();
    const none = await examine(MAY_READ, { subscribed: [] });
    expect(of1(none.of("channels"))).toBe("none has a subscription yet: type /papers subscribe in one");
  });

  test("looks at the next thirty of many", async () => {
    const subscribed = Array.from({ length: 40 }, (_, at) => channel(`C${at}`));
    const { of } = await examine(
      { ...MAY_READ, "conversations.info": info({}) },
      { subscribed, total: 1200 },
    );
    expect(of1(of("channels"))).toBe(
      "1,200 channels with a subscription, of which the next 30 were looked at",
    );
    expect(slack.asked.filter(({ method }) => method === "conversations.info")).toHaveLength(30);
  });

  const of1 = (checks: readonly Check[]) => checks[0]?.detail;
});

describe("the doctor of Slack, with many workspaces", () => {
  let web: Server | null = null;
  afterEach(async () => {
    web?.closeAllConnections();
    await new Promise<void>((resolve) => (web === null ? resolve() : void web.close(() => resolve())));
    web = null;
  });

  /** The server that Slack reaches, as Bolt serves it. Bolt takes the real time for now. */
  function serveBolt(signingSecret = "hush-signing"): Promise<string> {
    const receiver = new HTTPReceiver({
      signingSecret,
      clientId: "1.2",
      clientSecret: "hush-client",
      stateSecret: "hush-state",
      scopes: ALL,
      logger: {
        debug() {},
        info() {},
        warn() {},
        error() {},
        setLevel() {},
        getLevel: () => LogLevel.ERROR,
        setName() {},
      },
    });
    return serve(receiver.requestListener);
  }

  async function serve(listener: RequestListener): Promise<string> {
    web = createServer(listener);
    return addressOf(web);
  }

  test("says so of everything, and gives the link where its address is known", async () => {
    await install();
    await install({ id: "E1", isOrg: true });
    const { checks } = await examine({}, { set: OAUTH });
    expect(told(checks)).toEqual([
      ["credentials", "ok", "the client id and secret are accepted", null],
      ["installations", "ok", "2 installations, all can be decrypted", null],
      [
        "address",
        "warning",
        "not looked at, since it is not known",
        "npx paperboy doctor --url https://<your address>",
      ],
      ["install", "warning", containing("not looked at"), containing("--url")],
      ["channels", "ok", containing("1 channel with a subscription"), null],
    ]);
    expect(slack.asked.find(({ method }) => method === "oauth.v2.access")?.args).toMatchObject({
      client_id: "1.2",
      code: "paperboy-doctor",
    });
  });

  test.each([
    ["invalid_client_id", "Slack knows no such SLACK_CLIENT_ID"],
    ["bad_client_secret", "Slack knows no such SLACK_CLIENT_SECRET"],
    ["internal_error", "Slack answers with a fault of its own (internal_error)"],
  ])("says what is wrong with the client: %s", async (code, detail) => {
    const { of } = await examine({ "oauth.v2.access": refusal(code) }, { set: OAUTH });
    expect(told(of("credentials"))).toEqual([["credentials", "error", detail, expect.any(String)]]);
  });

  test("counts the installations that cannot be decrypted, and names the key of each", async () => {
    await install();
    await install({ id: "T2", isOrg: false }, { keys: [OLD_KEY] });
    const { of } = await examine({}, { set: OAUTH });
    expect(told([...of("installations"), ...of("installation")])).toEqual([
      ["installations", "error", "2 installations, of which 1 cannot be decrypted", null],
      [
        "installation",
        "error",
        expect.stringMatching(
          /^The tokens of the workspace T2 are encrypted with the key [0-9a-f]{8}, which is not in ENCRYPTION_KEY$/,
        ),
        "add that key behind a comma, or install the app there again",
      ],
    ]);
  });

  test("says how many are still under an older key", async () => {
    await install(TEAM, { keys: [OLD_KEY] });
    await install({ id: "T2", isOrg: false });
    const { of } = await examine({}, { set: OAUTH, keys: [KEY, OLD_KEY] });
    expect(told(of("installations"))).toEqual([
      [
        "installations",
        "ok",
        "2 installations, all can be decrypted, 1 still under an older key, which must stay in ENCRYPTION_KEY",
        null,
      ],
    ]);
  });

  test("tries each installation's token but refreshes none", async () => {
    await install(TEAM, { expiresAt: "2026-04-22T06:00:00.000Z" });
    await install({ id: "T2", isOrg: false });
    await install({ id: "T3", isOrg: false });
    const { of } = await examine(
      {
        "auth.test": ({ token }) =>
          token === "xoxb-hush-T2" ? refusal("token_revoked") : identity(["commands", "chat:write"]),
      },
      { set: OAUTH, subscribed: [] },
    );
    expect(told(of("installation"))).toEqual([
      ["installation", "warning", "the token of T1 ran out 3 h ago", containing("start Paperboy")],
      [
        "installation",
        "error",
        "Slack refuses the token that is kept of T2 (token_revoked)",
        "let an admin install the app there again",
      ],
      [
        "installation",
        "warning",
        containing("T3: chat:write.public, im:write, links:read, links:write and users:read not granted"),
        expect.any(String),
      ],
    ]);
    expect(slack.asked.filter(({ args }) => args["grant_type"] !== undefined)).toEqual([]);
    expect(slack.asked.filter(({ token }) => token === "xoxb-hush-T1")).toEqual([]);
  });

  test("finds a channel's installation in its workspace or in its organization", async () => {
    await install();
    await install({ id: "E1", isOrg: true });
    await createInstallations(db, { keys: [KEY] }).assign("T5", "E1");
    const { of } = await examine(
      {
        "auth.test": identity([...ALL, "channels:read"]),
        "conversations.info": ({ token }) => ({
          body: { channel: { name: token?.replace("xoxb-hush-", "") ?? "", is_archived: true } },
        }),
      },
      { set: OAUTH, subscribed: [channel("C1"), channel("C5", "T5"), channel("C9", "T9")] },
    );
    expect(of("channel").map(({ detail }) => detail)).toEqual([
      "#T1 is archived",
      "#E1 is archived",
      "C9 is in the workspace T9, which has not installed Paperboy",
    ]);
  });

  test("sends the running server what Slack would, and takes its answer", async () => {
    const url = await serveBolt();
    const { of, install } = await examine({}, { set: OAUTH, url, now: new Date() });
    expect(told([...of("address"), ...of("install")])).toEqual([
      ["address", "ok", `${url}/slack/events answers, and knows Slack's signature`, null],
      ["install", "ok", `${url}/slack/install leads to Slack`, null],
    ]);
    expect(install).toBe(`${url}/slack/install`);
  });

  test("says so where the server has another signing secret", async () => {
    const url = await serveBolt("another");
    const { of } = await examine({}, { set: OAUTH, url, now: new Date() });
    expect(told(of("address"))).toEqual([
      [
        "address",
        "error",
        `what answers at ${url} has another signing secret`,
        containing("SLACK_SIGNING_SECRET"),
      ],
    ]);
  });

  test.each([
    ["knows nothing of Slack", 404, {}, "answers 404, and not as Paperboy does"],
    ["leads elsewhere", 302, { location: "http://127.0.0.1:9/" }, "answers 302, and not as Paperboy does"],
    ["takes everything", 200, {}, "answers 200, and not as Paperboy does"],
  ])("says so where the server %s", async (_, status, headers, detail) => {
    const url = await serve((_request, response) => response.writeHead(status, headers).end("x".repeat(1e6)));
    const { of } = await examine({}, { set: OAUTH, url });
    expect(told([...of("address"), ...of("install")])).toEqual([
      ["address", "error", `${url}/slack/events ${detail}`, containing("proxy")],
      ["install", "error", `${url}/slack/install ${detail}`, containing("proxy")],
    ]);
  });

  test("says so where no server answers", async () => {
    const url = await emptyAddress();
    const { of } = await examine({}, { set: OAUTH, url });
    expect(told(of("address"))).toEqual([
      [
        "address",
        "error",
        `${url}/slack/events cannot be reached (ECONNREFUSED)`,
        containing("start Paperboy"),
      ],
    ]);
  });
});

async function addressOf(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

/** Where nobody listens any more. */
async function emptyAddress(): Promise<string> {
  const server = createServer();
  const address = await addressOf(server);
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return address;
}
