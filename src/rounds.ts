import cron from "node-cron";
import type { Sender } from "./core/sender.ts";
import type { Events } from "./events.ts";
import type { Freshener } from "./freshener.ts";
import type { Library } from "./library.ts";
import { collectGarbage } from "./storage/collect-garbage.ts";

export type Service = {
  /** Where the page is, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  close(): Promise<void>;
};

export type RoundsOptions = {
  readonly library: Library;
  readonly events: Events;
  readonly freshener: Freshener;
  readonly sender: Sender;
  /** Every minute: enters what is due. */
  readonly tick: () => Promise<void>;
  /** Resolves once there is a bot to send with. */
  readonly ready: Promise<void>;
  /** Ends the rounds. */
  readonly signal: AbortSignal;
};

/**
 * What goes on all the time: the current lists every five minutes, what is due every minute, and sending.
 * @returns what resolves once the signal has aborted and what was under way has ended
 */
export function startRounds(options: RoundsOptions): Promise<void> {
  const { library, events, freshener, sender, tick, ready, signal } = options;
  const guarded = (what: string, run: () => Promise<void>) => async () => {
    try {
      await run();
    } catch (error) {
      if (!signal.aborted) events.unexpected(what, error);
    }
  };
  const readLists = async () => {
    await freshener.refresh();
    const report = await library.retell();
    if (report !== null) events.retold(report);
  };
  const begin = guarded("starting", async () => {
    await library.warmUp();
    collectGarbage();
    await freshener.refresh();
    await ready;
    await tick();
  });
  // Only after a first look at the lists: without one, an owed digest could not tell a missing list from an unread one.
  const sending = begin().then(() => sender.run(signal));
  // A minute of our own, so that not every Paperboy asks Hugging Face at the same one.
  const offset = Math.floor(Math.random() * 5);
  const jobs = [
    cron.schedule("* * * * *", guarded("planning digests", tick), { noOverlap: true }),
    cron.schedule(`${offset}-59/5 * * * *`, guarded("reading the current lists", readLists), {
      noOverlap: true,
    }),
  ];
  signal.addEventListener("abort", () => {
    for (const job of jobs) void job.destroy();
  });
  return sending;
}
