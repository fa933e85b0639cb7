import type { types } from "@slack/bolt";
import type { ChannelState, Subscription } from "../../core/channel.ts";
import { nameOf, nextLines } from "../../core/channel-change.ts";
import { refuseSettings } from "../../core/channel-commands.ts";
import type { Asker, Desk } from "../../core/command.ts";
import { count } from "../../core/numbers.ts";
import {
  isPaused,
  MOST_PAPERS,
  parseSchedule,
  scheduleForPeople,
  scheduleText,
} from "../../core/schedule.ts";
import {
  blockId,
  type Held,
  lineSection,
  linesOf,
  modal,
  plain,
  type SettingsFields,
  type SettingsMemo,
  smallPrint,
} from "./modals-views.ts";

export const SETTINGS_TITLE = "Digest settings";

/** What stands in a channel, as the form has it. */
export function settingsFields({ channel }: Pick<ChannelState, "channel">, now: Date): SettingsFields {
  const { time, zone, weekdays } = channel.schedule;
  const paused = isPaused(channel, now);
  return {
    time,
    zone,
    days: [...weekdays],
    isWeekly: weekdays.length === 1,
    top: channel.top,
    isPaused: paused,
    until: paused ? (channel.paused?.until ?? "") : "",
  };
}

export type SettingsView = {
  readonly memo: SettingsMemo;
  /** What the form is filled with. */
  readonly fields: SettingsFields;
  /** What stands. */
  readonly state: ChannelState;
  /** What there is to say above it. */
  readonly notice: readonly types.KnownBlock[];
};

/** A channel's settings and subscriptions as a form; for whom may not change them, as text. */
export function settingsModal(desk: Pick<Desk, "clock">, asker: Asker, view: SettingsView): types.ModalView {
  const { memo, fields, state, notice } = view;
  const { subscriptions } = state;
  const above = [...notice, heading(memo.channel), smallPrint(nextLines(desk, state))];
  if (!asker.maySet) {
    const { schedule, top } = state.channel;
    return modal({
      title: SETTINGS_TITLE,
      blocks: [
        ...above,
        lineSection([`Digests: ${scheduleForPeople(schedule)}, top ${top}.`]),
        ...subscriptions.map((each) => lineSection([nameOf(each)])),
        smallPrint(linesOf(refuseSettings(asker))),
      ],
    });
  }
  const form = [
    ...scheduleInputs(memo, fields),
    ...(subscriptions.length === 0 ? [] : pauseInputs(memo, fields)),
  ];
  const list = [
    ...(subscriptions.length === 0 ? [] : [header(count(subscriptions.length, "subscription"))]),
    ...subscriptions.map(subscriptionRow),
    addRow,
  ];
  const divider = { type: "divider" } as const;
  return modal({
    title: SETTINGS_TITLE,
    submit: "Save",
    memo,
    // What there is to do first stands first.
    blocks: [
      ...above,
      ...(subscriptions.length === 0 ? [...list, divider, ...form] : [...form, divider, ...list]),
    ],
  });
}

function heading(channel: string): types.SectionBlock {
  // A direct message has no name that Slack would show.
  const name = /^[CG][A-Z0-9]{1,20}$/.test(channel) ? `<#${channel}>` : "this conversation";
  return { type: "section", text: { type: "mrkdwn", text: `*Digests in ${name}*`, verbatim: true } };
}

function header(text: string): types.HeaderBlock {
  return { type: "header", text: plain(text) };
}

function subscriptionRow(subscription: Subscription): types.SectionBlock {
  const { number } = subscription;
  return {
    type: "section",
    text: plain(nameOf(subscription)),
    accessory: {
      type: "overflow",
      action_id: `v1:settings:subscription:${number}`,
      options: [
        { text: plain("Edit"), value: `edit:${number}` },
        { text: plain("Remove"), value: `remove:${number}` },
      ],
    },
  };
}

const addRow: types.ActionsBlock = {
  type: "actions",
  elements: [{ type: "button", action_id: "v1:settings:add", text: plain("Add a topic"), value: "add" }],
};

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

function scheduleInputs(memo: SettingsMemo, fields: SettingsFields): readonly types.InputBlock[] {
  const days = WEEKDAYS.map((name, index) => option(name, String(index + 1)));
  const chosen = days.filter(({ value }) => fields.days.includes(Number(value)));
  const tops = Array.from({ length: MOST_PAPERS }, (_, index) =>
    option(String(index + 1), String(index + 1)),
  );
  const rhythms = [
    option("On each of these days", "day"),
    option("Once a week, on one day", "week"),
  ] as const;
  return [
    input(memo, "time", "Time", {
      type: "timepicker",
      action_id: "v1:settings:time",
      initial_time: fields.time,
    }),
    input(memo, "zone", "Time zone", {
      type: "external_select",
      action_id: "v1:settings:zone",
      placeholder: plain("A city or zone, such as Europe/Paris"),
      min_query_length: 0,
      initial_option: option(fields.zone, fields.zone),
    }),
    input(memo, "days", "Days", {
      type: "checkboxes",
      action_id: "v1:settings:days",
      options: days,
      ...(chosen.length === 0 ? {} : { initial_options: chosen }),
    }),
    input(memo, "every", "How often", {
      type: "radio_buttons",
      action_id: "v1:settings:every",
      options: [...rhythms],
      initial_option: rhythms[fields.isWeekly ? 1 : 0],
    }),
    input(memo, "top", "Papers in a digest, at most", {
      type: "static_select",
      action_id: "v1:settings:top",
      options: tops,
      initial_option: option(String(fields.top), String(fields.top)),
    }),
  ];
}

function pauseInputs(memo: SettingsMemo, fields: SettingsFields): readonly types.InputBlock[] {
  const states = [option("Come on schedule", "on"), option("Are paused", "paused")] as const;
  return [
    input(memo, "digests", "Digests", {
      type: "radio_buttons",
      action_id: "v1:settings:digests",
      options: [...states],
      initial_option: states[fields.isPaused ? 1 : 0],
    }),
    {
      ...input(memo, "until", "The last day of the pause", {
        type: "datepicker",
        action_id: "v1:settings:until",
        ...(fields.until === "" ? {} : { initial_date: fields.until }),
      }),
      hint: plain("Without one, it lasts until somebody ends it."),
      optional: true,
    },
  ];
}

function input(
  memo: SettingsMemo,
  field: string,
  label: string,
  element: types.InputBlock["element"],
): types.InputBlock {
  return { type: "input", block_id: blockId(field, memo), label: plain(label), element };
}

function option(text: string, value: string): types.PlainTextOption {
  return { text: plain(text, 75), value };
}

/** What the form holds; what it has no input for stays as it was shown. */
export function readSettings(held: Held, shown: SettingsFields): SettingsFields {
  const digests = held.text("digests");
  return {
    time: held.text("time") || shown.time,
    zone: held.text("zone") || shown.zone,
    days: held
      .many("days")
      .map(Number)
      .sort((a, b) => a - b),
    isWeekly: held.text("every") === "week",
    top: Number(held.text("top") || shown.top),
    isPaused: digests === "" ? shown.isPaused : digests === "paused",
    until: digests === "" ? shown.until : held.text("until"),
  };
}

/** What somebody changed in a form, over what stands now. */
export function mergeSettings(
  shown: SettingsFields,
  typed: SettingsFields,
  standing: SettingsFields,
): SettingsFields {
  const pick = <Name extends keyof SettingsFields>(...names: readonly Name[]) =>
    names.some((name) => JSON.stringify(shown[name]) !== JSON.stringify(typed[name])) ? typed : standing;
  return {
    time: pick("time").time,
    zone: pick("zone").zone,
    days: pick("days", "isWeekly").days,
    isWeekly: pick("days", "isWeekly").isWeekly,
    top: pick("top").top,
    isPaused: pick("isPaused", "until").isPaused,
    until: pick("isPaused", "until").until,
  };
}

/** What is behind `/papers schedule` for these fields. */
export function scheduleLine({ time, zone, days, isWeekly, top }: SettingsFields): string {
  const text = scheduleText({ schedule: { time, zone, weekdays: days }, top });
  return isWeekly && days.length !== 1 ? `${text} weekly` : text;
}

/** The command that makes the digests come, or not, as the form says; null where they do already. */
export function pauseCommand(typed: SettingsFields, standing: SettingsFields): string | null {
  if (!typed.isPaused) return standing.isPaused ? "resume" : null;
  if (standing.isPaused && standing.until === typed.until) return null;
  return typed.until === "" ? "pause" : `pause until ${typed.until}`;
}

/** A sentence on what cannot be, and the field that it belongs to; null where all can. */
export function checkSettings(
  typed: SettingsFields,
  shown: SettingsFields,
  { channel }: Pick<ChannelState, "channel">,
): { readonly field: string; readonly sentence: string } | null {
  if (typed.days.length === 0) return { field: "days", sentence: "A digest needs a day at least." };
  const mistake = (text: string) => {
    const read = parseSchedule(text, channel);
    return "message" in read ? read.message : null;
  };
  const parts = [
    ["time", typed.time],
    ["zone", typed.zone],
    ["top", `top ${typed.top}`],
    ["days", scheduleLine(typed)],
  ] as const;
  for (const [field, text] of parts) {
    const sentence = mistake(text);
    if (sentence !== null) return { field, sentence };
  }
  if (typed.isPaused || typed.until === "" || typed.until === shown.until) return null;
  return {
    field: "until",
    sentence: "This is the last day of a pause: choose “Are paused” too, or leave it empty.",
  };
}
