import type { RespondFn, types, webApi } from "@slack/bolt";
import type { BotEvent } from "../../core/bot.ts";
import type { ChannelState } from "../../core/channel.ts";
import type { Asker, Desk, Reply } from "../../core/command.ts";
import { runCommand, runText } from "../../core/commands.ts";
import { FAILED } from "../../core/reply.ts";
import { parseSchedule, scheduleForPeople, scheduleText } from "../../core/schedule.ts";
import type { Answers } from "./answers.ts";
import type { Forms } from "./modals-forms.ts";
import {
  checkSettings,
  mergeSettings,
  pauseCommand,
  readSettings,
  scheduleLine,
  settingsFields,
  SETTINGS_TITLE,
} from "./modals-settings.ts";
import { fieldOfMistake, readTopic, readTopicDraft, sameTopic, topicTitle } from "./modals-topics.ts";
import {
  blockId,
  errorText,
  type Held,
  lineSection,
  linesOf,
  type Memo,
  modal,
  type SettingsFields,
  type SettingsMemo,
  type TopicMemo,
} from "./modals-views.ts";

/** What a submission came to: the form closes, says at fields what is wrong, or gives way to another view. */
export type Outcome =
  | { readonly kind: "done" }
  | { readonly kind: "wrong"; readonly errors: Readonly<Record<string, string>> }
  | { readonly kind: "instead"; readonly view: types.ModalView };

export type Saving = {
  saveSettings(client: webApi.WebClient, asker: Asker, memo: SettingsMemo, held: Held): Promise<Outcome>;
  saveTopic(client: webApi.WebClient, asker: Asker, memo: TopicMemo, held: Held): Promise<Outcome>;
  /** @returns what there is to say of it in the form; nothing where the channel was told */
  remove(
    client: webApi.WebClient,
    asker: Asker,
    memo: SettingsMemo,
    number: number,
  ): Promise<readonly types.KnownBlock[]>;
};

/** Somebody changed what a form had shown before it was submitted. */
class ChangedMeanwhile extends Error {
  override readonly name = "ChangedMeanwhile";
}

/**
 * Runs the commands that forms stand for, and tells the channel as the commands do. A change holds only while what
 * the form showed of it stands, which is looked at inside the change's own transaction.
 */
export function createSaving({
  desk,
  forms,
  answers,
  report,
}: {
  readonly desk: () => Desk;
  readonly forms: Forms;
  readonly answers: Answers;
  readonly report: (event: BotEvent) => void;
}): Saving {
  function deskWhile(stands: (now: ChannelState | null) => boolean): Desk {
    const whole = desk();
    return {
      ...whole,
      channels: {
        ...whole.channels,
        change: (key, change) =>
          whole.channels.change(key, (now) => {
            if (!stands(now)) throw new ChangedMeanwhile();
            return change(now);
          }),
      },
    };
  }

  /** Tells the channel of a change. @returns what stood in the way; null where nothing did */
  async function confirm(
    client: webApi.WebClient,
    asker: Asker,
    { thread, line }: { readonly thread: string | null; readonly line: string },
    reply: Reply,
  ): Promise<types.KnownBlock | null> {
    const told: types.KnownBlock[] = [];
    // A form has no response URL: what is for the asker alone stands in the form itself.
    const respond: RespondFn = async (message) => {
      const text = typeof message === "string" ? message : (message.text ?? "");
      told.push({ type: "section", text: { type: "mrkdwn", text, verbatim: true } });
      return new Response(null);
    };
    try {
      await answers.deliver({ client, respond, asker, thread, isOwn: false, line }, reply);
    } catch (error) {
      report({ kind: "unexpected", what: "confirming a change", error });
      return lineSection(linesOf(FAILED));
    }
    return told[0] ?? null;
  }

  return {
    async saveSettings(client, asker, memo, held) {
      const { thread, shown } = memo;
      const state = await forms.stateOf(asker);
      const standing = fieldsNow(state);
      const typed = readSettings(held, shown);
      const wrong = checkSettings(typed, shown, state);
      if (wrong !== null) return wrongAt(memo, wrong.field, wrong.sentence);
      const text = scheduleLine(typed);
      const wanted = parseSchedule(text, state.channel);
      const isScheduled = "message" in wanted || scheduleText(wanted) === scheduleText(state.channel);
      const pausing = pauseCommand(typed, standing);
      const steps = [
        ...(pausing === null ? [] : [{ command: pausing, field: "until", part: pauseOf }]),
        ...(isScheduled ? [] : [{ command: `schedule ${text}`, field: "days", part: scheduleOf }]),
      ];
      if (steps.length === 0) return DONE;
      try {
        for (const { command, field, part } of steps) {
          const stands = (now: ChannelState | null) =>
            now === null ? memo.version === 0 : part(fieldsNow(now)) === part(shown);
          const reply = await runText(deskWhile(stands), asker, command);
          if (reply.to === "asker") return wrongAt(memo, field, reply.message.title);
          const line = `/papers ${command}`;
          const obstacle = await confirm(client, asker, { thread, line }, reply);
          if (obstacle !== null) return instead(SETTINGS_TITLE, [obstacle]);
        }
        return DONE;
      } catch (error) {
        if (!(error instanceof ChangedMeanwhile)) throw error;
        return { kind: "instead", view: await changedView(asker, memo, typed) };
      }
    },

    async saveTopic(client, asker, memo, held) {
      const draft = readTopicDraft(held, memo);
      const topic = readTopic(draft.line);
      if (topic instanceof Error) {
        const more = topic.suggestion === null ? [] : [`Try: ${topic.suggestion}`];
        return wrongAt(memo, fieldOfMistake(draft, memo), topic.message, ...more);
      }
      const { edits, thread } = memo;
      const isAsShown = edits !== null && sameTopic(topic, storedTopic(edits.shown));
      if (isAsShown) return DONE;
      const text = topic?.text ?? "";
      const topicNow = (now: ChannelState | null) =>
        now?.subscriptions.find(({ number }) => number === edits?.number)?.topic;
      // Core itself says where the subscription is gone.
      const stands = (now: ChannelState | null) => [edits?.shown, text, undefined].includes(topicNow(now));
      try {
        const replaces: Readonly<Record<string, string>> =
          edits === null ? {} : { replaces: String(edits.number) };
        const reply = await runCommand(deskWhile(stands), asker, "subscribe", { topic: text, ...replaces });
        if (reply.to === "asker") {
          return wrongAt(memo, firstField(memo), reply.message.title);
        }
        const line = `/papers subscribe ${text}`.trim();
        const obstacle = await confirm(client, asker, { thread, line }, reply);
        return obstacle === null ? DONE : instead(topicTitle(memo), [obstacle]);
      } catch (error) {
        if (!(error instanceof ChangedMeanwhile) || edits === null) throw error;
        const now = topicNow(await forms.stateOf(asker)) ?? edits.shown;
        const notice = lineSection([
          `Somebody changed ${edits.number} while you had this open: it is now “${now || "top list"}”.`,
          "What you entered is still below: Save puts it in place.",
        ]);
        return {
          kind: "instead",
          view: await forms.topic({ ...memo, edits: { ...edits, shown: now } }, draft, [notice]),
        };
      }
    },

    async remove(client, asker, memo, number) {
      const line = `/papers unsubscribe ${number}`;
      try {
        const stands = (now: ChannelState | null) => now?.channel.version === memo.version;
        const reply = await runCommand(deskWhile(stands), asker, "unsubscribe", {
          subscription: String(number),
        });
        if (reply.to === "asker") return [lineSection([reply.message.title])];
        const obstacle = await confirm(client, asker, { thread: memo.thread, line }, reply);
        return obstacle === null ? [] : [obstacle];
      } catch (error) {
        if (!(error instanceof ChangedMeanwhile)) throw error;
        return [
          lineSection([
            "Somebody changed this channel while you had this open, so nothing was removed.",
            "This is how it stands now.",
          ]),
        ];
      }
    },
  };

  function fieldsNow(state: ChannelState): SettingsFields {
    return settingsFields(state, desk().clock());
  }

  /** The form once more, with what was typed over what stands now. */
  function changedView(asker: Asker, memo: SettingsMemo, typed: SettingsFields): Promise<types.ModalView> {
    return forms.settingsAnew(
      asker,
      memo,
      (standing) => mergeSettings(memo.shown, typed, standing),
      ({ channel: { schedule, top } }) => [
        lineSection([
          `Somebody changed this channel while you had this open: now it is ${scheduleForPeople(schedule)}, top ${top}.`,
          "What you changed is still below: Save puts it in place.",
        ]),
      ],
    );
  }
}

const DONE: Outcome = { kind: "done" };

/** The form stays, with sentences at one of its fields. */
export function wrongAt(memo: Memo, field: string, ...lines: readonly string[]): Outcome {
  return { kind: "wrong", errors: { [blockId(field, memo)]: errorText(...lines) } };
}

/** Where a sentence stands that is about no field. */
export function firstField(memo: Memo): string {
  if (memo.kind === "settings") return "time";
  return memo.mode === "line" ? "line" : "words";
}

function instead(title: string, blocks: readonly types.KnownBlock[]): Outcome {
  return { kind: "instead", view: modal({ title, blocks }) };
}

function storedTopic(text: string) {
  const topic = readTopic(text);
  return topic instanceof Error ? null : topic;
}

function scheduleOf({ time, zone, days, top }: SettingsFields): string {
  return JSON.stringify([time, zone, days, top]);
}

function pauseOf({ isPaused, until }: SettingsFields): string {
  return JSON.stringify([isPaused, until]);
}
