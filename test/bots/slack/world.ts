import { setTimeout as pass } from "node:timers/promises";
import { createSlackBot, type SlackBot, type SlackBotOptions } from "../../../src/bots/slack/bot.ts";
import { SCOPES } from "../../../src/bots/slack/manifest.ts";
import { openWebServer, type WebServer } from "../../../src/bots/web-server.ts";
import type { BotEvent } from "../../../src/core/bot.ts";
import { createFloodGuard } from "../../../src/core/flood.ts";
import { createInstallations } from "../../../src/storage/installations.ts";
import { openSqlite } from "../../../src/storage/database.ts";
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
  close(): Promise<void>;
};

export type WorldOptions = SlackOptions & {
  /** Over a socket unless told. */
  readonly over?: "socket" | "http";
  readonly isStarted?: boolean;
  readonly uncertain?: SlackBotOptions["uncertain"];
  /** Time goes by where the bot waits, and nowhere else; the local Slack's pace is then not held. */
  readonly isTimeless?: boolean;
  readonly scopes?: readonly string[];
  /** Another world's desk, whose papers it shares. */
  readonly library?: Pick<TestDesk, "store" | "index">;
};

export async function createWorld({
  over = "socket",
  isStarted = true,
  uncertain = "resend-once",
  scopes = SCOPES.map(({ name }) => name),
  library,
  isTimeless = false,
  ...options
}: WorldOptions = {}): Promise<World> {
  const unlimited = { channelPerSecond: 1000, channelBurst: 1000, workspacePerMinute: 100_000 };
  const slack = await startSlack(isTimeless ? { limits: unlimited, ...options } : options);
  const team = slack.addTeam({ name: "Efficient Inference Lab" }).id;
  const ada = slack.addUser(team, { name: "ada", tz: "Europe/Paris" }).id;
  const gus = slack.addUser(team, { name: "gus", isRestricted: true }).id;
  const channel = slack.addChannel(team, { name: "papers", members: [ada, gus] }).id;
  const installation = slack.install({ team }, { scopes });
  await slack.invite(channel);
  const desk = await createDesk(library === undefined ? {} : { library });
  const db = await openSqlite(":memory:");
  const events: BotEvent[] = [];
  let passed = 0;
  const bot = createSlackBot({
    settings: {
      botToken: installation.token,
      appToken: over === "socket" ? slack.appToken : null,
      signingSecret: slack.signingSecret,
      clientId: null,
      clientSecret: null,
      stateSecret: null,
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
    installations: createInstallations(db, { keys: [] }),
    flood: createFloodGuard({
      perPerson: 1000,
      perWorkspace: 5000,
      windowMs: 60_000,
      clock: () => new Date(),
    }),
    clock: () => new Date(),
    now: isTimeless ? () => passed : () => performance.now(),
    wait: isTimeless
      ? async (ms) => {
          passed += ms;
        }
      : (ms) => pass(ms, undefined, { ref: false }),
    report: (event) => events.push(event),
  });
  let server: WebServer | null = null;
  const { listener } = bot;
  if (listener !== null) {
    const fetch = () => new Response("", { status: 404 });
    const listeners = new Map([["/slack/events", listener]]);
    server = await openWebServer({ fetch, listeners, host: "127.0.0.1", port: 0 });
    slack.deliverTo(`${server.url}/slack/events`);
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
    async close() {
      await bot.stop();
      await server?.close();
      await slack.close();
      await desk.close();
      await db.destroy();
    },
  };
}
