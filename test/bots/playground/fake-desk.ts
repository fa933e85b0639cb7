import type { Asker, Reply } from "../../../src/core/command.ts";
import { sentence } from "../../../src/core/command.ts";
import type { ChannelKey } from "../../../src/core/channel.ts";
import type { Message } from "../../../src/core/message.ts";
import {
  createPlaygroundBot,
  type MessageLog,
  type PlaygroundBot,
} from "../../../src/bots/playground/bot.ts";
import type { PlaygroundDesk } from "../../../src/bots/playground/chat.ts";
import { madeUpPost } from "../../contracts/made-up-post.ts";

type Row = { ref: string; channel: ChannelKey; nonce: string | null; revision: number; body: string };

/** A log that lasts as long as the test. */
export function createMemoryLog(): MessageLog {
  const rows: Row[] = [];
  let last = 0;
  const same = (a: ChannelKey, b: ChannelKey) => a.workspace === b.workspace && a.channel === b.channel;
  return {
    async append({ channel, nonce, body }) {
      const standing = rows.find(
        (row) => nonce !== null && row.nonce === nonce && same(row.channel, channel),
      );
      if (standing !== undefined) return { ...standing, isNew: false };
      last += 1;
      const row = { ref: String(last), channel, nonce, revision: last, body };
      rows.push(row);
      return { ...row, isNew: true };
    },
    async replace(ref, body) {
      const row = rows.find((each) => each.ref === ref);
      if (row === undefined) return null;
      last += 1;
      Object.assign(row, { body, revision: last });
      return { ...row };
    },
    find: async (ref) => rows.find((row) => row.ref === ref) ?? null,
    list: async (channel, limit) => rows.filter((row) => same(row.channel, channel)).slice(-limit),
    since: async (revision, limit) =>
      rows
        .filter((row) => row.revision > revision)
        .sort((a, b) => a.revision - b.revision)
        .slice(0, limit),
    revision: async () => last,
  };
}

const START = Date.parse("2026-04-22T08:00:00Z");
const DIGEST_AT = "2026-04-23T09:00:00.000Z";

/**
 * A made-up product: `subscribe` makes the channel due at nine the next day, `search` finds three papers, a paper can
 * be saved, taken back, discussed and shared.
 */
export function createFakeDesk(log: MessageLog = createMemoryLog()): {
  desk: PlaygroundDesk;
  bot: PlaygroundBot;
  /** Every question, in order, such as `ada run discord/papers subscribe x`. */
  asked: string[];
} {
  const asked: string[] = [];
  const due = new Map<string, ChannelKey>();
  let now = START;
  const bot = createPlaygroundBot({ log, now: () => new Date(now) });
  const name = ({ workspace, channel }: ChannelKey) => `${workspace}/${channel}`;
  const desk: PlaygroundDesk = {
    commands: [
      {
        name: "search",
        summary: "Finds papers",
        options: [{ name: "query", summary: "Words of the topic language", required: true }],
      },
      { name: "today", summary: "The day's list", options: [] },
      {
        name: "subscribe",
        summary: "Brings a topic's papers here",
        options: [{ name: "topic", summary: "What to follow", required: false }],
      },
      {
        name: "saved",
        summary: "What you saved",
        options: [{ name: "format", summary: "How to write it", required: false }],
      },
    ],
    async complete(asker, text) {
      asked.push(`${asker.person} complete ${text}`);
      return text.startsWith("saved")
        ? ["bibtex", "markdown"].map((value) => ({ label: value, value: `saved ${value}` }))
        : [];
    },
    async runText(asker, text) {
      asked.push(`${asker.person} run ${name(asker.where)} ${text}`);
      if (text === "explode") throw new Error("inner detail");
      if (text.startsWith("subscribe")) return subscribe(asker, text.slice(10));
      if (text.startsWith("search")) return own(papers(`Search · ${text.slice(7)}`));
      if (text.startsWith("saved")) {
        const file = {
          name: "papers.bib",
          type: "text/plain",
          text: "@misc{one,\n  title = {<b>One</b>}\n}",
        };
        return { ...own(sentence("1 paper as BibTeX.")), file };
      }
      return own(sentence(`“${text}” is no command here.`));
    },
    async press(asker, id, value) {
      asked.push(`${asker.person} press ${name(asker.where)} ${id} ${value ?? ""}`.trim());
      const paper = value ?? id.split(":")[2] ?? "";
      if (id === "v1:show") return own(card(paper, false));
      if (id.startsWith("v1:save:")) return { ...own(card(paper, true)), replaces: true };
      if (id.startsWith("v1:unsave:")) return { ...own(card(paper, false)), replaces: true };
      if (id === "v1:undo") {
        due.delete(name(asker.where));
        return { ...everybody(sentence("Undone.")), replaces: true };
      }
      if (id.startsWith("v1:discuss:")) return { ...everybody(papers("Discussion")), thread: "Paper 1" };
      return own(sentence("An old button."));
    },
    clock: {
      now: () => new Date(now),
      zone: async ({ channel }) => (channel === "papers" ? "Europe/Paris" : "UTC"),
      next: async (key) => (due.has(name(key)) ? DIGEST_AT : null),
      async move(action, key) {
        asked.push(`move ${action} ${name(key)}`);
        if (action === "next-digest") now = Date.parse(DIGEST_AT);
        else if (action === "next-day") now += 86_400_000;
        else now = START;
        for (const to of action === "next-digest" ? due.values() : []) {
          await bot.post(madeUpPost(to, papers("Daily Papers · Thursday 23 April"), "d-2026-04-23"));
        }
      },
    },
  };
  return { desk, bot, asked };

  function subscribe(asker: Asker, topic: string): Reply {
    if (!asker.maySet) return own(sentence("Only who may change this channel can subscribe it."));
    due.set(name(asker.where), asker.where);
    return everybody({
      ...sentence(`Subscribed this channel to 1 ${topic}.`, "Last 14 days: 31 papers, 2.2 a day."),
      buttons: [{ label: "Undo", id: "v1:undo" }],
    });
  }
}

const own = (message: Message): Reply => ({ message, to: "asker" });
const everybody = (message: Message): Reply => ({ message, to: "channel" });

function papers(title: string): Message {
  const ids = ["2604.00001", "2604.00002", "2604.00003"];
  return {
    ...sentence(title, "3 papers"),
    items: ids.map((id, index) => ({
      rank: index + 1,
      title: `Paper ${index + 1} with <b>marks</b>`,
      url: `https://huggingface.co/papers/${id}`,
      body: "One sentence says what it found.",
      facts: ["▲ 45"],
      thumbnail: {
        url: `https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/${id}.png`,
        alt: `First page of paper ${index + 1}`,
      },
    })),
    select: {
      id: "v1:show",
      placeholder: "Choose a paper",
      options: ids.map((id, index) => ({ label: `Paper ${index + 1}`, value: id })),
    },
  };
}

function card(id: string, saved: boolean): Message {
  return {
    ...sentence(`Card of ${id}`, saved ? "Saved by you." : "Not saved."),
    buttons: [
      saved
        ? { label: "Unsave", id: `v1:unsave:${id}` }
        : { label: "Save", id: `v1:save:${id}`, style: "primary" },
      { label: "Discuss", id: `v1:discuss:${id}` },
      { label: "PDF", url: `https://arxiv.org/pdf/${id}` },
    ],
  };
}
