import { setPriority } from "node:os";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { setTimeout as pass } from "node:timers/promises";
import type { APIMessage } from "discord.js";
import { z } from "zod";
import type { Answer, OptionValues } from "../test/peers/discord-people.ts";
import { type DiscordPeer, startDiscord } from "../test/peers/discord.ts";
import { order, type Place, type Report, type Said, settings, type Settings } from "./local-discord.ts";

// Local Discords, one a bot, in a process of their own, with people who use their bots: the side of
// bench/local-discord.ts that is started by it and told what to do.

type Person = { readonly id: string; readonly channelId: string };
type World = {
  readonly bot: string;
  readonly discord: DiscordPeer;
  readonly people: readonly Person[];
  readonly place: Place;
  /** Answers whose buttons somebody can press. */
  readonly shown: { readonly who: string; readonly message: APIMessage }[];
  waits: Record<string, number[]>;
  failures: string[];
  seen: number;
};

await main(settings.parse(JSON.parse(process.argv[2] ?? "{}")));

async function main({ bots, ...size }: Settings): Promise<void> {
  // What measures should not wait for a processor; where that is not allowed, its own delay says how long it does.
  try {
    setPriority(-10);
  } catch {}
  const worlds = await Promise.all(bots.map((bot) => createWorld(bot, size)));
  const monitor = monitorEventLoopDelay({ resolution: 2 });
  monitor.enable();
  process.on("message", (message) => {
    const told = order.parse(message);
    if (told.kind === "use") for (const world of worlds) void use(world, told.perSecond);
    else {
      const percentile = (share: number) => monitor.percentile(share) / 1e6;
      const delayMs = { p50: percentile(50), p99: percentile(99), most: monitor.max / 1e6 };
      monitor.reset();
      tell({ kind: "report", report: { bots: worlds.map(reportOf), delayMs } });
    }
  });
  tell({ kind: "places", places: worlds.map((world) => world.place) });
}

function tell(message: Said): void {
  process.send?.(message);
}

async function createWorld(bot: string, size: Omit<Settings, "bots">): Promise<World> {
  const discord = await startDiscord({ latencyMs: size.latencyMs });
  const people: Person[] = [];
  const channels: Place["channels"] = [];
  for (let number = 0; number < size.guilds; number++) {
    const { id: guildId } = discord.addGuild({ name: `Lab ${number}` });
    const ids = Array.from({ length: size.channelsEach }, (_, at) =>
      discord.addChannel(guildId, { name: `papers-${at}` }),
    );
    channels.push(...ids.map((channelId) => ({ guildId, channelId })));
    people.push(
      ...ids.slice(0, 4).map((channelId) => ({
        id: discord.addMember(guildId, { permissions: ["MANAGE_CHANNELS"] }),
        channelId,
      })),
    );
  }
  const { apiUrl, applicationId } = discord;
  const known = { bot, apiUrl, applicationId, token: discord.token(), channels };
  return { bot, discord, people, place: known, shown: [], waits: {}, failures: [], seen: 0 };
}

function reportOf(world: World): Report["bots"][number] {
  const { bot, discord, waits, failures } = world;
  const fresh = discord.requests.slice(world.seen);
  world.seen = discord.requests.length;
  [world.waits, world.failures] = [{}, []];
  const counted = fresh.filter(({ path }) => !/^\/(interactions|webhooks)\//.test(path));
  const sent = counted.filter(
    ({ method, path, status }) =>
      method === "POST" && /^\/channels\/\d+\/messages$/.test(path) && status === 200,
  );
  return {
    bot,
    waits,
    failures,
    sends: discord.traffic().sends,
    arrivals: counted.map(({ at }) => at),
    sendTimes: sent.map(({ at }) => at),
    refused: fresh.filter(({ status }) => status === 429).length,
  };
}

/** People take turns, each with the next thing to do, at a steady rate whatever the answers take. */
async function use(world: World, perSecond: number): Promise<void> {
  const gapMs = 1000 / perSecond;
  const start = performance.now();
  for (let turn = 0; ; turn++) {
    await pass(Math.max(0, start + turn * gapMs - performance.now()));
    const person = world.people[turn % world.people.length];
    const deed = DEEDS[turn % DEEDS.length];
    if (person === undefined || deed === undefined) return;
    void act(world, person, deed, turn);
  }
}

type Deed =
  | { readonly kind: "command"; readonly path: string; readonly options?: OptionValues }
  | {
      readonly kind: "completion";
      readonly path: string;
      readonly option: string;
      readonly typed: readonly string[];
    }
  | { readonly kind: "button" | "menu" };

/** What people do, in turns: mostly reading, some completion, buttons and menus, a change now and then. */
const DEEDS: readonly Deed[] = [
  { kind: "command", path: "papers search", options: { query: "agents that plan long-horizon tasks" } },
  { kind: "completion", path: "papers show", option: "paper", typed: ["a", "agents", "video gen"] },
  { kind: "button" },
  { kind: "command", path: "papers today" },
  { kind: "completion", path: "papers subscribe", option: "topic", typed: ["r", "rob", "speech"] },
  { kind: "menu" },
  { kind: "command", path: "papers search", options: { query: "retrieval has:code min:5" } },
  { kind: "completion", path: "papers schedule", option: "zone", typed: ["par", "new", "tok"] },
  { kind: "button" },
  { kind: "command", path: "papers status" },
  { kind: "command", path: "papers subscriptions" },
  { kind: "menu" },
  { kind: "command", path: "papers preview" },
  { kind: "completion", path: "papers unsubscribe", option: "subscription", typed: ["", "a"] },
  { kind: "command", path: "papers schedule", options: { top: 7 } },
  { kind: "command", path: "papers saved" },
];

async function act(world: World, { id, channelId }: Person, deed: Deed, turn: number): Promise<void> {
  const { discord, shown } = world;
  const began = performance.now();
  let answer: Answer | null = null;
  try {
    if (deed.kind === "command") answer = await discord.slash(id, channelId, deed.path, deed.options ?? {});
    else if (deed.kind === "completion") {
      const typed = deed.typed[turn % deed.typed.length] ?? "";
      await discord.autocomplete(id, channelId, deed.path, { [deed.option]: typed }, deed.option);
    } else {
      const found = pressable(shown, deed.kind);
      if (found === null) return;
      const { who, message, customId, value } = found;
      answer =
        value === null
          ? await discord.press(who, message, customId)
          : await discord.choose(who, message, customId, [value]);
    }
    world.waits[deed.kind] ??= [];
    world.waits[deed.kind]?.push(performance.now() - began);
    if (deed.kind !== "command" || answer === null) return;
    const { message } = await answer.settled();
    if (message !== null) shown.unshift({ who: id, message });
    shown.splice(40);
  } catch (error) {
    world.failures.push(`${deed.kind}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The oldest kept message with such a component; a person then presses each only once. */
function pressable(
  shown: World["shown"],
  kind: "button" | "menu",
): { who: string; message: APIMessage; customId: string; value: string | null } | null {
  for (let at = shown.length - 1; at >= 0; at--) {
    const entry = shown[at];
    if (entry === undefined) continue;
    for (const component of componentsIn(entry.message)) {
      const { type, custom_id: customId, label = "", options = [] } = component;
      if (customId === undefined) continue;
      const value = options[turnOf(entry.message.id, options.length)]?.value ?? null;
      const isIt =
        kind === "button" ? type === 2 && label.startsWith("Next page") : type === 3 && value !== null;
      if (!isIt) continue;
      shown.splice(at, 1);
      return { ...entry, customId, value: kind === "button" ? null : value };
    }
  }
  return null;
}

function turnOf(id: string, size: number): number {
  return size === 0 ? 0 : Number(BigInt(id) % BigInt(size));
}

const component = z.object({
  type: z.number(),
  custom_id: z.string().optional(),
  label: z.string().optional(),
  options: z.array(z.object({ value: z.string() })).optional(),
  components: z.array(z.unknown()).optional(),
});
type Component = z.infer<typeof component>;

function componentsIn({ components = [] }: { readonly components?: readonly unknown[] }): Component[] {
  return components.flatMap((each) => {
    const parsed = component.safeParse(each);
    if (!parsed.success) return [];
    const { components: inner, ...rest } = parsed.data;
    return [rest, ...componentsIn(inner === undefined ? {} : { components: inner })];
  });
}
