import type { App, BlockAction, RespondFn, types, ViewSubmitAction, webApi } from "@slack/bolt";
import { z } from "zod";
import type { BotEvent } from "../../core/bot.ts";
import type { Asker, Desk, Reply } from "../../core/command.ts";
import { completeOption } from "../../core/commands.ts";
import { refuseSettings } from "../../core/channel-commands.ts";
import { within } from "../../core/deadline.ts";
import type { FloodGuard } from "../../core/flood.ts";
import type { Button } from "../../core/message.ts";
import { createDoubleClicks } from "../../core/once.ts";
import { plainText } from "../../core/readable.ts";
import { FAILED, say, tooMany } from "../../core/reply.ts";
import { scheduleText } from "../../core/schedule.ts";
import type { Answers, Asked } from "./answers.ts";
import type { Place } from "./listeners.ts";
import { createForms } from "./modals-forms.ts";
import { createSaving, firstField, type Outcome, wrongAt } from "./modals-saving.ts";
import { createScreens } from "./modals-screens.ts";
import { SETTINGS_TITLE } from "./modals-settings.ts";
import { NO_FIELDS, readTopic, readTopicDraft, topicFields, topicTitle } from "./modals-topics.ts";
import {
  lineSection,
  linesOf,
  type Memo,
  noteModal,
  plain,
  readHeld,
  readMemo,
  type TopicMemo,
} from "./modals-views.ts";

export type ModalsOptions = {
  readonly app: App;
  readonly desk: () => Desk;
  readonly answers: Answers;
  readonly askerOf: (client: webApi.WebClient, place: Place) => Promise<Asker>;
  readonly flood: FloodGuard;
  /** Milliseconds. */
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
  readonly report: (event: BotEvent) => void;
  readonly during: <T>(work: Promise<T>) => Promise<T>;
};

export type Modals = {
  /** Whether a press leads to a form, or is in one. */
  takes(actionId: string): boolean;
  /** Answers such a press, which is acknowledged. Never throws. */
  press(pressed: Pressed): Promise<void>;
};

/** A press, and where it was: `place` is null in a view, which knows its own. */
export type Pressed = {
  readonly client: webApi.WebClient;
  readonly respond: RespondFn;
  readonly body: BlockAction;
  readonly action: BlockAction["actions"][number];
  readonly place: Place | null;
  readonly thread: string | null;
};

/** Slack waits three seconds for what a submission leads to, and for the options of a menu. */
const ACK_MS = 2000;
/** Submissions that are remembered, so that one that comes twice is answered twice and done once. */
const MOST_SUBMISSIONS = 500;

/**
 * A channel's settings and the topic builder as forms, over the same commands that people type. They open from the
 * buttons `v1:settings` and `v1:build` (with a line to begin with behind it).
 */
export function listenToModals(options: ModalsOptions): Modals {
  const { app, desk, answers, askerOf, flood, now, wait, report, during } = options;
  const screens = createScreens({ now, wait });
  const forms = createForms(desk, now);
  const saving = createSaving({ desk, forms, answers, report });
  const isDoubleClick = createDoubleClicks(now);
  const submissions = new Map<string, Promise<Outcome>>();

  /** So that nobody is left before a view to wait in. */
  function orFailed(reading: Promise<types.ModalView>, title: string): Promise<types.ModalView> {
    return reading.catch((error: unknown) => {
      report({ kind: "unexpected", what: `the modal ${title}`, error });
      return noteModal(title, linesOf(FAILED));
    });
  }

  async function pressOnMessage({ client, respond, body, action, place, thread }: Pressed): Promise<void> {
    if (place === null) return;
    if (isDoubleClick([place.person, body.container?.["message_ts"], action.action_id])) return;
    const { workspace, person } = place;
    const waitMs = flood.admit({ platform: "slack", workspace, person });
    const asking = askerOf(client, place);
    const isOwn = body.container?.["is_ephemeral"] === true;
    const tell = async (reply: Reply) => {
      const asked: Asked = { client, respond, asker: await asking, thread, isOwn, line: null };
      await answers.deliver(asked, reply);
    };
    if (waitMs !== null) return tell(tooMany(waitMs));
    const isTopic = action.action_id.startsWith(BUILD);
    const line = action.action_id.slice(BUILD.length + 1);
    const title = isTopic ? topicTitle({ edits: null }) : SETTINGS_TITLE;
    const reading = asking.then((asker) =>
      isTopic
        ? forms.newTopic(asker, { thread, line, number: null, under: null })
        : forms.settings(asker, thread),
    );
    if (await screens.open(client, "open", body.trigger_id, title, orFailed(reading, title))) return;
    const asker = await asking;
    const typed = isTopic ? [`/papers subscribe ${line || "agents"}`] : await linesToType(asker);
    await tell(say(TRIGGER_OVER, "Press again, or type it:", ...typed));
  }

  async function linesToType(asker: Asker): Promise<readonly string[]> {
    const { channel } = await forms.stateOf(asker);
    return [`/papers schedule ${scheduleText(channel)}`, "/papers subscriptions"];
  }

  async function pressInView(pressed: Pressed, view: NonNullable<BlockAction["view"]>): Promise<void> {
    const { client, body, action } = pressed;
    // A form is a modal; in a home there is none of ours.
    if (view.type !== "modal") return;
    const memo = memoOf(view, body);
    if (memo === null) return screens.show(client, view.id, OUTDATED);
    const { id: person, name, username } = body.user;
    const place = { workspace: memo.workspace, channel: memo.channel, person, name: name ?? username };
    const asking = askerOf(client, place);
    if (memo.kind === "topic") return pressInTopic(pressed, view, memo);
    const [, verb = "", number = ""] = /^(add|edit|remove)(?::(\d{1,9}))?$/.exec(chosenIn(action)) ?? [];
    if (verb === "") return;
    if (verb === "remove") {
      return screens.inTurn(view.id, async () => {
        const asker = await asking;
        const waitMs = flood.admit({ platform: "slack", workspace: memo.workspace, person });
        const notice =
          waitMs === null
            ? await saving.remove(client, asker, memo, Number(number))
            : [lineSection(linesOf(tooMany(waitMs)))];
        await screens.show(client, view.id, await forms.settingsAgain(asker, memo, notice));
      });
    }
    const edits = number === "" ? null : Number(number);
    const title = "Topics";
    const under = { view: view.id, memo };
    const reading = asking.then((asker) =>
      forms.newTopic(asker, { thread: memo.thread, line: "", number: edits, under }),
    );
    if (await screens.open(client, "push", body.trigger_id, title, orFailed(reading, title))) return;
    const notice = lineSection([TRIGGER_OVER, "Press again, or type it: /papers subscribe agents"]);
    await screens.show(client, view.id, await forms.settingsAgain(await asking, memo, [notice]));
  }

  async function pressInTopic(
    { client, action }: Pressed,
    view: NonNullable<BlockAction["view"]>,
    memo: TopicMemo,
  ): Promise<void> {
    const draft = readTopicDraft(readHeld(view), memo);
    if (action.type !== "button") {
      return screens.preview(client, { viewId: view.id, hash: view.hash, round: memo.round }, () =>
        forms.topic(memo, draft),
      );
    }
    const verb = action.action_id.split(":")[2];
    const wanted = verb === "use" ? chosenIn(action) : draft.line;
    const topic = readTopic(wanted);
    const line = topic instanceof Error ? wanted : (topic?.text ?? "");
    const staysLine = verb === "as-line" || (verb === "use" && memo.mode === "line");
    const fields = staysLine || topic instanceof Error ? null : topicFields(topic);
    const notice =
      verb === "as-fields" && fields === null
        ? [lineSection(["The fields cannot say all of this, so it stays one line."])]
        : [];
    const round = memo.round + 1;
    screens.refill(view.id, round);
    await screens.inTurn(view.id, async () => {
      const filled: TopicMemo = { ...memo, mode: fields === null ? "line" : "fields", round };
      await screens.show(
        client,
        view.id,
        await forms.topic(filled, { fields: fields ?? NO_FIELDS, line }, notice),
      );
    });
  }

  async function submit(client: webApi.WebClient, body: ViewSubmitAction): Promise<Outcome> {
    const { view, user } = body;
    const memo = memoOf(view, body);
    if (memo === null) return { kind: "instead", view: OUTDATED };
    const { workspace, channel } = memo;
    const asker = await askerOf(client, { workspace, channel, person: user.id, name: user.name });
    if (!asker.maySet) {
      return { kind: "instead", view: noteModal(view.title.text, linesOf(refuseSettings(asker))) };
    }
    const waitMs = flood.admit({ platform: "slack", workspace, person: user.id });
    if (waitMs !== null) return wrongAt(memo, firstField(memo), tooMany(waitMs).message.title);
    const held = readHeld(view);
    if (memo.kind === "settings") return saving.saveSettings(client, asker, memo, held);
    const outcome = await saving.saveTopic(client, asker, memo, held);
    const { under } = memo;
    if (outcome.kind === "done" && under !== null) {
      const refreshing = forms
        .settingsAgain(asker, under.memo)
        .then((shown) => screens.show(client, under.view, shown));
      refreshing.catch((error: unknown) =>
        report({ kind: "unexpected", what: "showing settings anew", error }),
      );
      void during(refreshing.catch(() => {}));
    }
    return outcome;
  }

  /** What comes twice, such as by two quick presses, is done once; what was refused may come again. */
  function submitOnce(client: webApi.WebClient, body: ViewSubmitAction): Promise<Outcome> {
    const { id, hash, state } = body.view;
    const key = JSON.stringify([id, hash, state]);
    const known = submissions.get(key);
    if (known !== undefined) return known;
    const made = submit(client, body).catch((error: unknown): Outcome => {
      report({ kind: "unexpected", what: "submitting a modal", error });
      return { kind: "instead", view: noteModal("Paperboy", linesOf(FAILED)) };
    });
    submissions.set(key, made);
    const [oldest] = submissions.keys();
    if (submissions.size > MOST_SUBMISSIONS && oldest !== undefined) submissions.delete(oldest);
    void made.then(({ kind }) => kind === "done" || submissions.delete(key));
    return made;
  }

  app.view<ViewSubmitAction>(
    { callback_id: /^v1:(settings|topic)$/, type: "view_submission" },
    async (args) => {
      const { ack, body, client, view } = args;
      const began = now();
      const work = during(submitOnce(client, body));
      const early = await within(work, ACK_MS, null);
      const waiting = noteModal(view.title.text, ["Saving. This takes a moment…"]);
      if (early === null) await ack({ response_action: "update", view: waiting });
      else if (early.kind === "done") await ack();
      else if (early.kind === "wrong") await ack({ response_action: "errors", errors: { ...early.errors } });
      else await ack({ response_action: "update", view: early.view });
      report({ kind: "acknowledged", what: view.callback_id, ms: now() - began });
      if (early !== null) return;
      const late = work.then((outcome) => screens.show(client, view.id, lateView(view.title.text, outcome)));
      await during(
        late.catch((error: unknown) => report({ kind: "unexpected", what: "a modal's late answer", error })),
      );
    },
  );

  app.options<"block_suggestion">(
    { action_id: "v1:settings:zone" },
    async ({ ack, body, client, options: { value } }) => {
      const find = async () => {
        const memo = memoOf(body.view, body);
        if (memo === null) return [];
        const { workspace, channel } = memo;
        const asker = await askerOf(client, {
          workspace,
          channel,
          person: body.user.id,
          name: body.user.name,
        });
        return completeOption(desk(), asker, { command: "schedule", option: "zone", typed: value });
      };
      const found = find().catch((error: unknown) => {
        report({ kind: "unexpected", what: "completing a zone", error });
        return [];
      });
      const choices = await within(during(found), ACK_MS, []);
      await ack({ options: choices.map((each) => ({ text: plain(each.label, 75), value: each.value })) });
    },
  );

  return {
    takes: (actionId) => OURS.test(actionId),
    async press(pressed) {
      const { client, body } = pressed;
      try {
        if (body.view === undefined) await pressOnMessage(pressed);
        else await pressInView(pressed, body.view);
      } catch (error) {
        report({ kind: "unexpected", what: pressed.action.action_id.slice(0, 20), error });
        const failed = noteModal("Paperboy", linesOf(FAILED));
        const telling =
          body.view === undefined
            ? pressed.respond({
                response_type: "ephemeral",
                replace_original: false,
                text: linesOf(FAILED).join("\n"),
              })
            : screens.show(client, body.view.id, failed);
        await telling.catch(() => {});
      }
    },
  };
}

const BUILD = "v1:build";
const OURS = /^v1:(settings|build|topic)(:|$)/;
/** An `action_id` has 255 characters: https://docs.slack.dev/reference/block-kit/block-elements/button-element */
const LONGEST_ID = 255;
const TRIGGER_OVER = "Slack opens a form only within three seconds of a press, and they were over.";
const OUTDATED = noteModal("Paperboy", [
  "This form is from an older version of Paperboy: close it, and open it anew.",
]);

/**
 * Adds the way to the forms to an answer: to the settings from what shows them, to the builder from a topic that
 * could not be read and from the help on topics.
 * @param text as typed behind `/papers`
 */
export function withForms(text: string, reply: Reply, { maySet }: Pick<Asker, "maySet">): Reply {
  const [name = "", ...rest] = plainText(text)
    .replace(/^(\/?papers(\s+|$))+/i, "")
    .split(" ");
  const button = buttonTo(name.toLowerCase(), rest.join(" "), maySet);
  if (reply.to !== "asker" || button === null) return reply;
  return { ...reply, message: { ...reply.message, buttons: [...reply.message.buttons, button] } };
}

function buttonTo(command: string, rest: string, maySet: boolean): Button | null {
  if (command === "status" || command === "subscriptions") return { label: "Settings", id: "v1:settings" };
  if (!maySet) return null;
  if (command === "help" && /^(\/?papers )?subscribe\b/i.test(rest))
    return { label: "Build a topic", id: BUILD };
  if (command !== "subscribe" || !(readTopic(rest) instanceof Error)) return null;
  const id = `${BUILD}:${rest}`;
  return { label: "Build a topic", id: id.length > LONGEST_ID ? BUILD : id };
}

function lateView(title: string, outcome: Outcome): types.ModalView {
  if (outcome.kind === "instead") return outcome.view;
  if (outcome.kind === "done") return noteModal(title, ["Done."]);
  return noteModal(title, ["Nothing was changed.", ...Object.values(outcome.errors)]);
}

/** What a view is about; null where an older version opened it, or it came from another workspace. */
function memoOf(
  view: { readonly private_metadata: string } | undefined,
  {
    team,
    user,
  }: { readonly team: { readonly id: string } | null; readonly user: { readonly team_id?: string } },
): Memo | null {
  const memo = readMemo(view?.private_metadata);
  return memo?.workspace === (team?.id ?? user.team_id) ? memo : null;
}

const CHOSEN = z.object({
  value: z.string().optional(),
  selected_option: z.object({ value: z.string() }).nullish(),
});

/** A button's value, or what was chosen in a menu; empty for neither. */
function chosenIn(action: unknown): string {
  const chosen = CHOSEN.safeParse(action).data;
  return chosen?.selected_option?.value ?? chosen?.value ?? "";
}
