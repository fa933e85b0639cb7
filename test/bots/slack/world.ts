import { setTimeout as pass } from "node:timers/promises";
import { createSlackBot, type SlackBot, type SlackBotOptions } from "../../../src/bots/slack/bot.ts";
import { INSTALL_PATH } from "../../../src/bots/slack/installations.ts";
import { EVENTS_PATH, REDIRECT_PATH, SCOPES } from "../../../src/bots/slack/manifest.ts";
import { openWebServer, type WebServer } from "../../../src/bots/web-server.ts";
import type { BotEvent } from "../../../src/core/bot.ts";
import { createFloodGuard, type FloodGuard } from "../../../src/core/flood.ts";
import { createInstallations } from "../../../src/storage/installations.ts";
import { type Database, openSqlite } from "../../../src/storage/database.ts";
import { createDesk, type TestDesk } from "../../contracts/desk.ts";
import { type SlackOptions, type SlackPeer, startSlack } from "../../peers/slack.ts";

/** A workspace on a local Slack with Paperboy in it: a channel that it is in, a member and a guest. */
export type World = {
  readonly slack: SlackPeer;
  readonly bot: SlackBot;
  readonly desk: TestDesk;
  readonly events: BotEvent[];
  readonly team: string;
  /** A public channel that the bot is in. */
  readonly channel: string;
  readonly ada: string;
  /** A guest. */
  readonly gus: string;
  /** The app's own page to install it from; null where one token is all there is. */
  readonly installUrl: string | null;
  readonly db: Database;
  close(): Promise<void>;
};

export type WorldOptions = SlackOptions & {
  /** Over a socket unless told. */
  readonly over?: "socket" | "http";
  readonly isStarted?: boolean;
  readonly uncertain?: SlackBotOptions["uncertain"];
  /**
   * Time is the desk's, which goes by where the bot waits and where a test moves it. The local Slack's pace is then
   * not held unless told.
   */
  readonly isTimeless?: boolean;
  readonly scopes?: readonly string[];
  /** People install the app by its pages, in as many workspaces as they like, where one token is not all there is. */
  readonly isForMany?: boolean;
  /** Of one call of the bot's. */
  readonly timeoutMs?: number;
  /** Hardly any unless told. */
  readonly flood?: { readonly perPerson: number } | FloodGuard;
  /** Another world's desk, whose papers it shares. */
  readonly library?: Pick<TestDesk, "store" | "index">;
};

const KEY = Buffer.alloc(32, 7).toString("base64");

export async function createWorld({
  over = "socket",
  isStarted = true,
  uncertain = "resend-once",
  scopes = SCOPES.map(({ name }) => name),
  library,
  isTimeless = false,
  isForMany = false,
  timeoutMs,
  flood = { perPerson: 1000 },
  ...options
}: WorldOptions = {}): Promise<World> {
  const unlimited = { channelPerSecond: 1000, channelBurst: 1000, workspacePerMinute: 100_000 };
  const desk = await createDesk(library === undefined ? {} : { library });
  const now = () => desk.clock().getTime();
  const slack = await startSlack(isTimeless ? { limits: unlimited, now, ...options } : options);
  const team = slack.addTeam({ name: "Efficient Inference Lab" }).id;
  const ada = slack.addUser(team, { name: "ada", tz: "Europe/Paris" }).id;
  const gus = slack.addUser(team, { name: "gus", isRestricted: true }).id;
  const channel = slack.addChannel(team, { name: "papers", members: [ada, gus] }).id;
  const installation = isForMany ? null : slack.install({ team }, { scopes });
  if (!isForMany) await slack.invite(channel);
  const db = await openSqlite(":memory:");
  const events: BotEvent[] = [];
  const bot = createSlackBot({
    settings: {
      botToken: installation?.token ?? null,
      appToken: over === "socket" ? slack.appToken : null,
      signingSecret: slack.signingSecret,
      clientId: isForMany ? slack.clientId : null,
      clientSecret: isForMany ? slack.clientSecret : null,
      stateSecret: isForMany ? "a state secret of the tests" : null,
      apiUrl: slack.apiUrl,
    },
    uncertain,
    desk: () => ({
      ...desk,
      async post(to, message) {
        const nonce = `sample${events.length}`;
        await bot.post({ to, person: null, kind: "sample", attempt: 1, message, nonce });
      },
    }),
    channels: desk.channels,
    installations: createInstallations(db, { keys: [KEY] }),
    flood:
      "admit" in flood
        ? flood
        : createFloodGuard({ ...flood, perWorkspace: 5000, windowMs: 60_000, clock: () => new Date() }),
    clock: isTimeless ? desk.clock : () => new Date(),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    now: isTimeless ? now : () => performance.now(),
    wait: isTimeless
      ? async (ms) => desk.setNow(new Date(now() + ms).toISOString())
      : (ms) => pass(ms, undefined, { ref: false }),
    report: (event) => events.push(event),
  });
  let server: WebServer | null = null;
  const { listener } = bot;
  if (listener !== null) {
    const fetch = () => new Response("", { status: 404 });
    const paths = [EVENTS_PATH, INSTALL_PATH, REDIRECT_PATH];
    const listeners = new Map(paths.map((path) => [path, listener]));
    server = await openWebServer({ fetch, listeners, host: "127.0.0.1", port: 0 });
    if (over === "http") slack.deliverTo(`${server.url}${EVENTS_PATH}`);
    slack.configure({ redirectUrl: `${server.url}${REDIRECT_PATH}` });
  }
  if (isStarted) await bot.start();
  return {
    slack,
    bot,
    desk,
    events,
    team,
    channel,
    ada,
    gus,
    installUrl: isForMany ? `${server?.url}${INSTALL_PATH}` : null,
    db,
    async close() {
      await bot.stop();
      await server?.close();
      await slack.close();
      await desk.close();
      await db.destroy();
    },
  };
}
