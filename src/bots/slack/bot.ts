import type { RequestListener } from "node:http";
import {
  AuthorizationError,
  type Installation,
  LogLevel,
  type Logger,
  type types,
  webApi,
} from "@slack/bolt";
import { type Bot, type BotEvent, type Post, type Posted, PostError } from "../../core/bot.ts";
import type { ChannelKey, ChannelStore } from "../../core/channel.ts";
import type { Desk } from "../../core/command.ts";
import type { FloodGuard } from "../../core/flood.ts";
import { InstallationError, type InstallationKey, type Installations } from "../../core/installation.ts";
import { count } from "../../core/numbers.ts";
import { say } from "../../core/reply.ts";
import { createAccess, type SlackSettings } from "./access.ts";
import { parseRemoval } from "./installations.ts";
import { listen } from "./listeners.ts";
import { renderSlack, type SlackMessage } from "./render.ts";
import {
  createTurns,
  DEAD_INSTALL,
  isRateLimit,
  PASSING,
  postForm,
  slackErrorOf,
  TIMEOUT_MS,
  toPostError,
  WAIT_FOR_ADMIN,
} from "./sending.ts";
import { SlackError } from "./error.ts";

export type SlackBotOptions = {
  readonly settings: SlackSettings;
  /** What follows an uncertain post: sent once more, given up, or looked for in the channel's history. */
  readonly uncertain: "resend-once" | "skip" | "probe";
  /** What commands work on, asked for at each. */
  readonly desk: () => Desk;
  readonly channels: Pick<ChannelStore, "join" | "leave" | "workspaces" | "departed">;
  readonly installations: Installations;
  readonly flood: FloodGuard;
  readonly clock: () => Date;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Resolves after so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
  /** Of one call; 15 seconds unless told. */
  readonly timeoutMs?: number;
  readonly report: (event: BotEvent) => void;
};

export type SlackBot = Bot & {
  /** Why it cannot work now, in a sentence; null while all is well. */
  trouble(): string | null;
  /** Takes what comes over HTTP: from Slack, and from who installs the app; null where nothing does. */
  readonly listener: RequestListener | null;
};

/** How long between tries to connect. */
const RECONNECT_MS = { first: 2_000, most: 5 * 60_000 };
const STOP_MS = 10_000;
/** A workspace that removed Paperboy may install it again. */
const NOT_THERE_MS = 60 * 60_000;
/** How long an admin of an organization is waited for, before a channel is paused. */
const ADMIN_MS = 6 * 60 * 60_000;
/** An uncertain post is looked for from before it was due on, since clocks differ. */
const PROBE_EARLIER_MS = 5 * 60_000;
const PROBE = { pages: 5, limit: 100 };
const NOT_CONNECTED = "Slack is not connected.";

/**
 * Paperboy on Slack, over a socket or over HTTP, in one workspace or in many.
 * `start` throws SlackError where Slack refuses a token; while it cannot be reached it goes on trying.
 */
export function createSlackBot(options: SlackBotOptions): SlackBot {
  const { settings, uncertain, desk, channels, installations, flood, clock, now, wait, report } = options;
  const turns = createTurns({ now, wait });
  const underWay = new Set<Promise<unknown>>();
  const access = createAccess({
    settings,
    installations,
    clock,
    logger: createLogger(report),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    onInstalled: installed,
    onRefreshFailed: ({ id }, error) =>
      report({ kind: "unexpected", what: `refreshing the token of ${id}`, error }),
  });
  const { app, socket } = access;
  /** Workspaces whose token Slack refused, until something comes from one all the same. */
  const lost = new Set<string>();
  /** Since when an admin has kept a workspace shut. */
  const shutSince = new Map<string, number>();
  let trouble: string | null = NOT_CONNECTED;
  let stopping = false;

  function during<T>(work: Promise<T>): Promise<T> {
    underWay.add(work);
    const done = () => underWay.delete(work);
    work.then(done, done);
    return work;
  }

  async function join(workspace: string): Promise<void> {
    lost.delete(workspace);
    if (await channels.join({ platform: "slack", workspace })) report({ kind: "joined", workspace });
  }

  async function leave(workspace: string): Promise<void> {
    report({ kind: "left", workspace });
    await channels.leave({ platform: "slack", workspace }, clock().toISOString());
  }

  /** An organization's installation lets all of its workspaces in again. */
  async function installed({ team, enterprise, isEnterpriseInstall }: Installation): Promise<void> {
    const id = isEnterpriseInstall === true ? enterprise?.id : team?.id;
    if (id === undefined) return;
    report({ kind: "connected", detail: `Paperboy was installed in ${id}.` });
    for (const workspace of isEnterpriseInstall === true ? await servedBy(id, "departed") : [id]) {
      await join(workspace);
    }
  }

  async function removed(key: InstallationKey, at: string): Promise<void> {
    const workspaces = key.isOrg ? await servedBy(key.id, "workspaces") : [key.id];
    if (!(await installations.remove(key, { at }))) return;
    for (const workspace of workspaces) await leave(workspace);
  }

  /** The workspaces that an organization's installation serves, of those that were left or of those that were not. */
  async function servedBy(
    organization: string,
    which: "workspaces" | "departed",
  ): Promise<readonly string[]> {
    const served: string[] = [];
    for (const workspace of await channels[which]("slack")) {
      const own = await installations.find({ id: workspace, isOrg: false }).catch(() => null);
      if (own === null && (await installations.organizationOf(workspace)) === organization) {
        served.push(workspace);
      }
    }
    return served;
  }

  /** What was left while its token could not be read or was refused goes on once there is one. */
  async function rejoin(own: string | null): Promise<void> {
    const departed = await channels.departed("slack");
    if (departed.length === 0) return;
    const standing = (await installations.list()).filter(({ problem }) => problem === null);
    const has = (id: string, isOrg: boolean) =>
      standing.some((each) => each.id === id && each.isOrg === isOrg);
    for (const workspace of departed) {
      const organization = await installations.organizationOf(workspace);
      const isLetIn =
        settings.botToken === null
          ? has(workspace, false) || (organization !== null && has(organization, true))
          : own === null || own === workspace;
      if (isLetIn) await join(workspace);
    }
  }

  /** @throws SlackError where Slack refuses a token, at the first time; later it is reported and tried again */
  async function connect(isFirst: boolean): Promise<void> {
    for (let ms = RECONNECT_MS.first; !stopping; ms = Math.min(2 * ms, RECONNECT_MS.most)) {
      try {
        const own = await access.identify();
        await rejoin(own?.id ?? null);
        const where = own?.name ?? count((await installations.list()).length, "workspace");
        if (socket !== null) await app.start();
        trouble = null;
        report({ kind: "connected", detail: `Paperboy is connected to Slack, in ${where}.` });
        return;
      } catch (error) {
        const word = slackErrorOf(error);
        const refusal = word === null || PASSING.has(word) ? null : refusedToken(word, error);
        if (refusal !== null && isFirst) throw refusal;
        const reason = error instanceof Error ? error.message : "the connection closed";
        const detail = refusal?.message ?? `Slack cannot be reached (${reason}).`;
        trouble = detail;
        report({
          kind: refusal === null ? "trouble" : "refused",
          detail: `${detail} The next try is in ${ms / 1000} seconds.`,
        });
        await wait(ms);
      }
    }
  }

  async function post(wanted: Post): Promise<Posted> {
    const { to, person, nonce, inDoubt = false } = wanted;
    if (stopping) throw new PostError("retry", "Paperboy is stopping.");
    const client = await access.clientFor(to.workspace);
    // A message to a person's id goes into that person's conversation with the app.
    const channel = person ?? to.channel;
    await turns.take(to.workspace, channel, nonce);
    const standing = uncertain === "probe" && inDoubt ? await look(client, wanted) : null;
    if (standing !== null && standing !== "unreadable") return { ref: standing };
    const metadata = { event_type: "paperboy_delivery", event_payload: { nonce } };
    const send = (by: webApi.WebClient, body: SlackForm) =>
      by.chat.postMessage({ channel, metadata, ...body });
    const note = (error: unknown) =>
      report({ kind: "unexpected", what: "a message that Slack refused the form of", error });
    try {
      const ref = await postForm(client, formsOf(wanted), send, note);
      shutSince.delete(to.workspace);
      return standing === null ? { ref } : { ref, mayStandTwice: true };
    } catch (error) {
      const failure = toPostError(error);
      if (standing === null || failure.kind !== "uncertain") throw error;
      throw new PostError("uncertain", failure.message, { isLast: true, cause: error });
    }
  }

  /**
   * The message that an attempt before may have made, by the nonce in its metadata: its `ts`, or null where it is not
   * there. `unreadable`: the history cannot be read, or too much came since.
   */
  async function look(client: webApi.WebClient, wanted: Post): Promise<string | null | "unreadable"> {
    const { to, person, nonce, dueAt } = wanted;
    if (person !== null) return "unreadable";
    const from = (dueAt === undefined ? clock().getTime() : Date.parse(dueAt)) - PROBE_EARLIER_MS;
    let cursor = "";
    for (let page = 0; page < PROBE.pages; page++) {
      try {
        const { messages = [], response_metadata } = await client.conversations.history({
          channel: to.channel,
          oldest: String(Math.floor(from / 1000)),
          limit: PROBE.limit,
          include_all_metadata: true,
          ...(cursor === "" ? {} : { cursor }),
        });
        const found = messages.find(({ metadata }) => {
          const payload: unknown = metadata?.event_payload;
          return (
            typeof payload === "object" && payload !== null && "nonce" in payload && payload.nonce === nonce
          );
        });
        if (found !== undefined) return found.ts ?? "";
        cursor = response_metadata?.next_cursor ?? "";
        if (cursor === "") return null;
      } catch (error) {
        const word = slackErrorOf(error);
        if (word !== null && DEAD_INSTALL.has(word)) throw error;
        if (word !== null && !PASSING.has(word)) return "unreadable";
        // An app that may ask once a minute would never come to the second page.
        const isLimited = error instanceof webApi.WebAPIRateLimitedError;
        if (isLimited && page > 0) return "unreadable";
        const retryAfterMs = isLimited ? { retryAfterMs: error.retryAfter * 1000 } : {};
        const detail = "Slack did not say whether an attempt before posted it.";
        throw new PostError("retry", detail, { ...retryAfterMs, cause: error });
      }
    }
    return "unreadable";
  }

  /** What a failed post means, beyond this post. */
  async function judge(error: unknown, { to, person, nonce }: Post): Promise<PostError> {
    const { workspace } = to;
    const word = slackErrorOf(error);
    if (error instanceof InstallationError || (word !== null && DEAD_INSTALL.has(word))) {
      return loseOrNot(workspace, error);
    }
    if (word === "missing_scope") report({ kind: "refused", detail: lackOf(error, workspace) });
    const failure = toPostError(error);
    if (isRateLimit(error)) turns.hold(workspace, person ?? to.channel, nonce, failure.retryAfterMs ?? 1000);
    if (word === null || !WAIT_FOR_ADMIN.has(word)) return failure;
    const since = shutSince.get(workspace) ?? now();
    shutSince.set(workspace, since);
    return now() - since < ADMIN_MS ? failure : new PostError("rejected", failure.message, { cause: error });
  }

  /** Slack is asked again: neither a slip of its own nor a token that was replaced meanwhile ends an installation. */
  async function loseOrNot(workspace: string, error: unknown): Promise<PostError> {
    const again: unknown = await access
      .clientFor(workspace)
      .then((client) => client.auth.test())
      .then(
        () => null,
        (cause: unknown) => cause,
      );
    const word = slackErrorOf(again);
    const isLost = again instanceof InstallationError || (word !== null && DEAD_INSTALL.has(word));
    if (!isLost) return new PostError("retry", "Slack refused Paperboy's token for once.", { cause: error });
    const detail =
      again instanceof InstallationError
        ? again.message
        : `Slack no longer takes Paperboy's token for workspace ${workspace} (${word}): install it there again.`;
    if (!lost.has(workspace)) {
      lost.add(workspace);
      report({ kind: "refused", detail });
      await leave(workspace);
    }
    return new PostError("retry", detail, { retryAfterMs: NOT_THERE_MS, cause: error });
  }

  return {
    platform: "slack",
    afterUncertain: uncertain === "probe" ? "repeat" : uncertain === "skip" ? "settle" : "repeat-once",
    listener: access.listener,
    async start() {
      await app.init();
      listen({
        app,
        desk,
        flood,
        now,
        wait,
        report,
        during,
        // Whoever sends something has let Paperboy in.
        onSeen: (workspace) => (lost.has(workspace) ? join(workspace) : Promise.resolve()),
      });
      for (const name of ["app_uninstalled", "tokens_revoked"] as const) {
        app.event(name, async ({ body }) => {
          const end = parseRemoval(body);
          if (end !== null) await during(removed(end.key, end.at));
        });
      }
      app.error(async ({ error, body }: UnheardOf) => {
        const cause = error instanceof AuthorizationError ? error.original : error;
        if (!(cause instanceof InstallationError)) {
          return report({ kind: "unexpected", what: "in the Slack app", error: cause });
        }
        report({ kind: "refused", detail: cause.message });
        await during(turnAway(body, cause.message));
      });
      socket?.on("disconnected", () => {
        if (stopping || trouble !== null) return;
        trouble = NOT_CONNECTED;
        void connect(false);
      });
      await connect(true);
    },
    async post(wanted) {
      try {
        return await during(post(wanted));
      } catch (error) {
        throw await judge(error, wanted);
      }
    },
    async stop() {
      stopping = true;
      const drain = async () => {
        while (underWay.size > 0) await Promise.allSettled(underWay);
      };
      await Promise.race([drain(), wait(STOP_MS)]);
      if (socket !== null && trouble === null) await app.stop().catch(() => {});
      trouble = NOT_CONNECTED;
      await access.settle();
    },
    trouble: () => trouble,
  };
}

/** Of Bolt, where no handler could answer what came. */
type UnheardOf = { readonly error: Error; readonly body: object };

/** Whoever typed or pressed hears why nothing comes of it: without a token, by the response URL alone. */
async function turnAway(body: object, reason: string): Promise<void> {
  const url = "response_url" in body ? body.response_url : undefined;
  if (typeof url !== "string") return;
  const { text } = renderSlack(say("Paperboy is not let in here.", reason).message);
  const message = { text, response_type: "ephemeral", replace_original: false };
  await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(message),
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => {});
}

function lackOf(error: unknown, workspace: string): string {
  const data: object = error instanceof webApi.WebAPIPlatformError ? error.data : {};
  const needed = "needed" in data ? String(data.needed) : "a scope";
  const provided = "provided" in data ? ` and has ${String(data.provided)}` : "";
  return `Paperboy lacks ${needed} in workspace ${workspace}${provided}: add it at https://api.slack.com/apps and install the app there again.`;
}

function refusedToken(word: string, cause: unknown): SlackError {
  return new SlackError(
    {
      detail: `Slack refuses a token (${word})`,
      fix: "copy SLACK_BOT_TOKEN from Install App and SLACK_APP_TOKEN from Basic Information of your app at https://api.slack.com/apps, and start again",
    },
    { code: word, cause },
  );
}

type SlackForm = Pick<SlackMessage, "text" | "unfurl_links" | "unfurl_media"> & {
  readonly blocks?: readonly types.AnyBlock[];
};

/** As it should look, then without pictures (one that Slack cannot fetch costs the whole message), then as plain text. */
function formsOf(wanted: Post): readonly SlackForm[] {
  const { message } = wanted;
  const full = renderSlack(message);
  const plain = renderSlack({
    ...message,
    items: message.items.map((item) => ({ ...item, thumbnail: null })),
  });
  const forms: readonly SlackForm[] = plain.blocks.length === 0 ? [full] : [full, plain];
  const { blocks: _, ...text } = full;
  return [...forms, text].map((form) => (wanted.person === null ? form : withPlace(form, wanted.to)));
}

/** A person is told of which channel it is: Slack shows its name to whom may see it. */
function withPlace({ text, blocks, ...rest }: SlackForm, { channel }: ChannelKey): SlackForm {
  const line = `Channel: <#${channel}>`;
  const place = { type: "context", elements: [{ type: "mrkdwn", text: line, verbatim: true }] };
  return {
    ...rest,
    text: `${text}\n${line}`,
    ...(blocks === undefined ? {} : { blocks: [...blocks, place] }),
  };
}

/** Bolt's own lines: its warnings and errors are worth hearing, and none of them goes to stdout. */
function createLogger(report: (event: BotEvent) => void): Logger {
  const lineOf = (parts: readonly unknown[]) =>
    parts.map((part) => (part instanceof Error ? part.message : String(part))).join(" ");
  return {
    debug() {},
    info() {},
    warn: (...parts: unknown[]) => report({ kind: "trouble", detail: `Slack's client: ${lineOf(parts)}` }),
    error: (...parts: unknown[]) => report({ kind: "trouble", detail: `Slack's client: ${lineOf(parts)}` }),
    setLevel() {},
    getLevel: () => LogLevel.WARN,
    setName() {},
  };
}
