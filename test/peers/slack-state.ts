import { createHash } from "node:crypto";

export type Json = { readonly [key: string]: unknown };

export type SlackEnterprise = { readonly id: string; readonly name: string };
export type SlackTeam = {
  readonly id: string;
  readonly domain: string;
  readonly name: string;
  /** The organization that it belongs to on Enterprise Grid. */
  readonly enterprise: SlackEnterprise | null;
};
export type SlackUser = {
  readonly id: string;
  readonly team: string;
  readonly name: string;
  readonly realName: string;
  /** An IANA zone. */
  readonly tz: string;
  readonly isBot: boolean;
  /** A guest of several channels. */
  readonly isRestricted: boolean;
  /** A guest of one channel. */
  readonly isUltraRestricted: boolean;
  /** From another workspace, met in a shared channel. */
  readonly isStranger: boolean;
  readonly deleted: boolean;
};
export type SlackChannel = {
  readonly id: string;
  readonly team: string;
  readonly name: string;
  readonly kind: "public" | "private" | "im" | "mpim";
  readonly isArchived: boolean;
  /** `restricted`: a workspace preference keeps apps out; `read-only`: the channel does. */
  readonly posting: "everyone" | "restricted" | "read-only";
  readonly previousNames: readonly string[];
  readonly members: ReadonlySet<string>;
};
export type SlackInstallation = {
  /** Null where it is installed for the whole organization. */
  readonly team: string | null;
  readonly enterprise: string | null;
  readonly scopes: readonly string[];
  readonly botUser: string;
  readonly botId: string;
  readonly installedBy: string;
  /** The newest bot token; `xoxe.xoxb-` where tokens rotate. */
  readonly token: string;
  readonly refreshToken: string | null;
  readonly isActive: boolean;
};

export type PostedMessage = {
  readonly channel: string;
  readonly team: string;
  readonly ts: string;
  readonly text: string;
  /** With the ids that Slack gave where the app gave none. */
  readonly blocks: readonly Json[];
  readonly user: string;
  readonly botId: string | null;
  readonly threadTs: string | null;
  readonly editedTs: string | null;
  /** Who alone sees it. */
  readonly ephemeralTo: string | null;
  readonly via: "chat.postMessage" | "chat.postEphemeral" | "response_url" | "ack" | "person";
  /** What an app unfurled each link to. */
  readonly unfurls: Readonly<Record<string, Json>>;
  readonly metadata: Json | null;
};

export type SlackView = {
  readonly id: string;
  readonly team: string;
  readonly user: string;
  readonly type: "modal" | "home";
  /** As the app sent it, with the ids that Slack gave where the app gave none. */
  readonly body: Json;
  readonly blocks: readonly Json[];
  readonly hash: string;
  readonly rootId: string;
  readonly previousId: string | null;
  readonly externalId: string;
};

/** What became visible to somebody, or was changed or tried. */
export type SlackSight =
  | { readonly kind: "message"; readonly message: PostedMessage }
  | { readonly kind: "deleted"; readonly message: PostedMessage }
  | { readonly kind: "view"; readonly view: SlackView }
  | { readonly kind: "response"; readonly response: ResponsePost };

export type ResponsePost = {
  /** Of which interaction: the last part of its `response_url`. */
  readonly of: string;
  readonly body: Json;
  readonly status: number;
  readonly error: string | null;
};

type Token = {
  readonly value: string;
  readonly kind: "bot" | "app";
  readonly installation: SlackInstallation | null;
  /** Milliseconds. */
  readonly expiresAt: number | null;
  readonly end: "token_revoked" | "account_inactive" | null;
};
type Trigger = {
  readonly user: string;
  readonly team: string;
  readonly at: number;
  readonly fromView: string | null;
  used: boolean;
};
type ResponseUrl = {
  readonly user: string;
  readonly channel: string;
  readonly at: number;
  /** The message whose button was pressed. */
  readonly original: PostedMessage | null;
  uses: number;
};
export type UnfurlLink = {
  readonly team: string;
  readonly source: "composer" | "conversations_history";
  readonly text: string;
  readonly message: PostedMessage | null;
};
type Code = {
  readonly user: string;
  readonly team: string;
  readonly scopes: readonly string[];
  readonly redirectUri: string | null;
  readonly isForOrganization: boolean;
  readonly at: number;
};

/** How long a modal may be opened after what was done: https://docs.slack.dev/interactivity/handling-user-interaction. */
const TRIGGER_MS = 3000;
/** https://docs.slack.dev/interactivity/handling-user-interaction#message_responses */
const RESPONSE_URL = { uses: 5, ms: 30 * 60_000 };
/** A code from the authorize page: https://docs.slack.dev/authentication/installing-with-oauth. */
const CODE_MS = 10 * 60_000;
const ROTATION_SECONDS = 43_200;

export type SlackState = ReturnType<typeof createSlackState>;

/** Everything that the local Slack knows, and who has seen what. Every look-up is by a key. */
export function createSlackState({ appId, now }: { readonly appId: string; readonly now: () => number }) {
  const teams = new Map<string, SlackTeam>();
  const users = new Map<string, SlackUser>();
  const channels = new Map<string, SlackChannel & { readonly members: Set<string> }>();
  const channelsOf = new Map<string, string[]>();
  const publicNames = new Map<string, string>();
  const directs = new Map<string, string>();
  const installations = new Map<string, SlackInstallation>();
  const tokens = new Map<string, Token>();
  const refreshTokens = new Map<string, string>();
  const codes = new Map<string, Code>();
  const messages = new Map<string, Map<string, PostedMessage>>();
  const ephemerals = new Map<string, Map<string, PostedMessage>>();
  const views = new Map<string, SlackView>();
  const externalIds = new Map<string, string>();
  const homes = new Map<string, string>();
  const stacks = new Map<string, string[]>();
  const triggers = new Map<string, Trigger>();
  const unfurlLinks = new Map<string, UnfurlLink>();
  const responseUrls = new Map<string, ResponseUrl>();
  const sights: SlackSight[] = [];
  const waiting = new Set<() => void>();
  let serial = 0;
  let lastMicros = 0;

  function newId(prefix: string): string {
    serial += 1;
    return `${prefix}0${serial.toString(36).toUpperCase().padStart(8, "0")}`;
  }

  /** Of a block or an element that the app did not name. */
  function newPartId(): string {
    serial += 1;
    return serial.toString(36).padStart(5, "0");
  }

  function newSecret(kind: string, length = 24): string {
    serial += 1;
    return createHash("sha256").update(`${kind} ${serial}`).digest("hex").slice(0, length);
  }

  /** Seconds with six digits, each later than the one before. */
  function newTs(): string {
    lastMicros = Math.max(Math.floor(now() * 1000), lastMicros + 1);
    return `${Math.floor(lastMicros / 1e6)}.${String(lastMicros % 1e6).padStart(6, "0")}`;
  }

  function addTeam(team: Partial<Omit<SlackTeam, "id">> & { readonly id?: string } = {}): SlackTeam {
    const id = team.id ?? newId("T");
    const domain = team.domain ?? `team-${id.toLowerCase()}`;
    const added = { id, domain, name: team.name ?? `Team ${id}`, enterprise: team.enterprise ?? null };
    teams.set(id, added);
    channelsOf.set(id, []);
    return added;
  }

  function addUser(team: string, user: Partial<Omit<SlackUser, "id" | "team">> = {}): SlackUser {
    need(teams.get(team), `no team ${team}`);
    const id = newId("U");
    const name = user.name ?? `user-${id.toLowerCase()}`;
    const added = {
      realName: name,
      tz: "Europe/Paris",
      isBot: false,
      isRestricted: false,
      isUltraRestricted: false,
      isStranger: false,
      deleted: false,
      ...user,
      id,
      team,
      name,
    };
    users.set(id, added);
    return added;
  }

  function addChannel(
    team: string,
    channel: Partial<Omit<SlackChannel, "id" | "team" | "members">> & {
      readonly members?: Iterable<string>;
    } = {},
  ): SlackChannel {
    need(teams.get(team), `no team ${team}`);
    const kind = channel.kind ?? "public";
    const id = newId(kind === "im" ? "D" : kind === "mpim" ? "G" : "C");
    const name = channel.name ?? (kind === "im" ? "" : `channel-${id.toLowerCase()}`);
    const added = {
      isArchived: false,
      posting: "everyone" as const,
      previousNames: [],
      ...channel,
      id,
      team,
      name,
      kind,
      members: new Set(channel.members ?? []),
    };
    channels.set(id, added);
    channelsOf.get(team)?.push(id);
    if (kind === "public") publicNames.set(`${team} ${name}`, id);
    return added;
  }

  function changeChannel(id: string, change: Partial<SlackChannel>): SlackChannel {
    const channel = need(channels.get(id), `no channel ${id}`);
    const changed = { ...channel, ...change, members: channel.members };
    channels.set(id, changed);
    if (channel.kind === "public" && changed.name !== channel.name) {
      publicNames.delete(`${channel.team} ${channel.name}`);
      publicNames.set(`${channel.team} ${changed.name}`, id);
    }
    return changed;
  }

  /** The direct messages of two, begun where there are none. */
  function directChannel(team: string, one: string, other: string): SlackChannel {
    const key = [one, other].sort().join(" ");
    const known = channels.get(directs.get(key) ?? "");
    if (known !== undefined) return known;
    const added = addChannel(team, { kind: "im", members: [one, other] });
    directs.set(key, added.id);
    return added;
  }

  /** Installs the app, or installs it anew: the bot stays who it was, the tokens and scopes are new. */
  function install(
    where: { readonly team: string } | { readonly enterprise: string },
    options: {
      readonly scopes: readonly string[];
      readonly by: string;
      readonly rotates: boolean;
      readonly expiresInSeconds?: number;
    },
  ): SlackInstallation {
    const team = "team" in where ? where.team : null;
    const enterprise =
      "team" in where
        ? (need(teams.get(where.team), `no team ${where.team}`).enterprise?.id ?? null)
        : where.enterprise;
    const key = team ?? enterprise ?? "";
    const before = installations.get(key);
    const home = team ?? [...teams.values()].find((each) => each.enterprise?.id === enterprise)?.id ?? "";
    const botUser = before?.botUser ?? addUser(home, { name: "paperboy", isBot: true }).id;
    const installation: SlackInstallation = {
      team,
      enterprise,
      scopes: options.scopes,
      botUser,
      botId: before?.botId ?? newId("B"),
      installedBy: options.by,
      token: "",
      refreshToken: null,
      isActive: true,
    };
    installations.set(key, installation);
    return issueToken(key, options.rotates ? (options.expiresInSeconds ?? ROTATION_SECONDS) : null);
  }

  function issueToken(key: string, expiresInSeconds: number | null): SlackInstallation {
    const installation = need(installations.get(key), `the app is not installed in ${key}`);
    const rotates = expiresInSeconds !== null;
    const value = `${rotates ? "xoxe.xoxb-1-" : "xoxb-"}${newSecret("bot token")}`;
    const refreshToken = rotates ? `xoxe-1-${newSecret("refresh token")}` : null;
    const renewed = { ...installation, token: value, refreshToken };
    installations.set(key, renewed);
    tokens.set(value, {
      value,
      kind: "bot",
      installation: renewed,
      expiresAt: rotates ? now() + expiresInSeconds * 1000 : null,
      end: null,
    });
    if (installation.refreshToken !== null) refreshTokens.delete(installation.refreshToken);
    if (refreshToken !== null) refreshTokens.set(refreshToken, key);
    return renewed;
  }

  function addAppToken(): string {
    const value = `xapp-1-${appId}-${newSecret("app token")}`;
    tokens.set(value, { value, kind: "app", installation: null, expiresAt: null, end: null });
    return value;
  }

  /** The installation that covers a team: its own, or its organization's. */
  function installationIn(team: string): SlackInstallation | null {
    const own = installations.get(team);
    if (own?.isActive === true) return own;
    const org = installations.get(teams.get(team)?.enterprise?.id ?? "");
    return org?.isActive === true ? org : null;
  }

  function covers(installation: SlackInstallation, team: string): boolean {
    if (installation.team !== null) return installation.team === team;
    return teams.get(team)?.enterprise?.id === installation.enterprise;
  }

  function endTokens(installation: SlackInstallation, end: "token_revoked" | "account_inactive"): void {
    const key = installation.team ?? installation.enterprise ?? "";
    for (const token of tokens.values()) {
      if (token.installation?.botId === installation.botId && token.end === null)
        tokens.set(token.value, { ...token, end });
    }
    if (installation.refreshToken !== null) refreshTokens.delete(installation.refreshToken);
    const current = installations.get(key);
    if (current !== undefined) installations.set(key, { ...current, isActive: false });
  }

  function expireTokens(installation: SlackInstallation): void {
    const token = tokens.get(installation.token);
    if (token !== undefined) tokens.set(token.value, { ...token, expiresAt: now() });
  }

  function addMessage(
    message: Pick<PostedMessage, "channel" | "text" | "user" | "via"> & Partial<PostedMessage>,
  ): PostedMessage {
    const channel = need(channels.get(message.channel), `no channel ${message.channel}`);
    const added: PostedMessage = {
      botId: null,
      threadTs: null,
      editedTs: null,
      ephemeralTo: null,
      unfurls: {},
      metadata: null,
      ...message,
      blocks: withIds(message.blocks ?? []),
      team: channel.team,
      ts: newTs(),
    };
    keep(added);
    return added;
  }

  /** Changes a message that is still there; null where it is not. */
  function changeMessage(
    { channel, ts, ephemeralTo }: Pick<PostedMessage, "channel" | "ts" | "ephemeralTo">,
    change: Partial<PostedMessage>,
  ): PostedMessage | null {
    const known = shelf(channel, ephemeralTo)?.get(ts);
    if (known === undefined) return null;
    const blocks = change.blocks === undefined ? known.blocks : withIds(change.blocks);
    const changed = { ...known, ...change, blocks };
    keep(changed);
    return changed;
  }

  function deleteMessage({
    channel,
    ts,
    ephemeralTo,
  }: Pick<PostedMessage, "channel" | "ts" | "ephemeralTo">): boolean {
    const known = shelf(channel, ephemeralTo)?.get(ts);
    if (known === undefined) return false;
    shelf(channel, ephemeralTo)?.delete(ts);
    note({ kind: "deleted", message: known });
    return true;
  }

  function keep(message: PostedMessage): void {
    const { channel, ephemeralTo } = message;
    const kept = shelf(channel, ephemeralTo) ?? new Map<string, PostedMessage>();
    kept.set(message.ts, message);
    if (ephemeralTo === null) messages.set(channel, kept);
    else ephemerals.set(ephemeralTo, kept);
    note({ kind: "message", message });
  }

  function shelf(channel: string, ephemeralTo: string | null) {
    return ephemeralTo === null ? messages.get(channel) : ephemerals.get(ephemeralTo);
  }

  function withIds(blocks: readonly Json[]): readonly Json[] {
    return blocks.map((block) => {
      const named = { block_id: newPartId(), ...block };
      const elements: unknown = block["elements"];
      if (block["type"] !== "actions" || !Array.isArray(elements)) return named;
      return {
        ...named,
        elements: elements.map((each: Json) => ({ action_id: newPartId(), ...each })),
      };
    });
  }

  /** Shows a view: a new one, or with `of` another content of that one. */
  function showView(
    body: Json,
    place: {
      readonly user: string;
      readonly team: string;
      readonly of?: SlackView;
      readonly onTop?: boolean;
    },
  ): SlackView {
    const type = body["type"] === "home" ? "home" : "modal";
    const id = place.of?.id ?? newId("V");
    const stack = stacks.get(place.user) ?? [];
    const previousId = place.of?.previousId ?? (place.onTop === true ? (stack.at(-1) ?? null) : null);
    const blocks = withIds(asList(body["blocks"]));
    const view: SlackView = {
      id,
      team: place.team,
      user: place.user,
      type,
      body: { ...body, blocks },
      blocks,
      hash: `${Math.floor(now() / 1000)}.${newSecret("hash", 8)}`,
      rootId: place.of?.rootId ?? (previousId === null ? id : (stack[0] ?? id)),
      previousId,
      externalId: typeof body["external_id"] === "string" ? body["external_id"] : "",
    };
    views.set(id, view);
    if (view.externalId !== "") externalIds.set(`${view.team} ${view.externalId}`, id);
    if (type === "home") homes.set(place.user, id);
    else if (place.of === undefined) stacks.set(place.user, place.onTop === true ? [...stack, id] : [id]);
    note({ kind: "view", view });
    return view;
  }

  /** Closes the top view of a person, or all of them. */
  function closeViews(user: string, which: "top" | "all"): void {
    const stack = stacks.get(user) ?? [];
    const closed = which === "all" ? stack : stack.slice(-1);
    stacks.set(user, which === "all" ? [] : stack.slice(0, -1));
    for (const id of closed) {
      const view = views.get(id);
      if (view !== undefined) externalIds.delete(`${view.team} ${view.externalId}`);
      views.delete(id);
    }
  }

  function newTrigger(user: string, team: string, fromView: string | null): string {
    const id = `${now()}.${serial}.${newSecret("trigger", 32)}`;
    triggers.set(id, { user, team, at: now(), fromView, used: false });
    return id;
  }

  /** For links that somebody posted, or has only typed so far: then there is no message. */
  function newUnfurlId(link: UnfurlLink): string {
    const id = `${link.team}-${newSecret("unfurl")}`;
    unfurlLinks.set(id, link);
    return id;
  }

  /** What a `trigger_id` stands for, used up by this; or Slack's error. */
  function takeTrigger(
    id: string,
  ): Trigger | "invalid_trigger_id" | "exchanged_trigger_id" | "expired_trigger_id" {
    const trigger = triggers.get(id);
    if (trigger === undefined) return "invalid_trigger_id";
    if (trigger.used) return "exchanged_trigger_id";
    if (now() - trigger.at > TRIGGER_MS) return "expired_trigger_id";
    trigger.used = true;
    return trigger;
  }

  function newResponseUrl(user: string, channel: string, original: PostedMessage | null): string {
    const id = newSecret("response", 24);
    responseUrls.set(id, { user, channel, at: now(), original, uses: 0 });
    return id;
  }

  /** What a `response_url` stands for; or Slack's error. */
  function responseUrl(id: string): ResponseUrl | "invalid_token" | "expired_url" | "used_url" {
    const known = responseUrls.get(id);
    if (known === undefined) return "invalid_token";
    if (now() - known.at > RESPONSE_URL.ms) return "expired_url";
    if (known.uses >= RESPONSE_URL.uses) return "used_url";
    return known;
  }

  function newCode(code: Omit<Code, "at">): string {
    const value = `${serial}.${newSecret("code", 32)}`;
    codes.set(value, { ...code, at: now() });
    return value;
  }

  /** A code counts once, for ten minutes. */
  function takeCode(value: string): Code | null {
    const code = codes.get(value);
    codes.delete(value);
    return code === undefined || now() - code.at > CODE_MS ? null : code;
  }

  function note(sight: SlackSight): void {
    sights.push(sight);
    changed();
  }

  function changed(): void {
    for (const look of waiting) look();
  }

  /** Resolves once it holds, looking again whenever anything happened here. */
  function until(holds: () => boolean, timeoutMs = 5000): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!holds()) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`Nothing of the kind happened within ${timeoutMs} ms: ${holds.toString()}`));
      }, timeoutMs);
      waiting.add(look);
      look();
    });
  }

  return {
    appId,
    now,
    team: (id: string) => teams.get(id),
    teams: () => teams.values(),
    firstTeam: () => teams.values().next().value,
    user: (id: string) => users.get(id),
    firstUserOf: (team: string) => users.values().find((each) => each.team === team && !each.isBot),
    channel: (id: string): SlackChannel | undefined => channels.get(id),
    channelsOf: (team: string): readonly SlackChannel[] =>
      (channelsOf.get(team) ?? []).flatMap((id) => channels.get(id) ?? []),
    channelNamed: (team: string, name: string) => channels.get(publicNames.get(`${team} ${name}`) ?? ""),
    enterprise: (id: string) => teams.values().find((each) => each.enterprise?.id === id)?.enterprise ?? null,
    setMember(channel: string, user: string, isMember: boolean) {
      const members = need(channels.get(channel), `no channel ${channel}`).members;
      if (isMember) members.add(user);
      else members.delete(user);
    },
    token: (value: string) => tokens.get(value),
    installation: (key: string) => installations.get(key) ?? null,
    keyOfRefreshToken: (value: string) => refreshTokens.get(value) ?? null,
    message: (channel: string, ts: string) => messages.get(channel)?.get(ts),
    /** As it is now, also where only one person sees it; undefined once it is deleted. */
    latest: ({ channel, ts, ephemeralTo }: PostedMessage) => shelf(channel, ephemeralTo)?.get(ts),
    messagesIn: (channel: string): readonly PostedMessage[] => [...(messages.get(channel)?.values() ?? [])],
    ephemeralsOf: (user: string): readonly PostedMessage[] => [...(ephemerals.get(user)?.values() ?? [])],
    view: (id: string) => views.get(id),
    viewNamed: (team: string, externalId: string) =>
      views.get(externalIds.get(`${team} ${externalId}`) ?? ""),
    homeOf: (user: string) => views.get(homes.get(user) ?? "") ?? null,
    stackOf: (user: string): readonly string[] => stacks.get(user) ?? [],
    sights: sights as readonly SlackSight[],
    newId,
    newSecret,
    newTs,
    addTeam,
    addUser,
    addChannel,
    changeChannel,
    directChannel,
    install,
    issueToken,
    addAppToken,
    installationIn,
    covers,
    endTokens,
    expireTokens,
    addMessage,
    changeMessage,
    deleteMessage,
    showView,
    closeViews,
    newTrigger,
    takeTrigger,
    newUnfurlId,
    unfurlLink: (id: string) => unfurlLinks.get(id),
    newResponseUrl,
    responseUrl,
    newCode,
    takeCode,
    note,
    changed,
    until,
  };
}

/** A test that asks for what is not there is wrong, and hears so. */
export function need<Value>(value: Value | null | undefined, what: string): Value {
  if (value === null || value === undefined) throw new Error(`The local Slack has ${what}.`);
  return value;
}

export function asList(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** All that a person reads in blocks, a line a text: headings, sections, small print, labels, options' names. */
export function readBlocks(value: unknown): string {
  const lines: string[] = [];
  const visit = (each: unknown): void => {
    if (Array.isArray(each)) for (const one of each) visit(one);
    if (!isJson(each)) return;
    for (const [key, inner] of Object.entries(each)) {
      if (key === "text" && typeof inner === "string") lines.push(inner);
      else if (key !== "options" && key !== "option_groups" && key !== "confirm") visit(inner);
    }
  };
  visit(value);
  return lines.join("\n");
}
