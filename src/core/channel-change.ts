import { z } from "zod";
import {
  type Channel,
  type ChannelKey,
  type ChannelState,
  DEFAULT_SCHEDULE,
  DEFAULT_TOP,
  type Due,
  type Subscription,
} from "./channel.ts";
import { type Asker, type Desk, type Reply, sentence } from "./command.ts";
import { addDays, type Day, dayForPeople, feedDay } from "./day.ts";
import type { Button } from "./message.ts";
import { say } from "./reply.ts";
import { dueForPeople, isPaused, nextDueOf, resolveZone, scheduleForPeople } from "./schedule.ts";

/** A change of a channel: what it shall be, null to leave it as it is, and what there is to tell of it. */
export type Change<Told> = { readonly to: ChannelState | null; readonly told: Told };

/** What a change came to. `undo` is null where nothing changed. */
export type Changed<Told> = {
  readonly now: ChannelState | null;
  readonly told: Told;
  readonly undo: Button | null;
};

/**
 * Changes a channel, works out its next digest, and keeps what it was for an Undo. `change` runs inside the store's
 * transaction and sees what there is then.
 * @param nameOfChange what was done, as Undo names it
 */
export async function changeChannel<Told>(
  desk: Desk,
  { where }: Pick<Asker, "where">,
  change: (now: ChannelState | null) => Change<Told>,
  nameOfChange: (told: Told) => string,
): Promise<Changed<Told>> {
  const planNext = await nextPlanner(desk, where);
  const changes: (Change<Told> & { readonly before: ChannelState | null })[] = [];
  const now = await desk.channels.change(where, (before) => {
    const { to, told } = change(before);
    changes.push({ to, told, before });
    return to === null ? null : planNext(to, before);
  });
  const made = changes.at(-1);
  if (made === undefined) throw new Error("The store changed a channel without asking what to.");
  const { told, before } = made;
  if (made.to === null || now === null) return { now, told, undo: null };
  const kept: KeptUndo = {
    kind: "undo",
    where: { platform: where.platform, workspace: where.workspace, channel: where.channel },
    version: now.channel.version,
    what: nameOfChange(told),
    before: before === null ? null : restorable(before),
  };
  const view = await desk.channels.keepView(JSON.stringify(kept), desk.clock().toISOString());
  return { now, told, undo: { label: "Undo", id: `v1:undo:${view}` } };
}

/** The button "Undo": restores what was before a change, unless the channel changed since. */
export async function undo(desk: Desk, asker: Asker, view: string): Promise<Reply> {
  const text = await desk.channels.view(view, desk.clock().toISOString());
  const kept = text === null ? null : parseUndo(text);
  if (kept === null || !sameChannel(kept.where, asker.where)) {
    return say("This can no longer be undone here.", "A change can be undone for thirty days.");
  }
  const planNext = await nextPlanner(desk, asker.where);
  const found: ("undone" | "undone before" | "changed since")[] = [];
  const now = await desk.channels.change(asker.where, (current) => {
    if (current === null) return null;
    const restored = restore(current, kept.before);
    if (current.channel.version === kept.version) {
      found.push("undone");
      return planNext(restored, current);
    }
    found.push(sameSettings(current, restored) ? "undone before" : "changed since");
    return null;
  });
  const outcome = found.at(-1) ?? "changed since";
  if (outcome === "undone before") return say("This is undone already.", ...nextLines(desk, now));
  if (outcome === "changed since") {
    return say(
      "Not undone: somebody changed this channel's settings since.",
      "This shows what stands now:",
      "/papers subscriptions",
    );
  }
  return {
    message: sentence("Undone.", `Taken back: ${kept.what}`, ...nextLines(desk, now)),
    to: "channel",
  };
}

/** A channel as its first change finds it: no subscription, and the asker's zone where it is known. */
export function newChannel(asker: Asker, at: Date): ChannelState {
  const { platform, workspace, channel } = asker.where;
  const zone = asker.zone === null ? null : resolveZone(asker.zone);
  return {
    channel: {
      platform,
      workspace,
      channel,
      schedule: { ...DEFAULT_SCHEDULE, zone: zone ?? DEFAULT_SCHEDULE.zone },
      top: DEFAULT_TOP,
      paused: null,
      publish: false,
      next: null,
      readFrom: feedDay(at),
      version: 0,
      setUpBy: asker.person,
      lastNumber: 0,
    },
    subscriptions: [],
  };
}

/** When the next digest comes, or why none does; nothing of a channel that is not set up. */
export function nextLines(desk: Pick<Desk, "clock">, state: ChannelState | null): readonly string[] {
  if (state === null) return [];
  const { channel, subscriptions } = state;
  const { schedule, top, next } = channel;
  if (subscriptions.length === 0) return ["Nothing is subscribed here: no digest will come."];
  const now = desk.clock();
  const days = scheduleForPeople(schedule).split(" at ")[0];
  const due = next === null ? null : `${dueForPeople(next, schedule.zone)} (top ${top}, ${days})`;
  if (isPaused(channel, now)) {
    const until = channel.paused?.until;
    return [
      until == null
        ? "Paused: no digest comes until /papers resume."
        : `Paused up to and with ${dayForPeople(until, feedDay(now))}. Next digest: ${due}.`,
      ...(channel.paused?.reason ? [channel.paused.reason] : []),
    ];
  }
  return due === null ? [] : [`Next digest: ${due}.`];
}

/** Where other channels can follow this one: the way to the setting. */
export function publishButtons({ rights, maySet }: Asker, state: ChannelState | null): readonly Button[] {
  if (!rights.canPublish || !maySet || state === null) return [];
  return state.channel.publish
    ? [{ label: "Stop passing on", id: "v1:publish:off" }]
    : [{ label: "Pass on to followers", id: "v1:publish:on" }];
}

/** Whether digests are passed on to the channels that follow this one. */
export async function setPublish(desk: Desk, asker: Asker, wanted: boolean): Promise<Reply> {
  if (wanted && !asker.rights.canPublish) {
    return say("No other channel can follow this one.", "On Discord, announcement channels can be followed.");
  }
  const title = wanted
    ? "Digests are passed on to the channels that follow this one."
    : "Digests are no longer passed on to other channels.";
  const { now, undo: undoButton } = await changeChannel(
    desk,
    asker,
    (current): Change<null> => ({
      to:
        current === null || current.channel.publish === wanted
          ? null
          : { ...current, channel: { ...current.channel, publish: wanted } },
      told: null,
    }),
    () => title,
  );
  if (now === null) return say("Nothing is subscribed here yet.", "To begin:", "/papers subscribe agents");
  if (undoButton === null) return say("It is so already.", title);
  return { to: "channel", message: { ...sentence(title, ...nextLines(desk, now)), buttons: [undoButton] } };
}

/** A subscription as lists name it: `3 agents -robotics`. */
export function nameOf({ number, topic }: Pick<Subscription, "number" | "topic">): string {
  return `${number} ${topic === "" ? "top list" : topic}`;
}

type PlanNext = (wanted: ChannelState, current: ChannelState | null) => ChannelState;

/** Gives a state its next digest: never one for a slot that the ledger has already. */
async function nextPlanner({ ledger, clock }: Desk, key: ChannelKey): Promise<PlanNext> {
  const now = clock();
  const taken = await slotsTaken(ledger, key, now);
  return (wanted, current) => {
    const next = nextOf(wanted, current);
    return { ...wanted, channel: { ...wanted.channel, next } };
  };

  function nextOf({ channel, subscriptions }: ChannelState, current: ChannelState | null): Due | null {
    if (subscriptions.length === 0) return null;
    const before = current?.channel;
    // One that is due and not yet entered stays.
    const sameTimes = before !== undefined && timesOf(before) === timesOf(channel);
    if (before?.next && sameTimes) return before.next;
    let due = nextDueOf(channel, now);
    while (due !== null && taken.has(due.slot)) due = nextDueOf(channel, new Date(due.at));
    return due;
  }
}

/** The digest slots from an instant's day on, and perhaps some before it. */
async function slotsTaken(ledger: Desk["ledger"], key: ChannelKey, now: Date): Promise<ReadonlySet<Day>> {
  // No zone is a whole day behind UTC.
  const from = addDays(now.toISOString().slice(0, 10), -1);
  let limit = FEW_SLOTS;
  let history = await ledger.history(key, limit);
  while (history.length === limit && (history.at(-1)?.slot ?? from) >= from) {
    limit *= 4;
    history = await ledger.history(key, limit);
  }
  return new Set(history.filter(({ kind }) => kind === "digest").map(({ slot }) => slot));
}

/** Nearly always enough: more stand ahead only where the clock was set back. */
const FEW_SLOTS = 12;

function timesOf({ schedule, paused }: Channel): string {
  return JSON.stringify([schedule.time, schedule.zone, schedule.weekdays, paused?.until, paused === null]);
}

const Restorable = z.object({
  schedule: z.object({ time: z.string(), zone: z.string(), weekdays: z.array(z.number()) }),
  top: z.number(),
  paused: z.object({ until: z.string().nullable(), reason: z.string().nullable() }).nullable(),
  /** Absent in what older versions kept. */
  publish: z.boolean().default(false),
  subscriptions: z.array(
    z.object({ number: z.number(), topic: z.string(), createdBy: z.string(), createdAt: z.string() }),
  ),
});
type Restorable = z.infer<typeof Restorable>;

const KeptUndo = z.object({
  kind: z.literal("undo"),
  where: z.object({
    platform: z.enum(["discord", "slack", "playground"]),
    workspace: z.string(),
    channel: z.string(),
  }),
  /** The channel's after the change. */
  version: z.number(),
  what: z.string(),
  /** Null: there was no channel before. */
  before: Restorable.nullable(),
});
type KeptUndo = z.infer<typeof KeptUndo>;

/** Null where it is the view of another button. */
function parseUndo(text: string): KeptUndo | null {
  try {
    return KeptUndo.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function restorable({ channel, subscriptions }: ChannelState): Restorable {
  const { schedule, top, paused, publish } = channel;
  return {
    schedule: { ...schedule, weekdays: [...schedule.weekdays] },
    top,
    paused,
    publish,
    subscriptions: subscriptions.map((each) => ({ ...each })),
  };
}

/** What was before, in a channel that goes on counting. */
function restore({ channel }: ChannelState, before: Restorable | null): ChannelState {
  if (before === null) return { channel, subscriptions: [] };
  const { schedule, top, paused, publish, subscriptions } = before;
  return { channel: { ...channel, schedule, top, paused, publish }, subscriptions };
}

function sameSettings(one: ChannelState, other: ChannelState): boolean {
  const settings = ({ channel, subscriptions }: ChannelState) =>
    JSON.stringify([
      timesOf(channel),
      channel.top,
      channel.publish,
      subscriptions.map(({ number, topic }) => [number, topic]),
    ]);
  return settings(one) === settings(other);
}

function sameChannel(one: ChannelKey, other: ChannelKey): boolean {
  return (
    one.platform === other.platform && one.workspace === other.workspace && one.channel === other.channel
  );
}
