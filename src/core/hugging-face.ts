import { parseDay } from "./day.ts";
import { joinLists, parseList, parseRow, RowError } from "./hugging-face-rows.ts";
import type { Paper } from "./paper.ts";
import { type PaperList, type PaperSource, SourceError } from "./source.ts";

export type HuggingFaceOptions = {
  /** Such as `https://huggingface.co`; plain http is for loopback only. */
  readonly endpoint: string;
  /** Raises the quota; null reads anonymously. Sent to the endpoint's own origin only. */
  readonly token: string | null;
  readonly userAgent: string;
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  /** 0 to 1, for the jitter of retries. */
  readonly random?: () => number;
  /** Resolves after so many milliseconds; between retries. */
  readonly wait?: (ms: number) => Promise<void>;
  /** Aborts after so many milliseconds. */
  readonly timeout?: (ms: number) => AbortSignal;
};

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 20_000_000;
const MAX_PAGES = 20;
const MAX_REDIRECTS = 3;
const MAX_UNDER_WAY = 2;
const RETRIES = 2;
const RETRY_BASE_MS = 500;
const MAX_PAUSE_MS = 3_600_000;

/**
 * Calls come in buckets with a quota each, over fixed windows of five minutes
 * (https://huggingface.co/docs/hub/rate-limits); the search has its own. `reserve` is the share of the quota
 * that a call leaves to others: what can wait leaves more than what a person waits for.
 */
const LIST = { bucket: "api", reserve: 0.05 } as const;
const PAPER = { bucket: "api", reserve: 0.01 } as const;
const LINKED = { bucket: "api", reserve: 0.2 } as const;
const SEARCH = { bucket: "search", reserve: 0.02 } as const;
type Kind = typeof LIST | typeof PAPER | typeof LINKED | typeof SEARCH;

/**
 * Hugging Face's Daily Papers over HTTP. Throws an `Error` where the endpoint or the token cannot be used. At
 * most two requests are under way at once; server errors and broken connections are tried three times, a spent
 * quota is not: it is a `SourceError` with `retryAfterMs`.
 */
export function createHuggingFace(options: HuggingFaceOptions): PaperSource {
  const request = createRequest(options);

  function rowsOf({ status, json, path }: Answer): readonly unknown[] {
    if (status !== 200) throw refused(status, path);
    if (Array.isArray(json)) return json;
    throw new SourceError(`Hugging Face answered with something else than a list (GET ${path}).`);
  }

  async function onePage(query: Record<string, string>, kind: Kind): Promise<PaperList> {
    const path = kind === SEARCH ? "/api/papers/search" : "/api/daily_papers";
    return parseList(rowsOf(await request(`${path}?${new URLSearchParams(query)}`, kind)));
  }

  /** Null: there is no such day, week or month. */
  async function allPages(query: Record<string, string>): Promise<PaperList | null> {
    const pages: PaperList[] = [];
    let next: string | null = `/api/daily_papers?${new URLSearchParams({ ...query, limit: "100" })}`;
    for (let page = 0; page < MAX_PAGES && next !== null; page++) {
      const answer = await request(next, LIST);
      if (answer.status === 400 && page === 0) return null;
      pages.push(parseList(rowsOf(answer)));
      next = answer.next;
    }
    return joinLists(pages);
  }

  async function paper(id: string, kind: Kind): Promise<Paper | null> {
    if (!/^\d{4}\.\d{4,5}$/.test(id)) return null;
    const answer = await request(`/api/papers/${id}`, kind);
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw refused(answer.status, answer.path);
    try {
      return parseRow(answer.json);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      throw new SourceError(`Hugging Face answered with no paper: ${error.message} (GET ${answer.path}).`);
    }
  }

  return {
    async day(day) {
      return parseDay(day) === null ? null : allPages({ date: day });
    },
    async period(period) {
      const unit = /^\d{4}-W\d{2}$/.test(period) ? "week" : /^\d{4}-\d{2}$/.test(period) ? "month" : null;
      return unit === null ? null : allPages({ [unit]: period });
    },
    // What trends has no end: its first page is what people look at.
    trending: () => onePage({ sort: "trending", limit: "100" }, LIST),
    paper: (id) => paper(id, PAPER),
    linked: async (id) => (await paper(id, LINKED))?.linked ?? null,
    async search(query, limit) {
      const q = query.trim().slice(0, 250).trim();
      if (q === "") return { papers: [], dropped: [] };
      return onePage({ q, limit: String(Math.min(Math.max(Math.trunc(limit) || 1, 1), 120)) }, SEARCH);
    },
  };
}

type Answer = {
  readonly status: number;
  /** Null but for status 200. */
  readonly json: unknown;
  /** Path and query of the next page. */
  readonly next: string | null;
  /** Path and query as asked, for messages. */
  readonly path: string;
};

/** GET of a path below the endpoint. Resolves for 200 and 4xx but 429; anything else is a `SourceError`. */
function createRequest({
  endpoint,
  token,
  userAgent,
  fetch = globalThis.fetch,
  clock = Date.now,
  random = Math.random,
  wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  timeout = (ms) => AbortSignal.timeout(ms),
}: HuggingFaceOptions): (path: string, kind: Kind) => Promise<Answer> {
  const base = parseEndpoint(endpoint);
  if (token !== null && !/^[\x21-\x7e]+$/.test(token)) {
    throw new Error("The Hugging Face token has characters that no token has: copy it again.");
  }
  const quotas = { api: createQuota("api", clock), search: createQuota("search", clock) };
  const gate = createGate(MAX_UNDER_WAY);

  return async (path, kind) => {
    for (let attempt = 0; ; attempt++) {
      const outcome = await gate(() => attemptOnce(path, kind));
      if (!(outcome instanceof Interruption)) return outcome;
      if (attempt === RETRIES || outcome.error.retryAfterMs !== null) throw outcome.error;
      // Full jitter, so that many installations do not come back in step.
      await wait(random() * RETRY_BASE_MS * 2 ** attempt);
    }
  };

  async function attemptOnce(path: string, kind: Kind): Promise<Answer | Interruption> {
    const quota = quotas[kind.bucket];
    quota.take(kind.reserve, path);
    const signal = timeout(TIMEOUT_MS);
    try {
      const response = await follow(new URL(base.href + path.slice(1)), path, signal);
      quota.note(response.headers);
      if (response.status === 429) {
        await response.body?.cancel();
        throw quota.spent(response.headers, path);
      }
      if (response.status >= 500) {
        await response.body?.cancel();
        const retryAfterMs = retryAfter(response.headers, clock());
        return new Interruption(
          `Hugging Face is in trouble: it answered ${response.status} (GET ${path}).`,
          retryAfterMs === null ? {} : { retryAfterMs },
        );
      }
      if (response.status !== 200) {
        await response.body?.cancel();
        return { status: response.status, json: null, next: null, path };
      }
      const json = await readJson(response, path);
      return { status: 200, json, next: nextPage(response.headers, base, path), path };
    } catch (error) {
      if (error instanceof SourceError) throw error;
      if (signal.aborted) {
        return new Interruption(`Hugging Face did not answer within ${TIMEOUT_MS / 1000} s (GET ${path}).`);
      }
      return new Interruption(`Hugging Face could not be reached${codeOf(error)} (GET ${path}).`, {
        cause: error,
      });
    } finally {
      quota.release();
    }
  }

  /** Redirects stay on the endpoint's host; the token stays on its origin. */
  async function follow(first: URL, path: string, signal: AbortSignal): Promise<Response> {
    let url = first;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const headers = {
        accept: "application/json",
        "user-agent": userAgent,
        ...(token !== null && url.origin === base.origin ? { authorization: `Bearer ${token}` } : {}),
      };
      const response = await fetch(url.href, { headers, signal, redirect: "manual" });
      const location = [301, 302, 303, 307, 308].includes(response.status)
        ? response.headers.get("location")
        : null;
      if (location === null) return response;
      await response.body?.cancel();
      if (!URL.canParse(location, url.href)) break;
      url = new URL(location, url);
      if (url.hostname !== base.hostname || !isSafe(url)) {
        throw new SourceError(`Hugging Face redirects to another site, which is not followed (GET ${path}).`);
      }
    }
    throw new SourceError(`Hugging Face redirects without end (GET ${path}).`);
  }
}

/** What may pass by itself: worth another try. */
class Interruption {
  readonly error: SourceError;
  constructor(message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    this.error = new SourceError(message, options);
  }
}

function refused(status: number, path: string): SourceError {
  const reason = status === 401 || status === 403 ? ": check HF_TOKEN" : "";
  return new SourceError(`Hugging Face refused the request with ${status}${reason} (GET ${path}).`);
}

/** Ends in a slash, so that a path can follow; a mirror may lie below a path. */
function parseEndpoint(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  if (url === null || !isSafe(url) || url.username !== "" || url.password !== "") {
    throw new Error(
      "HF_ENDPOINT must be an https URL without user and password (plain http on this machine only).",
    );
  }
  return new URL(`${url.origin}${url.pathname.replace(/\/*$/, "/")}`);
}

function isSafe(url: URL): boolean {
  if (url.protocol === "https:") return true;
  return url.protocol === "http:" && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
}

async function readJson(response: Response, path: string): Promise<unknown> {
  const type = response.headers.get("content-type") ?? "";
  if (!/^application\/([\w.-]+\+)?json\b/i.test(type)) {
    await response.body?.cancel();
    const found = /^[\w.+-]+\/[\w.+-]+/.exec(type)?.[0].slice(0, 60) ?? "something without a type";
    throw new SourceError(`Hugging Face answered with ${found} where JSON was expected (GET ${path}).`);
  }
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > MAX_BYTES) {
      throw new SourceError(`Hugging Face answered with more than ${MAX_BYTES / 1e6} MB (GET ${path}).`);
    }
    parts.push(decoder.decode(chunk, { stream: true }));
  }
  try {
    return JSON.parse(parts.join("") + decoder.decode());
  } catch {
    throw new SourceError(`Hugging Face answered with JSON that cannot be read (GET ${path}).`);
  }
}

/** The path of `Link: <…>; rel="next"`, on the endpoint's own origin only. */
function nextPage(headers: Headers, base: URL, path: string): string | null {
  const target = /<([^<>]+)>\s*;[^,]*\brel="?next"?/i.exec(headers.get("link") ?? "")?.[1];
  const here = new URL(base.href + path.slice(1));
  if (target === undefined || !URL.canParse(target, here.href)) return null;
  const url = new URL(target, here);
  if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname) || url.href === here.href)
    return null;
  return `/${url.pathname.slice(base.pathname.length)}${url.search}`;
}

type Quota = {
  /** Counts a request, or throws where only the reserve is left. */
  take(reserve: number, path: string): void;
  release(): void;
  note(headers: Headers): void;
  /** After 429. */
  spent(headers: Headers, path: string): SourceError;
};

/** What is known of a bucket, from `RateLimit: "api";r=<left>;t=<seconds until it is full again>`. */
function createQuota(bucket: string, clock: () => number): Quota {
  let most = 0;
  let left = Number.POSITIVE_INFINITY;
  let fullAt = 0;
  let underWay = 0;
  return {
    take(reserve, path) {
      const pauseMs = fullAt - clock();
      if (pauseMs > 0 && left - underWay <= Math.floor(most * reserve)) {
        throw pause("Few calls to Hugging Face are left", pauseMs, path);
      }
      underWay++;
    },
    release() {
      underWay--;
    },
    note(headers) {
      const stated = stateOf(headers, bucket);
      if (stated === null) return;
      left = stated.left;
      most = Math.max(most, stated.left);
      fullAt = clock() + stated.resetMs;
    },
    spent(headers, path) {
      const pauseMs = stateOf(headers, bucket)?.resetMs ?? retryAfter(headers, clock()) ?? 60_000;
      left = 0;
      fullAt = clock() + pauseMs;
      return pause("Hugging Face takes no more calls for now", pauseMs, path);
    },
  };
}

function pause(what: string, pauseMs: number, path: string): SourceError {
  const retryAfterMs = Math.min(Math.max(pauseMs, 1_000), MAX_PAUSE_MS);
  return new SourceError(`${what}; try again in ${Math.ceil(retryAfterMs / 1000)} s (GET ${path}).`, {
    retryAfterMs,
  });
}

function stateOf(
  headers: Headers,
  bucket: string,
): { readonly left: number; readonly resetMs: number } | null {
  const text = headers.get("ratelimit") ?? "";
  const left = /;\s*r=(\d{1,9})\b/.exec(text)?.[1];
  const seconds = /;\s*t=(\d{1,9})\b/.exec(text)?.[1];
  const named = /^\s*"([^"]*)"/.exec(text)?.[1];
  if (left === undefined || seconds === undefined || (named ?? bucket) !== bucket) return null;
  return { left: Number(left), resetMs: Math.min(Number(seconds) * 1000, MAX_PAUSE_MS) };
}

/** `Retry-After`: seconds or a date. */
function retryAfter(headers: Headers, now: number): number | null {
  const text = headers.get("retry-after");
  if (text === null) return null;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), MAX_PAUSE_MS);
}

/** ` (ECONNREFUSED)` where the system says so; never the message, which may quote a header. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? cause.code : null;
  return typeof code === "string" && /^\w{1,40}$/.test(code) ? `: ${code}` : "";
}

/** Runs at most `places` at once, the others in the order they came. */
function createGate(places: number): <T>(run: () => Promise<T>) => Promise<T> {
  let free = places;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await run();
    } finally {
      // A place is handed on, or given back where nobody waits.
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
