import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readConfig } from "../src/config.ts";
import type { ModelEvent } from "../src/core/model-summarizer.ts";
import { type Library, openLibrary } from "../src/library.ts";
import { feedDay } from "../src/core/day.ts";
import { type HuggingFacePeer, madeUpLists, startHuggingFace, weekdaysUntil } from "./peers/hugging-face.ts";
import { type ModelEndpoint, startModelEndpoint } from "./peers/model-endpoint.ts";

let source: HuggingFacePeer;
let endpoint: ModelEndpoint;
let library: Library;
let events: ModelEvent[];

beforeEach(async () => {
  const days = weekdaysUntil(feedDay(new Date()), 2);
  const lists = madeUpLists({ days, perDay: 6, seed: 3 }).map(({ date, items }) => ({
    date,
    items: items.map((item, index) => {
      const { ai_summary: theirs, ...paper } = item.paper;
      return { ...item, paper: index % 2 === 0 ? paper : { ...paper, ai_summary: theirs ?? "Theirs." } };
    }),
  }));
  source = await startHuggingFace({ lists });
  endpoint = await startModelEndpoint();
  events = [];
});

afterEach(async () => {
  await library.close();
  await source.close();
  await endpoint.close();
});

async function open(environment: Readonly<Record<string, string>>): Promise<void> {
  const config = readConfig({ DATABASE_URL: "sqlite::memory:", HF_ENDPOINT: source.url, ...environment });
  library = await openLibrary(config, {
    report: () => {},
    log: () => {},
    reportModel: (event) => events.push(event),
  });
  await library.ingest.refresh();
}

async function methods(): Promise<readonly (string | undefined)[]> {
  const lists = await Promise.all((await library.store.days({})).map(({ day }) => library.store.list(day)));
  return lists.flatMap((list) => list?.papers ?? []).map(({ summary }) => summary?.method);
}

describe("the library", () => {
  test("has no model write anything where none is set", async () => {
    await open({});
    expect(await library.retell()).toBeNull();
    expect(await methods()).not.toContain("model");
    expect((await library.context()).remarks).toEqual([]);
  });

  test("has the model write what Hugging Face has not, after each paper had a sentence of its abstract", async () => {
    await open({ MODEL_BASE_URL: endpoint.url, SUMMARY_MODEL: "small-model" });
    const before = await methods();
    expect(before).toContain("extractive");
    // As a model that copies what it reads.
    endpoint.answer(({ user }) => {
      const { abstract }: { abstract: string } = JSON.parse(user);
      return { kind: "summary", text: abstract.split(/(?<=\.)\s/)[0] ?? "" };
    });
    const report = await library.retell();
    expect(report?.asked).toBe(before.filter((method) => method === "extractive").length);
    expect(report?.made).toBe(report?.asked);
    expect(await methods()).toEqual(before.map((method) => (method === "extractive" ? "model" : method)));
    await library.ingest.refresh();
    expect(await methods()).not.toContain("extractive");
  });

  test("says so while the model does not answer, and the sentences stand", async () => {
    await open({ MODEL_BASE_URL: endpoint.url, SUMMARY_MODEL: "small-model", MODEL_API_KEY: "wrong-key" });
    const before = await methods();
    endpoint.answer({ kind: "status", status: 401 });
    expect((await library.retell())?.made).toBe(0);
    expect(await methods()).toEqual(before);
    expect((await library.context()).remarks).toEqual([
      "The summary model does not answer (status 401: check MODEL_API_KEY); sentences of the abstracts serve.",
    ]);
    expect(events.length).toBeGreaterThan(0);
  });
});
