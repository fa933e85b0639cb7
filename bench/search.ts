import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import Database from "better-sqlite3";
import type { SearchDocument } from "../src/core/search.ts";
import { parseSearch } from "../src/core/topic.ts";
import { isStopWord, parseWord } from "../src/core/words.ts";
import { createSearchIndex } from "../src/storage/search-index.ts";

/**
 * Build rate, latency and memory of the search index beside SQLite's FTS5 in the same run, over made-up papers
 * whose words are distributed as in real ones. Latency is the round trip from the main thread.
 */
export async function benchSearch(print: (line: string) => void): Promise<void> {
  for (const size of [10_000, 50_000]) {
    const queries = sentences(size);
    print(`${size.toLocaleString("en")} papers, ${queries.length} whole-sentence queries, 10 hits each`);
    const ours = await measureIndex(size, queries, print);
    const fts5 = measureFts5(size, queries);
    print(describe("  index", ours));
    print(describe("  FTS5 ", fts5));
    const ratio = (a: number, b: number): string => `${(a / b).toFixed(1)}x`;
    print(
      `  FTS5 / index: p50 ${ratio(fts5.p50, ours.p50)}, p99 ${ratio(fts5.p99, ours.p99)}; ` +
        `build rate index / FTS5: ${ratio(ours.rate, fts5.rate)}`,
    );
  }
}

type Figures = {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly megabytes: number;
};

const BATCH = 500;
const QUERIES = 300;

async function measureIndex(
  size: number,
  queries: readonly string[],
  print: (line: string) => void,
): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), "paperboy-bench-"));
  const snapshotFile = join(folder, "search.snapshot");
  try {
    const before = process.memoryUsage.rss();
    const index = await createSearchIndex({ snapshotFile, store: { id: "1", revision: 1e9 } });
    let buildMs = 0;
    for (const batch of batches(size)) {
      const begun = performance.now();
      await index.update(batch, 1);
      buildMs += performance.now() - begun;
    }
    const times: number[] = [];
    for (const query of queries) {
      const begun = performance.now();
      await index.search({ topic: parseSearch(query), match: "any", limit: 10 });
      times.push(performance.now() - begun);
    }
    const megabytes = (process.memoryUsage.rss() - before) / 2 ** 20;
    const saveMs = await timed(() => index.save());
    await index.close();
    let again = index;
    const loadMs = await timed(async () => {
      again = await createSearchIndex({ snapshotFile, store: { id: "1", revision: 1e9 } });
    });
    await again.close();
    const { size: bytes } = await stat(snapshotFile);
    print(`  snapshot: ${mb(bytes / 2 ** 20)}, written in ${ms(saveMs)}, started from in ${ms(loadMs)}`);
    return { rate: (size / buildMs) * 1000, ...percentiles(times), megabytes };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function measureFts5(size: number, queries: readonly string[]): Figures {
  const database = new Database(":memory:");
  database.exec(
    "create virtual table papers using fts5(id unindexed, title, abstract, keywords, tokenize = 'porter unicode61')",
  );
  const insert = database.prepare("insert into papers values (?, ?, ?, ?)");
  const insertAll = database.transaction((documents: readonly SearchDocument[]) => {
    for (const { id, title, abstract, keywords } of documents)
      insert.run(id, title, abstract, keywords.join("\n"));
  });
  let buildMs = 0;
  for (const batch of batches(size)) {
    const begun = performance.now();
    insertAll(batch);
    buildMs += performance.now() - begun;
  }
  const select = database.prepare(
    "select id from papers where papers match ? order by bm25(papers, 0, 3, 1, 1) limit 10",
  );
  const times = queries.map((query) => {
    const begun = performance.now();
    const words = query.split(" ").filter((text) => {
      const word = parseWord(text);
      return word !== null && !isStopWord(word);
    });
    select.all(words.map((word) => `"${word}"`).join(" OR "));
    return performance.now() - begun;
  });
  const bytes = Number(database.pragma("page_count", { simple: true })) * 4096;
  database.close();
  return { rate: (size / buildMs) * 1000, ...percentiles(times), megabytes: bytes / 2 ** 20 };
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await run();
  return performance.now() - begun;
}

function percentiles(times: readonly number[]): { p50: number; p99: number } {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

function describe(name: string, { rate, p50, p99, megabytes }: Figures): string {
  const built = `${Math.round(rate).toLocaleString("en")} papers/s`;
  return `${name}: built at ${built}, p50 ${ms(p50)}, p99 ${ms(p99)}, memory ${mb(megabytes)}`;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function mb(value: number): string {
  return `${value.toFixed(0)} MB`;
}

/** The same papers each time, a batch at a time so that they are not all in memory. */
function* batches(size: number): Generator<SearchDocument[]> {
  const random = mulberry32(1);
  let batch: SearchDocument[] = [];
  for (let i = 0; i < size; i++) {
    batch.push(madeUpDocument(i, random));
    if (batch.length < BATCH && i < size - 1) continue;
    yield batch;
    batch = [];
  }
}

/** Sentences of papers spread over the collection: what someone pastes into a search. */
function sentences(size: number): string[] {
  const queries: string[] = [];
  const every = Math.floor(size / QUERIES);
  let i = 0;
  for (const batch of batches(size)) {
    for (const { abstract } of batch) {
      if (i++ % every === 0 && queries.length < QUERIES)
        queries.push((abstract.split(". ")[1] ?? abstract).slice(0, 300));
    }
  }
  return queries;
}

const GLUE =
  "the of and to a in for we is that with on this are our as by which from be an can it these have".split(
    " ",
  );
const SYLLABLES =
  "ab ac al an ar as at ba be bi ca ce co cu da de di do du el en er es et fa fe fi ga ge gi ha he hi in io is it la le li lo ma me mi mo na ne ni no nu op or pa pe pi po ra re ri ro ru sa se si so ta te ti to tra tri ul un ur va ve vi vo".split(
    " ",
  );
const VOCABULARY = 40_000;
const words = madeUpWords();
const zipf = zipfTable(VOCABULARY);
const authors = Array.from({ length: 30_000 }, (_, i) => `${words[i % 997]} ${words[(i * 7) % 30_011]}`);

function madeUpDocument(i: number, random: () => number): SearchDocument {
  const text = (length: number): string => Array.from({ length }, () => madeUpWord(random)).join(" ");
  const count = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  return {
    id: `${2300 + Math.floor(i / 4_000)}.${String(i).padStart(5, "0")}`,
    title: text(count(6, 14)),
    abstract: `${Array.from({ length: count(6, 10) }, () => text(count(14, 28))).join(". ")}.`,
    keywords: Array.from({ length: count(3, 6) }, () => text(2)),
    authors: Array.from({ length: count(2, 10) }, () => authors[count(0, authors.length - 1)] ?? ""),
    organization: [`lab-${count(1, 800)}`],
    has: random() < 0.6 ? ["code"] : [],
    upvotes: count(0, 200),
    listedOn: "2026-04-21",
  };
}

/** Two of five words of English abstracts are glue; of the others the nth is about 1 / n as frequent. */
function madeUpWord(random: () => number): string {
  if (random() < 0.4) return GLUE[Math.floor(random() ** 2 * GLUE.length)] ?? "the";
  const at = random();
  let low = 0;
  let high = zipf.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((zipf[middle] ?? 1) < at) low = middle + 1;
    else high = middle;
  }
  return words[low] ?? "word";
}

/** The shift by 8 makes the most frequent word stand in about two papers of three, as "model" does. */
function zipfTable(size: number): Float64Array {
  const shares = Float64Array.from({ length: size }, (_, i) => 1 / (i + 8));
  const total = shares.reduce((sum, share) => sum + share, 0);
  let sum = 0;
  return shares.map((share) => {
    sum += share / total;
    return sum;
  });
}

function madeUpWords(): string[] {
  const random = mulberry32(2);
  const made = new Set<string>();
  while (made.size < VOCABULARY) {
    const length = 2 + Math.floor(random() * 3);
    made.add(Array.from({ length }, () => SYLLABLES[Math.floor(random() * SYLLABLES.length)] ?? "").join(""));
  }
  return [...made];
}

/** A small generator of numbers from 0 to 1 that are the same each time. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
