import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHuggingFace, type HuggingFaceOptions } from "../../src/core/hugging-face.ts";
import type { PaperSource, SourceError } from "../../src/core/source.ts";
import {
  BAD_ROWS,
  type HuggingFacePeer,
  madeUpLists,
  startHuggingFace,
  weekdaysUntil,
} from "../peers/hugging-face.ts";

/** A Wednesday noon in New York, at the beginning of a quota window. */
const NOW = new Date("2026-04-22T16:00:00Z");
const TODAY = "2026-04-22";
const LISTS = madeUpLists({ days: weekdaysUntil(TODAY, 8), perDay: 30, seed: 3 });
const TOKEN = "hf_notARealTokenAtAll";

let peer: HuggingFacePeer;
let source: PaperSource;
let now: number;
/** Pauses that were asked for between retries. */
let waits: number[];

function create(options: Partial<HuggingFaceOptions> = {}): PaperSource {
  return createHuggingFace({
    endpoint: peer.url,
    token: null,
    userAgent: "paperboy-test",
    clock: () => now,
    random: () => 1,
    wait: async (ms) => void waits.push(ms),
    ...options,
  });
}

async function failure(call: Promise<unknown>): Promise<SourceError> {
  const error: unknown = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "SourceError" });
  return error as SourceError;
}

beforeEach(async () => {
  now = NOW.getTime();
  waits = [];
  peer = await startHuggingFace({ lists: LISTS, now: NOW });
  source = create();
});

afterEach(() => peer.close());

describe("lists", () => {
  test("a day's list comes whole, most upvoted first", async () => {
    const list = await source.day(TODAY);
    expect(list?.papers).toHaveLength(30);
    expect(list?.dropped).toEqual([]);
    const votes = list?.papers.map(({ upvotes }) => upvotes) ?? [];
    expect(votes).toEqual([...votes].sort((one, other) => other - one));
    expect(peer.requests.map(({ path }) => path)).toEqual([`/api/daily_papers?date=${TODAY}&limit=100`]);
    expect(peer.requests[0]?.headers).toMatchObject({
      "user-agent": "paperboy-test",
      accept: "application/json",
    });
    expect(peer.requests[0]?.headers.authorization).toBeUndefined();
  });

  test("a list longer than a page is read to its end", async () => {
    const [long] = madeUpLists({ days: [TODAY], perDay: 230, seed: 4 });
    if (long !== undefined) peer.setList(long);
    expect((await source.day(TODAY))?.papers).toHaveLength(230);
    expect(peer.requests).toHaveLength(3);
  });

  test("a paper that moved to the next page meanwhile is kept once", async () => {
    const [long] = madeUpLists({ days: [TODAY], perDay: 120, seed: 4 });
    const twice = long?.items.at(-1);
    if (long !== undefined && twice !== undefined) peer.setList({ ...long, items: [twice, ...long.items] });
    const list = await source.day(TODAY);
    expect(list?.papers).toHaveLength(120);
    expect(list?.dropped.map(({ reason }) => reason)).toEqual(["already in the list"]);
  });

  test("a next page elsewhere is not followed, nor more than twenty", async () => {
    const callsFor = async (link: string) => {
      let calls = 0;
      const fetch = async () => {
        calls++;
        return new Response("[]", { headers: { "content-type": "application/json", link } });
      };
      await create({ fetch }).day(TODAY);
      return calls;
    };
    expect(await callsFor('<https://example.com/api/daily_papers?p=1>; rel="next"')).toBe(1);
    expect(await callsFor(`<${peer.url}/api/daily_papers?date=${TODAY}&limit=100>; rel="next"`)).toBe(1);
    expect(await callsFor('</api/daily_papers?p=0>; rel="prev"')).toBe(1);
    let page = 0;
    const endless = async () =>
      new Response("[]", {
        headers: { "content-type": "application/json", link: `</api/daily_papers?p=${++page}>; rel="next"` },
      });
    await create({ fetch: endless }).day(TODAY);
    expect(page).toBe(20);
  });

  test("a day that is not open yet, or is no day, is null", async () => {
    expect(await source.day("2026-04-23")).toBeNull();
    expect(peer.requests).toHaveLength(1);
    expect(await source.day("2026-02-30")).toBeNull();
    expect(peer.requests).toHaveLength(1);
  });

  test("a day without papers is an empty list", async () => {
    expect(await source.day("2026-04-19")).toEqual({ papers: [], dropped: [] });
  });

  test("a week and a month bring the papers of their days", async () => {
    expect((await source.period("2026-W17"))?.papers).toHaveLength(90);
    expect((await source.period("2026-04"))?.papers).toHaveLength(240);
    expect(await source.period("2026-05")).toBeNull();
    expect(await source.period("2026")).toBeNull();
  });

  test("what trends is one page", async () => {
    expect((await source.trending()).papers).toHaveLength(100);
    expect(peer.requests.map(({ path }) => path)).toEqual(["/api/daily_papers?sort=trending&limit=100"]);
  });

  test("bad rows are dropped and the others stand", async () => {
    peer.setFault({ kind: "bad-rows" });
    const list = await source.day(TODAY);
    expect(list?.papers).toHaveLength(30);
    expect(list?.dropped).toHaveLength(BAD_ROWS.length);
  });
});

describe("single papers and search", () => {
  const ID = LISTS[0]?.items[0]?.paper.id ?? "";

  test("a paper comes with what is linked to it", async () => {
    peer.setPaper(ID, { linkedModels: [{ id: "north-lab/prism-7b" }], numTotalModels: 12 });
    const linked = {
      models: 12,
      datasets: 0,
      spaces: 0,
      modelIds: ["north-lab/prism-7b"],
      datasetIds: [],
      spaceIds: [],
    };
    expect(await source.paper(ID)).toMatchObject({ id: ID, linked });
    expect(await source.linked(ID)).toEqual(linked);
  });

  test("a paper that Hugging Face does not know is null", async () => {
    expect(await source.paper("2401.99999")).toBeNull();
    expect(await source.linked("2401.99999")).toBeNull();
  });

  test("an id that Hugging Face cannot know is not asked for", async () => {
    expect(await source.paper("hep-th/9901001")).toBeNull();
    expect(await source.paper("../daily_papers")).toBeNull();
    expect(peer.requests).toEqual([]);
  });

  test("an answer that is no paper is an error", async () => {
    peer.setFault({ kind: "not-a-list" });
    expect((await failure(source.paper(ID))).message).toBe(
      `Hugging Face answered with no paper: no arXiv id (GET /api/papers/${ID}).`,
    );
  });

  test("a search brings papers, within the API's limits", async () => {
    expect((await source.search("robotics manipulation", 3)).papers).toHaveLength(3);
    await source.search(`agents & ${"x".repeat(300)}`, 1_000);
    await source.search("agents", Number.NaN);
    const asked = peer.requests.map(({ path }) => new URL(path, peer.url).searchParams);
    expect(asked.map((query) => query.get("limit"))).toEqual(["3", "120", "1"]);
    expect(asked[1]?.get("q")).toBe(`agents & ${"x".repeat(241)}`);
  });

  test("a search for nothing finds nothing, without a call", async () => {
    expect(await source.search("  ", 10)).toEqual({ papers: [], dropped: [] });
    expect(peer.requests).toEqual([]);
  });
});

describe("the quota", () => {
  test("429 is an error that says when to come back, and is not tried again", async () => {
    peer.setQuota({ api: 0 });
    const error = await failure(source.day(TODAY));
    expect(error.retryAfterMs).toBe(300_000);
    expect(error.message).toBe(
      `Hugging Face takes no more calls for now; try again in 300 s (GET /api/daily_papers?date=${TODAY}&limit=100).`,
    );
    expect(peer.requests).toHaveLength(1);
    await failure(source.day(TODAY));
    expect(peer.requests).toHaveLength(1);
  });

  test("without the header, 429 goes by Retry-After, else by a minute", async () => {
    peer.setFault({ kind: "status", status: 429, headers: { "retry-after": "7" } });
    expect((await failure(source.day(TODAY))).retryAfterMs).toBe(7_000);
    now += 7_000;
    peer.setFault({
      kind: "status",
      status: 429,
      headers: { "retry-after": new Date(now + 9_000).toUTCString() },
    });
    expect((await failure(source.day(TODAY))).retryAfterMs).toBe(9_000);
    now += 9_000;
    peer.setFault({ kind: "status", status: 429 });
    expect((await failure(source.day(TODAY))).retryAfterMs).toBe(60_000);
  });

  test("few calls left are kept for people: details stop first, lists next, single papers last", async () => {
    peer.setQuota({ api: 100 });
    const calls: Record<string, number> = {};
    for (const kind of ["linked", "day", "paper"] as const) {
      for (calls[kind] = 0; calls[kind] <= 100; calls[kind]++) {
        const call = kind === "day" ? source.day("2026-04-19") : source[kind]("2401.99999");
        const error = await call.then(
          () => null,
          (reason: SourceError) => reason,
        );
        if (error === null) continue;
        expect(error.retryAfterMs).toBe(300_000);
        expect(error.message).toMatch(/^Few calls to Hugging Face are left; try again in 300 s \(GET /);
        break;
      }
    }
    // Of 99 after the first call, floor(19.8), floor(4.95) and floor(.99) stay.
    expect(calls).toEqual({ linked: 81, day: 15, paper: 4 });
    expect(peer.requests).toHaveLength(100);
  });

  test("a new window is asked again", async () => {
    peer.setQuota({ api: 1 });
    await source.day(TODAY);
    expect((await failure(source.day(TODAY))).retryAfterMs).toBe(300_000);
    now += 300_000;
    peer.setNow(new Date(now));
    expect((await source.day(TODAY))?.papers).toHaveLength(30);
  });

  test("the search has its own", async () => {
    peer.setQuota({ search: 1 });
    await source.search("agents", 1);
    await failure(source.search("agents", 1));
    expect((await source.day(TODAY))?.papers).toHaveLength(30);
  });
});

describe("when things go wrong", () => {
  const PATH = `(GET /api/daily_papers?date=${TODAY}&limit=100).`;

  test("server errors are tried three times, with growing pauses", async () => {
    peer.setFault({ kind: "status", status: 503, times: 2 });
    expect((await source.day(TODAY))?.papers).toHaveLength(30);
    expect(waits).toEqual([500, 1_000]);
    peer.setFault({ kind: "status", status: 502, times: 3 });
    const error = await failure(source.day(TODAY));
    expect(error.message).toBe(`Hugging Face is in trouble: it answered 502 ${PATH}`);
    expect(error.retryAfterMs).toBeNull();
  });

  test("a server error that says when to come back is handed on at once", async () => {
    peer.setFault({ kind: "status", status: 503, headers: { "retry-after": "120" } });
    expect((await failure(source.day(TODAY))).retryAfterMs).toBe(120_000);
    expect(peer.requests).toHaveLength(1);
  });

  test("a connection that breaks in the middle of the body is tried again", async () => {
    peer.setFault({ kind: "reset" });
    expect((await source.day(TODAY))?.papers).toHaveLength(30);
    peer.setFault({ kind: "reset", times: 3 });
    expect((await failure(source.day(TODAY))).message).toMatch(/^Hugging Face could not be reached/);
  });

  test("a server that is not there is named with the system's reason", async () => {
    const { url } = peer;
    await peer.close();
    const error = await failure(create({ endpoint: url }).day(TODAY));
    expect(error.message).toBe(`Hugging Face could not be reached: ECONNREFUSED ${PATH}`);
    peer = await startHuggingFace();
  });

  test("no answer in time is tried again and then said", async () => {
    const asked: number[] = [];
    const timeout = (ms: number) => {
      asked.push(ms);
      const controller = new AbortController();
      const before = peer.requests.length;
      const look = () => (peer.requests.length > before ? controller.abort() : setImmediate(look));
      look();
      return controller.signal;
    };
    peer.setFault({ kind: "hang", times: 3 });
    const error = await failure(create({ timeout }).day(TODAY));
    expect(error.message).toBe(`Hugging Face did not answer within 15 s ${PATH}`);
    expect(asked).toEqual([15_000, 15_000, 15_000]);
  });

  test("a body without end is cut off", async () => {
    peer.setFault({ kind: "huge" });
    expect((await failure(source.day(TODAY))).message).toBe(
      `Hugging Face answered with more than 20 MB ${PATH}`,
    );
  });

  test("a page, broken JSON and other JSON are each said", async () => {
    const messages: string[] = [];
    for (const kind of ["html", "garbage", "not-a-list"] as const) {
      peer.setFault({ kind });
      messages.push((await failure(source.day(TODAY))).message);
    }
    expect(messages).toEqual([
      `Hugging Face answered with text/html where JSON was expected ${PATH}`,
      `Hugging Face answered with JSON that cannot be read ${PATH}`,
      `Hugging Face answered with something else than a list ${PATH}`,
    ]);
    expect(peer.requests).toHaveLength(3);
  });

  test("a refusal names the status, and the token where that may be why", async () => {
    peer.setFault({ kind: "status", status: 418 });
    expect((await failure(source.day(TODAY))).message).toBe(
      `Hugging Face refused the request with 418 ${PATH}`,
    );
    peer.setFault({ kind: "status", status: 401 });
    expect((await failure(source.day(TODAY))).message).toBe(
      `Hugging Face refused the request with 401: check HF_TOKEN ${PATH}`,
    );
    peer.setFault({ kind: "status", status: 400 });
    expect((await failure(source.trending())).message).toMatch(/^Hugging Face refused the request with 400/);
  });

  test("a redirect is followed on the same host only, and not for ever", async () => {
    peer.setFault({ kind: "redirect", location: "/api/daily_papers?date=2026-04-19" });
    expect((await source.day(TODAY))?.papers).toEqual([]);
    peer.setFault({ kind: "redirect", location: "https://example.com/api/daily_papers" });
    expect((await failure(source.day(TODAY))).message).toBe(
      `Hugging Face redirects to another site, which is not followed ${PATH}`,
    );
    peer.setFault({ kind: "redirect", location: "/api/daily_papers", times: 100 });
    expect((await failure(source.day(TODAY))).message).toBe(`Hugging Face redirects without end ${PATH}`);
  });

  test("at most two requests are under way at once", async () => {
    let underWay = 0;
    let most = 0;
    const slow = async (url: string, init: RequestInit) => {
      most = Math.max(most, ++underWay);
      const response = await fetch(url, init);
      underWay--;
      return response;
    };
    const days = weekdaysUntil(TODAY, 8);
    const patient = create({ fetch: slow });
    const lists = await Promise.all(days.map((day) => patient.day(day)));
    expect(lists.map((list) => list?.papers.length)).toEqual(days.map(() => 30));
    expect(most).toBe(2);
  });
});

describe("the token", () => {
  test("goes along to the endpoint, and over a redirect to the same origin", async () => {
    peer.setFault({ kind: "redirect", location: `/api/daily_papers?date=${TODAY}` });
    await create({ token: TOKEN }).day(TODAY);
    expect(peer.requests.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${TOKEN}`,
      `Bearer ${TOKEN}`,
    ]);
  });

  test("does not go to another origin on the same host", async () => {
    const other = await startHuggingFace({ lists: LISTS, now: NOW });
    try {
      peer.setFault({ kind: "redirect", location: `${other.url}/api/daily_papers?date=${TODAY}` });
      await create({ token: TOKEN }).day(TODAY);
      expect(other.requests).toHaveLength(1);
      expect(other.requests[0]?.headers.authorization).toBeUndefined();
    } finally {
      await other.close();
    }
  });

  test("stands in no error, nor in its cause", async () => {
    const withToken = create({ token: TOKEN });
    for (const kind of ["status", "reset", "html", "garbage", "huge", "redirect"] as const) {
      peer.setFault({ kind, times: 3, location: "https://example.com/" });
      const error = await failure(withToken.day(TODAY));
      expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toContain(TOKEN);
    }
  });

  test("with characters that no header takes is refused at once, unseen", () => {
    for (const token of ["hf_bad\ntoken", "hf_bäd", "hf bad", ""]) {
      expect(() => create({ token })).toThrow(
        "The Hugging Face token has characters that no token has: copy it again.",
      );
    }
  });
});

test.each([
  ["ftp://huggingface.co"],
  ["http://huggingface.co"],
  ["http://127.0.0.1.example.com"],
  ["https://user:secret@huggingface.co"],
  ["huggingface.co"],
])("the endpoint %s is refused", (endpoint) => {
  expect(() => create({ endpoint })).toThrow("HF_ENDPOINT must be an https URL");
});

test("an endpoint may lie below a path and end in a slash", async () => {
  const asked: string[] = [];
  const fetch = async (url: string) => {
    asked.push(url);
    const link =
      asked.length === 1 ? { link: '<https://mirror.example/hf/api/daily_papers?p=1>; rel="next"' } : {};
    return new Response("[]", { headers: { "content-type": "application/json", ...link } });
  };
  await create({ endpoint: "https://mirror.example/hf/", fetch }).day(TODAY);
  expect(asked).toEqual([
    `https://mirror.example/hf/api/daily_papers?date=${TODAY}&limit=100`,
    "https://mirror.example/hf/api/daily_papers?p=1",
  ]);
});

describe("the local Hugging Face", () => {
  test.each([
    ["/api/daily_papers?limit=0", 400],
    ["/api/daily_papers?limit=101", 400],
    ["/api/daily_papers?page=2", 400],
    ["/api/daily_papers?date=2026-04-23", 400],
    ["/api/daily_papers?date=2026-02-30", 400],
    ["/api/daily_papers?week=2026-W54", 400],
    [`/api/daily_papers?date=${TODAY}&p=9`, 200],
    ["/api/papers/search?q=", 400],
    [`/api/papers/search?q=${"x".repeat(251)}`, 400],
    ["/api/papers/search?q=agents&limit=121", 400],
    ["/api/papers/2401.99999", 404],
    ["/papers", 404],
  ])("answers %s with %i", async (path, status) => {
    expect((await fetch(peer.url + path)).status).toBe(status);
  });

  test("gives 50 rows unless told, and says where the next are", async () => {
    const response = await fetch(`${peer.url}/api/daily_papers?month=2026-04`);
    expect(await response.json()).toHaveLength(50);
    expect(response.headers.get("link")).toBe(`<${peer.url}/api/daily_papers?month=2026-04&p=1>; rel="next"`);
    expect(response.headers.get("ratelimit")).toBe('"api";r=499;t=300');
  });

  test("names the repositories of a paper", async () => {
    const id = LISTS[0]?.items[0]?.paper.id ?? "";
    peer.setPaper(id, { linkedSpaces: [{ id: "north-lab/demo" }] });
    const response = await fetch(`${peer.url}/api/arxiv/${id}/repos`);
    expect(await response.json()).toEqual({ models: [], datasets: [], spaces: [{ id: "north-lab/demo" }] });
  });

  test("makes up the same lists for the same seed", () => {
    const options = { days: weekdaysUntil(TODAY, 8), perDay: 30, seed: 3 };
    expect(madeUpLists(options)).toEqual(LISTS);
    expect(madeUpLists({ ...options, seed: 4 })).not.toEqual(LISTS);
  });
});
