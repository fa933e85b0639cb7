import { createServer, type Server } from "node:http";
import { HTTPReceiver, LogLevel } from "@slack/bolt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type Authorization,
  createAuthorization,
  createInstallationStore,
  findInstallation,
  INSTALL_PATH,
  INSTALLER_CLIENT,
  parseRemoval,
} from "../../../src/bots/slack/installations.ts";
import { REDIRECT_PATH } from "../../../src/bots/slack/manifest.ts";
import {
  InstallationError,
  type InstallationKey,
  type Installations,
} from "../../../src/core/installation.ts";
import { type Database, openSqlite } from "../../../src/storage/database.ts";
import { createInstallations } from "../../../src/storage/installations.ts";
import { type Answer, type Asked, refusal, startAnswers } from "./answers.ts";

const KEYS = [Buffer.alloc(32, 7).toString("base64")];
const TEAM: InstallationKey = { id: "T1", isOrg: false };
const ORG: InstallationKey = { id: "E1", isOrg: true };
const HOUR = 3600;
/** Bolt's installer takes the real time for now. */
const now = () => Math.floor(Date.now() / 1000);

let db: Database;
let installations: Installations;
let slack: Awaited<ReturnType<typeof startAnswers>>;
let receiver: HTTPReceiver;
let authorization: Authorization;
let reported: unknown[];
let refreshed: number;

beforeEach(async () => {
  db = await openSqlite(":memory:");
  installations = createInstallations(db, { keys: KEYS });
  slack = await startAnswers({
    "oauth.v2.access": access,
    "auth.test": { body: { bot_id: "B1", url: "https://acme.slack.com/" } },
  });
  reported = [];
  refreshed = 0;
  receiver = new HTTPReceiver({
    signingSecret: "signing",
    clientId: "1.2",
    clientSecret: "client-secret",
    stateSecret: "state-secret",
    scopes: ["commands", "chat:write"],
    logLevel: LogLevel.ERROR,
    logger: SILENT,
    installationStore: createInstallationStore(installations, () => new Date()),
    installerOptions: {
      installPath: INSTALL_PATH,
      redirectUriPath: REDIRECT_PATH,
      clientOptions: { ...INSTALLER_CLIENT, slackApiUrl: slack.url },
    },
  });
  authorization = createAuthorization({
    installer: receiver.installer!,
    installations,
    clock: () => new Date(),
    report: (_, error) => reported.push(error),
  });
});
afterEach(async () => {
  await authorization.settle();
  await slack.close();
  await db.destroy();
});

const SILENT = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
};

/** As Slack does: a code brings tokens, and a refresh token brings new ones, once. */
const used = new Set<string>();
function access({ args }: Asked): Answer {
  if (args["grant_type"] !== "refresh_token") return grant({ access_token: "xoxb-installed" });
  const token = args["refresh_token"] ?? "";
  if (used.has(token)) return refusal("invalid_refresh_token");
  used.add(token);
  refreshed++;
  return grant({
    access_token: `xoxe.xoxb-${refreshed}`,
    refresh_token: `xoxe-${crypto.randomUUID()}`,
    expires_in: 12 * HOUR,
  });
}

function grant(body: Readonly<Record<string, unknown>>): Answer {
  const party = { team: { id: "T1", name: "Acme" }, enterprise: null, is_enterprise_install: false };
  return {
    body: {
      app_id: "A1",
      authed_user: { id: "U1" },
      scope: "commands,chat:write",
      token_type: "bot",
      bot_user_id: "UB",
      ...party,
      ...body,
    },
  };
}

/** Keeps an installation as Bolt hands it over. */
async function install({
  key = TEAM,
  expiresIn = null as number | null,
  token = "xoxb-1",
} = {}): Promise<void> {
  await createInstallationStore(installations, () => new Date()).storeInstallation({
    team: key.isOrg ? undefined : { id: key.id, name: "Acme" },
    enterprise: key.isOrg ? { id: key.id, name: "Acme Group" } : undefined,
    user: { id: "U1", token: undefined, scopes: undefined },
    bot: {
      token,
      scopes: ["commands", "chat:write"],
      id: "B1",
      userId: "UB",
      ...(expiresIn === null
        ? {}
        : { refreshToken: `xoxe-${crypto.randomUUID()}`, expiresAt: now() + expiresIn }),
    },
    tokenType: "bot",
    isEnterpriseInstall: key.isOrg,
    authVersion: "v2",
  });
}

const ask = (teamId: string, userId = "U1") =>
  authorization.authorize({ teamId, enterpriseId: undefined, isEnterpriseInstall: false, userId });
const askOrg = (teamId: string | undefined) =>
  authorization.authorize({ teamId, enterpriseId: "E1", isEnterpriseInstall: true });
const refreshCalls = () => slack.asked.filter(({ args }) => args["grant_type"] === "refresh_token").length;
const tokenOf = async (key: InstallationKey) => (await findInstallation(installations, key))?.bot.token;

describe("installing", () => {
  let web: Server;
  let url: string;
  beforeEach(async () => {
    web = createServer(receiver.requestListener);
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const address = web.address();
    url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  });
  afterEach(() => new Promise<void>((resolve) => void web.close(() => resolve())));

  async function goThroughOAuth(): Promise<Response> {
    const page = await fetch(`${url}${INSTALL_PATH}`);
    const state = /[?&]state=([^&"]+)/.exec((await page.text()).replaceAll("&amp;", "&"))?.[1] ?? "";
    const cookie = (page.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    return fetch(`${url}${REDIRECT_PATH}?code=c&state=${state}`, { headers: { cookie } });
  }

  test("through Bolt's pages keeps the bot's tokens, and nothing that is a user's", async () => {
    slack.tell(
      "oauth.v2.access",
      grant({
        access_token: "xoxe.xoxb-1",
        refresh_token: "xoxe-1",
        expires_in: 12 * HOUR,
        authed_user: { id: "U1", access_token: "xoxp-private", scope: "search:read" },
      }),
    );
    expect((await goThroughOAuth()).status).toBe(200);
    const { value, installedAt } = (await installations.find(TEAM))!;
    expect(JSON.parse(value)).toMatchObject({
      team: { id: "T1", name: "Acme" },
      bot: { token: "xoxe.xoxb-1", refreshToken: "xoxe-1", scopes: ["commands", "chat:write"], userId: "UB" },
    });
    expect(value).not.toContain("xoxp");
    expect(Math.abs(Date.parse(installedAt) - Date.now())).toBeLessThan(60_000);
    expect(await ask("T1")).toEqual({
      botToken: "xoxe.xoxb-1",
      botId: "B1",
      botUserId: "UB",
      scopes: ["commands", "chat:write"],
      teamId: "T1",
    });
  });

  test("in an organization serves all of its workspaces", async () => {
    slack.tell(
      "oauth.v2.access",
      grant({
        access_token: "xoxb-org",
        team: null,
        enterprise: { id: "E1", name: "Acme Group" },
        is_enterprise_install: true,
      }),
    );
    expect((await goThroughOAuth()).status).toBe(200);
    expect(await askOrg("T7")).toMatchObject({ botToken: "xoxb-org", teamId: "T7", enterpriseId: "E1" });
    expect(await askOrg("T8")).toMatchObject({ botToken: "xoxb-org", teamId: "T8", enterpriseId: "E1" });
    expect(await askOrg(undefined)).toMatchObject({ botToken: "xoxb-org" });
    expect(await installations.list()).toMatchObject([ORG]);
  });

  test("without a bot keeps nothing, and says so", async () => {
    slack.tell(
      "oauth.v2.access",
      grant({ access_token: undefined, scope: undefined, bot_user_id: undefined }),
    );
    expect((await goThroughOAuth()).status).toBe(500);
    expect(await installations.list()).toEqual([]);
  });

  test("again brings tokens anew", async () => {
    await install({ token: "xoxb-before" });
    expect((await goThroughOAuth()).status).toBe(200);
    expect(await tokenOf(TEAM)).toBe("xoxb-installed");
  });
});

describe("authorizing", () => {
  test("tells apart workspaces, and who asked", async () => {
    await install();
    await install({ key: { id: "T2", isOrg: false }, token: "xoxb-2" });
    const [first, second, other] = await Promise.all([ask("T1", "U1"), ask("T1", "U2"), ask("T2")]);
    // Bolt writes the asker's id into the answer.
    expect(first).not.toBe(second);
    expect([first.botToken, second.botToken, other.botToken]).toEqual(["xoxb-1", "xoxb-1", "xoxb-2"]);
    expect(slack.asked).toEqual([]);
  });

  test("refuses a workspace without an installation in one sentence, and after it was removed", async () => {
    const sentence =
      "Paperboy is not installed in the workspace T1: an admin can install it at /slack/install.";
    await expect(ask("T1")).rejects.toThrow(new InstallationError(sentence));
    await expect(authorization.authorizeFor("T1")).rejects.toThrow(new InstallationError(sentence));
    await install();
    await createInstallationStore(installations, () => new Date(Date.now() + 1000)).deleteInstallation?.({
      teamId: "T1",
      enterpriseId: undefined,
      isEnterpriseInstall: false,
    });
    await expect(ask("T1")).rejects.toThrow(sentence);
  });

  test("does not take an organization's installation for a workspace's", async () => {
    await install({ key: ORG });
    await expect(ask("E1")).rejects.toThrow(InstallationError);
  });

  test("for the schedule finds a workspace's own installation, else that of the organization it was seen in", async () => {
    await install({ key: ORG, token: "xoxb-org" });
    await expect(authorization.authorizeFor("T1")).rejects.toThrow(InstallationError);
    await askOrg("T1");
    expect(await authorization.authorizeFor("T1")).toMatchObject({
      botToken: "xoxb-org",
      teamId: "T1",
      enterpriseId: "E1",
    });
    await expect(authorization.authorizeFor("T2")).rejects.toThrow(InstallationError);
    await install();
    expect(await authorization.authorizeFor("T1")).toMatchObject({ botToken: "xoxb-1" });
  });

  test("says which key is missing", async () => {
    await createInstallations(db, { keys: [Buffer.alloc(32, 1).toString("base64")] }).keep({
      ...TEAM,
      value: "{}",
      installedAt: new Date().toISOString(),
    });
    await expect(ask("T1")).rejects.toThrow(
      /^The tokens of the workspace T1 are encrypted with the key [0-9a-f]{8}/,
    );
  });

  test("says so where what is kept cannot be read", async () => {
    await installations.keep({
      ...TEAM,
      value: '{"user":{"id":"U1"},"authVersion":"v2"}',
      installedAt: new Date().toISOString(),
    });
    await expect(ask("T1")).rejects.toThrow(
      new InstallationError(
        "What is kept of the installation of T1 cannot be read (bot is missing): install Paperboy there again at /slack/install.",
      ),
    );
  });
});

describe("an expiring token", () => {
  test("is left alone while it has more than two hours", async () => {
    await install({ expiresIn: 2 * HOUR + 60 });
    expect((await ask("T1")).botToken).toBe("xoxb-1");
    await authorization.settle();
    expect(refreshCalls()).toBe(0);
  });

  test("serves on while it is refreshed, so that nobody waits", async () => {
    await install({ expiresIn: HOUR });
    let answer: (answer: Answer) => void = () => {};
    slack.tell("oauth.v2.access", () => new Promise<Answer>((resolve) => (answer = resolve)));
    expect((await ask("T1")).botToken).toBe("xoxb-1");
    await expect.poll(refreshCalls).toBe(1);
    expect((await authorization.authorizeFor("T1")).botToken).toBe("xoxb-1");
    answer(grant({ access_token: "xoxe.xoxb-new", refresh_token: "xoxe-new", expires_in: 12 * HOUR }));
    await authorization.settle();
    expect((await ask("T1")).botToken).toBe("xoxe.xoxb-new");
    expect(refreshCalls()).toBe(1);
    expect(reported).toEqual([]);
  });

  test("that ran out is refreshed once for all who wait for it", async () => {
    await install({ expiresIn: -HOUR });
    await install({ key: ORG, expiresIn: -HOUR });
    const answers = await Promise.all([
      ...Array.from({ length: 20 }, () => ask("T1")),
      ...Array.from({ length: 20 }, () => authorization.authorizeFor("T1")),
      askOrg("T8"),
      askOrg("T9"),
    ]);
    expect(refreshCalls()).toBe(2);
    const tokens = new Set(answers.slice(0, 40).map(({ botToken }) => botToken));
    expect(tokens).toEqual(new Set([await tokenOf(TEAM)]));
    expect(answers.slice(40).map(({ teamId }) => teamId)).toEqual(["T8", "T9"]);
    expect(await tokenOf(ORG)).not.toBe(await tokenOf(TEAM));
  });

  test("never loses its refresh token, round after round", async () => {
    await install({ expiresIn: -HOUR });
    for (let round = 1; round <= 5; round++) {
      await Promise.all([ask("T1"), ask("T1"), authorization.authorizeFor("T1")]);
      expect(refreshed).toBe(round);
      const { installedAt, value } = (await installations.find(TEAM))!;
      const parsed = JSON.parse(value);
      await installations.renew({
        ...TEAM,
        installedAt,
        value: JSON.stringify({ ...parsed, bot: { ...parsed.bot, expiresAt: now() - 1 } }),
      });
    }
  });

  test("keeps the instant of its installation, so that the end of it still counts", async () => {
    await install({ expiresIn: -HOUR });
    const { installedAt } = (await installations.find(TEAM))!;
    await ask("T1");
    expect((await installations.find(TEAM))?.installedAt).toBe(installedAt);
    expect(await tokenOf(TEAM)).toMatch(/^xoxe\.xoxb-/);
  });

  test.each([
    ["is not revived by a refresh", null],
    ["does not overwrite the one after it by a refresh", "xoxb-again"],
  ])("of an installation that ends meanwhile %s", async (_, again) => {
    await install({ expiresIn: HOUR });
    let answer: (answer: Answer) => void = () => {};
    slack.tell("oauth.v2.access", () => new Promise<Answer>((resolve) => (answer = resolve)));
    await ask("T1");
    await expect.poll(refreshCalls).toBe(1);
    await installations.remove(TEAM, { at: new Date(Date.now() + 1000).toISOString() });
    if (again !== null) await install({ token: again });
    answer(grant({ access_token: "xoxe.xoxb-late", refresh_token: "xoxe-late", expires_in: 12 * HOUR }));
    await authorization.settle();
    expect((await findInstallation(installations, TEAM))?.bot.token ?? null).toBe(again);
  });

  test("serves on where the refresh fails, and is not tried again at once", async () => {
    await install({ expiresIn: HOUR });
    slack.tell("oauth.v2.access", refusal("internal_error"));
    for (let each = 0; each < 5; each++) {
      expect((await ask("T1")).botToken).toBe("xoxb-1");
      await authorization.settle();
    }
    expect(refreshCalls()).toBe(1);
  });

  test("is reported where what was refreshed could not be kept", async () => {
    await install({ expiresIn: HOUR });
    slack.tell("oauth.v2.access", async () => {
      await db.schema.dropTable("installations").execute();
      return grant({ access_token: "xoxe.xoxb-1", refresh_token: "xoxe-1", expires_in: 12 * HOUR });
    });
    expect((await ask("T1")).botToken).toBe("xoxb-1");
    await authorization.settle();
    expect(String(reported)).toMatch(/no such table: installations/);
  });
});

describe("the end of an installation", () => {
  const body = (event: object, more: object = {}) => ({
    type: "event_callback",
    team_id: "T1",
    enterprise_id: null,
    event_id: "Ev1",
    event_time: 1_776_848_400,
    event,
    ...more,
  });
  const uninstalled = { type: "app_uninstalled" };
  const at = "2026-04-22T09:00:00.000Z";

  test.each([
    ["an uninstall", body(uninstalled), TEAM],
    [
      "an uninstall with its authorization",
      body(uninstalled, {
        authorizations: [{ team_id: "T2", enterprise_id: null, is_enterprise_install: false }],
      }),
      { id: "T2", isOrg: false },
    ],
    [
      "an organization's uninstall",
      body(uninstalled, {
        team_id: "T1",
        enterprise_id: "E1",
        authorizations: [{ team_id: null, enterprise_id: "E1", is_enterprise_install: true }],
      }),
      ORG,
    ],
    [
      "an organization's uninstall without a workspace",
      body(uninstalled, { team_id: "", enterprise_id: "E1" }),
      ORG,
    ],
    [
      "a workspace's in an organization",
      body(uninstalled, { enterprise_id: "E1", authorizations: [] }),
      TEAM,
    ],
    ["a revoked bot", body({ type: "tokens_revoked", tokens: { oauth: [], bot: ["UB"] } }), TEAM],
  ])("is read from %s", (_, event, key) => {
    expect(parseRemoval(event)).toEqual({ key, at });
  });

  test.each([
    ["a user's revoked token", body({ type: "tokens_revoked", tokens: { oauth: ["U1"], bot: [] } })],
    [
      "a user's revoked token without a list of bots",
      body({ type: "tokens_revoked", tokens: { oauth: ["U1"] } }),
    ],
    ["another event", body({ type: "app_home_opened" })],
    ["no workspace at all", body(uninstalled, { team_id: null })],
    ["no instant", body(uninstalled, { event_time: undefined })],
    ["nothing", undefined],
  ])("is not read from %s", (_, event) => {
    expect(parseRemoval(event)).toBeNull();
  });

  test("is read from Slack's word into what the store removes", async () => {
    const installedAt = (ms: number) => new Date(1_776_848_400_000 + ms).toISOString();
    await installations.keep({ ...TEAM, value: "{}", installedAt: installedAt(-500) });
    const removal = parseRemoval(body(uninstalled))!;
    expect(await installations.remove(removal.key, removal)).toBe(true);
    await installations.keep({ ...TEAM, value: "{}", installedAt: installedAt(700) });
    expect(await installations.remove(removal.key, removal)).toBe(false);
  });
});
