import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import SQLite from "better-sqlite3";
import { openSqlite } from "../src/storage/database.ts";
import { createStore } from "../src/storage/store.ts";
import { importInto, listLines } from "./papers.ts";

/**
 * Rows a second from lines to a durable store on disk, with parsing, summaries, merging and snapshots, beside the
 * bare floor: JSON.parse and one insert a row, one transaction a day, in the same SQLite set-up.
 */
export async function benchImport(print: (line: string) => void, data: string | null): Promise<void> {
  const lines = await listLines(data, 10_000);
  const folder = mkdtempSync(join(tmpdir(), "paperboy-bench-"));

  const floor = new SQLite(join(folder, "floor.db"));
  floor.pragma("journal_mode = WAL");
  floor.pragma("synchronous = FULL");
  floor.exec("create table papers (id text primary key, data text)");
  const insert = floor.prepare("insert or replace into papers values (?, ?)");
  const insertDay = floor.transaction((items: readonly { paper: { id: string } }[]) => {
    for (const item of items) insert.run(item.paper.id, JSON.stringify(item));
  });
  const floorStart = performance.now();
  for (const line of lines) insertDay(JSON.parse(line).items);
  const floorSeconds = (performance.now() - floorStart) / 1000;
  floor.close();

  const store = createStore(await openSqlite(join(folder, "paperboy.db")));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  const rows = await importInto(store, lines);
  const seconds = (performance.now() - start) / 1000;
  delay.disable();
  await store.close();
  print(
    `${rows} rows of ${lines.length} days: ${Math.round(rows / seconds)} rows/s (${seconds.toFixed(1)} s)`,
  );
  print(
    `event loop: p99 ${(delay.percentile(99) / 1e6).toFixed(0)} ms, longest hold ${(delay.max / 1e6).toFixed(0)} ms`,
  );
  print(
    `bare inserts: ${Math.round(rows / floorSeconds)} rows/s; Paperboy takes ${(seconds / floorSeconds).toFixed(1)} times as long`,
  );
}
