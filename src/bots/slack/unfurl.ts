import type { types, webApi } from "@slack/bolt";
import { paperFacts, paperItem } from "../../core/answer.ts";
import type { ChannelKey, Mention } from "../../core/channel.ts";
import { shortDate } from "../../core/day.ts";
import { within } from "../../core/deadline.ts";
import type { Button, Message } from "../../core/message.ts";
import { parsePaperId } from "../../core/paper.ts";
import { seekId } from "../../core/paper-sought.ts";
import { dayIn } from "../../core/schedule.ts";
import type { StoredPaper } from "../../core/store.ts";
import type { ListenersOptions } from "./listeners.ts";
import { renderSlack } from "./render.ts";
import { slackErrorOf } from "./sending.ts";

export type LinksOptions = Pick<ListenersOptions, "app" | "desk" | "flood" | "report" | "during"> & {
  /** Tells ids of events that were not seen before. */
  readonly isNew: (id: string) => boolean;
  /** Whether an error is for want of a scope. */
  readonly lacksScope: (error: unknown, workspace: string) => boolean;
};

/** A message with more links is a list, and cards would bury it. */
const MOST_LINKS = 2;
/** A card that was just there is not shown again. */
const QUIET_MS = 30 * 60_000;
/** A card that comes late moves what people read by then. */
const FIND_MS = 1500;
/** Papers that are asked of Hugging Face at a time for cards; with more, the links stay as they are. */
const MOST_SOUGHT = 4;

/**
 * Links to papers become cards, under the message or already while it is typed. A link that leads to no paper, to one
 * that is not found soon, or to one that was shown in the channel just before stays as it is. Of our own links Slack
 * does not tell, and where it did, Bolt would leave them out.
 */
export function listenForLinks({ app, desk, flood, report, during, isNew, lacksScope }: LinksOptions): void {
  let sought = 0;

  app.event("link_shared", async ({ event, body, client }) => {
    if (!isNew(body.event_id)) return;
    await during(unfurl(client, event, body.team_id)).catch((error: unknown) => {
      if (!lacksScope(error, body.team_id)) report({ kind: "unexpected", what: "a card for a link", error });
    });
  });

  async function unfurl(
    client: webApi.WebClient,
    event: types.LinkSharedEvent,
    workspace: string,
  ): Promise<void> {
    const urls = linksToPapers(event.links);
    // The bundled sample is for looking at: cards would pass it off as today's.
    if (event.links.length > MOST_LINKS || urls.size === 0 || desk().notice !== null) return;
    if (flood.admit({ platform: "slack", workspace, person: event.user }) !== null) return;
    const target = targetOf(event);
    const where: ChannelKey | null =
      "channel" in target ? { platform: "slack", workspace, channel: target.channel } : null;
    const cards = await Promise.all(
      [...urls].map(async ([id, url]) => {
        const paper = await find(id);
        const card = paper === null ? null : await cardOf(client, paper, where, event.message_ts);
        return card === null ? [] : [{ url, card }];
      }),
    );
    const shown = cards.flat();
    if (shown.length === 0) return;
    const send = (withImages: boolean) =>
      client.chat.unfurl({
        ...target,
        unfurls: Object.fromEntries(shown.map(({ url, card }) => [url, attachment(card, withImages)])),
      });
    try {
      // A picture that Slack cannot fetch costs the whole card.
      await send(true).catch((error: unknown) => {
        if (slackErrorOf(error) !== "cannot_parse_attachment") throw error;
        return send(false);
      });
    } catch (error) {
      if (!MOOT.has(slackErrorOf(error) ?? "")) throw error;
    }
  }

  async function find(id: string): Promise<StoredPaper | null> {
    const [known] = await desk().store.papers([id]);
    if (known !== undefined) return known;
    if (sought >= MOST_SOUGHT) return null;
    sought += 1;
    const seeking = during(
      seekId(desk(), id).finally(() => {
        sought -= 1;
      }),
    );
    // What is found too late is kept for the next time.
    return within(
      seeking.then(({ paper }) => paper),
      FIND_MS,
      null,
    );
  }

  /** Null where the paper was shown there just before. Nothing is known of where a message that is typed will go. */
  async function cardOf(
    client: webApi.WebClient,
    paper: StoredPaper,
    where: ChannelKey | null,
    ref: string,
  ): Promise<Message | null> {
    if (where === null) return cardMessage(paper, []);
    const now = desk().clock();
    const { isNoted, before } = await desk().channels.mention(
      where,
      { paperId: paper.id, ref, at: now.toISOString() },
      new Date(now.getTime() - QUIET_MS).toISOString(),
    );
    if (!isNoted) return null;
    return cardMessage(paper, before === null ? [] : await discussed(client, where, before));
  }

  /** When the paper was last spoken of in the channel, with a link where Slack gives one; nothing of what is deleted. */
  async function discussed(
    client: webApi.WebClient,
    where: ChannelKey,
    { ref, at }: Mention,
  ): Promise<readonly Told[]> {
    const channel = await desk().channels.channel(where);
    const zone = channel?.schedule.zone ?? "UTC";
    const day = shortDate(dayIn(zone, new Date(at)), dayIn(zone, desk().clock()));
    const asked = client.chat.getPermalink({ channel: where.channel, message_ts: ref });
    try {
      const { permalink } = await within(asked, FIND_MS, { permalink: undefined });
      return [
        permalink === undefined
          ? `discussed here on ${day}`
          : { label: `Discussed here on ${day}`, url: permalink },
      ];
    } catch (error) {
      return slackErrorOf(error) === "message_not_found" ? [] : [`discussed here on ${day}`];
    }
  }
}

/** A fact, or a button. */
type Told = string | Button;

function cardMessage(paper: StoredPaper, told: readonly Told[]): Message {
  const facts = told.filter((each) => typeof each === "string");
  const links = told.filter((each) => typeof each !== "string");
  return {
    title: "",
    intro: [],
    items: [{ ...paperItem(paper), facts: [...paperFacts(paper), ...facts] }],
    select: null,
    buttons: [
      { label: "Save", id: `v1:save:${paper.id}` },
      { label: "Similar", id: `v1:similar:${paper.id}` },
      ...links,
    ],
    pages: null,
    footer: null,
  };
}

function attachment(card: Message, withImages: boolean): types.LinkUnfurls[string] {
  const items = withImages ? card.items : card.items.map((item) => ({ ...item, thumbnail: null }));
  return { blocks: renderSlack({ ...card, items }).blocks };
}

/** The papers by id, each with the first link to it. */
function linksToPapers(links: types.LinkSharedEvent["links"]): ReadonlyMap<string, string> {
  const urls = new Map<string, string>();
  for (const { url } of links) {
    const id = parsePaperId(url);
    if (id !== null && !urls.has(id)) urls.set(id, url);
  }
  return urls;
}

type Target =
  | { readonly channel: string; readonly ts: string }
  | { readonly unfurl_id: string; readonly source: "composer" };

/** Of links that are only typed, channel and time stamp are none: https://docs.slack.dev/reference/events/link_shared */
function targetOf({ channel, message_ts, unfurl_id, source }: types.LinkSharedEvent): Target {
  return source === "composer" ? { unfurl_id: unfurl_id ?? message_ts, source } : { channel, ts: message_ts };
}

/** The message is gone or changed by now, or an admin will have no cards: https://docs.slack.dev/reference/methods/chat.unfurl */
const MOOT: ReadonlySet<string> = new Set([
  "cannot_find_message",
  "cannot_find_channel",
  "cannot_unfurl_message",
  "cannot_unfurl_url",
  "cannot_find_service",
  "no_permission",
]);
