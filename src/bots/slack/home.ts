import type { BlockAction, types, webApi } from "@slack/bolt";
import type { Channel, ChannelState } from "../../core/channel.ts";
import { nameOf } from "../../core/channel-change.ts";
import type { Asker, Desk, Reply } from "../../core/command.ts";
import { press, runCommand } from "../../core/commands.ts";
import { dayForPeople } from "../../core/day.ts";
import type { Button, Message } from "../../core/message.ts";
import { count } from "../../core/numbers.ts";
import { paperUrl } from "../../core/paper.ts";
import { titleOf } from "../../core/paper-sought.ts";
import { FAILED, say, tooMany } from "../../core/reply.ts";
import { dayIn, dueForPeople, isPaused, scheduleForPeople } from "../../core/schedule.ts";
import type { StoredPaper } from "../../core/store.ts";
import { withPart } from "./answers.ts";
import type { ListenersOptions, Place } from "./listeners.ts";
import { escapeWithin, label, renderSlack, section, smallPrint } from "./render.ts";

export type HomeOptions = Pick<ListenersOptions, "app" | "desk" | "flood" | "now" | "report" | "during"> & {
  /** Tells ids of events that were not seen before. */
  readonly isNew: (id: string) => boolean;
  readonly isDoubleClick: (press: readonly unknown[]) => boolean;
  readonly askerOf: (client: webApi.WebClient, place: Place) => Promise<Asker>;
  /** What was chosen in a menu, or the value of a button; null without one. */
  readonly chosenIn: (action: BlockAction["actions"][number]) => string | null;
};

/** A home has room for 100 blocks, and these lists for what a person looks through. */
const MOST_CHANNELS = 15;
const MOST_SAVED = 10;
const MOST_NEXT = 3;
/** Our own shares of its text. */
const SHARES = { topics: 200, title: 200, reason: 200, line: 500 };

/** What may be pressed on a page of the home: what needs no channel and changes none. */
const VERBS = new Set(["show", "similar", "page", "save", "unsave", "saved", "today"]);

/**
 * Paperboy's Home tab: a person's digests, saved papers and a search. What is asked for there is answered there, as a
 * page with a way back, and what is changed there shows at once.
 */
export function listenForHome(options: HomeOptions): void {
  const { app, desk, flood, now, report, during, isNew, isDoubleClick, askerOf, chosenIn } = options;

  app.event("app_home_opened", async ({ event, body, client }) => {
    if (event.tab !== "home" || !isNew(body.event_id)) return;
    const place = { workspace: body.team_id, channel: event.channel, person: event.user, name: "" };
    await during(serve(client, place, async (asker) => homeView(desk(), asker, null)));
  });

  app.action<BlockAction>(/^v1:home:/, async ({ ack, body, action, client }) => {
    const began = now();
    await ack();
    report({ kind: "acknowledged", what: "v1:home", ms: now() - began });
    const workspace = body.team?.id ?? body.user.team_id;
    if (workspace === undefined || body.view === undefined) return;
    const value = action.type === "plain_text_input" ? (action.value ?? "") : chosenIn(action);
    if (isDoubleClick([workspace, body.user.id, action.action_id, value])) return;
    // The direct messages with the person stand where there is no channel.
    const place = { workspace, channel: body.view.private_metadata, person: body.user.id, name: "" };
    const id = action.action_id.replace(/^v1:home:/, "");
    await during(serve(client, place, (asker) => answerPress(desk(), asker, id, value)));
  });

  /** Never throws: what goes wrong is said on the home and logged. */
  async function serve(
    client: webApi.WebClient,
    place: Place,
    run: (asker: Asker) => Promise<types.HomeView>,
  ): Promise<void> {
    const { workspace, person } = place;
    const publish = (view: types.HomeView) => client.views.publish({ user_id: person, view });
    const waitMs = flood.admit({ platform: "slack", workspace, person });
    try {
      const asker = await askerOf(client, place);
      await publish(waitMs === null ? await run(asker) : pageView(asker, tooMany(waitMs).message));
    } catch (error) {
      report({ kind: "unexpected", what: "the home of a person", error });
      const asker = { where: { channel: place.channel } };
      await publish(pageView(asker, FAILED.message)).catch(() => {});
    }
  }
}

async function answerPress(
  desk: Desk,
  asker: Asker,
  id: string,
  value: string | null,
): Promise<types.HomeView> {
  const [verb = "", ...parts] = id.split(":");
  const rest = parts.join(":");
  if (verb === "back") return homeView(desk, asker, null);
  if (verb === "search")
    return replyView(asker, await runCommand(desk, asker, "search", { query: value ?? "" }));
  if (verb === "drop") return homeView(desk, asker, await dropped(desk, asker, rest));
  if (verb === "keep") return homeView(desk, asker, await kept(desk, asker, rest));
  if (verb === "part")
    return replyView(asker, await press(desk, asker, `v1:saved:${parts[0]}`), Number(parts[1]));
  if (!VERBS.has(verb)) return replyView(asker, say("This cannot be done here: use /papers in a channel."));
  const reply = await press(desk, asker, `v1:${id}`, value);
  if (verb !== "save" && verb !== "unsave") return replyView(asker, reply);
  // The card again, which shows that it is saved now, or no longer.
  return replyView(asker, await press(desk, asker, `v1:show:${rest}`));
}

async function dropped(desk: Desk, asker: Asker, paperId: string): Promise<Message> {
  const { message } = await press(desk, asker, `v1:unsave:${paperId}`);
  return { ...message, buttons: [{ label: "Save again", id: `v1:keep:${paperId}` }] };
}

async function kept(desk: Desk, asker: Asker, paperId: string): Promise<Message> {
  const { message } = await press(desk, asker, `v1:save:${paperId}`);
  return { ...message, buttons: [] };
}

/** @param part of an export that comes in parts, from 1 */
function replyView(asker: Asker, { message, file }: Reply, part = 1): types.HomeView {
  if (file === undefined) return pageView(asker, message);
  const body = renderSlack(atHome(message));
  return view(asker, [search(), back(), ...withPart(body, file, part, "v1:home:part").blocks]);
}

function pageView(asker: WhereAlone, message: Message): types.HomeView {
  return view(asker, [search(), back(), { type: "divider" }, ...renderSlack(atHome(message)).blocks]);
}

type WhereAlone = { readonly where: { readonly channel: string } };

function view({ where }: WhereAlone, blocks: readonly types.AnyBlock[]): types.HomeView {
  return { type: "home", private_metadata: where.channel, blocks: [...blocks] };
}

/** What may be pressed there, under ids of the home; the rest belongs to channels. */
function atHome(message: Message): Message {
  const { select, pages } = message;
  const isShown = (button: Button) => !("id" in button) || /^v1:home:/.test(homeId(button.id));
  return {
    ...message,
    select: select === null ? null : { ...select, id: homeId(select.id) },
    buttons: message.buttons
      .filter(isShown)
      .map((button) => ("id" in button ? { ...button, id: homeId(button.id) } : button)),
    pages: pages === null ? null : { ...pages, id: homeId(pages.id) },
  };
}

/** The id unchanged where it is none for the home. */
function homeId(id: string): string {
  const [version, verb = ""] = id.split(":");
  return version === "v1" && (VERBS.has(verb) || verb === "keep") ? id.replace(/^v1:/, "v1:home:") : id;
}

/** @param notice what was just done; null for nothing */
async function homeView(desk: Desk, asker: Asker, notice: Message | null): Promise<types.HomeView> {
  const person = { platform: asker.where.platform, workspace: asker.where.workspace, person: asker.person };
  const [{ channels, total }, saved] = await Promise.all([
    desk.channels.channelsOf(person, MOST_CHANNELS),
    desk.channels.saved(person),
  ]);
  const papers = await desk.store.papers(saved.slice(0, MOST_SAVED).map(({ paperId }) => paperId));
  const isNewcomer = total === 0 && saved.length === 0;
  return view(asker, [
    search(),
    ...(notice === null ? [] : renderSlack(atHome(notice)).blocks),
    ...(isNewcomer
      ? firstSteps()
      : [...digests(desk, asker, channels, total), ...savedPapers(papers, saved.length)]),
    ...smallPrint(desk.notice ?? "", SHARES.line),
  ]);
}

function search(): types.InputBlock {
  return {
    type: "input",
    dispatch_action: true,
    optional: true,
    label: label("Search papers"),
    element: {
      type: "plain_text_input",
      action_id: "v1:home:search",
      placeholder: label("efficient inference has:code"),
      max_length: 3000,
      dispatch_action_config: { trigger_actions_on: ["on_enter_pressed"] },
    },
  };
}

function back(): types.ActionsBlock {
  return actions(["Back", "back"], ["Today's papers", "today"]);
}

function actions(...buttons: readonly (readonly [string, string])[]): types.ActionsBlock {
  return {
    type: "actions",
    elements: buttons.map(([text, id]) => ({
      type: "button",
      text: label(text),
      action_id: `v1:home:${id}`,
    })),
  };
}

function firstSteps(): types.AnyBlock[] {
  return [
    { type: "header", text: label("Three steps to begin") },
    section("*1*  See what is new: the day's papers, or a search above."),
    actions(["Today's papers", "today"]),
    section("*2*  Bring a topic to a channel. There, type `/papers subscribe agents`"),
    section(
      "*3*  Keep what you like: open a paper and press Save. It then stands here, to read or to export.",
    ),
  ];
}

function digests(
  desk: Desk,
  asker: Asker,
  channels: readonly ChannelState[],
  total: number,
): types.AnyBlock[] {
  const heading: types.AnyBlock = { type: "header", text: label("Your digests") };
  if (total === 0) return [heading, section("None yet. In a channel, type `/papers subscribe agents`")];
  const now = desk.clock();
  const due = channels.flatMap(({ channel }) =>
    channel.next === null ? [] : [`${dueFor(asker, channel, channel.next)} in ${placeName(channel)}`],
  );
  const left = total - channels.length;
  return [
    heading,
    ...(due.length < 2 ? [] : [context(`Next: ${due.slice(0, MOST_NEXT).join(" · ")}`)]),
    ...channels.map((state) =>
      section(
        `*${placeName(state.channel)}*  ${topicsOf(state, asker)}\n${whenOf(state.channel, asker, now)}`,
      ),
    ),
    ...smallPrint(left > 0 ? `and ${count(left, "channel")} more` : "", SHARES.line),
  ];
}

/** Slack shows a channel's name to whom may see it, and to nobody else. */
function placeName({ channel }: Pick<Channel, "channel">): string {
  if (/^[CG][A-Z0-9]{1,30}$/.test(channel)) return `<#${channel}>`;
  return "Direct messages";
}

/** Whoever set the channel up sees all of its topics, another one their own. */
function topicsOf({ channel, subscriptions }: ChannelState, { person }: Asker): string {
  const shown =
    channel.setUpBy === person
      ? subscriptions
      : subscriptions.filter(({ createdBy }) => createdBy === person);
  const others = subscriptions.length - shown.length;
  const names = shown.map(nameOf).join(" · ");
  return `${escapeWithin(names, SHARES.topics)}${others === 0 ? "" : ` · ${others} of others`}`;
}

function whenOf(channel: Channel, asker: Asker, now: Date): string {
  const { paused, next, schedule, top } = channel;
  const due = next === null ? null : dueFor(asker, channel, next);
  if (paused !== null && isPaused(channel, now)) {
    const reason = paused.reason === null ? "" : ` ${escapeWithin(paused.reason, SHARES.reason)}`;
    if (paused.until === null) return `Paused: type \`/papers resume\` there.${reason}`;
    const until = dayForPeople(paused.until, dayIn(schedule.zone, now));
    return `Paused up to and with ${until}${due === null ? "." : `, then ${due}.`}${reason}`;
  }
  const days = scheduleForPeople(schedule).split(" at ")[0];
  return due === null ? "No digest is due." : `Next: ${due} · top ${top}, ${days}`;
}

/** In the person's own zone, where Slack tells it. */
function dueFor({ zone }: Asker, { schedule }: Channel, next: NonNullable<Channel["next"]>): string {
  return dueForPeople(next, zone ?? schedule.zone);
}

function savedPapers(papers: readonly StoredPaper[], total: number): types.AnyBlock[] {
  const heading: types.AnyBlock = { type: "header", text: label("Saved papers") };
  if (total === 0) return [heading, section("None yet: open a paper and press Save.")];
  return [
    heading,
    ...papers.map(
      (paper): types.AnyBlock => ({
        ...section(`<${paperUrl(paper.id)}|${escapeWithin(titleOf(paper), SHARES.title)}>`),
        accessory: { type: "button", text: label("Unsave"), action_id: `v1:home:drop:${paper.id}` },
      }),
    ),
    actions(
      [total > papers.length ? `All ${total}` : "As a list", "saved"],
      ["BibTeX", "saved:bibtex"],
      ["Markdown", "saved:markdown"],
      ["CSV", "saved:csv"],
    ),
  ];
}

/** Of markup that is escaped already. */
function context(text: string): types.ContextBlock {
  return { type: "context", elements: [{ type: "mrkdwn", text, verbatim: true }] };
}
