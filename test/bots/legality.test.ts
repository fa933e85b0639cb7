import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { renderDiscord } from "../../src/bots/discord/render.ts";
import { renderSlack } from "../../src/bots/slack/render.ts";
import { paperMessage } from "../../src/core/answer.ts";
import { digestMessage, planDigest } from "../../src/core/digest.ts";
import { createIngest } from "../../src/core/ingest.ts";
import type { SearchIndex } from "../../src/core/search.ts";
import type { PaperSource } from "../../src/core/source.ts";
import type { Store } from "../../src/core/store.ts";
import { createSummarizer } from "../../src/core/summarize.ts";
import { linesOfFiles } from "../../src/import-files.ts";
import { openSqlite } from "../../src/storage/database.ts";
import { createStore } from "../../src/storage/store.ts";
import { checkDiscordMessage } from "../peers/discord-rules.ts";
import { madeUpLists, weekdaysUntil } from "../peers/hugging-face.ts";
import { checkSlackMessage } from "../peers/slack-rules.ts";

const summarizer = createSummarizer(async () => {});

/**
 * Every day of an archive, rendered for both platforms, at every size. Made-up lists by default;
 * `PAPERBOY_DATA=<folder>` takes the real ones of `<folder>/hf-daily/*.jsonl.gz`.
 */
const DATA = process.env["PAPERBOY_DATA"];

function lines(): AsyncIterable<string> {
  if (DATA !== undefined) {
    const folder = join(DATA, "hf-daily");
    const files = readdirSync(folder).filter((name) => name.endsWith(".jsonl.gz"));
    return linesOfFiles(
      files.map((name) => join(folder, name)),
      () => {},
    );
  }
  const lists = madeUpLists({ days: weekdaysUntil("2026-04-22", 20), perDay: 30, seed: 3 });
  return (async function* () {
    for (const list of lists) yield JSON.stringify(list);
  })();
}

/** Lists without topics ask no index. */
const NO_INDEX = {} as SearchIndex;

describe(`every digest of ${DATA === undefined ? "twenty made-up days" : "the archive"}`, () => {
  let store: Store;
  beforeAll(async () => {
    store = createStore(await openSqlite(":memory:"));
    await createIngest({ source: {} as PaperSource, store, clock: Date.now, summarizer }).importLines(
      lines(),
    );
  }, 120_000);

  test.each([5, 10, 20])(
    "is legal on Discord and Slack at top %i, page after page",
    { timeout: 300_000 },
    async (top) => {
      const days = await store.days({});
      expect(days.length).toBeGreaterThan(0);
      for (const { day } of days) {
        const digest = await planDigest({ store, index: NO_INDEX }, { day, topics: [] });
        for (const offset of [0, top]) {
          const message = digestMessage(digest, {
            today: day,
            top,
            offset,
            pagesId: "v1:page",
            notice: null,
          });
          if (message === null) continue;
          expect({ day, offset, faults: checkDiscordMessage(renderDiscord(message)) }).toEqual({
            day,
            offset,
            faults: [],
          });
          expect({ day, offset, faults: checkSlackMessage(renderSlack(message)) }).toEqual({
            day,
            offset,
            faults: [],
          });
        }
      }
    },
  );

  test("comes with cards that are legal too", { timeout: 300_000 }, async () => {
    for (const { day } of await store.days({})) {
      for (const paper of (await store.list(day))?.papers ?? []) {
        const message = paperMessage(paper, { clock: () => new Date("2026-04-22T12:00:00Z"), notice: null });
        expect({ id: paper.id, faults: checkDiscordMessage(renderDiscord(message)) }).toEqual({
          id: paper.id,
          faults: [],
        });
        expect({ id: paper.id, faults: checkSlackMessage(renderSlack(message)) }).toEqual({
          id: paper.id,
          faults: [],
        });
      }
    }
  });
});
