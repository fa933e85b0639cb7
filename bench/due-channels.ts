import type { ChannelKey } from "../src/core/channel.ts";
import { type Day, feedDay } from "../src/core/day.ts";
import { createChannelStore } from "../src/storage/channels.ts";
import { openSqlite } from "../src/storage/database.ts";

const SUBJECTS = [
  "agents",
  "diffusion",
  "retrieval",
  "reasoning",
  "video",
  "robotics",
  "benchmark",
  "speech",
];
const FILTERS = ["", "has:code", "min:5", "-survey", "OR alignment", "-robot", "min:20", "has:project"];

/** One to three topics; hardly any two channels have the same ones. */
export function topicsOf(number: number): readonly string[] {
  const pick = <T>(items: readonly T[], by: number): T => items[by % items.length] as T;
  return Array.from({ length: 1 + (number % 3) }, (_, position) => {
    const subject = pick(SUBJECTS, number + 3 * position);
    const filter = pick(FILTERS, Math.floor(number / 8) + position);
    const other = pick(SUBJECTS, Math.floor(number / 64) + position);
    return number % 10 === 9 && position === 0
      ? ""
      : `${subject} OR ${other} ${filter}`.replace("OR OR", "OR");
  });
}

/**
 * Makes channels of Discord with subscriptions in the store at `path`, all due since the last minute, as if people
 * had subscribed.
 * @param readFrom the first list day that their digests show
 */
export async function presetDueChannels(
  path: string,
  places: readonly { readonly guildId: string; readonly channelId: string }[],
  readFrom: Day,
): Promise<void> {
  const db = await openSqlite(path);
  const channels = createChannelStore(db);
  const at = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 60_000).toISOString();
  for (const [number, { guildId, channelId }] of places.entries()) {
    const key: ChannelKey = { platform: "discord", workspace: guildId, channel: channelId };
    await channels.change(key, () => ({
      channel: {
        ...key,
        schedule: { time: at.slice(11, 16), zone: "UTC", weekdays: [1, 2, 3, 4, 5, 6, 7] },
        top: 5,
        paused: null,
        publish: false,
        next: { at, slot: at.slice(0, 10) },
        readFrom: readFrom < feedDay(new Date(at)) ? readFrom : feedDay(new Date(at)),
        version: 0,
        setUpBy: "1",
        lastNumber: 3,
      },
      subscriptions: topicsOf(number).map((topic, position) => ({
        number: position + 1,
        topic,
        createdBy: "1",
        createdAt: at,
      })),
    }));
  }
  await db.destroy();
}
