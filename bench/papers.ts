import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { createIngest } from "../src/core/ingest.ts";
import type { PaperSource } from "../src/core/source.ts";
import type { Store } from "../src/core/store.ts";
import { createSummarizer } from "../src/core/summarize.ts";
import { linesOfFiles } from "../src/import-files.ts";
import { madeUpLists, weekdaysUntil } from "../test/peers/hugging-face.ts";

/** A line a day: the lists of `<data>/hf-daily/*.jsonl.gz`, or as many made-up papers as asked for. */
export async function listLines(data: string | null, papers: number): Promise<readonly string[]> {
  if (data === null) {
    const lists = madeUpLists({
      days: weekdaysUntil("2026-04-22", Math.ceil(papers / 20)),
      perDay: 20,
      seed: 1,
    });
    return lists.map((list) => JSON.stringify(list));
  }
  const folder = join(data, "hf-daily");
  const files = readdirSync(folder).filter((name) => name.endsWith(".jsonl.gz"));
  const lines = [];
  for await (const line of linesOfFiles(
    files.map((name) => join(folder, name)),
    () => {},
  ))
    lines.push(line);
  return lines;
}

const summarizer = createSummarizer(() => breathe());

/** Imports lines as the program does. @returns rows kept */
export async function importInto(store: Store, lines: readonly string[]): Promise<number> {
  const ingest = createIngest({ source: {} as PaperSource, store, clock: Date.now, summarizer });
  const stream = (async function* () {
    yield* lines;
  })();
  return (await ingest.importLines(stream)).kept;
}

/** The middle of some numbers, and the one that 99 of 100 stay under. */
export function percentiles(values: readonly number[]): { readonly p50: number; readonly p99: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Milliseconds for people: `4.2 ms`, `38 ms`. */
export function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
