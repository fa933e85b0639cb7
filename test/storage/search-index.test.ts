import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createBm25 } from "../../src/core/bm25.ts";
import type { SearchIndex } from "../../src/core/search.ts";
import { createSearchIndex, type SearchIndexOptions } from "../../src/storage/search-index.ts";
import { documentOf, find, searchIndexContract } from "../contracts/search-index.ts";

searchIndexContract("in a worker", () =>
  createSearchIndex({ snapshotFile: null, store: { id: "1", revision: 1e9 } }),
);
searchIndexContract("in place", async () => inPlace());

let folder: string;
let snapshotFile: string;
const open: SearchIndex[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "paperboy-search-"));
  snapshotFile = join(folder, "kept", "search.snapshot");
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((index) => index.close()));
  await rm(folder, { recursive: true });
});

async function start(options: Partial<SearchIndexOptions> = {}): Promise<SearchIndex> {
  const index = await createSearchIndex({ snapshotFile, store: { id: "1", revision: 1000 }, ...options });
  open.push(index);
  return index;
}

const TWO = [
  documentOf("a", {
    title: "Agents",
    authors: ["Song Han"],
    upvotes: 4,
    listedOn: "2026-04-21",
    has: ["code"],
  }),
  documentOf("b", { title: "学习 agents", abstract: "that are fine-tuned", organization: ["nvidia"] }),
];

test("a closed index is found again as it was", async () => {
  const before = await start();
  await before.update(TWO, 11);
  await before.update([documentOf("a", { title: "Agents again", authors: ["Song Han"] })], 12);
  const topic = { topic: { text: "", groups: [], excluded: [], min: 0 }, match: "any", limit: 10 } as const;
  const hits = await before.search(topic);
  await before.close();
  const after = await start();
  expect(after.revision()).toBe(12);
  expect(await after.search(topic)).toEqual(hits);
  expect(await find(after, '"agents again" author:"song han"')).toEqual(["a"]);
  expect(await find(after, "学习 org:nvidia")).toEqual(["b"]);
  await after.update([documentOf("b", { title: "Vision" })], 13);
  expect(await find(after, "学习")).toEqual([]);
});

test("an index of another store, or of a later one than the store is now, is not found again", async () => {
  const before = await start();
  await before.update(TWO, 11);
  await before.close();
  expect((await start({ store: { id: "2", revision: 1000 } })).revision()).toBe(0);
  expect((await start({ store: { id: "1", revision: 10 } })).revision()).toBe(0);
  expect((await start({ store: { id: "1", revision: 11 } })).revision()).toBe(11);
});

test("an empty index is kept as well", async () => {
  const before = await start();
  await before.update([], 5);
  await before.save();
  expect((await start()).revision()).toBe(5);
});

test("saving leaves one file and no unfinished one", async () => {
  const index = await start();
  await index.update(TWO, 1);
  await Promise.all([index.save(), index.save()]);
  expect(await readdir(join(folder, "kept"))).toEqual(["search.snapshot"]);
});

test("a damaged, cut or foreign file is ignored and written anew", async () => {
  const before = await start();
  await before.update(TWO, 3);
  await before.close();
  const whole = await readFile(snapshotFile);
  const flipped = Uint8Array.from(whole);
  flipped[whole.length - 9] = (flipped[whole.length - 9] ?? 0) ^ 4;
  const newer = Uint8Array.from(whole);
  newer[8] = 200;
  const files = [
    flipped,
    newer,
    whole.subarray(0, -1),
    whole.subarray(0, 10),
    Buffer.from("SQLite format 3"),
    Buffer.alloc(0),
  ];
  for (const file of files) {
    await writeFile(snapshotFile, file);
    const index = await start();
    expect(index.revision()).toBe(0);
    await index.close();
  }
  const again = await start();
  await again.update(TWO, 4);
  await again.close();
  expect((await start()).revision()).toBe(4);
});

test("a snapshot that cannot be written is told to who asks, and logged on closing", async () => {
  await writeFile(join(folder, "kept"), "a file where the folder should be");
  const lines: string[] = [];
  const index = await start({ log: (line) => lines.push(line) });
  await index.update(TWO, 1);
  await expect(index.save()).rejects.toThrow("could not be written");
  await index.close();
  expect(lines).toEqual([expect.stringContaining("could not be written")]);
});

test.each(["exit now", "throw now"])(
  "after its worker broke (%s) it says so and begins again empty",
  async (cause) => {
    const lines: string[] = [];
    const workerUrl = new URL("./search-breaking-worker.ts", import.meta.url);
    const index = await start({ workerUrl, log: (line) => lines.push(line) });
    await index.update(TWO, 2);
    await index.save();
    const [first, second] = await Promise.allSettled([find(index, cause), find(index, "agents")]);
    expect(first).toMatchObject({
      status: "rejected",
      reason: { message: expect.stringContaining("stopped") },
    });
    expect(second.status).toBe("rejected");
    expect(index.revision()).toBe(0);
    expect(lines).toHaveLength(1);
    expect(await find(index, "agents")).toEqual([]);
    await index.update(TWO, 3);
    expect(index.revision()).toBe(3);
    expect(await find(index, "agents")).toEqual(["a", "b"]);
  },
);

test("a worker that cannot start is an error of the making", async () => {
  await expect(start({ workerUrl: new URL("./no-such-worker.ts", import.meta.url) })).rejects.toThrow(
    "stopped",
  );
});

function inPlace(): SearchIndex {
  const index = createBm25();
  let revision = 0;
  let closed = false;
  const opened = (): void => {
    if (closed) throw new Error("The search index is closed.");
  };
  return {
    update: async (documents, newRevision) => {
      opened();
      index.update(documents);
      revision = newRevision;
    },
    search: async (query) => {
      opened();
      return index.search(query);
    },
    revision: () => revision,
    save: async () => opened(),
    close: async () => {
      closed = true;
    },
  };
}
