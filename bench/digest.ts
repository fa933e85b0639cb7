import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import SQLite from "better-sqlite3";
import { renderDiscord } from "../src/bots/discord/render.ts";
import { renderSlack } from "../src/bots/slack/render.ts";
import { catchUp } from "../src/core/catch-up.ts";
import { digestMessage, planDigest } from "../src/core/digest.ts";
import { parseTopic } from "../src/core/topic.ts";
import { openSqlite } from "../src/storage/database.ts";
import { createSearchIndex } from "../src/storage/search-index.ts";
import { createStore } from "../src/storage/store.ts";
import { importInto, listLines, percentiles } from "./papers.ts";

const TOPICS = [
  "agents -robotics",
  '"reinforcement learning" OR RLHF',
  "diffusion has:code",
  "multimodal benchmark",
  "retrieval min:5",
];

/**
 * One channel's digest with five topics out of a full store, planned and rendered for both platforms, beside FTS5
 * answering the five topics alone.
 */
export async function benchDigest(print: (line: string) => void, data: string | null): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "paperboy-bench-"));
  const store = createStore(await openSqlite(join(folder, "paperboy.db")));
  await importInto(store, await listLines(data, 10_000));
  const index = await createSearchIndex({ snapshotFile: null, store: { id: "1", revision: 1e9 } });
  await catchUp(store, index);
  const topics = TOPICS.map((topic) => parseTopic(topic));
  const days = (await store.days({})).filter(({ count }) => count > 0).slice(0, 100);

  const times: number[] = [];
  for (const { day } of days) {
    const start = performance.now();
    const digest = await planDigest({ store, index }, { day, topics });
    const message = digestMessage(digest, { today: day, top: 10, pagesId: "v1:page", notice: null });
    if (message !== null) {
      renderDiscord(message);
      renderSlack(message);
    }
    times.push(performance.now() - start);
  }
  const ours = percentiles(times);

  const fts = new SQLite(":memory:");
  fts.exec(
    "create virtual table papers using fts5(id unindexed, day unindexed, title, abstract, tokenize = 'porter unicode61')",
  );
  const insert = fts.prepare("insert into papers values (?, ?, ?, ?)");
  for (let revision = 0; ; ) {
    const papers = await store.changedSince(revision, 1000);
    for (const paper of papers) insert.run(paper.id, paper.listedOn, paper.title, paper.abstract);
    revision = papers.at(-1)?.revision ?? 0;
    if (papers.length === 0) break;
  }
  const select = fts.prepare("select id, rank from papers where papers match ? and day = ? order by rank");
  const queries = [
    "agents NOT robotics",
    '"reinforcement learning" OR rlhf',
    "diffusion",
    "multimodal benchmark",
    "retrieval",
  ];
  const ftsTimes = days.map(({ day }) => {
    const start = performance.now();
    for (const query of queries) select.all(query, day);
    return performance.now() - start;
  });
  const theirs = percentiles(ftsTimes);
  const { papers } = await store.size();
  print(
    `${TOPICS.length} topics, ${papers} papers, ${days.length} days: p50 ${ours.p50.toFixed(1)} ms, p99 ${ours.p99.toFixed(1)} ms, first ${times[0]?.toFixed(0)} ms`,
  );
  print(
    `FTS5 for the five topics alone: p50 ${theirs.p50.toFixed(1)} ms, p99 ${theirs.p99.toFixed(1)} ms; ratio of the p50s ${(ours.p50 / theirs.p50).toFixed(1)}`,
  );
  await index.close();
  await store.close();
}
