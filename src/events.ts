import type { BotEvent } from "./core/bot.ts";
import type { Platform } from "./core/channel.ts";
import type { IngestEvent, RefreshReport } from "./core/ingest.ts";
import type { ModelEvent } from "./core/model-summarizer.ts";
import type { RetellReport } from "./core/retell.ts";
import type { SenderEvent } from "./core/sender.ts";
import type { Log } from "./log.ts";

/** What happens that is worth counting: one function each, one log line each. */
export type Events = {
  ingested(event: IngestEvent): void;
  refreshed(report: RefreshReport): void;
  recentListsRead(report: { readonly kept: number; readonly failedDays: number }): void;
  retold(report: RetellReport): void;
  modelAnswered(event: ModelEvent): void;
  sent(event: SenderEvent): void;
  /** What a bot tells of itself. */
  bot(platform: Platform, event: BotEvent): void;
  storeGone(): void;
  pageFailed(error: unknown): void;
  /** Something that nobody expected, while doing `what`; the process goes on. */
  unexpected(what: string, error: unknown): void;
};

export function createEvents(log: Log): Events {
  return {
    ingested(event) {
      if (event.kind === "list-saved") {
        const { day, kept, dropped } = event;
        log.debug({ day, kept, dropped: dropped.length }, "list saved");
        for (const { reason, row } of dropped) log.warn({ day, reason, row }, "row dropped");
      } else {
        const { kind, day, message, retryAfterMs } = event;
        log.warn(
          { day, retryAfterMs },
          `${kind === "list-failed" ? "list not read" : "details not read"}: ${message}`,
        );
      }
    },
    refreshed({ days, details, failure }) {
      // A failure is a line of its own.
      if (failure !== null) return;
      log.info(
        { days: days.map(({ day, outcome, count }) => `${day} ${outcome} ${count}`), details },
        "refreshed",
      );
    },
    recentListsRead(report) {
      log.info(report, "recent lists read");
    },
    retold({ asked, made }) {
      if (asked > 0) log.info({ asked, made }, "summaries written");
    },
    modelAnswered({ kind, title, message }) {
      log.warn({ title }, `summary ${kind === "refused" ? "refused" : "not written"}: ${message}`);
    },
    sent(event) {
      if (event.kind === "unexpected") {
        log.error({ err: event.error }, `unexpected: ${event.what}`);
      } else if (event.kind === "planned") {
        log.debug({ channels: event.channels, slots: event.slots }, "slots planned");
      } else {
        const { id, platform, workspace, channel, kind, slot, attempts } = event.delivery;
        const ids = { id, platform, workspace, channel, kind, slot, attempts, detail: event.detail };
        if (event.kind === "settled") log.info({ ...ids, outcome: event.outcome }, "delivery settled");
        else log.info({ ...ids, nextAttemptAt: event.nextAttemptAt }, "delivery postponed");
      }
    },
    bot(platform, event) {
      switch (event.kind) {
        case "unexpected":
          log.error({ platform, err: event.error }, `unexpected: ${event.what}`);
          break;
        case "acknowledged":
          log.debug({ platform, what: event.what, ms: Math.round(event.ms) }, "acknowledged");
          break;
        case "joined":
        case "left":
          log.info({ platform, workspace: event.workspace }, `${event.kind} a workspace`);
          break;
        case "connected":
          log.info({ platform }, event.detail);
          break;
        case "trouble":
          log.warn({ platform }, event.detail);
          break;
        case "refused":
          log.error({ platform }, event.detail);
          break;
      }
    },
    storeGone() {
      log.error("the store's file was deleted while Paperboy runs: what comes in now is lost; restart it");
    },
    pageFailed(error) {
      log.error({ err: error }, "the playground could not answer");
    },
    unexpected(what, error) {
      log.error({ err: error }, `unexpected: ${what}`);
    },
  };
}
