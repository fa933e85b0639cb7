import type { createPace, SlackTier } from "./slack-pace.ts";
import {
  MAX_POSTED_TEXT,
  MAX_UPDATED_TEXT,
  refuseMessage,
  refuseView,
  type SlackRefusal,
} from "./slack-rules.ts";
import {
  asList,
  isJson,
  type Json,
  type PostedMessage,
  type SlackChannel,
  type SlackInstallation,
  type SlackState,
  type SlackTeam,
  type SlackUser,
  type SlackView,
  type UnfurlLink,
} from "./slack-state.ts";

/** What the app's settings page at Slack says. */
export type SlackApp = {
  readonly appId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly signingSecret: string;
  /** Where Slack sends people after they allowed the app; the request may name another only if it is this one. */
  readonly redirectUrl: string | null;
  readonly rotatesTokens: boolean;
  readonly tokensExpireInSeconds: number;
  readonly hasHomeTab: boolean;
  readonly hasMessagesTab: boolean;
  readonly unfurlDomains: readonly string[];
  readonly commands: readonly string[];
};

export type SlackAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
};

export type SlackCall = {
  readonly method: string;
  readonly verb: string;
  /** As they came: of a form all are strings. */
  readonly args: Json;
  /** From the header, or from a form. */
  readonly token: string | null;
  readonly isTokenInHeader: boolean;
};

/** Slack's Web API: who may call what how often, and what it answers, https://docs.slack.dev/reference/methods. */
export function createWebApi(options: {
  readonly state: SlackState;
  readonly pace: ReturnType<typeof createPace>;
  readonly app: () => SlackApp;
  readonly newSocketUrl: () => string;
  readonly onRevoked: (installation: SlackInstallation) => void;
  readonly onUninstalled: (installation: SlackInstallation) => void;
}) {
  const { state, pace, app } = options;

  function answer(call: SlackCall): SlackAnswer {
    const method = Object.hasOwn(methods, call.method) ? methods[call.method] : undefined;
    if (method === undefined) return reply({ ok: false, error: "unknown_method", req_method: call.method });
    let scopes: readonly string[] = [];
    try {
      const installation = authorize(call, method);
      scopes = installation?.scopes ?? [];
      const team = installation?.team ?? installation?.enterprise ?? app().appId;
      const wait = pace.call(call.method, method.tier, team);
      if (wait !== null) return limited(wait);
      const args = readArgs(call.args, method);
      return reply({ ok: true, ...method.run(args, installation ?? NOBODY) }, scopes, method.scopes);
    } catch (error) {
      if (error instanceof TooFast) return limited(error.seconds);
      if (!(error instanceof Refused)) throw error;
      return reply({ ok: false, error: error.code, ...error.more }, scopes, method.scopes);
    }
  }

  function authorize(call: SlackCall, method: Method): SlackInstallation | null {
    if (method.token === "none") return null;
    if (method.token === "app" && call.verb !== "POST") refuse("insecure_request");
    if (call.token === null) refuse("not_authed");
    if (method.token === "app" && !call.isTokenInHeader) refuse("missing_args");
    const token = state.token(call.token);
    if (token === undefined) refuse("invalid_auth");
    if (token.end !== null) refuse(token.end);
    if (token.expiresAt !== null && token.expiresAt <= state.now()) refuse("token_expired");
    if (token.kind !== method.token) refuse("not_allowed_token_type");
    const { installation } = token;
    if (installation !== null) needScope(installation, method.scopes);
    return installation;
  }

  const methods: Readonly<Record<string, Method>> = {
    "api.test": {
      tier: "4",
      token: "none",
      optional: ["error", "foo"],
      run: (args) => (args["error"] === undefined ? { args } : refuse(text(args, "error"), { args })),
    },
    "auth.test": { tier: "auth.test", token: "bot", run: (_args, installation) => whoIs(installation) },
    "auth.revoke": {
      tier: "3",
      token: "bot",
      optional: ["test"],
      run(args, installation) {
        if (args["test"] === true) return { revoked: false };
        options.onRevoked(installation);
        return { revoked: true };
      },
    },
    "apps.uninstall": {
      tier: "1",
      token: "bot",
      required: ["client_id", "client_secret"],
      run(args, installation) {
        checkClient(args);
        options.onUninstalled(installation);
        return {};
      },
    },
    "apps.connections.open": { tier: "1", token: "app", run: () => ({ url: options.newSocketUrl() }) },
    "oauth.v2.access": {
      tier: "4",
      token: "none",
      optional: ["client_id", "client_secret", "code", "redirect_uri", "grant_type", "refresh_token"],
      run: exchange,
    },
    "chat.postMessage": {
      tier: "none",
      token: "bot",
      scopes: ["chat:write"],
      required: ["channel"],
      optional: [...CONTENT, "thread_ts", "reply_broadcast", "unfurl_links", "unfurl_media", "mrkdwn"],
      run: postMessage,
    },
    "chat.postEphemeral": {
      tier: "4",
      token: "bot",
      scopes: ["chat:write"],
      required: ["channel", "user"],
      optional: [...CONTENT, "thread_ts"],
      run: postEphemeral,
    },
    "chat.update": {
      tier: "3",
      token: "bot",
      scopes: ["chat:write"],
      required: ["channel", "ts"],
      optional: [...CONTENT, "reply_broadcast"],
      run: updateMessage,
    },
    "chat.delete": {
      tier: "3",
      token: "bot",
      scopes: ["chat:write"],
      required: ["channel", "ts"],
      run(args, installation) {
        const message = ownMessage(args, installation, "cant_delete_message");
        state.deleteMessage(message);
        return { channel: message.channel, ts: message.ts };
      },
    },
    "chat.getPermalink": {
      tier: "none",
      token: "bot",
      required: ["channel", "message_ts"],
      run(args, installation) {
        const channel = findChannel(args, installation);
        const ts = text(args, "message_ts");
        if (state.message(channel.id, ts) === undefined) refuse("message_not_found");
        const domain = state.team(channel.team)?.domain;
        const permalink = `https://${domain}.slack.com/archives/${channel.id}/p${ts.replace(".", "")}`;
        return { channel: channel.id, permalink };
      },
    },
    "chat.unfurl": {
      tier: "3",
      token: "bot",
      scopes: ["links:write"],
      optional: ["channel", "ts", "unfurls", "unfurl_id", "source"],
      run: unfurl,
    },
    "conversations.info": {
      tier: "3",
      token: "bot",
      scopes: READ_SCOPES,
      required: ["channel"],
      optional: ["include_locale", "include_num_members"],
      run(args, installation) {
        const channel = findChannel(args, installation);
        needScope(installation, [SCOPE_OF[channel.kind]]);
        const members = args["include_num_members"] === true ? { num_members: channel.members.size } : {};
        return { channel: { ...channelJson(channel, installation), ...members } };
      },
    },
    "conversations.open": {
      tier: "3",
      token: "bot",
      scopes: ["im:write", "mpim:write"],
      optional: ["channel", "users", "return_im", "prevent_creation"],
      run: openConversation,
    },
    "conversations.history": {
      tier: "3",
      token: "bot",
      scopes: READ_SCOPES.map((scope) => scope.replace(":read", ":history")),
      required: ["channel"],
      optional: ["cursor", "inclusive", "latest", "oldest", "limit", "include_all_metadata"],
      run: readHistory,
    },
    "conversations.members": {
      tier: "4",
      token: "bot",
      scopes: READ_SCOPES,
      required: ["channel"],
      optional: ["cursor", "limit"],
      run(args, installation) {
        const channel = findChannel(args, installation);
        needScope(installation, [SCOPE_OF[channel.kind]]);
        const { items, next } = page([...channel.members], args, 100);
        return { members: items, response_metadata: { next_cursor: next } };
      },
    },
    "conversations.list": {
      tier: "2",
      token: "bot",
      scopes: READ_SCOPES,
      optional: ["cursor", "exclude_archived", "limit", "types"],
      run: listConversations,
    },
    "users.info": {
      tier: "4",
      token: "bot",
      scopes: ["users:read"],
      required: ["user"],
      optional: ["include_locale"],
      run(args, installation) {
        const user = state.user(text(args, "user"));
        if (user === undefined || !state.covers(installation, user.team)) refuse("user_not_found");
        return { user: userJson(user) };
      },
    },
    "bots.info": {
      tier: "3",
      token: "bot",
      scopes: ["users:read"],
      optional: ["bot"],
      run(args, installation) {
        if (args["bot"] !== installation.botId) refuse("bot_not_found");
        return { bot: { ...botProfile(installation), user_id: installation.botUser } };
      },
    },
    "team.info": {
      tier: "3",
      token: "bot",
      scopes: ["team:read"],
      optional: ["team", "domain"],
      run(args, installation) {
        const team = state.team(text(args, "team") || (installation.team ?? text(args, "team_id")));
        if (team === undefined || !state.covers(installation, team.id)) refuse("team_not_found");
        return { team: teamJson(team) };
      },
    },
    "views.open": {
      tier: "4",
      token: "bot",
      required: ["view"],
      optional: ["trigger_id"],
      run: (args, installation) => openView(args, installation, false),
    },
    "views.push": {
      tier: "4",
      token: "bot",
      required: ["view"],
      optional: ["trigger_id"],
      run: (args, installation) => openView(args, installation, true),
    },
    "views.update": {
      tier: "4",
      token: "bot",
      required: ["view"],
      optional: ["view_id", "external_id", "hash"],
      run(args, installation) {
        const externalId = text(args, "external_id");
        const view =
          externalId === ""
            ? state.view(text(args, "view_id"))
            : state.viewNamed(installation.team ?? "", externalId);
        if (view === undefined || !state.covers(installation, view.team)) refuse("not_found");
        checkHash(args, view);
        const body = readView(args, ["modal", "home"]);
        if (body["type"] !== view.type) refuse("invalid_arguments", says("view type cannot change"));
        const shown = state.showView(body, { user: view.user, team: view.team, of: view });
        return { view: viewJson(shown) };
      },
    },
    "views.publish": {
      tier: "4",
      token: "bot",
      required: ["user_id", "view"],
      optional: ["hash"],
      run: publishHome,
    },
  };

  function whoIs(installation: SlackInstallation): Json {
    const team = state.team(installation.team ?? "");
    const enterprise = state.enterprise(installation.enterprise ?? "");
    return {
      url: `https://${team?.domain ?? enterprise?.id.toLowerCase()}.slack.com/`,
      team: team?.name ?? enterprise?.name,
      user: state.user(installation.botUser)?.name,
      team_id: installation.team ?? installation.enterprise,
      user_id: installation.botUser,
      bot_id: installation.botId,
      ...(installation.enterprise === null ? {} : { enterprise_id: installation.enterprise }),
      is_enterprise_install: installation.team === null,
    };
  }

  function checkClient(args: Json): void {
    if (args["client_id"] !== app().clientId) refuse("invalid_client_id");
    if (args["client_secret"] !== app().clientSecret) refuse("bad_client_secret");
  }

  function exchange(args: Json): Json {
    checkClient(args);
    const { rotatesTokens, tokensExpireInSeconds } = app();
    if (args["grant_type"] === "refresh_token") {
      const key = state.keyOfRefreshToken(text(args, "refresh_token"));
      if (key === null || state.installation(key)?.isActive !== true) refuse("invalid_refresh_token");
      return grant(state.issueToken(key, tokensExpireInSeconds));
    }
    if (args["grant_type"] !== undefined && args["grant_type"] !== "authorization_code")
      refuse("invalid_grant_type");
    const code = state.takeCode(text(args, "code"));
    if (code === null) refuse("invalid_code");
    if (code.redirectUri !== (args["redirect_uri"] ?? null)) refuse("bad_redirect_uri");
    const enterprise = state.team(code.team)?.enterprise?.id;
    const where = code.isForOrganization && enterprise !== undefined ? { enterprise } : { team: code.team };
    const installation = state.install(where, {
      scopes: code.scopes,
      by: code.user,
      rotates: rotatesTokens,
      expiresInSeconds: tokensExpireInSeconds,
    });
    return { ...grant(installation), authed_user: { id: code.user } };
  }

  function grant(installation: SlackInstallation): Json {
    const { name = "" } = state.team(installation.team ?? "") ?? {};
    return {
      access_token: installation.token,
      token_type: "bot",
      scope: installation.scopes.join(","),
      bot_user_id: installation.botUser,
      app_id: app().appId,
      team: installation.team === null ? null : { id: installation.team, name },
      enterprise: state.enterprise(installation.enterprise ?? ""),
      is_enterprise_install: installation.team === null,
      ...(installation.refreshToken === null
        ? {}
        : { refresh_token: installation.refreshToken, expires_in: app().tokensExpireInSeconds }),
    };
  }

  function postMessage(args: Json, installation: SlackInstallation): Json {
    const channel = writableChannel(args, installation);
    checkMessage(args, Number.POSITIVE_INFINITY);
    const threadTs = text(args, "thread_ts");
    if (threadTs !== "" && state.message(channel.id, threadTs) === undefined)
      refuse("cannot_reply_to_message");
    const wait = pace.post(channel.team, channel.id);
    if (wait !== null) throw new TooFast(wait);
    const message = state.addMessage({
      ...contentOf(args),
      channel: channel.id,
      user: installation.botUser,
      botId: installation.botId,
      threadTs: threadTs === "" ? null : threadTs,
      via: "chat.postMessage",
    });
    return { channel: channel.id, ts: message.ts, message: messageJson(message) };
  }

  function postEphemeral(args: Json, installation: SlackInstallation): Json {
    const channel = writableChannel(args, installation);
    const user = text(args, "user");
    if (!channel.members.has(user)) refuse("user_not_in_channel");
    checkMessage(args, MAX_POSTED_TEXT);
    const message = state.addMessage({
      ...contentOf(args),
      channel: channel.id,
      user: installation.botUser,
      botId: installation.botId,
      ephemeralTo: user,
      via: "chat.postEphemeral",
    });
    return { message_ts: message.ts };
  }

  function updateMessage(args: Json, installation: SlackInstallation): Json {
    const message = ownMessage(args, installation, "cant_update_message");
    if (state.channel(message.channel)?.isArchived === true) refuse("is_inactive");
    // Blocks that are not sent stay as they were, so a text alone is enough.
    checkMessage({ blocks: message.blocks, ...args }, MAX_UPDATED_TEXT);
    const { blocks, ...content } = contentOf(args);
    const changed = state.changeMessage(message, {
      ...content,
      ...(args["blocks"] === undefined ? {} : { blocks }),
      editedTs: state.newTs(),
    });
    if (changed === null) refuse("message_not_found");
    return { channel: message.channel, ts: message.ts, text: changed.text, message: messageJson(changed) };
  }

  function ownMessage(args: Json, installation: SlackInstallation, denied: string): PostedMessage {
    const channel = findChannel(args, installation);
    const message = state.message(channel.id, text(args, "ts"));
    if (message === undefined) refuse("message_not_found");
    if (message.user !== installation.botUser) refuse(denied);
    return message;
  }

  function unfurl(args: Json, installation: SlackInstallation): Json {
    const { unfurls } = args;
    if (unfurls === undefined) refuse("missing_unfurls");
    if (!isJson(unfurls)) refuse("invalid_unfurls_format");
    const shared =
      args["unfurl_id"] === undefined ? postedLink(args, installation) : typedLink(args, installation);
    const added: Record<string, Json> = {};
    for (const [url, attachment] of Object.entries(unfurls)) {
      const isShared = shared.text.includes(url) && isUnfurlable(url);
      if (!isShared) refuse("cannot_unfurl_url");
      if (!isJson(attachment)) refuse("cannot_parse_attachment");
      const { blocks, ...rest } = attachment;
      const unknown = Object.keys(rest).find((key) => !ATTACHMENT.includes(key));
      if (unknown !== undefined)
        refuse("cannot_parse_attachment", says(`invalid additional property: ${unknown}`));
      const refused = blocks === undefined ? null : refuseMessage({ blocks });
      if (refused !== null) refuse("cannot_parse_attachment", says(...refused.messages));
      added[url] = attachment;
    }
    const { message } = shared;
    if (message !== null) state.changeMessage(message, { unfurls: { ...message.unfurls, ...added } });
    return {};
  }

  function postedLink(args: Json, installation: SlackInstallation): Pick<UnfurlLink, "text" | "message"> {
    for (const key of ["channel", "ts"]) if (args[key] === undefined) refuse(`missing_${key}`);
    const channel = state.channel(text(args, "channel"));
    if (channel === undefined || !state.covers(installation, channel.team)) refuse("cannot_find_channel");
    const message = state.message(channel.id, text(args, "ts"));
    return message === undefined ? refuse("cannot_find_message") : { text: message.text, message };
  }

  /** By the id of the links, which need not be posted yet. */
  function typedLink(args: Json, installation: SlackInstallation): UnfurlLink {
    if (args["source"] === undefined) refuse("missing_source");
    const link = state.unfurlLink(text(args, "unfurl_id"));
    if (link === undefined || !state.covers(installation, link.team)) refuse("invalid_unfurl_id");
    if (link.source !== args["source"]) refuse("invalid_source");
    return link;
  }

  function isUnfurlable(url: string): boolean {
    const host = URL.parse(url)?.hostname ?? "";
    return app().unfurlDomains.some((domain) => host === domain || host.endsWith(`.${domain}`));
  }

  function openConversation(args: Json, installation: SlackInstallation): Json {
    const known = text(args, "channel");
    if (known !== "") {
      const channel = findChannel(args, installation);
      if (channel.kind !== "im" && channel.kind !== "mpim") refuse("method_not_supported_for_channel_type");
      return { no_op: true, already_open: true, channel: { id: channel.id } };
    }
    const ids = text(args, "users").split(",").filter(Boolean);
    if (ids.length === 0) refuse("users_list_not_supplied");
    if (ids.length > 8) refuse("too_many_users");
    needScope(installation, [ids.length === 1 ? "im:write" : "mpim:write"]);
    const users = ids.map((id) => {
      const user = state.user(id);
      if (user === undefined || !state.covers(installation, user.team)) refuse("user_not_found");
      if (user.deleted) refuse("user_disabled");
      return user;
    });
    const [first] = users;
    if (first === undefined) refuse("users_list_not_supplied");
    const channel =
      users.length === 1
        ? state.directChannel(first.team, installation.botUser, first.id)
        : state.addChannel(first.team, { kind: "mpim", members: [installation.botUser, ...ids] });
    const full = args["return_im"] === true ? channelJson(channel, installation) : {};
    return { channel: { ...full, id: channel.id } };
  }

  function readHistory(args: Json, installation: SlackInstallation): Json {
    const channel = findChannel(args, installation);
    needScope(installation, [SCOPE_OF[channel.kind].replace(":read", ":history")]);
    if (!channel.members.has(installation.botUser)) refuse("not_in_channel");
    for (const key of ["oldest", "latest"] as const) {
      if (args[key] !== undefined && !/^\d+(\.\d{1,6})?$/.test(text(args, key))) refuse(`invalid_ts_${key}`);
    }
    const oldest = Number(text(args, "oldest") || "0");
    const latest = Number(text(args, "latest") || "Infinity");
    const isInclusive = args["inclusive"] === true;
    const found = state
      .messagesIn(channel.id)
      .filter(({ ts }) => (isInclusive ? +ts >= oldest && +ts <= latest : +ts > oldest && +ts < latest))
      .reverse();
    const { items, next } = page(found, args, pace.limits().historyPerMinute === null ? 100 : 15);
    const withMetadata = args["include_all_metadata"] === true;
    return {
      messages: items.map((message) => ({
        ...messageJson(message),
        ...(withMetadata && message.metadata !== null ? { metadata: message.metadata } : {}),
      })),
      has_more: next !== "",
      pin_count: 0,
      ...(next === "" ? {} : { response_metadata: { next_cursor: next } }),
    };
  }

  function listConversations(args: Json, installation: SlackInstallation): Json {
    const team = installation.team ?? text(args, "team_id");
    if (team === "") refuse("missing_argument");
    const kinds = (text(args, "types") || "public_channel").split(",").map((type) => {
      const kind = KINDS[type.trim()];
      if (kind === undefined) refuse("invalid_types");
      needScope(installation, [SCOPE_OF[kind]]);
      return kind;
    });
    const found = state
      .channelsOf(team)
      .filter((channel) => kinds.includes(channel.kind))
      .filter((channel) => channel.kind === "public" || channel.members.has(installation.botUser))
      .filter((channel) => !channel.isArchived || args["exclude_archived"] !== true);
    const { items, next } = page(found, args, 100);
    return {
      channels: items.map((channel) => channelJson(channel, installation)),
      response_metadata: { next_cursor: next },
    };
  }

  function openView(args: Json, installation: SlackInstallation, onTop: boolean): Json {
    const body = readView(args, ["modal"]);
    checkExternalId(body, installation, null);
    const trigger = state.takeTrigger(text(args, "trigger_id"));
    if (typeof trigger === "string") refuse(trigger);
    if (!state.covers(installation, trigger.team)) refuse("invalid_trigger_id");
    const stack = state.stackOf(trigger.user);
    if (onTop && (trigger.fromView === null || stack.length === 0)) refuse("not_found");
    if (onTop && stack.length >= 3) refuse("push_limit_reached");
    const view = state.showView(body, { user: trigger.user, team: trigger.team, onTop });
    return { view: viewJson(view) };
  }

  function publishHome(args: Json, installation: SlackInstallation): Json {
    const user = state.user(text(args, "user_id"));
    if (user === undefined || !state.covers(installation, user.team))
      refuse("invalid_arguments", { response_metadata: { messages: ["invalid `user_id`"] } });
    if (!app().hasHomeTab) refuse("not_enabled");
    const before = state.homeOf(user.id);
    if (before !== null) checkHash(args, before);
    const body = readView(args, ["home"]);
    checkExternalId(body, installation, before);
    const place = { user: user.id, team: user.team };
    const view = state.showView(body, before === null ? place : { ...place, of: before });
    return { view: viewJson(view) };
  }

  function readView(args: Json, types: readonly ("modal" | "home")[]): Json {
    const { view } = args;
    if (!isJson(view)) refuse("invalid_arguments", says("must provide an object [json-pointer:/view]"));
    const refused = refuseView(view, types);
    if (refused !== null) refuseAs(refused);
    return view;
  }

  function checkExternalId(body: Json, installation: SlackInstallation, own: SlackView | null): void {
    const id = text(body, "external_id");
    const other = id === "" ? undefined : state.viewNamed(installation.team ?? "", id);
    if (other !== undefined && other.id !== own?.id) refuse("duplicate_external_id");
  }

  function checkHash(args: Json, view: SlackView): void {
    if (args["hash"] !== undefined && args["hash"] !== view.hash) refuse("hash_conflict");
  }

  /** Where the bot may write: `chat:write.public` opens the public channels that it is not in. */
  function writableChannel(args: Json, installation: SlackInstallation): SlackChannel {
    const channel = findChannel(args, installation);
    const { scopes, botUser } = installation;
    if (channel.isArchived) refuse("is_archived");
    if (!channel.members.has(botUser) && !scopes.includes("chat:write.public")) refuse("not_in_channel");
    if (channel.posting === "restricted") refuse("restricted_action");
    if (channel.posting === "read-only") refuse("restricted_action_read_only_channel");
    if (channel.kind === "im" && !app().hasMessagesTab) refuse("messages_tab_disabled");
    return channel;
  }

  /** By id, by a person's id (their direct messages), or a public one by name; what the bot cannot see is not there. */
  function findChannel(args: Json, installation: SlackInstallation): SlackChannel {
    const id = text(args, "channel");
    const person = state.user(id);
    if (person !== undefined && state.covers(installation, person.team))
      return state.directChannel(person.team, installation.botUser, id);
    const channel = state.channel(id) ?? state.channelNamed(installation.team ?? "", id.replace(/^#/, ""));
    if (channel === undefined || !state.covers(installation, channel.team)) refuse("channel_not_found");
    if (channel.kind !== "public" && !channel.members.has(installation.botUser)) refuse("channel_not_found");
    return channel;
  }

  function messageJson(message: PostedMessage): Json {
    return messageAsJson(message, app().appId, state);
  }

  function viewJson(view: SlackView): Json {
    return viewAsJson(view, app().appId, state);
  }

  function botProfile(installation: SlackInstallation): Json {
    return {
      id: installation.botId,
      deleted: false,
      name: "Paperboy",
      updated: 0,
      app_id: app().appId,
      icons: {},
    };
  }

  function limited(seconds: number): SlackAnswer {
    return {
      status: 429,
      headers: { "retry-after": String(seconds) },
      body: { ok: false, error: "ratelimited" },
    };
  }

  return { answer, knows: (method: string) => Object.hasOwn(methods, method) };
}

/** A message as methods and payloads show it. */
export function messageAsJson(message: PostedMessage, appId: string, state: SlackState): Json {
  const isBot = message.botId !== null;
  // What a thread hangs on names it too.
  const hasThread = state.messagesIn(message.channel).some(({ threadTs }) => threadTs === message.ts);
  const threadTs = message.threadTs ?? (hasThread ? message.ts : null);
  return {
    type: "message",
    user: message.user,
    ts: message.ts,
    ...(isBot ? { bot_id: message.botId, app_id: appId } : {}),
    text: message.text,
    team: message.team,
    ...(isBot
      ? {
          bot_profile: {
            id: message.botId,
            app_id: appId,
            user_id: message.user,
            name: state.user(message.user)?.name,
            deleted: false,
            updated: 0,
            icons: {},
            team_id: message.team,
          },
        }
      : {}),
    ...(message.blocks.length > 0 ? { blocks: message.blocks } : {}),
    ...(threadTs === null ? {} : { thread_ts: threadTs }),
    ...(message.editedTs === null ? {} : { edited: { user: message.user, ts: message.editedTs } }),
  };
}

/** A view as methods and payloads show it, `state` aside, which only payloads fill. */
export function viewAsJson(view: SlackView, appId: string, state: SlackState): Json {
  return {
    title: null,
    close: null,
    submit: null,
    private_metadata: "",
    callback_id: "",
    clear_on_close: false,
    notify_on_close: false,
    ...view.body,
    id: view.id,
    team_id: view.team,
    type: view.type,
    external_id: view.externalId,
    state: { values: {} },
    hash: view.hash,
    root_view_id: view.rootId,
    previous_view_id: view.previousId,
    app_id: appId,
    app_installed_team_id: view.team,
    bot_id: state.installationIn(view.team)?.botId ?? null,
  };
}

type Method = {
  readonly tier: SlackTier;
  readonly token: "bot" | "app" | "none";
  /** Any one of them will do. */
  readonly scopes?: readonly string[];
  readonly required?: readonly string[];
  readonly optional?: readonly string[];
  run(args: Json, installation: SlackInstallation): Json;
};

const CONTENT = ["text", "blocks", "metadata", "link_names", "parse"];
const ATTACHMENT = [
  "color",
  "fallback",
  "preview",
  "hide_color",
  "title",
  "title_link",
  "text",
  "image_url",
  "thumb_url",
  "author_name",
  "footer",
];
const READ_SCOPES = ["channels:read", "groups:read", "im:read", "mpim:read"];
const SCOPE_OF = {
  public: "channels:read",
  private: "groups:read",
  im: "im:read",
  mpim: "mpim:read",
} as const;
const KINDS: Readonly<Record<string, SlackChannel["kind"]>> = {
  public_channel: "public",
  private_channel: "private",
  im: "im",
  mpim: "mpim",
};

const NOBODY: SlackInstallation = {
  team: null,
  enterprise: null,
  scopes: [],
  botUser: "",
  botId: "",
  installedBy: "",
  token: "",
  refreshToken: null,
  isActive: false,
};

/** Slack's `ok: false`. */
class Refused extends Error {
  readonly code: string;
  readonly more: Json;

  constructor(code: string, more: Json) {
    super(code);
    this.code = code;
    this.more = more;
  }
}

class TooFast extends Error {
  readonly seconds: number;

  constructor(seconds: number) {
    super("ratelimited");
    this.seconds = seconds;
  }
}

function refuse(code: string, more: Json = {}): never {
  throw new Refused(code, more);
}

function refuseAs({ error, messages }: SlackRefusal): never {
  const errors = messages.map((message) => message.replace("[ERROR] ", ""));
  const more = error === "invalid_blocks" ? { errors } : {};
  refuse(error, messages.length === 0 ? {} : { ...more, response_metadata: { messages } });
}

function says(...messages: readonly string[]): Json {
  return { response_metadata: { messages: messages.map((message) => `[ERROR] ${message}`) } };
}

function needScope(installation: SlackInstallation, anyOf: readonly string[] = []): void {
  const { scopes } = installation;
  if (anyOf.length === 0 || anyOf.some((scope) => scopes.includes(scope))) return;
  refuse("missing_scope", { needed: anyOf.join(","), provided: scopes.join(",") });
}

function reply(body: Json, scopes: readonly string[] = [], accepted: readonly string[] = []): SlackAnswer {
  return {
    status: 200,
    headers: {
      ...(scopes.length === 0 ? {} : { "x-oauth-scopes": scopes.join(",") }),
      ...(accepted.length === 0 ? {} : { "x-accepted-oauth-scopes": accepted.join(",") }),
    },
    body,
  };
}

const JSON_ARGS: Readonly<Record<string, string>> = {
  blocks: "invalid_blocks_format",
  view: "invalid_arguments",
  metadata: "invalid_metadata_format",
  unfurls: "invalid_unfurls_format",
};

/**
 * Arguments with their types, whether they came as a form or as JSON. Slack ignores arguments that a method does not
 * have; here they are refused, since they are slips.
 */
function readArgs(args: Json, method: Method): Json {
  const { required = [], optional = [] } = method;
  const read: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(args)) {
    if (key === "token") continue;
    if (key !== "team_id" && !required.includes(key) && !optional.includes(key))
      refuse("invalid_arguments", says(`invalid additional property: ${key}`));
    const error = JSON_ARGS[key];
    if (typeof value !== "string") read[key] = value;
    else if (error !== undefined) read[key] = parse(value) ?? refuse(error);
    else read[key] = BOOLEANS[key] === true && value in TRUTH ? TRUTH[value] : value;
  }
  for (const key of required) {
    if (read[key] === undefined || read[key] === "")
      refuse("invalid_arguments", says(`missing required field: ${key}`));
  }
  return read;
}

const BOOLEANS: Readonly<Record<string, boolean>> = Object.fromEntries(
  [
    "unfurl_links",
    "unfurl_media",
    "mrkdwn",
    "link_names",
    "reply_broadcast",
    "inclusive",
    "include_all_metadata",
    "include_locale",
    "include_num_members",
    "exclude_archived",
    "return_im",
    "prevent_creation",
    "test",
  ].map((key) => [key, true]),
);
const TRUTH: Readonly<Record<string, boolean>> = { true: true, "1": true, false: false, "0": false };

function parse(json: string): unknown {
  try {
    const value: unknown = JSON.parse(json);
    return value;
  } catch {
    return undefined;
  }
}

function text(args: Json, key: string): string {
  const value = args[key];
  return typeof value === "string" ? value : "";
}

function checkMessage(args: Json, maxText: number): void {
  if (args["blocks"] !== undefined && !Array.isArray(args["blocks"])) refuse("invalid_blocks_format");
  const refused = refuseMessage(
    Object.fromEntries(Object.entries(args).filter(([key]) => key !== "team_id")),
    maxText,
  );
  if (refused !== null) refuseAs(refused);
}

function contentOf(args: Json): Pick<PostedMessage, "text" | "blocks" | "metadata"> {
  const { metadata } = args;
  return {
    text: Array.from(text(args, "text")).slice(0, MAX_POSTED_TEXT).join(""),
    blocks: asList(args["blocks"]),
    metadata: isJson(metadata) ? metadata : null,
  };
}

/** A page of a list; cursors are opaque. */
function page<Item>(items: readonly Item[], args: Json, usual: number) {
  const limit = args["limit"] === undefined ? usual : Number(args["limit"]);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) refuse("invalid_limit");
  const most = usual === 15 ? Math.min(limit, 15) : limit;
  const cursor = text(args, "cursor");
  const from = cursor === "" ? 0 : Number(/^offset:(\d+)$/.exec(decode(cursor))?.[1] ?? "NaN");
  if (Number.isNaN(from)) refuse("invalid_cursor");
  const until = from + most;
  return { items: items.slice(from, until), next: until < items.length ? btoa(`offset:${until}`) : "" };
}

function decode(encoded: string): string {
  return Buffer.from(encoded, "base64").toString("utf8");
}

function channelJson(channel: SlackChannel, installation: SlackInstallation): Json {
  const common = { id: channel.id, created: 0, is_archived: channel.isArchived, is_org_shared: false };
  if (channel.kind === "im") {
    const user = [...channel.members].find((each) => each !== installation.botUser);
    return { ...common, is_im: true, user };
  }
  return {
    ...common,
    name: channel.name,
    name_normalized: channel.name,
    is_channel: channel.kind === "public",
    is_group: channel.kind === "private",
    is_im: false,
    is_mpim: channel.kind === "mpim",
    is_private: channel.kind !== "public",
    is_general: false,
    is_shared: false,
    is_ext_shared: false,
    is_member: channel.members.has(installation.botUser),
    previous_names: channel.previousNames,
    context_team_id: channel.team,
    topic: { value: "", creator: "", last_set: 0 },
    purpose: { value: "", creator: "", last_set: 0 },
  };
}

function userJson(user: SlackUser): Json {
  return {
    id: user.id,
    team_id: user.team,
    name: user.name,
    deleted: user.deleted,
    real_name: user.realName,
    tz: user.tz,
    tz_label: user.tz,
    tz_offset: offsetSeconds(user.tz),
    profile: { real_name: user.realName, display_name: user.name, team: user.team },
    is_admin: false,
    is_owner: false,
    is_primary_owner: false,
    is_restricted: user.isRestricted,
    is_ultra_restricted: user.isUltraRestricted,
    is_bot: user.isBot,
    is_app_user: false,
    ...(user.isStranger ? { is_stranger: true } : {}),
    updated: 0,
  };
}

function offsetSeconds(zone: string): number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  const name = format.formatToParts().find(({ type }) => type === "timeZoneName")?.value ?? "GMT";
  const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(name) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60);
}

function teamJson(team: SlackTeam): Json {
  return {
    id: team.id,
    name: team.name,
    domain: team.domain,
    email_domain: "",
    url: `https://${team.domain}.slack.com/`,
    icon: { image_default: true },
    ...(team.enterprise === null
      ? {}
      : { enterprise_id: team.enterprise.id, enterprise_name: team.enterprise.name }),
  };
}
