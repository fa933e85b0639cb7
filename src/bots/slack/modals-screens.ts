import { type types, webApi } from "@slack/bolt";
import { within } from "../../core/deadline.ts";
import { noteModal } from "./modals-views.ts";
import { slackErrorOf } from "./sending.ts";

export type Screens = {
  /**
   * Shows a modal in the three seconds that its trigger lasts, at first one to wait in where reading takes longer.
   * @param how `push` puts it over the one that was pressed in
   * @param reading never rejects
   * @returns false where the trigger was over
   */
  open(
    client: webApi.WebClient,
    how: "open" | "push",
    triggerId: string,
    title: string,
    reading: Promise<types.ModalView>,
  ): Promise<boolean>;
  /** Puts something else into a modal; one that was closed meanwhile stays so. */
  show(client: webApi.WebClient, viewId: string, view: types.ModalView): Promise<void>;
  /** Does what changes a modal after what was begun before it. */
  inTurn<T>(viewId: string, work: () => Promise<T>): Promise<T>;
  /**
   * Shows what follows from what is being typed: only the newest, and no more often than Slack takes it. Nothing
   * where the modal was filled anew since.
   * @param place the modal that was typed into: its hash and its round
   */
  preview(
    client: webApi.WebClient,
    place: { readonly viewId: string; readonly hash: string; readonly round: number },
    draw: () => Promise<types.ModalView>,
  ): Promise<void>;
  /** What was typed before counts no more: the modal is filled anew, and this is its round. */
  refill(viewId: string, round: number): void;
};

/** A view that is ready sooner is opened as it is: one call and no flicker. */
const READY_MS = 400;
/** `views.update` may be called a hundred times a minute: https://docs.slack.dev/reference/methods/views.update */
const PREVIEW_GAP_MS = 1000;
const MOST_SCREENS = 1000;

/** A trigger that was used, or that is older than three seconds. */
const TRIGGER_OVER: ReadonlySet<string> = new Set([
  "expired_trigger_id",
  "trigger_expired",
  "exchanged_trigger_id",
  "trigger_exchanged",
  "invalid_trigger_id",
]);
/** It was closed, or somebody else's change came first. */
const VIEW_OVER: ReadonlySet<string> = new Set(["not_found", "view_not_found", "hash_conflict"]);

type Screen = {
  last: Promise<unknown>;
  /** Slack's name for what the modal holds now; null until Paperboy changed it. */
  hash: string | null;
  /** The number of the newest thing typed. */
  newest: number;
  round: number;
  /** When the next preview may come, in milliseconds. */
  freeAt: number;
};

/** The modals that are open, each changed by one thing at a time. */
export function createScreens({
  now,
  wait,
}: {
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
}): Screens {
  const screens = new Map<string, Screen>();

  function screenOf(viewId: string): Screen {
    const known = screens.get(viewId);
    if (known !== undefined) return known;
    const made: Screen = { last: Promise.resolve(), hash: null, newest: 0, round: 0, freeAt: 0 };
    screens.set(viewId, made);
    const [oldest] = screens.keys();
    if (screens.size > MOST_SCREENS && oldest !== undefined) screens.delete(oldest);
    return made;
  }

  async function update(
    client: webApi.WebClient,
    viewId: string,
    view: types.ModalView,
    hash?: string,
  ): Promise<void> {
    try {
      const shown = await client.views.update({
        view_id: viewId,
        view,
        ...(hash === undefined ? {} : { hash }),
      });
      screenOf(viewId).hash = shown.view?.hash ?? null;
    } catch (error) {
      if (!VIEW_OVER.has(slackErrorOf(error) ?? "")) throw error;
    }
  }

  function inTurn<T>(viewId: string, work: () => Promise<T>): Promise<T> {
    const screen = screenOf(viewId);
    const turn = screen.last.then(work, work);
    screen.last = turn.catch(() => {});
    return turn;
  }

  return {
    inTurn,
    show: update,
    async open(client, how, triggerId, title, reading) {
      const ready = await within(reading, READY_MS, null);
      const view = ready ?? noteModal(title, ["One moment…"]);
      let id: string | undefined;
      try {
        const opened = await client.views[how]({ trigger_id: triggerId, view });
        id = opened.view?.id;
      } catch (error) {
        if (TRIGGER_OVER.has(slackErrorOf(error) ?? "")) return false;
        throw error;
      }
      if (ready === null && id !== undefined) await update(client, id, await reading);
      return true;
    },
    async preview(client, { viewId, hash, round }, draw) {
      const screen = screenOf(viewId);
      screen.newest += 1;
      const mine = screen.newest;
      const isOver = () => mine !== screen.newest || round < screen.round;
      await inTurn(viewId, async () => {
        if (isOver()) return;
        const ms = screen.freeAt - now();
        if (ms > 0) await wait(ms);
        if (isOver()) return;
        const view = await draw();
        if (isOver()) return;
        screen.freeAt = now() + PREVIEW_GAP_MS;
        try {
          await update(client, viewId, view, screen.hash ?? hash);
        } catch (error) {
          if (!(error instanceof webApi.WebAPIRateLimitedError)) throw error;
          screen.freeAt = now() + error.retryAfter * 1000;
        }
      });
    },
    refill(viewId, round) {
      const screen = screenOf(viewId);
      screen.newest += 1;
      screen.round = Math.max(screen.round, round);
    },
  };
}
