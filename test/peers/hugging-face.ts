import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { feedDay, isWeekend, parseDay } from "../../src/core/day.ts";

/** A day's raw list, in the shape of the API and of a line of an import file. */
export type RawList = { readonly date: string; readonly items: readonly RawItem[] };
type RawItem = {
  readonly paper: RawPaper;
  readonly submittedBy?: unknown;
  readonly [key: string]: unknown;
};
type RawPaper = {
  readonly id: string;
  readonly title?: unknown;
  readonly summary?: unknown;
  readonly upvotes?: unknown;
  readonly [key: string]: unknown;
};

type Fault = {
  /**
   * `status`: that status, with `headers`; `hang`: no answer; `reset`: the connection breaks in the middle of the
   * body; `huge`: a body without end; `html`: a page; `garbage`: broken JSON; `not-a-list`: other JSON;
   * `bad-rows`: rows that are no papers among the good ones; `redirect`: to `location`.
   */
  readonly kind:
    | "status"
    | "hang"
    | "reset"
    | "huge"
    | "html"
    | "garbage"
    | "not-a-list"
    | "bad-rows"
    | "redirect";
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly location?: string;
  /** How many requests it befalls, 1 unless told. */
  readonly times?: number;
  /** Only requests whose path and query match. */
  readonly path?: RegExp;
};

export type HuggingFacePeer = {
  readonly url: string;
  /** All that came, in order. */
  readonly requests: readonly { readonly path: string; readonly headers: IncomingMessage["headers"] }[];
  setFault(fault: Fault | null): void;
  setNow(now: Date): void;
  /** Adds a list, or replaces that of its day. */
  setList(list: RawList): void;
  /** What `/api/papers/{id}` says on top of the row, such as `linkedModels`. */
  setPaper(id: string, extra: Readonly<Record<string, unknown>>): void;
  /** Calls a window, and begins a new one. */
  setQuota(quota: { readonly api?: number; readonly search?: number }): void;
  close(): Promise<void>;
};

export type HuggingFacePeerOptions = {
  readonly lists?: readonly RawList[];
  /** Which day is today, and the windows of the quota; the real time unless told. */
  readonly now?: Date;
  readonly quota?: { readonly api?: number; readonly search?: number };
  readonly port?: number;
};

const WINDOW_MS = 300_000;

/** A local Hugging Face that speaks the API of Daily Papers over a socket, with its limits and its refusals. */
export async function startHuggingFace(options: HuggingFacePeerOptions = {}): Promise<HuggingFacePeer> {
  const lists = new Map((options.lists ?? []).map((list) => [list.date, list.items]));
  const extras = new Map<string, Readonly<Record<string, unknown>>>();
  const requests: { path: string; headers: IncomingMessage["headers"] }[] = [];
  let now = options.now ?? null;
  let quota = { api: 500, search: 50, ...options.quota };
  let used = new Map<string, { window: number; calls: number }>();
  let fault: Fault | null = null;
  let faultsLeft = 0;

  const server = createServer((request, response) => {
    requests.push({ path: request.url ?? "", headers: request.headers });
    const target = new URL(request.url ?? "/", url);
    const broken = faultFor(target);
    if (broken !== null && broken.kind !== "bad-rows") fail(response, broken);
    else send(response, answer(request.method, target, broken !== null));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;

  function answer(method: string | undefined, target: URL, withBadRows: boolean): Answer {
    if (method !== "GET") return { status: 405, body: { error: "Method not allowed" } };
    const path = target.pathname;
    if (!path.startsWith("/api/")) return { status: 404, body: HTML };
    const bucket = path === "/api/papers/search" ? "search" : "api";
    const { left, headers } = count(bucket);
    if (left < 0) return { status: 429, body: { error: "Too many requests" }, headers };
    const paperId = /^\/api\/papers\/(\d{4}\.\d{4,5})(?:v\d+)?$/.exec(path)?.[1];
    const reposOf = /^\/api\/arxiv\/(\d{4}\.\d{4,5})(?:v\d+)?\/repos$/.exec(path)?.[1];
    let found: Answer = { status: 404, body: { error: "Not found" } };
    if (path === "/api/daily_papers") found = dailyPapers(target, withBadRows);
    else if (bucket === "search") found = search(target.searchParams);
    else if (paperId !== undefined) found = paper(paperId);
    else if (reposOf !== undefined) found = repositories(reposOf);
    return { ...found, headers: { ...headers, ...found.headers } };
  }

  function dailyPapers(target: URL, withBadRows: boolean): Answer {
    const query = target.searchParams;
    const known = ["date", "week", "month", "submitter", "sort", "limit", "p"];
    if ([...query.keys()].some((key) => !known.includes(key))) return refusal("Unrecognized parameter");
    const limit = whole(query.get("limit") ?? "50", 1, 100);
    const at = whole(query.get("p") ?? "0", 0, 10_000);
    if (limit === null) return refusal("limit must be between 1 and 100");
    if (at === null) return refusal("p must be 0 or more");
    const rows = rowsFor(query);
    if (rows === null) return refusal("Invalid date");
    const some = rows.slice(at * limit, (at + 1) * limit);
    const next = new URL(target);
    next.searchParams.set("p", String(at + 1));
    return {
      status: 200,
      body: withBadRows ? [...BAD_ROWS, ...some] : some,
      ...((at + 1) * limit < rows.length ? { headers: { link: `<${next}>; rel="next"` } } : {}),
    };
  }

  /** Null: no day, week or month that has begun. */
  function rowsFor(query: URLSearchParams): readonly RawItem[] | null {
    const { date, week, month, submitter, sort }: Query = Object.fromEntries(query);
    if ([date, week, month].filter((each) => each !== undefined).length > 1) return null;
    if (sort !== undefined && sort !== "publishedAt" && sort !== "trending") return null;
    const today = feedDay(time());
    const days = [...lists.keys()]
      .filter((day) => day <= today)
      .sort((one, other) => one.localeCompare(other));
    const ofDays = (some: readonly string[]) =>
      some
        .flatMap((day) => lists.get(day) ?? [])
        .filter(
          (row) =>
            submitter === undefined || JSON.stringify(row.submittedBy ?? null).includes(`"${submitter}"`),
        );
    if (date !== undefined) return parseDay(date) === null || date > today ? null : byVotes(ofDays([date]));
    if (month !== undefined) {
      const isOpen = parseDay(`${month}-01`) !== null && `${month}-01` <= today;
      return isOpen ? byVotes(ofDays(days.filter((day) => day.startsWith(month)))) : null;
    }
    if (week !== undefined) {
      const isOpen = /^\d{4}-W(0[1-9]|[1-4]\d|5[0-3])$/.test(week) && week <= weekOf(today);
      return isOpen ? byVotes(ofDays(days.filter((day) => weekOf(day) === week))) : null;
    }
    const recent = ofDays(days.slice(-5).reverse());
    return sort === "trending" ? byVotes(recent) : recent;
  }

  function search(query: URLSearchParams): Answer {
    if ([...query.keys()].some((key) => key !== "q" && key !== "limit"))
      return refusal("Unrecognized parameter");
    const q = query.get("q") ?? "";
    const limit = whole(query.get("limit") ?? "20", 1, 120);
    if (q === "" || q.length > 250) return refusal("q must have 1 to 250 characters");
    if (limit === null) return refusal("limit must be between 1 and 120");
    const words = q.toLowerCase().split(/\W+/).filter(Boolean);
    const found = all()
      .map((item) => {
        const text = `${item.paper.title} ${item.paper.summary}`.toLowerCase();
        return { item, hits: words.filter((word) => text.includes(word)).length };
      })
      .filter(({ hits }) => hits > 0)
      .sort((one, other) => other.hits - one.hits);
    return { status: 200, body: found.slice(0, limit).map(({ item }) => item) };
  }

  function paper(id: string): Answer {
    const item = all().find((each) => each.paper.id === id);
    if (item === undefined) return { status: 404, body: { error: "Paper not found" } };
    const linked = { linkedModels: [], linkedDatasets: [], linkedSpaces: [], ...extras.get(id) };
    const totals = {
      numTotalModels: linked.linkedModels.length,
      numTotalDatasets: linked.linkedDatasets.length,
      numTotalSpaces: linked.linkedSpaces.length,
    };
    return { status: 200, body: { ...item.paper, ...totals, ...linked } };
  }

  function repositories(id: string): Answer {
    const { linkedModels = [], linkedDatasets = [], linkedSpaces = [] } = extras.get(id) ?? {};
    return { status: 200, body: { models: linkedModels, datasets: linkedDatasets, spaces: linkedSpaces } };
  }

  function all(): readonly RawItem[] {
    return [...new Map([...lists.values()].flat().map((item) => [item.paper.id, item])).values()];
  }

  /** Counts a call; `left` is below 0 where there was none left in the bucket's window. */
  function count(bucket: "api" | "search"): { readonly left: number; readonly headers: Headers } {
    const window = Math.floor(time().getTime() / WINDOW_MS);
    const before = used.get(bucket);
    const calls = (before?.window === window ? before.calls : 0) + 1;
    used.set(bucket, { window, calls });
    const left = quota[bucket] - calls;
    const seconds = Math.ceil(((window + 1) * WINDOW_MS - time().getTime()) / 1000);
    return {
      left,
      headers: {
        ratelimit: `"${bucket}";r=${Math.max(left, 0)};t=${seconds}`,
        "ratelimit-policy": `"fixed window";"${bucket}";q=${quota[bucket]};w=${WINDOW_MS / 1000}`,
      },
    };
  }

  function faultFor(target: URL): Fault | null {
    if (fault === null || faultsLeft <= 0) return null;
    if (fault.path !== undefined && !fault.path.test(target.pathname + target.search)) return null;
    faultsLeft--;
    return fault;
  }

  function time(): Date {
    return now ?? new Date();
  }

  return {
    url,
    requests,
    setFault(next) {
      fault = next;
      faultsLeft = next?.times ?? 1;
    },
    setNow(next) {
      now = next;
    },
    setList({ date, items }) {
      lists.set(date, items);
    },
    setPaper(id, extra) {
      extras.set(id, extra);
    },
    setQuota(next) {
      quota = { ...quota, ...next };
      used = new Map();
    },
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

type Query = { readonly [name in "date" | "week" | "month" | "submitter" | "sort"]?: string };
type Headers = Readonly<Record<string, string>>;
type Answer = { readonly status: number; readonly body: unknown; readonly headers?: Headers };

const HTML = "<!doctype html><title>Hugging Face</title>";

/** A string is a page, anything else JSON. */
function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const isPage = typeof body === "string";
  const type = isPage ? "text/html; charset=utf-8" : "application/json; charset=utf-8";
  response.writeHead(status, { "content-type": type, ...headers });
  response.end(isPage ? body : JSON.stringify(body));
}

function refusal(error: string): Answer {
  return { status: 400, body: { error } };
}

function fail(response: ServerResponse, { kind, status = 503, headers = {}, location = "/" }: Fault): void {
  switch (kind) {
    case "status":
      send(response, { status, body: { error: `status ${status}` }, headers });
      break;
    case "html":
      send(response, { status: 200, body: HTML });
      break;
    case "not-a-list":
      send(response, { status: 200, body: { error: null } });
      break;
    case "redirect":
      send(response, { status: 302, body: {}, headers: { location, ...headers } });
      break;
    case "garbage":
      response.writeHead(200, { "content-type": "application/json" }).end('[{"paper": {"id": "2604.0');
      break;
    case "reset":
      response.writeHead(200, { "content-type": "application/json" });
      response.write('[{"paper"', () => response.destroy());
      break;
    case "huge":
      response.writeHead(200, { "content-type": "application/json" });
      response.on("drain", () => fill(response));
      fill(response);
      break;
    default: // hang: nothing is ever said
  }
}

const SPACES = Buffer.alloc(1_000_000, " ");

function fill(response: ServerResponse): void {
  if (response.destroyed) return;
  while (response.write(SPACES));
}

function whole(text: string, least: number, most: number): number | null {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  return number >= least && number <= most ? number : null;
}

function byVotes(rows: readonly RawItem[]): readonly RawItem[] {
  return [...rows].sort((one, other) => Number(other.paper.upvotes ?? 0) - Number(one.paper.upvotes ?? 0));
}

/** The ISO week of a day, `YYYY-Www`. */
function weekOf(day: string): string {
  const thursday = new Date(`${day}T00:00:00Z`);
  thursday.setUTCDate(thursday.getUTCDate() + 3 - ((thursday.getUTCDay() + 6) % 7));
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * 86_400_000)) + 1;
  return `${year}-W${String(week).padStart(2, "0")}`;
}

/** Rows that are no papers, each in its own way. */
export const BAD_ROWS: readonly unknown[] = [
  null,
  "a string",
  { paper: { id: "not-an-id", title: "A paper with another id" } },
  { paper: { id: "2604.00001", title: " \n " }, title: "" },
];

/** The `count` weekdays that end with a day, oldest first. */
export function weekdaysUntil(last: string, count: number): readonly string[] {
  const days: string[] = [];
  for (let at = new Date(`${last}T00:00:00Z`); days.length < count; at.setUTCDate(at.getUTCDate() - 1)) {
    const day = at.toISOString().slice(0, 10);
    if (!isWeekend(day)) days.unshift(day);
  }
  return days;
}

/**
 * Made-up lists in the API's shape, the same for the same seed: plausible papers on the usual topics, some without
 * an abstract's code, a thumbnail, an organization or an AI summary, some with titles full of markup, and one a list
 * (of three papers or more) with 664 authors.
 */
export function madeUpLists(options: {
  /** Such as `weekdaysUntil("2026-04-22", 10)`. */
  readonly days: readonly string[];
  readonly perDay: number;
  readonly seed: number;
}): readonly RawList[] {
  const random = createRandom(options.seed);
  return options.days.map((date, listIndex) => ({
    date,
    items: byVotes(
      Array.from({ length: options.perDay }, (_, index) => {
        const serial = 10_000 + ((listIndex * options.perDay + index) % 89_999);
        return madeUpItem(date, `${date.slice(2, 4)}${date.slice(5, 7)}.${serial}`, index, random);
      }),
    ),
  }));
}

/** Titles as they do come: markup of either chat, LaTeX, mentions, line breaks. */
const DIRTY_TITLES: readonly string[] = [
  "When <think> Is Enough: *Bold* Claims and `code` under 1 GB",
  "Learning $\\mathcal{O}(n \\log n)$ Attention\n  in _One_ Pass",
  "Pass@1 Is Not @everyone's Metric: <!channel> [a link](https://example.com) & more",
  "~~Scaling~~ ||Hidden|| States <@123456789012345678>: 50% Fewer Tokens\u202e",
];

type Random = { number(): number; pick<T>(from: readonly T[]): T; chance(share: number): boolean };

const SUBJECTS = [
  { area: "agents", task: "tool use", words: ["an agent", "planning", "long-horizon tasks", "a workflow"] },
  {
    area: "benchmarks",
    task: "evaluation",
    words: ["a benchmark", "contamination", "human judgment", "test sets"],
  },
  {
    area: "reinforcement learning",
    task: "reward modeling",
    words: ["a policy", "rewards", "rollouts", "exploration"],
  },
  {
    area: "video generation",
    task: "video editing",
    words: ["a diffusion model", "motion", "long videos", "frames"],
  },
  {
    area: "retrieval",
    task: "question answering",
    words: ["a retriever", "passages", "an index", "citations"],
  },
  {
    area: "robotics",
    task: "manipulation",
    words: ["a robot arm", "demonstrations", "contact", "simulation"],
  },
  {
    area: "speech",
    task: "speech recognition",
    words: ["audio tokens", "a vocoder", "accents", "streaming"],
  },
  {
    area: "efficient inference",
    task: "quantization",
    words: ["a cache", "low-bit weights", "throughput", "kernels"],
  },
];
const NAMES = [
  "Prism",
  "Kestrel",
  "Lantern",
  "Mosaic",
  "Tern",
  "Quarry",
  "Beacon",
  "Sable",
  "Harbor",
  "Nimbus",
];
const METHODS = [
  "Sparse",
  "Hierarchical",
  "Self-Correcting",
  "Verifiable",
  "Latent",
  "Open-Ended",
  "Budgeted",
];
const GIVEN = ["Ada", "Wei", "Noor", "Luca", "Mina", "Tomás", "Yuki", "Priya", "Søren", "Amara"];
const FAMILY = [
  "Okafor",
  "Lindqvist",
  "Zhang",
  "Moreau",
  "Tanaka",
  "Iyer",
  "Novak",
  "Silva",
  "Haddad",
  "Park",
];
const ORGANIZATIONS = [
  { name: "north-lab", fullname: "North Lab" },
  { name: "openriver", fullname: "Open River Institute" },
  { name: "tidal-research", fullname: "Tidal Research" },
];

function madeUpItem(date: string, id: string, index: number, random: Random): RawItem {
  const subject = random.pick(SUBJECTS);
  const name = `${random.pick(NAMES)}${random.chance(0.3) ? `-${index + 1}` : ""}`;
  const clean = `${name}: ${random.pick(METHODS)} ${capitalized(subject.task)} for ${capitalized(subject.area)}`;
  const title = index % 8 === 3 ? (DIRTY_TITLES[(index >> 3) % DIRTY_TITLES.length] ?? clean) : clean;
  const repository = `https://github.com/${random.pick(ORGANIZATIONS).name}/${name.toLowerCase()}`;
  const namesCode = random.chance(0.1);
  const abstract =
    `Recent work on ${subject.area} leaves ${subject.words[1]} to chance. We present ${name}, ${subject.words[0]} ` +
    `that treats ${subject.task} as a problem of ${subject.words[2]}.\nOn ${3 + index} public tasks it gains ` +
    `${(1 + random.number() * 20).toFixed(1)} points over the strongest baseline at ${Math.ceil(random.number() * 90)}% ` +
    `of the cost, and an ablation shows that ${subject.words[3]} accounts for most of it.` +
    (namesCode ? ` Code is available at ${repository}.` : "");
  const submitter = person(random);
  const organization = random.chance(0.61)
    ? { _id: hex(random), ...random.pick(ORGANIZATIONS), avatar: "" }
    : undefined;
  const media = random.chance(0.19)
    ? [`https://cdn-uploads.huggingface.co/production/uploads/${hex(random)}.mp4`]
    : undefined;
  const instant = new Date(
    Date.parse(`${date}T17:59:00Z`) - (1 + Math.floor(random.number() * 5)) * 86_400_000,
  );
  const paper: RawPaper = {
    id,
    title,
    summary: abstract,
    upvotes: Math.floor(random.number() ** 3 * 120),
    publishedAt: instant.toISOString(),
    authors: Array.from({ length: index === 2 ? 664 : 1 + Math.floor(random.number() * 12) }, (_, at) => ({
      _id: hex(random),
      name: `${random.pick(GIVEN)} ${random.pick(FAMILY)}`,
      hidden: at > 0 && random.chance(0.02),
      ...(random.chance(0.1) ? { user: { ...person(random), user: person(random).name } } : {}),
    })),
    submittedOnDailyAt: `${date}T00:00:00.000Z`,
    submittedOnDailyBy: {
      _id: submitter._id,
      fullname: submitter.fullname,
      user: submitter.name,
      type: "user",
    },
    discussionId: hex(random),
    ...(random.chance(0.86)
      ? {
          ai_summary: `${name} improves ${subject.task} for ${subject.area} by modeling ${subject.words[2]}.`,
          ai_keywords: [subject.area, subject.task, ...subject.words.slice(2)],
        }
      : {}),
    ...(random.chance(0.5) && !namesCode
      ? {
          githubRepo: repository,
          githubStars: Math.floor(random.number() * 2_000),
          githubRepoAddedBy: "auto",
        }
      : {}),
    ...(random.chance(0.45) ? { projectPage: `https://${name.toLowerCase()}.example.org/` } : {}),
    ...(organization === undefined ? {} : { organization }),
    ...(media === undefined ? {} : { mediaUrls: media }),
  };
  return {
    paper,
    title,
    summary: abstract,
    publishedAt: new Date(instant.getTime() - 4 * 3_600_000).toISOString(),
    numComments: random.chance(0.7) ? 1 + Math.floor(random.number() * 4) : 0,
    isAuthorParticipating: random.chance(0.3),
    ...(index % 11 === 10
      ? {}
      : { thumbnail: `https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/${id}.png` }),
    ...(index % 13 === 12 ? {} : { submittedBy: submitter }),
    ...(organization === undefined ? {} : { organization }),
    ...(media === undefined ? {} : { mediaUrls: media }),
  };
}

function person(random: Random) {
  const given = random.pick(GIVEN);
  const family = random.pick(FAMILY);
  const name = `${given}-${family}`
    .normalize("NFKD")
    .replace(/[^A-Za-z-]/g, "")
    .toLowerCase();
  return {
    _id: hex(random),
    avatarUrl: `/avatars/${name}.svg`,
    fullname: `${given} ${family}`,
    name,
    type: "user",
  };
}

function hex(random: Random): string {
  return Array.from({ length: 24 }, () => Math.floor(random.number() * 16).toString(16)).join("");
}

function capitalized(words: string): string {
  return words.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}

/** A linear congruential generator: the same numbers on every machine. */
function createRandom(seed: number): Random {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  const number = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    number,
    pick(from) {
      const picked = from[Math.floor(number() * from.length)];
      if (picked === undefined) throw new Error("nothing to pick from");
      return picked;
    },
    chance: (share) => number() < share,
  };
}
