import type { App, BlockAction, ButtonAction, RespondFn, StaticSelectAction, webApi } from "@slack/bolt";
import type { BotEvent } from "../../core/bot.ts";
import { ALL_RIGHTS, type Asker, type Desk, type Reply } from "../../core/command.ts";
import { press, runText } from "../../core/commands.ts";
import type { FloodGuard } from "../../core/flood.ts";
import { createDoubleClicks, createOnce } from "../../core/once.ts";
import { FAILED, tooMany } from "../../core/reply.ts";
import { type Asked, createAnswers, isDirect } from "./answers.ts";
import { listenForHome } from "./home.ts";
import { listenToModals, withForms } from "./modals.ts";
import { createPeople } from "./people.ts";
import { listenForRelated } from "./related.ts";
import { createScopeNotes } from "./scope-notes.ts";
import { listenForLinks } from "./unfurl.ts";

export type ListenersOptions = {
  readonly app: App;
  /** What commands work on, asked for at each. */
  readonly desk: () => Desk;
  readonly flood: FloodGuard;
  /** Milliseconds. */
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
  readonly report: (event: BotEvent) => void;
  /** Keeps what is under way, so that a stop can wait for it. */
  readonly during: <T>(work: Promise<T>) => Promise<T>;
  /** Hears of each workspace that something was asked from, before it is answered. */
  readonly onSeen: (workspace: string) => Promise<void>;
};

/** Slack tells an event again that it saw no answer to. */
const MOST_SEEN = 2000;

/**
 * What people type and press, on either receiver. Each is acknowledged first, and answered after: Bolt waits for no
 * handler that goes on behind its acknowledgement, so `during` does.
 */
export function listen(options: ListenersOptions): void {
  const { app, desk, flood, now, wait, report, during, onSeen } = options;
  const lacksScope = createScopeNotes(report);
  const people = createPeople({ now, lacksScope });
  const answers = createAnswers({ desk, report });
  const isNew = createOnce(MOST_SEEN);
  const isDoubleClick = createDoubleClicks(now);

  /** Never throws: what goes wrong is said to the asker and logged. */
  async function answer(asked: Asked, run: () => Promise<Reply>, what: string, part = 1): Promise<void> {
    const { platform, workspace } = asked.asker.where;
    const waitMs = flood.admit({ platform, workspace, person: asked.asker.person });
    try {
      await onSeen(workspace);
      const reply = waitMs === null ? await run() : tooMany(waitMs);
      await answers.deliver(asked, reply, part);
    } catch (error) {
      report({ kind: "unexpected", what, error });
      await answers.deliver(asked, FAILED).catch(() => {});
    }
  }

  async function askerOf(
    client: webApi.WebClient,
    { workspace, channel, person, name }: Place,
  ): Promise<Asker> {
    const { zone, isGuest } = await people.find(client, workspace, person);
    return {
      where: { platform: "slack", workspace, channel },
      person,
      name,
      // In direct messages it is the person's own affair.
      maySet: !isGuest || isDirect(channel),
      zone,
      rights: ALL_RIGHTS,
    };
  }

  const modals = listenToModals({ app, desk, answers, askerOf, flood, now, wait, report, during });

  app.command("/papers", async ({ command, ack, respond, client }) => {
    const began = now();
    await ack();
    report({ kind: "acknowledged", what: "/papers", ms: now() - began });
    if (!isNew(command.trigger_id)) return;
    const { team_id: workspace, channel_id: channel, user_id: person, user_name: name, text } = command;
    await during(
      (async () => {
        const asker = await askerOf(client, { workspace, channel, person, name });
        const line = `/papers ${text}`.trim();
        const asked = { client, respond, asker, thread: null, isOwn: false, line };
        const run = async () => withForms(text, await runText(desk(), asker, text), asker);
        await answer(asked, run, line.split(" ").slice(0, 2).join(" "));
      })(),
    );
  });
  // Without an answer Slack shows an error after three seconds.
  app.command(/^(?!\/papers$)/, async ({ command, ack }) => {
    await ack({
      response_type: "ephemeral",
      text: `${command.command} is nothing that Paperboy knows. Try /papers help.`,
    });
  });

  app.action<BlockAction>(/^v1:(?!home:)/, async ({ ack, body, action, client, respond }) => {
    const began = now();
    await ack();
    report({
      kind: "acknowledged",
      what: action.action_id.split(":").slice(0, 2).join(":"),
      ms: now() - began,
    });
    const place = placeOfPress(body);
    if (modals.takes(action.action_id)) {
      await during(modals.press({ client, respond, body, action, place, thread: threadOf(body) }));
      return;
    }
    if (place === null || action.action_id.startsWith("v1:link:")) return;
    const value = chosenIn(action);
    if (isDoubleClick([place.person, body.container?.["message_ts"], action.action_id, value])) return;
    await during(
      (async () => {
        const asker = await askerOf(client, place);
        const asked: Asked = {
          client,
          respond: respond as RespondFn,
          asker,
          thread: threadOf(body),
          isOwn: body.container?.["is_ephemeral"] === true,
          line: null,
        };
        const part = /^v1:part:(\w+):(\d{1,4})$/.exec(action.action_id);
        const id = part === null ? action.action_id : `v1:saved:${part[1]}`;
        await answer(asked, () => press(desk(), asker, id, value), id.slice(0, 20), Number(part?.[2] ?? 1));
      })(),
    );
  });
  app.action(/^(?!v1:)/, async ({ ack }) => {
    await ack();
  });

  listenForHome({ ...options, isNew, isDoubleClick, askerOf, chosenIn });
  listenForLinks({ ...options, isNew, lacksScope });
  listenForRelated({ ...options, isNew, askerOf, answer });
}

/** Where somebody did something. */
export type Place = {
  readonly workspace: string;
  readonly channel: string;
  readonly person: string;
  readonly name: string;
};

/** Null where a view was pressed and not a message. */
function placeOfPress(body: BlockAction): Place | null {
  const channel = body.channel?.id;
  const workspace = body.team?.id ?? body.user.team_id;
  if (channel === undefined || workspace === undefined) return null;
  return { workspace, channel, person: body.user.id, name: body.user.name ?? body.user.username };
}

/** Null for the message that a thread hangs on: that stands in the channel. */
function threadOf({ container, message }: BlockAction): string | null {
  const thread: unknown = container?.["thread_ts"] ?? message?.["thread_ts"];
  return typeof thread === "string" && thread !== container?.["message_ts"] ? thread : null;
}

function chosenIn(action: BlockAction["actions"][number]): string | null {
  if (action.type === "static_select") return (action as StaticSelectAction).selected_option?.value ?? null;
  return action.type === "button" ? ((action as ButtonAction).value ?? null) : null;
}
