import { type Bot, PostError } from "./bot.ts";
import type { Channel, ChannelKey, Due, Platform } from "./channel.ts";
import { sentence } from "./command.ts";
import { addDays, feedDay } from "./day.ts";
import type { Claimed, Delivery, Ending, FinalOutcome, Frozen, Ledger, Plan, Postponed } from "./delivery.ts";
import { MOST_DAYS } from "./digest.ts";
import {
  createDigestPlanner,
  type DigestPlannerOptions,
  LATE_MS,
  SKIP_MS,
  TOO_LATE,
} from "./digest-planner.ts";
import { introLines, type Message } from "./message.ts";
import { duesBetween, nextDueOf } from "./schedule.ts";

export type SenderOptions = Omit<DigestPlannerOptions, "ledger"> & {
  readonly ledger: Ledger;
  /** Started bots, by their platform. */
  readonly bots: ReadonlyMap<Platform, Bot>;
  /** 0 to 1, for the spread of retries. */
  readonly random: () => number;
  /** Resolves after so many milliseconds, or at once when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Unlike that of any other process. */
  readonly owner: string;
  /** Called as things happen, for logs and metrics; must not throw. */
  readonly report: (event: SenderEvent) => void;
};

export type SenderEvent =
  | { readonly kind: "planned"; readonly channels: number; readonly slots: number }
  | {
      readonly kind: "settled";
      readonly delivery: Delivery;
      readonly outcome: FinalOutcome;
      readonly detail: string;
    }
  | {
      readonly kind: "postponed";
      readonly delivery: Delivery;
      readonly detail: string;
      readonly nextAttemptAt: string;
    }
  /** Something that nobody expected, while doing `what`; it is tried again. */
  | { readonly kind: "unexpected"; readonly what: string; readonly error: unknown };

/** Turns due instants into messages, each once. */
export type Sender = {
  /** Enters the slots of all channels that are due. Call it every minute. */
  tick(): Promise<void>;
  /** Sends what is owed now, until nothing is left that may be tried. */
  deliver(): Promise<void>;
  /** Delivers whenever something is owed. Resolves once the signal aborted and what was under way has ended. */
  run(signal: AbortSignal): Promise<void>;
  /** Has `run` look at once: something was entered. */
  wake(): void;
};

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** From its due instant on; then it is given up. */
const GIVE_UP_MS = 18 * HOUR_MS;
/** A post that takes longer than its time is uncertain; none begins that could outlast its lease. */
const LEASE_MS = MINUTE_MS;
const POST_MS = 40 * SECOND_MS;

/** Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): anything up to the doubled time. */
const RETRY_BASE_MS = 2 * SECOND_MS;
const RETRY_MOST_MS = 15 * MINUTE_MS;
const NO_BOT_MS = 5 * MINUTE_MS;

/** So long posts wait to be written down with others, since each commit waits for the disk. */
const SETTLE_MS = 100;

const CLAIMED_AT_ONCE = 25;
/** Posts under way, for each bot. */
const IN_FLIGHT = 32;
const PLANNED_AT_ONCE = 40;
/** Missed slots of a channel that get a row: a year of daily ones, and a little more. */
const MOST_SLOTS = 400;
/** Sleep between looks: what another process entered wakes nobody here. */
const SLEEP_MS = { least: 200, most: MINUTE_MS, busy: SECOND_MS, broken: 5 * SECOND_MS };

export function createSender(options: SenderOptions): Sender {
  const { ledger, bots, clock, breathe, owner, report } = options;
  const planner = createDigestPlanner(options);
  let endings: Ending[] = [];
  let postponed: Postponed[] = [];
  let flushing: Promise<void> | null = null;
  let gathering: Promise<void> | null = null;
  let underWay: Promise<void> | null = null;
  let sleep = new AbortController();
  let stopping = false;

  async function tick(): Promise<void> {
    const seen = new Set<string>();
    for (;;) {
      const now = clock();
      const due = await ledger.dueChannels(now.toISOString(), PLANNED_AT_ONCE, [...bots.keys()]);
      const fresh = due.filter((channel) => !seen.has(nameOf(channel)));
      const plans: Plan[] = [];
      for (const [position, channel] of fresh.entries()) {
        seen.add(nameOf(channel));
        try {
          plans.push(planSlots(channel, now));
        } catch (error) {
          report({ kind: "unexpected", what: `planning ${nameOf(channel)}`, error });
        }
        if (position % 10 === 9) await breathe();
      }
      if (plans.length === 0) break;
      await ledger.plan(plans);
      await breathe();
      const slots = plans.reduce((sum, plan) => sum + plan.slots.length, 0);
      report({ kind: "planned", channels: plans.length, slots });
      if (due.length < PLANNED_AT_ONCE) break;
    }
    wake();
  }

  function deliver(): Promise<void> {
    underWay ??= deliverAll().finally(() => {
      underWay = null;
    });
    return underWay;
  }

  async function deliverAll(): Promise<void> {
    const posting = new Set<Promise<void>>();
    const gathered = new AbortController();
    const most = IN_FLIGHT * Math.max(1, bots.size);
    try {
      while (!stopping) {
        if (posting.size > most - CLAIMED_AT_ONCE) {
          await Promise.race(posting);
          continue;
        }
        const now = clock();
        const claimed = await ledger.claim({
          owner,
          now: now.toISOString(),
          leaseUntil: new Date(now.getTime() + LEASE_MS).toISOString(),
          limit: CLAIMED_AT_ONCE,
          platforms: [...bots.keys()],
        });
        if (claimed.length === 0) {
          if (posting.size === 0) {
            if (endings.length + postponed.length === 0) break;
            // It may owe more: a notice of what was refused.
            await flush();
            continue;
          }
          // A slow post must not hold up what becomes due meanwhile.
          await inTime(Promise.race(posting), SLEEP_MS.busy, () => {});
          continue;
        }
        for (const ready of await prepareAll(claimed)) {
          const post: Promise<void> = postOne(ready, now.getTime() + LEASE_MS - POST_MS)
            // What is posted again because it was not written down must not be doubled for a commit's sake.
            .then(() => (ready.bot.afterUncertain === "repeat" ? void gather(gathered.signal) : flush()))
            .finally(() => posting.delete(post));
          posting.add(post);
        }
      }
    } finally {
      await Promise.all(posting);
      gathered.abort();
      await flush();
    }
  }

  /** Plans, freezes, and gives those that are to be posted. Never throws for one delivery's sake. */
  async function prepareAll(claimed: readonly Claimed[]): Promise<readonly Ready[]> {
    const ready: Ready[] = [];
    const contents: Frozen[] = [];
    for (const delivery of claimed) {
      const bot = bots.get(delivery.platform);
      if (bot === undefined) {
        retryLater(delivery, `No bot for ${delivery.platform} is running.`, NO_BOT_MS, "failed");
        continue;
      }
      if (delivery.content !== null) {
        const tooOld = clock().getTime() > Date.parse(delivery.dueAt) + GIVE_UP_MS;
        if (delivery.lapsed && mayRepeatOnce(delivery, bot) && !tooOld) {
          const detail = "The process that sent it ended before the answer came.";
          postpone(delivery, "pending", clock().getTime(), detail, { uncertain: true });
          continue;
        }
        if (delivery.lapsed && (tooOld || bot.afterUncertain !== "repeat")) {
          settle(delivery, "uncertain", "The process that sent it ended before the answer came.", {
            read: true,
          });
        } else if (tooOld) {
          settle(delivery, delivery.uncertain ? "uncertain" : "skipped-late", tooOldToPost(delivery));
        } else {
          const uncertain = delivery.uncertain || delivery.lapsed;
          const { content, attempts } = delivery;
          ready.push({ delivery: { ...delivery, uncertain }, bot, content, attempt: attempts });
        }
        continue;
      }
      try {
        const planned = await planner.plan(delivery);
        if (planned.kind === "content") {
          const { content, paperIds, shown } = planned;
          contents.push({ id: delivery.id, content, paperIds, shown });
          // Whatever claims went before, they froze nothing, so they posted nothing.
          ready.push({ delivery, bot, content, attempt: 1 });
        } else if (planned.kind === "waiting") {
          postpone(delivery, "waiting", planned.nextAttemptAt, planned.detail);
        } else {
          const { outcome, detail, read, notice } = planned;
          settle(delivery, outcome, detail, { read, notice });
        }
      } catch (error) {
        report({ kind: "unexpected", what: `planning a ${delivery.kind} for ${nameOf(delivery)}`, error });
        retryLater(delivery, "It could not be put together.", null, "failed");
      }
      await breathe();
    }
    const held = contents.length === 0 ? new Set<string>() : await ledger.freeze(owner, contents);
    await flush();
    const lost = new Set(contents.map(({ id }) => id).filter((id) => !held.has(id)));
    return ready.filter(({ delivery }) => !lost.has(delivery.id));
  }

  /** Never throws. */
  async function postOne({ delivery, bot, content, attempt }: Ready, startBy: number): Promise<void> {
    const { id, kind, person, dueAt } = delivery;
    if (clock().getTime() > startBy) {
      postpone(delivery, "pending", clock().getTime(), "It was held up.");
      return;
    }
    try {
      const { uncertain: inDoubt } = delivery;
      const asked = {
        to: keyOf(delivery),
        person,
        kind,
        attempt,
        message: content,
        nonce: id,
        dueAt,
        inDoubt,
      };
      const { ref, mayStandTwice = false } = await inTime(bot.post(asked), POST_MS, () => {
        throw new PostError("uncertain", `No answer came within ${POST_MS / SECOND_MS} seconds.`);
      });
      if (mayStandTwice || (inDoubt && bot.afterUncertain === "repeat-once")) {
        const detail =
          "The answer to a first attempt was lost, so it was sent once more and may stand twice.";
        settle(delivery, "uncertain", detail, { ref, read: true });
        return;
      }
      const late = kind === "digest" && clock().getTime() - Date.parse(dueAt) > LATE_MS;
      settle(delivery, late ? "sent-late" : "sent", introLines(content, content.items.length).join(" "), {
        ref,
        read: true,
      });
    } catch (error) {
      failed(delivery, bot, error);
    }
  }

  /** What `run` gives, or `otherwise` where it takes longer. */
  async function inTime<T>(run: Promise<T>, ms: number, otherwise: () => T): Promise<T> {
    const timer = new AbortController();
    try {
      return await Promise.race([run, options.wait(ms, timer.signal).then(otherwise)]);
    } finally {
      timer.abort();
    }
  }

  function failed(delivery: Delivery, bot: Bot, error: unknown): void {
    if (!(error instanceof PostError)) {
      report({ kind: "unexpected", what: `posting to ${nameOf(delivery)}`, error });
    }
    const kind = error instanceof PostError ? error.kind : "uncertain";
    const message = error instanceof PostError ? error.message : "Something unexpected went wrong.";
    const retryAfterMs = error instanceof PostError ? error.retryAfterMs : null;
    const isLast = error instanceof PostError && error.isLast;
    if (kind === "rejected") refused(delivery, message);
    else if (kind === "retry") retryLater(delivery, message, retryAfterMs, "failed");
    else if (isLast) settle(delivery, "uncertain", message, { read: true });
    else if (bot.afterUncertain === "repeat" || mayRepeatOnce(delivery, bot)) {
      retryLater(delivery, message, null, "uncertain");
    } else settle(delivery, "uncertain", message, { read: true });
  }

  /** Nothing comes of a notice's refusal: what tells that a channel refuses could not be told of that. */
  function refused(delivery: Delivery, reason: string): void {
    const isNotice = delivery.kind === "notice";
    const consequences = isNotice ? {} : { pause: reason, notice: refusalNotice(delivery, reason) };
    settle(delivery, "rejected", reason, consequences);
  }

  /** Tries again, or ends it as `otherwise` where the digest would be too old by then. */
  function retryLater(
    delivery: Delivery,
    detail: string,
    atLeastMs: number | null,
    otherwise: "failed" | "uncertain",
  ): void {
    const most = Math.min(RETRY_MOST_MS, RETRY_BASE_MS * 2 ** delivery.failures);
    // A wait that the platform named is no failure.
    const next = clock().getTime() + (atLeastMs ?? options.random() * most);
    if (next > Date.parse(delivery.dueAt) + GIVE_UP_MS) {
      // An attempt before may have posted it, whatever became of this one.
      const outcome = delivery.uncertain ? "uncertain" : otherwise;
      settle(delivery, outcome, `${detail} It was given up after ${GIVE_UP_MS / HOUR_MS} hours.`);
    } else {
      postpone(delivery, "pending", next, detail, {
        failed: atLeastMs === null,
        uncertain: otherwise === "uncertain",
      });
    }
  }

  /** @param rest.read whether the digest was about its days, so that the next one begins with the last of them */
  function settle(
    delivery: Delivery,
    outcome: FinalOutcome,
    detail: string,
    rest: {
      readonly ref?: string;
      readonly read?: boolean;
      readonly pause?: string;
      readonly notice?: Message | null;
    } = {},
  ): void {
    const read = rest.read === true && delivery.kind === "digest";
    endings.push({
      id: delivery.id,
      outcome,
      detail,
      at: clock().toISOString(),
      ref: rest.ref ?? null,
      readFrom: read ? feedDay(new Date(delivery.dueAt)) : null,
      pause: rest.pause ?? null,
      notice: rest.notice ?? null,
    });
    report({ kind: "settled", delivery, outcome, detail });
  }

  function postpone(
    delivery: Delivery,
    outcome: Postponed["outcome"],
    at: number,
    detail: string,
    { failed = false, uncertain = false }: { readonly failed?: boolean; readonly uncertain?: boolean } = {},
  ): void {
    const nextAttemptAt = new Date(at).toISOString();
    const inDoubt = uncertain || delivery.uncertain;
    postponed.push({ id: delivery.id, outcome, nextAttemptAt, detail, failed, uncertain: inDoubt });
    report({ kind: "postponed", delivery, detail, nextAttemptAt });
  }

  /** Writes down what ended since the last time; one commit for all that end while another is under way. */
  function flush(): Promise<void> {
    flushing ??= writeDown().finally(() => {
      flushing = null;
    });
    return flushing;
  }

  /** Has what ends within a moment written down together. */
  function gather(signal: AbortSignal): Promise<void> {
    gathering ??= options
      .wait(SETTLE_MS, signal)
      .then(flush)
      .finally(() => {
        gathering = null;
      });
    return gathering;
  }

  async function writeDown(): Promise<void> {
    while (endings.length + postponed.length > 0) {
      await breathe();
      const [ended, later] = [endings, postponed];
      [endings, postponed] = [[], []];
      try {
        if (ended.length > 0) await ledger.settle(owner, ended);
        if (later.length > 0) await ledger.postpone(owner, later);
      } catch (error) {
        // Their leases run out, and they are taken up again.
        report({ kind: "unexpected", what: `writing down ${ended.length + later.length} deliveries`, error });
      }
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    const stop = () => {
      stopping = true;
      wake();
    };
    stopping = signal.aborted;
    signal.addEventListener("abort", stop);
    while (!stopping) {
      let ms = SLEEP_MS.most;
      // Made before the work, so that a call to wake it meanwhile is not lost.
      const sleeping = new AbortController();
      sleep = sleeping;
      try {
        await deliver();
        const next = await ledger.nextAttemptAt([...bots.keys()]);
        if (next !== null) ms = Math.min(ms, Date.parse(next) - clock().getTime());
      } catch (error) {
        report({ kind: "unexpected", what: "delivering", error });
        ms = SLEEP_MS.broken;
      }
      if (!stopping) await options.wait(Math.max(SLEEP_MS.least, ms), sleeping.signal);
    }
    signal.removeEventListener("abort", stop);
  }

  function wake(): void {
    sleep.abort();
  }

  return { tick, deliver, run, wake };
}

type Ready = {
  readonly delivery: Delivery;
  readonly bot: Bot;
  readonly content: Message;
  readonly attempt: number;
};

/** A first uncertain attempt is followed by one more. */
function mayRepeatOnce({ uncertain }: Delivery, { afterUncertain }: Bot): boolean {
  return afterUncertain === "repeat-once" && !uncertain;
}

function tooOldToPost({ kind }: Delivery): string {
  const late = `It was more than ${GIVE_UP_MS / HOUR_MS} hours late`;
  return kind === "digest" ? `${late}; its papers come with the next digest.` : `${late}.`;
}

/** To who set a channel up: that it gets nothing any more, why, and what to do. */
function refusalNotice({ kind }: Delivery, reason: string): Message {
  return sentence(
    "Digests are paused in a channel that you set up.",
    `A ${kind} could not be posted there: ${reason}`,
    "Once that is done, digests go on with this, typed in the channel:",
    "/papers resume",
  );
}

function planSlots(channel: Channel, now: Date): Plan {
  const { next, schedule, paused } = channel;
  if (next === null) throw new TypeError(`${nameOf(channel)} has no due instant.`);
  const missed = duesBetween(schedule, new Date(next.at), now, MOST_SLOTS);
  const owed = [next, ...missed].filter(({ slot }) => paused?.until == null || slot > paused.until);
  const newest = owed.at(-1);
  const tooLate = newest !== undefined && now.getTime() - Date.parse(newest.at) > SKIP_MS;
  const following = nextDueOf(channel, now);
  const coming = tooLate ? following : newest;
  const reach = coming == null ? null : addDays(feedDay(new Date(coming.at)), 1 - MOST_DAYS);
  const comes = ({ at }: Due) => reach !== null && feedDay(new Date(at)) >= reach;
  return {
    channel: keyOf(channel),
    expected: next.at,
    slots: owed.map((due) => {
      if (due === newest && !tooLate) return { ...due, outcome: "pending", detail: "" };
      const reason = due === newest ? TOO_LATE : "It was missed";
      const detail = comes(due) ? `${reason}; its papers come with the next digest.` : `${reason}.`;
      return { ...due, outcome: "skipped-late", detail };
    }),
    next: following,
  };
}

function keyOf({ platform, workspace, channel }: ChannelKey): ChannelKey {
  return { platform, workspace, channel };
}

/** For logs. */
function nameOf({ platform, workspace, channel }: ChannelKey): string {
  return `${platform} ${workspace} ${channel}`;
}
