import type { RequestListener } from "node:http";
import { HTTPReceiver, type Installation, LogLevel, type Logger, webApi } from "@slack/bolt";
import { type Bot, type BotEvent, type Post, PostError } from "../../core/bot.ts";
import type { ChannelStore } from "../../core/channel.ts";
import type { Desk } from "../../core/command.ts";
import type { FloodGuard } from "../../core/flood.ts";
import { InstallationError, type Installations } from "../../core/installation.ts";
import type { Message } from "../../core/message.ts";
import { count } from "../../core/numbers.ts";
import { type Access, createAccess, type SlackSettings } from "./access.ts";
import { parseRemoval } from "./installations.ts";
import { listen } from "./listeners.ts";
import { renderSlack, type SlackMessage } from "./render.ts";
import { createTurns, DEAD_INSTALL, postForm, slackErrorOf, toPostError } from "./sending.ts";
import { SlackError } from "./error.ts";

export type SlackBotOptions = {
  readonly settings: SlackSettings;
  /** What follows an uncertain post: sent once more, given up, or looked for in the channel's history. */
  readonly uncertain: "resend-once" | "skip" | "probe";
  /** What commands work on, asked for at each. */
  readonly desk: () => Desk;
  readonly channels: Pick<ChannelStore, "join" | "leave">;
  readonly installations: Installations;
  readonly flood: FloodGuard;
  readonly clock: () => Date;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Resolves after so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
  readonly report: (event: BotEvent) => void;
};

export type SlackBot = Bot & {
  /** Why it cannot work now, in a sentence; null while all is well. */
  trouble(): string | null;
  /** Takes what Slack sends over HTTP; null where it comes over a socket. */
  readonly listener: RequestListener | null;
};

/** How long between tries to connect. */
const RECONNECT_MS = { first: 2_000, most: 5 * 60_000 };
const STOP_MS = 10_000;
/** A workspace that removed Paperboy may install it again. */
const NOT_THERE_MS = 60 * 60_000;
/** How far back an uncertain post is looked for. */
const PROBE_SECONDS = 3600;
const PROBE_MESSAGES = 15;

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
    onInstalled: join,
    onRefreshFailed: ({ id }, error) =>
      report({ kind: "unexpected", what: `refreshing the token of ${id}`, error }),
  });
  const { app, receiver } = access;
  const isHttp = receiver instanceof HTTPReceiver;
  let trouble: string | null = "Slack is not connected.";
  let stopping = false;

  function during<T>(work: Promise<T>): Promise<T> {
    underWay.add(work);
    const done = () => underWay.delete(work);
    work.then(done, done);
    return work;
  }

  async function join({ team, enterprise, isEnterpriseInstall }: Installation): Promise<void> {
    const workspace = isEnterpriseInstall === true ? enterprise?.id : team?.id;
    if (workspace === undefined) return;
    report({ kind: "joined", workspace });
    await channels.join({ platform: "slack", workspace });
  }

  async function leave(workspace: string): Promise<void> {
    report({ kind: "left", workspace });
    await channels.leave({ platform: "slack", workspace }, clock().toISOString());
  }

  async function connect(): Promise<void> {
    for (let ms = RECONNECT_MS.first; !stopping; ms = Math.min(2 * ms, RECONNECT_MS.most)) {
      try {
        const where = await introduce(access, settings, installations);
        if (!isHttp) await app.start();
        trouble = null;
        report({ kind: "connected", detail: `Paperboy is connected to Slack, in ${where}.` });
        return;
      } catch (error) {
        const word = slackErrorOf(error);
        if (word !== null && DEAD_INSTALL.has(word)) throw refusedToken(word, error);
        const reason = error instanceof Error ? error.message : String(error);
        report({
          kind: "trouble",
          detail: `Slack cannot be reached (${reason}); the next try is in ${ms / 1000} seconds.`,
        });
        await wait(ms);
      }
    }
  }

  async function post(wanted: Post): Promise<{ readonly ref: string }> {
    const { to, person, message, nonce, attempt } = wanted;
    if (stopping) throw new PostError("retry", "Paperboy is stopping.");
    const client = await access.clientFor(to.workspace);
    // A message to a person's id goes into that person's conversation with the app.
    const channel = person ?? to.channel;
    if (uncertain === "probe" && attempt > 1) {
      const standing = await findPosted(client, channel, nonce);
      if (standing !== null) return { ref: standing };
    }
    await turns.take(to.workspace, channel, nonce);
    const about = person === null ? message : { ...message, intro: [...message.intro, whereIs(wanted)] };
    const metadata = { event_type: "paperboy_delivery", event_payload: { nonce } };
    const send = (by: webApi.WebClient, body: SlackForm) =>
      by.chat.postMessage({ channel, metadata, ...body });
    const note = (error: unknown) =>
      report({ kind: "unexpected", what: "a message that Slack refused the form of", error });
    return { ref: await postForm(client, formsOf(about), send, note) };
  }

  /** The message that an attempt before may have made, by the nonce in its metadata. */
  async function findPosted(
    client: webApi.WebClient,
    channel: string,
    nonce: string,
  ): Promise<string | null> {
    const { messages = [] } = await client.conversations.history({
      channel,
      oldest: String(Math.floor(clock().getTime() / 1000) - PROBE_SECONDS),
      limit: PROBE_MESSAGES,
      include_all_metadata: true,
    });
    const found = messages.find(({ metadata }) => {
      const payload: unknown = metadata?.event_payload;
      return typeof payload === "object" && payload !== null && "nonce" in payload && payload.nonce === nonce;
    });
    return found?.ts ?? null;
  }

  /** What a failed post means, beyond this post. */
  async function judge(error: unknown, { to, person }: Post): Promise<PostError> {
    if (error instanceof webApi.WebAPIRateLimitedError) {
      turns.hold(`${to.workspace}/${person ?? to.channel}`, error.retryAfter * 1000);
    }
    const word = slackErrorOf(error);
    if (error instanceof InstallationError || (word !== null && DEAD_INSTALL.has(word))) {
      const detail = `Slack no longer takes Paperboy's token for workspace ${to.workspace} (${word ?? "none is kept"}): install it there again.`;
      report({ kind: "refused", detail });
      await leave(to.workspace);
      return new PostError("retry", detail, { retryAfterMs: NOT_THERE_MS, cause: error });
    }
    return toPostError(error);
  }

  return {
    platform: "slack",
    afterUncertain: uncertain === "probe" ? "repeat" : uncertain === "skip" ? "settle" : "repeat-once",
    listener: isHttp ? receiver.requestListener : null,
    async start() {
      await app.init();
      listen({ app, desk, flood, now, report, during });
      for (const name of ["app_uninstalled", "tokens_revoked"] as const) {
        app.event(name, async ({ body }) => {
          const end = parseRemoval(body);
          if (end !== null && (await installations.remove(end.key, end))) await leave(end.key.id);
        });
      }
      app.error(async (error) => report({ kind: "unexpected", what: "in the Slack app", error }));
      await connect();
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
      await Promise.race([Promise.allSettled(underWay), wait(STOP_MS)]);
      if (!isHttp && trouble === null) await app.stop().catch(() => {});
      trouble = "Slack is not connected.";
      await access.settle();
    },
    trouble: () => trouble,
  };
}

/** Checks the one workspace's token, which tells its name; of many it counts them. */
async function introduce(
  { clientFor }: Access,
  { botToken }: SlackSettings,
  installations: Installations,
): Promise<string> {
  if (botToken === null) return count((await installations.list()).length, "workspace");
  const { team } = await (await clientFor("")).auth.test();
  return team ?? "a workspace";
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

/** Slack shows the id as the channel's name to whom may see it. */
function whereIs({ to }: Post): string {
  return `Channel: https://app.slack.com/client/${to.workspace}/${to.channel}`;
}

type SlackForm = Pick<SlackMessage, "text" | "unfurl_links" | "unfurl_media"> & {
  readonly blocks?: SlackMessage["blocks"];
};

/** As it should look, then without pictures (one that Slack cannot fetch costs the whole message), then as plain text. */
function formsOf(message: Message): readonly SlackForm[] {
  const full = renderSlack(message);
  const plain = renderSlack({
    ...message,
    items: message.items.map((item) => ({ ...item, thumbnail: null })),
  });
  const { blocks: _, ...text } = full;
  return [full, plain, text];
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
