import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { z } from "zod";
import { register } from "../src/bots/discord/registration.ts";
import { createRest } from "../src/bots/discord/rest.ts";
import { commands } from "../src/core/commands.ts";

/** Local Discords in a process of their own, one a bot. */
export type LocalDiscord = {
  readonly places: readonly Place[];
  /** From now on people use each bot so many times a second. */
  use(perSecond: number): void;
  /** What happened since the last report. */
  report(): Promise<Report>;
  close(): void;
};
/** Starts them, with `/papers` registered at each. */
export async function startLocalDiscord(settings: Settings): Promise<LocalDiscord> {
  const child = fork(new URL("discord-process.ts", import.meta.url), [JSON.stringify(settings)]);
  const told = await hear(child);
  if (told.kind !== "places") throw new TypeError("The local Discord began with something else.");
  for (const { token, apiUrl, applicationId } of told.places) {
    await register({ rest: createRest({ token, apiUrl }), applicationId, commands });
  }
  const order = (message: Order) => child.send(message);
  return {
    places: told.places,
    use(perSecond) {
      order({ kind: "use", perSecond });
    },
    async report() {
      order({ kind: "report" });
      const answer = await hear(child);
      if (answer.kind !== "report") throw new TypeError("The local Discord answered with something else.");
      return answer.report;
    },
    close() {
      child.kill();
    },
  };
}

async function hear(child: ChildProcess) {
  const [message]: unknown[] = await once(child, "message");
  return said.parse(message);
}

/** What its process is started with, as JSON in its only argument. */
export const settings = z.object({
  bots: z.array(z.string()),
  guilds: z.number(),
  channelsEach: z.number(),
  /** How long each answer takes on its way back. */
  latencyMs: z.number(),
});
export type Settings = z.infer<typeof settings>;

/** One Discord, as its bot needs to know it. */
const place = z.object({
  bot: z.string(),
  apiUrl: z.string(),
  token: z.string(),
  applicationId: z.string(),
  channels: z.array(z.object({ guildId: z.string(), channelId: z.string() })),
});

export const order = z.discriminatedUnion("kind", [
  /** From now on people use each bot so many times a second. */
  z.object({ kind: z.literal("use"), perSecond: z.number() }),
  /** What happened since the last report. */
  z.object({ kind: z.literal("report") }),
]);
export type Order = z.infer<typeof order>;

const report = z.object({
  bots: z.array(
    z.object({
      bot: z.string(),
      /** Milliseconds from the frame to the callback, by what was used. */
      waits: z.record(z.string(), z.array(z.number())),
      failures: z.array(z.string()),
      /** Messages sent to channels; epoch milliseconds of each request that counts towards the global limit. */
      sends: z.number(),
      arrivals: z.array(z.number()),
      sendTimes: z.array(z.number()),
      refused: z.number(),
    }),
  ),
  /** Of this process's event loop. */
  delayMs: z.object({ p50: z.number(), p99: z.number(), most: z.number() }),
});
export type Report = z.infer<typeof report>;

export const said = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("places"), places: z.array(place) }),
  z.object({ kind: z.literal("report"), report }),
]);
export type Said = z.infer<typeof said>;
export type Place = z.infer<typeof place>;
