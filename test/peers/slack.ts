import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createDelivery, SLACK_TIMING, type SlackEventDelivery, type SlackTiming } from "./slack-delivery.ts";
import { createPace, type SlackLimits, type SlackPace } from "./slack-pace.ts";
import { createPeople, messageText, viewText } from "./slack-people.ts";
import { refuseMessage } from "./slack-rules.ts";
import {
  asList,
  createSlackState,
  isJson,
  need,
  type Json,
  type PostedMessage,
  type SlackChannel,
  type SlackInstallation,
  type SlackView,
} from "./slack-state.ts";
import { createWebApi, type SlackAnswer, type SlackApp, type SlackCall } from "./slack-web-api.ts";

export type SlackOptions = Partial<Omit<SlackApp, "appId">> & {
  /** Milliseconds; the real time unless told. Signatures always carry the real time, since Bolt compares with it. */
  readonly now?: () => number;
  readonly timing?: Partial<SlackTiming>;
  readonly limits?: Partial<SlackLimits>;
  /** How long each answer of the Web API takes. */
  readonly latencyMs?: number;
  readonly port?: number;
};

/** How a call goes wrong. With `after`, Slack has done what was asked all the same, and the caller cannot know. */
export type SlackFault = {
  /** A method, `response_url`, or a pattern of these; any unless told. */
  readonly method?: string | RegExp;
  /** How many calls it befalls, 1 unless told. */
  readonly times?: number;
  readonly how:
    | { readonly status: number; readonly after?: boolean }
    | { readonly reset: "before" | "after" }
    | { readonly hang: "before" | "after" }
    | { readonly slowMs: number }
    | { readonly error: string; readonly needed?: string; readonly provided?: string }
    | { readonly retryAfterSeconds: number };
};

export type SlackRequest = {
  /** Milliseconds. */
  readonly at: number;
  /** A Web API method, or `response_url`. */
  readonly method: string;
  readonly token: string | null;
  readonly args: Json;
  /** What Slack did with it, whatever reached the caller. */
  readonly answer: SlackAnswer;
  /** What befell it. */
  readonly fault: SlackFault["how"] | null;
};

export type SlackPeer = Awaited<ReturnType<typeof startSlack>>;

/**
 * A local Slack: the Web API, Socket Mode, signed HTTP delivery, OAuth and people, over sockets on 127.0.0.1, for an
 * app that runs on unmodified Bolt. It refuses what Slack refuses, in Slack's words, and fails as Slack fails when a
 * test arms a fault. Everything is addressed by its id.
 */
export async function startSlack(options: SlackOptions = {}) {
  const now = options.now ?? Date.now;
  let app: SlackApp = {
    appId: "A0PAPERBOY",
    clientId: "1234567890.0987654321",
    clientSecret: "client-secret-of-the-local-slack",
    signingSecret: "signing-secret-of-the-local-slack",
    redirectUrl: null,
    rotatesTokens: false,
    tokensExpireInSeconds: 43_200,
    hasHomeTab: true,
    hasMessagesTab: true,
    unfurlDomains: ["huggingface.co", "hf.co", "arxiv.org", "alphaxiv.org"],
    commands: ["/papers"],
    ...withoutUndefined(options),
  };
  const state = createSlackState({ appId: app.appId, now });
  const pace = createPace(now);
  pace.setLimits(options.limits ?? {});
  const requests: SlackRequest[] = [];
  const armed: { fault: SlackFault; left: number }[] = [];
  let latencyMs = options.latencyMs ?? 0;

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  // Slack's own idle time-outs are far longer than any test: none of them here breaks a pooled connection.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;

  const delivery = createDelivery({
    server,
    state,
    appId: app.appId,
    signingSecret: () => app.signingSecret,
    timing: { ...SLACK_TIMING, ...options.timing },
    url: () => url,
  });
  const people = createPeople({ state, delivery, app: () => app, url: () => url });
  const api = createWebApi({
    state,
    pace,
    app: () => app,
    newSocketUrl: delivery.newSocketUrl,
    onRevoked: (installation) => void revoke(installation),
    onUninstalled: (installation) => void uninstallFrom(installation, false),
  });
  const appToken = state.addAppToken();

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = new URL(request.url ?? "/", url);
    const [, area = "", ...rest] = target.pathname.split("/");
    if (area === "api") {
      const body = await readBody(request);
      const call = readCall(rest.join("/"), request, target, body);
      if ("refused" in call) send(response, { status: 200, headers: {}, body: call.refused });
      else await answerCall(call.method, call.token, call.args, () => api.answer(call), response);
    } else if (area === "commands" || area === "actions") {
      const body = parse(await readBody(request));
      const args = isJson(body) ? body : {};
      await answerCall("response_url", null, args, () => respond(rest.at(-1) ?? "", args), response);
    } else if (target.pathname === "/oauth/v2/authorize") {
      authorizePage(request, target, response);
    } else {
      response.writeHead(404, { "content-type": "text/html" }).end("<!doctype html><title>Slack</title>");
    }
  }

  async function answerCall(
    method: string,
    token: string | null,
    args: Json,
    run: () => SlackAnswer,
    response: ServerResponse,
  ): Promise<void> {
    const at = now();
    const how = faultFor(method);
    const note = (answer: SlackAnswer) => {
      requests.push({ at, method, token, args, answer, fault: how });
      state.changed();
    };
    const wait = how !== null && "slowMs" in how ? how.slowMs : latencyMs;
    if (how === null || "slowMs" in how) {
      const answer = run();
      note(answer);
      if (wait > 0) setTimeout(() => send(response, answer), wait);
      else send(response, answer);
      return;
    }
    if ("error" in how) {
      const { error, ...more } = how;
      const answer = { status: 200, headers: {}, body: { ok: false, error, ...more } };
      note(answer);
      send(response, answer);
    } else if ("retryAfterSeconds" in how) {
      const headers = { "retry-after": String(how.retryAfterSeconds) };
      const answer = { status: 429, headers, body: { ok: false, error: "ratelimited" } };
      note(answer);
      send(response, answer);
    } else {
      const isAfter = "status" in how ? how.after === true : Object.values(how).includes("after");
      note(isAfter ? run() : { status: 0, headers: {}, body: {} });
      if ("status" in how)
        response.writeHead(how.status, { "content-type": "text/html" }).end("<h1>Server Error</h1>");
      else if ("reset" in how) response.socket?.resetAndDestroy();
    }
  }

  function faultFor(method: string): SlackFault["how"] | null {
    const found = armed.find(
      ({ fault, left }) =>
        left > 0 &&
        (fault.method === undefined ||
          (typeof fault.method === "string" ? fault.method === method : fault.method.test(method))),
    );
    if (found === undefined) return null;
    found.left -= 1;
    return found.fault.how;
  }

  /** A post to a `response_url`: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses. */
  function respond(id: string, body: Json): SlackAnswer {
    const used = state.responseUrl(id);
    const done = (status: number, error: string | null, messages: readonly string[] = []): SlackAnswer => {
      state.note({ kind: "response", response: { of: id, body, status, error } });
      const more = messages.length === 0 ? {} : { response_metadata: { messages } };
      const answer = error === null ? { ok: true } : { ok: false, error, ...more };
      return { status, headers: {}, body: answer };
    };
    if (typeof used === "string") return done(404, used);
    const channel = state.channel(used.channel);
    const installation = state.installationIn(channel?.team ?? "");
    if (channel === undefined || installation === null) return done(404, "no_service");
    const { original } = used;
    if (body["delete_original"] === true) {
      if (original === null || !state.deleteMessage(original)) return done(404, "message_not_found");
      used.uses += 1;
      return done(200, null);
    }
    const refused = refuseMessage(body);
    if (refused !== null) return done(400, refused.error, refused.messages);
    if (channel.isArchived) return done(400, "is_archived");
    used.uses += 1;
    const content = {
      text: typeof body["text"] === "string" ? body["text"] : "",
      blocks: asList(body["blocks"]),
    };
    if (body["replace_original"] === true && original !== null) {
      const changed = state.changeMessage(original, { ...content, editedTs: state.newTs() });
      return changed === null ? done(404, "message_not_found") : done(200, null);
    }
    state.addMessage({
      ...content,
      channel: channel.id,
      user: installation.botUser,
      botId: installation.botId,
      threadTs: typeof body["thread_ts"] === "string" ? body["thread_ts"] : null,
      ephemeralTo: body["response_type"] === "in_channel" ? null : used.user,
      via: "response_url",
    });
    return done(200, null);
  }

  /** "Add to Slack": the person is who the cookie `d` says, and always allows what is asked. */
  function authorizePage(request: IncomingMessage, target: URL, response: ServerResponse): void {
    const query = target.searchParams;
    const page = (status: number, sentence: string) =>
      response.writeHead(status, { "content-type": "text/html" }).end(`<!doctype html><p>${sentence}</p>`);
    const cookies = new URLSearchParams((request.headers.cookie ?? "").replaceAll(/;\s*/g, "&"));
    const team = query.get("team") ?? state.firstTeam()?.id ?? "";
    const user = state.user(cookies.get("d") ?? "") ?? state.firstUserOf(team);
    const scopes = (query.get("scope") ?? "").split(",").filter(Boolean);
    const asked = query.get("redirect_uri");
    const redirect = asked ?? app.redirectUrl;
    if (query.get("client_id") !== app.clientId) return void page(400, "Invalid client_id parameter");
    if (user === undefined) return void page(403, "Nobody is signed in");
    if (scopes.length === 0) return void page(400, "Invalid permissions requested");
    // https://docs.slack.dev/authentication/installing-with-oauth#redirect_urls: a path below it will do.
    if (redirect === null || app.redirectUrl === null || !redirect.startsWith(app.redirectUrl))
      return void page(400, "redirect_uri did not match any configured URIs");
    const back = new URL(redirect);
    const answer =
      cookies.get("answer") === "deny"
        ? { error: "access_denied" }
        : {
            code: state.newCode({
              user: user.id,
              team: user.team,
              scopes,
              redirectUri: asked,
              isForOrganization: cookies.get("for") === "organization",
            }),
          };
    for (const [key, value] of Object.entries(answer)) back.searchParams.set(key, value);
    back.searchParams.set("state", query.get("state") ?? "");
    response.writeHead(302, { location: back.href }).end();
  }

  /**
   * Installs the app as a person would, from the app's own install page on: its page or its redirect, Slack's page,
   * and back. Resolves with what the app shows at the end.
   */
  async function installFrom(
    installUrl: string,
    who: string,
    how: { readonly denies?: boolean; readonly forOrganization?: boolean } = {},
  ): Promise<Response> {
    const start = await fetch(installUrl, { redirect: "manual" });
    const page = await start.text();
    const cookie = start.headers
      .getSetCookie()
      .map((each) => each.split(";")[0])
      .join("; ");
    const link = start.headers.get("location") ?? /href="([^"]*\/oauth\/v2\/authorize[^"]*)"/.exec(page)?.[1];
    const authorizeUrl = need(link, `no way from ${installUrl} to its authorize page`).replaceAll(
      "&amp;",
      "&",
    );
    const session = [`d=${who}`];
    if (how.denies === true) session.push("answer=deny");
    if (how.forOrganization === true) session.push("for=organization");
    const allowed = await fetch(authorizeUrl, {
      redirect: "manual",
      headers: { cookie: session.join("; ") },
    });
    const back = allowed.headers.get("location");
    return back === null ? allowed : fetch(back, { headers: { cookie }, redirect: "manual" });
  }

  /** Takes the tokens away; the app hears of it. */
  async function revoke(installation: SlackInstallation): Promise<readonly SlackEventDelivery[]> {
    const callbacks = teamsOf(installation).map((team) =>
      people.eventCallback(team, tokensRevoked(installation)),
    );
    state.endTokens(installation, "token_revoked");
    return Promise.all(callbacks.map((callback) => delivery.sendEvent(callback)));
  }

  /** Removes the app: both events are sent at once, and may arrive in either order. */
  async function uninstallFrom(
    installation: SlackInstallation,
    tokensFirst: boolean,
  ): Promise<readonly SlackEventDelivery[]> {
    const inner = [{ type: "app_uninstalled" }, tokensRevoked(installation)];
    const callbacks = teamsOf(installation).flatMap((team) =>
      (tokensFirst ? inner.toReversed() : inner).map((each) => people.eventCallback(team, each)),
    );
    state.endTokens(installation, "account_inactive");
    return Promise.all(callbacks.map((callback) => delivery.sendEvent(callback)));
  }

  function teamsOf({ team, enterprise }: SlackInstallation): readonly string[] {
    return [team ?? [...state.teams()].find((each) => each.enterprise?.id === enterprise)?.id ?? ""];
  }

  function installed(key: string): SlackInstallation {
    return need(state.installation(key), `no installation in ${key}`);
  }

  /** What happens to a channel reaches the app with the scope to read it, in private ones where the bot is in. */
  async function channelEvent(
    channel: SlackChannel,
    inner: (prefix: "channel" | "group") => Json,
  ): Promise<SlackEventDelivery | null> {
    const isPublic = channel.kind === "public";
    const bot = state.installationIn(channel.team)?.botUser ?? "";
    if (!isPublic && !channel.members.has(bot)) return null;
    const scope = isPublic ? "channels:read" : "groups:read";
    return people.event(channel.team, inner(isPublic ? "channel" : "group"), scope);
  }

  async function setMember(channelId: string, user: string | undefined, isMember: boolean) {
    const channel = need(state.channel(channelId), `no channel ${channelId}`);
    const bot = state.installationIn(channel.team)?.botUser;
    const who = need(user ?? bot, `no installation in ${channel.team}`);
    const tell = () =>
      channelEvent(channel, (prefix) =>
        !isMember && who === bot
          ? { type: `${prefix}_left`, channel: channelId }
          : {
              type: isMember ? "member_joined_channel" : "member_left_channel",
              user: who,
              channel: channelId,
              channel_type: channel.kind === "public" ? "C" : "G",
              team: channel.team,
            },
      );
    if (isMember) {
      state.setMember(channelId, who, true);
      return tell();
    }
    const telling = tell();
    state.setMember(channelId, who, false);
    return telling;
  }

  return {
    url,
    /** For `slackApiUrl`; ends in `/api/`. */
    apiUrl: `${url}/api/`,
    /** For `installerOptions.authorizationUrl`. */
    authorizeUrl: `${url}/oauth/v2/authorize`,
    appId: app.appId,
    appToken,
    signingSecret: app.signingSecret,
    clientId: app.clientId,
    clientSecret: app.clientSecret,
    /** All calls of the Web API and posts to a `response_url`, in order. */
    requests: requests as readonly SlackRequest[],
    /** Every `chat.postMessage` that came as far as the rate limits: when, where, and whether it was let through. */
    posts: pace.log as readonly SlackPace[],

    addTeam: state.addTeam,
    addUser: state.addUser,
    addChannel: state.addChannel,
    /** Installs the app at once, without pages; the bot is in no channel yet. */
    install(
      where: { readonly team: string } | { readonly enterprise: string },
      how: { readonly scopes?: readonly string[]; readonly by?: string } = {},
    ): SlackInstallation {
      return state.install(where, {
        scopes: how.scopes ?? ["commands", "chat:write"],
        by: how.by ?? "",
        rotates: app.rotatesTokens,
        expiresInSeconds: app.tokensExpireInSeconds,
      });
    },
    installFrom,
    /** By the id of a team or an organization; also where it was removed. */
    installation: (key: string) => state.installation(key),
    channel: (id: string) => state.channel(id),
    user: (id: string) => state.user(id),
    /** Where a person and the app write to each other. */
    directMessages(who: string): SlackChannel {
      const user = need(state.user(who), `no user ${who}`);
      const bot = need(state.installationIn(user.team), `no installation in ${user.team}`).botUser;
      return state.directChannel(user.team, bot, who);
    },

    /** Sends everything to this URL from now on, signed; null: over sockets again. */
    deliverTo: delivery.deliverTo,
    verifyUrl: delivery.verifyUrl,
    setSigning: delivery.setSigning,
    /** How many sockets the app has open. */
    connections: delivery.connections,
    disconnect: delivery.disconnect,
    dropConnections: delivery.dropConnections,
    fail(fault: SlackFault) {
      armed.push({ fault, left: fault.times ?? 1 });
    },
    /** Takes every armed fault away. */
    heal() {
      armed.length = 0;
    },
    /** Changes what the app's settings page at Slack says, such as its redirect URL. */
    configure(change: Partial<Omit<SlackApp, "appId">>) {
      app = { ...app, ...change };
    },
    setLatency(ms: number) {
      latencyMs = ms;
    },
    setLimits: pace.setLimits,

    command: people.command,
    press: people.press,
    choose: people.choose,
    suggest: people.suggest,
    submit: people.submit,
    dismiss: people.dismiss,
    shortcut: people.shortcut,
    openHome: people.openHome,
    postLink: people.postLink,
    typeLinks: people.typeLinks,
    /** Sends any event of a team; null where the app is not installed there or lacks the scope. */
    event: people.event,
    /** An event once more, as Slack may. */
    resend: delivery.resend,

    uninstall: (key: string, how: { readonly tokensFirst?: boolean } = {}) =>
      uninstallFrom(installed(key), how.tokensFirst === true),
    revokeTokens: (key: string) => revoke(installed(key)),
    /** The newest token has had its time. */
    expireTokens: (key: string) => state.expireTokens(installed(key)),
    archive(channelId: string) {
      const channel = state.changeChannel(channelId, { isArchived: true });
      return channelEvent(channel, (prefix) => ({ type: `${prefix}_archive`, channel: channelId }));
    },
    unarchive(channelId: string) {
      const channel = state.changeChannel(channelId, { isArchived: false });
      return channelEvent(channel, (prefix) => ({ type: `${prefix}_unarchive`, channel: channelId }));
    },
    rename(channelId: string, name: string) {
      const before = need(state.channel(channelId), `no channel ${channelId}`);
      const previousNames = [before.name, ...before.previousNames];
      const channel = state.changeChannel(channelId, { name, previousNames });
      return channelEvent(channel, (prefix) => ({
        type: `${prefix}_rename`,
        channel: { id: channelId, name, name_normalized: name, created: 0 },
      }));
    },
    /** Who may write there. */
    restrict(channelId: string, posting: SlackChannel["posting"]) {
      state.changeChannel(channelId, { posting });
    },
    /** Brings somebody into a channel, the bot unless told. */
    invite: (channelId: string, user?: string) => setMember(channelId, user, true),
    kick: (channelId: string, user?: string) => setMember(channelId, user, false),

    /** What a channel holds, oldest first. */
    messages: (channelId: string): readonly PostedMessage[] => state.messagesIn(channelId),
    /** What only they see. */
    ephemerals: (who: string): readonly PostedMessage[] => state.ephemeralsOf(who),
    home: (who: string): SlackView | null => state.homeOf(who),
    /** The view that they have on top. */
    openView: (who: string): SlackView | null => state.view(state.stackOf(who).at(-1) ?? "") ?? null,
    /** All that people read in a message or a view. */
    read: (what: PostedMessage | SlackView): string => ("hash" in what ? viewText(what) : messageText(what)),
    /** Resolves once it holds, looking whenever anything happens here. */
    until: state.until,
    async close() {
      await delivery.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function tokensRevoked(installation: SlackInstallation): Json {
  return { type: "tokens_revoked", tokens: { oauth: [], bot: [installation.botUser] } };
}

function readCall(
  method: string,
  request: IncomingMessage,
  target: URL,
  body: string,
): SlackCall | { readonly refused: Json } {
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim();
  const verb = request.method ?? "GET";
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? null;
  const query = Object.fromEntries(target.searchParams);
  const call = (args: Json, token: unknown) => ({
    method,
    verb,
    args: { ...query, ...args, ...basicClient(request) },
    token: bearer ?? (typeof token === "string" ? token : null),
    isTokenInHeader: bearer !== null,
  });
  if (body === "") return call({}, query["token"]);
  if (type === "application/x-www-form-urlencoded") {
    const form = Object.fromEntries(new URLSearchParams(body));
    return call(form, form["token"] ?? query["token"]);
  }
  // A JSON body cannot carry the token: https://docs.slack.dev/apis/web-api#post_bodies.
  if (type === "application/json") {
    const json = parse(body);
    return isJson(json) ? call(json, null) : { refused: { ok: false, error: "invalid_json" } };
  }
  return { refused: { ok: false, error: type === "" ? "missing_post_type" : "invalid_post_type" } };
}

/** `oauth.v2.access` takes the client's id and secret as HTTP Basic too. */
function basicClient(request: IncomingMessage): Json {
  const encoded = /^Basic (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (encoded === undefined) return {};
  const [id, secret] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return { client_id: id, client_secret: secret };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, { status, headers, body }: SlackAnswer): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
  response.end(JSON.stringify(body));
}

function parse(json: string): unknown {
  try {
    const value: unknown = JSON.parse(json);
    return value;
  } catch {
    return undefined;
  }
}

function withoutUndefined(options: SlackOptions): Partial<SlackApp> {
  const { now: _now, timing: _timing, limits: _limits, latencyMs: _latency, port: _port, ...app } = options;
  return app;
}
