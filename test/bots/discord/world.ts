import { setTimeout as pass } from "node:timers/promises";
import { REST } from "discord.js";
import { createDiscordBot, type DiscordBot } from "../../../src/bots/discord/bot.ts";
import { register } from "../../../src/bots/discord/registration.ts";
import type { BotEvent } from "../../../src/core/bot.ts";
import type { Desk } from "../../../src/core/command.ts";
import { commands } from "../../../src/core/commands.ts";
import { createFloodGuard } from "../../../src/core/flood.ts";
import { createSender, type Sender, type SenderEvent } from "../../../src/core/sender.ts";
import { createDesk, type TestDesk } from "../../contracts/desk.ts";
import { type DiscordOptions, type DiscordPeer, startDiscord } from "../../peers/discord.ts";

/** A server on a local Discord with Paperboy on it, `/papers` registered, an admin and a member. */
export type World = {
  readonly discord: DiscordPeer;
  readonly bot: DiscordBot;
  readonly desk: TestDesk;
  /** Over the desk's stores and the desk's clock; every list is settled. */
  readonly sender: Sender;
  readonly events: BotEvent[];
  readonly sent: SenderEvent[];
  readonly guildId: string;
  /** A text channel. */
  readonly channelId: string;
  /** May manage channels. */
  readonly ada: string;
  readonly sam: string;
  /** Each command, completion and press waits from now on until the function is called that this gives. */
  hold(): () => void;
  /** Each command and completion breaks from now on, with this; null for no more. */
  breakDesk(error: Error | null): void;
  /** Moves the bot's clock, and Discord's with it: waits of a second and more end so. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
};

export type WorldOptions = DiscordOptions & {
  /** Whether the bot has connected; true unless told. */
  readonly isStarted?: boolean;
  /** Another world's desk, whose papers it shares. */
  readonly library?: Pick<TestDesk, "store" | "index">;
  /** Calls of one person in a minute. */
  readonly perPerson?: number;
  /** Long enough for a busy machine unless told, so that answers come without an acknowledgement before them. */
  readonly acknowledgeAfterMs?: number;
  /** Of a request that posts. */
  readonly timeoutMs?: number;
};

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const {
    isStarted = true,
    library,
    perPerson = 1000,
    acknowledgeAfterMs = 2500,
    timeoutMs = 15_000,
    ...peerOptions
  } = options;
  const discord = await startDiscord(peerOptions);
  const guild = discord.addGuild({ name: "Efficient Inference Lab" });
  const channelId = discord.addChannel(guild.id, { name: "papers" });
  const ada = discord.addMember(guild.id, { name: "Ada", permissions: ["MANAGE_CHANNELS"] });
  const sam = discord.addMember(guild.id, { name: "Sam" });
  const rest = new REST({ api: discord.apiUrl, handlerSweepInterval: 0, hashSweepInterval: 0 }).setToken(
    discord.token(),
  );
  await register({ rest, applicationId: discord.applicationId, commands });
  const desk = await createDesk(library === undefined ? {} : { library });
  const events: BotEvent[] = [];
  const sent: SenderEvent[] = [];
  const time = createTime();
  let held: Promise<void> | null = null;
  let broken: Error | null = null;
  const gate = async () => {
    await held;
    if (broken !== null) throw broken;
  };
  const gated: Desk = {
    ...desk,
    channels: slowly(desk.channels, gate),
    store: slowly(desk.store, gate),
    index: slowly(desk.index, gate),
    frequent: async () => {
      await gate();
      return desk.frequent();
    },
    async post(to, message) {
      const nonce = `sample${events.length}`;
      await bot.post({ to, person: null, kind: "sample", attempt: 1, message, nonce });
    },
  };
  const bot = createDiscordBot({
    token: discord.token(),
    apiUrl: discord.apiUrl,
    desk: () => gated,
    channels: desk.channels,
    flood: createFloodGuard({ perPerson, perWorkspace: 5000, windowMs: 60_000, clock: () => new Date(0) }),
    clock: time.clock,
    wait: time.wait,
    report: (event) => events.push(event),
    acknowledgeAfterMs,
    timeoutMs,
  });
  const sender = createSender({
    store: desk.store,
    index: desk.index,
    channels: desk.channels,
    ledger: desk.ledger,
    bots: new Map([["discord", bot]]),
    clock: desk.clock,
    random: () => 0,
    wait: (ms, signal) => pass(ms, undefined, { signal, ref: false }).catch(() => {}),
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
    owner: "one",
    report: (event) => sent.push(event),
    freshness: () => ({ state: "settled", detail: "" }),
  });
  if (isStarted) await bot.start();
  return {
    discord,
    bot,
    desk,
    sender,
    events,
    sent,
    guildId: guild.id,
    channelId,
    ada,
    sam,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = null;
        resolve();
      };
    },
    breakDesk(error) {
      broken = error;
    },
    async pass(ms) {
      discord.advance(ms);
      time.advance(ms);
      // What waited for it has begun when this resolves.
      await new Promise((resolve) => setImmediate(resolve));
    },
    async close() {
      await bot.stop();
      await discord.close();
      await desk.close();
    },
  };
}

/** A clock that runs and can be moved, and waits that end with it; those under a second are real. */
function createTime() {
  let offset = 0;
  const clock = () => new Date(Date.now() + offset);
  const waits = new Set<{ readonly at: number; readonly done: () => void }>();
  return {
    clock,
    wait(ms: number): Promise<void> {
      if (ms < 1000) return pass(ms, undefined, { ref: false });
      return new Promise((done) => {
        waits.add({ at: clock().getTime() + ms, done });
      });
    },
    advance(ms: number): void {
      offset += ms;
      for (const wait of [...waits]) {
        if (wait.at > clock().getTime()) continue;
        waits.delete(wait);
        wait.done();
      }
    },
  };
}

/** The same port, each call of which goes through the gate first. */
function slowly<Port extends object>(port: Port, gate: () => Promise<void>): Port {
  return new Proxy(port, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return async (...args: readonly unknown[]) => {
        await gate();
        return Reflect.apply(method, target, args);
      };
    },
  });
}
