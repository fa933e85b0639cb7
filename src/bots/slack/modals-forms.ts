import type { types } from "@slack/bolt";
import type { ChannelState } from "../../core/channel.ts";
import { newChannel } from "../../core/channel-change.ts";
import { refuseSettings } from "../../core/channel-commands.ts";
import type { Asker, Desk } from "../../core/command.ts";
import { feedDay } from "../../core/day.ts";
import { plainText } from "../../core/readable.ts";
import { type RecentDays, recentDays } from "../../core/volume.ts";
import { settingsFields, settingsModal } from "./modals-settings.ts";
import {
  NO_FIELDS,
  previewTopic,
  readTopic,
  type TopicDraft,
  topicFields,
  topicModal,
} from "./modals-topics.ts";
import {
  linesOf,
  noteModal,
  type SettingsFields,
  type SettingsMemo,
  type TopicMemo,
} from "./modals-views.ts";

/** Forms as they stand now. */
export type Forms = {
  /** What stands in a channel; of one that is not kept yet, what its first change would find. */
  stateOf(asker: Asker): Promise<ChannelState>;
  settings(asker: Asker, thread: string | null): Promise<types.ModalView>;
  /** The same form over what stands now: what was typed stays in it. */
  settingsAgain(
    asker: Asker,
    memo: SettingsMemo,
    notice?: readonly types.KnownBlock[],
  ): Promise<types.ModalView>;
  /** The form filled anew, over what stands now. @param fill what it then holds */
  settingsAnew(
    asker: Asker,
    memo: SettingsMemo,
    fill: (standing: SettingsFields) => SettingsFields,
    notice: (state: ChannelState) => readonly types.KnownBlock[],
  ): Promise<types.ModalView>;
  topic(memo: TopicMemo, draft: TopicDraft, notice?: readonly types.KnownBlock[]): Promise<types.ModalView>;
  /** The topic builder as it opens. */
  newTopic(asker: Asker, begin: TopicBeginning): Promise<types.ModalView>;
};

export type TopicBeginning = Pick<TopicMemo, "thread" | "under"> & {
  /** The subscription to edit; null for a new one. */
  readonly number: number | null;
  /** What a new one begins with. */
  readonly line: string;
};

const RECENT_MS = 60_000;

/** @param now milliseconds */
export function createForms(desk: () => Desk, now: () => number): Forms {
  let recentRead: { readonly at: number; readonly days: Promise<RecentDays> } | null = null;

  /** Read once a minute, however many people type. */
  function recent(): Promise<RecentDays> {
    if (recentRead !== null && now() - recentRead.at < RECENT_MS) return recentRead.days;
    const days = recentDays(desk().store, feedDay(desk().clock()));
    days.catch(() => {
      recentRead = null;
    });
    recentRead = { at: now(), days };
    return days;
  }

  async function stateOf(asker: Asker): Promise<ChannelState> {
    const { channels, clock } = desk();
    const [channel, subscriptions] = await Promise.all([
      channels.channel(asker.where),
      channels.subscriptions(asker.where),
    ]);
    return channel === null ? newChannel(asker, clock()) : { channel, subscriptions };
  }

  async function topic(
    memo: TopicMemo,
    draft: TopicDraft,
    notice: readonly types.KnownBlock[] = [],
  ): Promise<types.ModalView> {
    return topicModal(memo, draft, await previewTopic(desk(), draft.line, recent), notice);
  }

  return {
    stateOf,
    topic,

    async settings(asker, thread) {
      const state = await stateOf(asker);
      const shown = settingsFields(state, desk().clock());
      const { workspace, channel } = asker.where;
      const { version } = state.channel;
      const memo: SettingsMemo = { kind: "settings", workspace, channel, thread, round: 1, shown, version };
      return settingsModal(desk(), asker, { memo, fields: shown, state, notice: [] });
    },

    async settingsAgain(asker, before, notice = []) {
      const state = await stateOf(asker);
      const memo = { ...before, version: state.channel.version };
      return settingsModal(desk(), asker, { memo, fields: memo.shown, state, notice });
    },

    async settingsAnew(asker, before, fill, notice) {
      const state = await stateOf(asker);
      const shown = settingsFields(state, desk().clock());
      const memo = { ...before, round: before.round + 1, shown, version: state.channel.version };
      const fields = fill(shown);
      return settingsModal(desk(), asker, { memo, fields, state, notice: notice(state) });
    },

    async newTopic(asker, { thread, under, number, line }) {
      if (!asker.maySet) return noteModal("Topics", linesOf(refuseSettings(asker)));
      const { subscriptions } = await stateOf(asker);
      const edited = subscriptions.find((each) => each.number === number);
      if (number !== null && edited === undefined) {
        return noteModal("Topics", [`There is no subscription ${number} here any more.`]);
      }
      const begin = edited?.topic ?? plainText(line);
      const read = readTopic(begin);
      const fields = read instanceof Error ? null : topicFields(read);
      const { workspace, channel } = asker.where;
      const memo: TopicMemo = {
        kind: "topic",
        workspace,
        channel,
        thread,
        round: 1,
        mode: fields === null ? "line" : "fields",
        edits: edited === undefined ? null : { number: edited.number, shown: edited.topic },
        under,
      };
      return topic(memo, { fields: fields ?? NO_FIELDS, line: begin });
    },
  };
}
