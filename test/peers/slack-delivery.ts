import { createHmac, randomUUID } from "node:crypto";
import type { Server } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";
import { isJson, type Json, type SlackState } from "./slack-state.ts";

/** How an app took what Slack sent it once. */
export type SlackDelivery = {
  /** Milliseconds until it acknowledged; null where it did not in time. */
  readonly acknowledgedAfterMs: number | null;
  /** What it said with that: an object, a text, or null. */
  readonly body: unknown;
  /** Of HTTP. */
  readonly status: number | null;
  /** What people read where it failed. */
  readonly error: "operation_timeout" | "dispatch_failed" | null;
  /** Why Slack would try again, as `x-slack-retry-reason` says it. */
  readonly reason: "http_timeout" | "http_error" | "connection_failed" | "timeout" | null;
};
export type SlackEventDelivery = {
  readonly eventId: string;
  readonly isAcknowledged: boolean;
  readonly attempts: readonly SlackDelivery[];
};
/** How requests to the app are signed: as they must be, or in a way that it must refuse. */
export type SlackSigning = "right" | "forged" | "missing" | "stale" | "replaced-body";
export type SlackTiming = {
  /** How long an app may take to acknowledge: https://docs.slack.dev/apis/events-api#responding. */
  readonly ackMs: number;
  /** When an event is sent again, from one failure to the next try. */
  readonly retryDelaysMs: readonly number[];
  /** How often Slack pings a socket. */
  readonly pingMs: number;
};

export const SLACK_TIMING: SlackTiming = {
  ackMs: 3000,
  retryDelaysMs: [0, 60_000, 300_000],
  pingMs: 10_000,
};

type Kind = "slash_commands" | "interactive" | "events_api";
type Retry = { readonly number: number; readonly reason: string };
type Pending = {
  readonly socket: WebSocket;
  settle(delivery: SlackDelivery): void;
  readonly startedAt: number;
};

/** Brings events, commands and what people pressed to the app: over its sockets, or to its request URL. */
export function createDelivery(options: {
  readonly server: Server;
  readonly state: SlackState;
  readonly appId: string;
  readonly signingSecret: () => string;
  readonly timing: SlackTiming;
  /** The peer's own address, `http://127.0.0.1:<port>`. */
  readonly url: () => string;
}) {
  const { state, timing } = options;
  const tickets = new Set<string>();
  const sockets: WebSocket[] = [];
  const pending = new Map<string, Pending>();
  const sent = new Map<string, Json>();
  const underWay = new Set<Promise<unknown>>();
  const closing = new AbortController();
  let requestUrl: string | null = null;
  let signing: SlackSigning = "right";
  let next = 0;

  const webSockets = new WebSocketServer({ noServer: true });
  options.server.on("upgrade", (request, socket, head) => {
    const target = new URL(request.url ?? "/", options.url());
    if (target.pathname !== "/link/" || !tickets.delete(target.searchParams.get("ticket") ?? "")) {
      socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n");
      return;
    }
    webSockets.handleUpgrade(request, socket, head, greet);
  });
  const pinging = setInterval(() => {
    for (const socket of sockets) socket.ping("Ping from the local Slack");
  }, timing.pingMs);
  pinging.unref();

  /** For one socket, once. */
  function newSocketUrl(): string {
    const ticket = state.newSecret("ticket", 32);
    tickets.add(ticket);
    return `${options.url().replace("http", "ws")}/link/?ticket=${ticket}&app_id=${options.appId}`;
  }

  function greet(socket: WebSocket): void {
    if (sockets.length >= MAX_SOCKETS) {
      socket.send(JSON.stringify({ type: "disconnect", reason: "too_many_websockets", debug_info: DEBUG }));
      socket.close();
      return;
    }
    sockets.push(socket);
    socket.on("message", (data: Buffer) => takeAck(data.toString("utf8")));
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.splice(sockets.indexOf(socket), 1);
      // What this socket did not acknowledge goes over another one, if it is an event.
      for (const waiting of pending.values()) {
        if (waiting.socket === socket) waiting.settle(failed("operation_timeout", "timeout"));
      }
      state.changed();
    });
    const info = { app_id: options.appId };
    const hello = {
      type: "hello",
      num_connections: sockets.length,
      connection_info: info,
      debug_info: DEBUG,
    };
    socket.send(JSON.stringify(hello));
    state.changed();
  }

  function takeAck(data: string): void {
    const ack: unknown = JSON.parse(data);
    if (!isJson(ack) || typeof ack["envelope_id"] !== "string") return;
    const waiting = pending.get(ack["envelope_id"]);
    const { payload } = ack;
    const isEmpty = !isJson(payload) || Object.keys(payload).length === 0;
    waiting?.settle({
      acknowledgedAfterMs: performance.now() - waiting.startedAt,
      body: isEmpty ? null : payload,
      status: null,
      error: null,
      reason: null,
    });
  }

  /** Sends something once and waits for its acknowledgement. */
  async function send(
    kind: Kind,
    payload: Json,
    takesAnswer: boolean,
    retry?: Retry,
  ): Promise<SlackDelivery> {
    const delivery =
      requestUrl === null
        ? await overSocket(kind, payload, takesAnswer, retry)
        : await overHttp(requestUrl, kind, payload, retry);
    state.changed();
    return delivery;
  }

  async function overSocket(
    kind: Kind,
    payload: Json,
    takesAnswer: boolean,
    retry?: Retry,
  ): Promise<SlackDelivery> {
    if (sockets.length === 0) return failed("dispatch_failed", "timeout");
    const socket = sockets[next++ % sockets.length];
    if (socket === undefined) return failed("dispatch_failed", "timeout");
    const envelopeId = randomUUID();
    return new Promise((resolve) => {
      const settle = (delivery: SlackDelivery) => {
        clearTimeout(timer);
        pending.delete(envelopeId);
        resolve(delivery);
      };
      const timer = setTimeout(() => settle(failed("operation_timeout", "timeout")), timing.ackMs);
      pending.set(envelopeId, { socket, settle, startedAt: performance.now() });
      socket.send(
        JSON.stringify({
          envelope_id: envelopeId,
          type: kind,
          payload,
          accepts_response_payload: takesAnswer,
          ...(kind === "events_api"
            ? { retry_attempt: retry?.number ?? 0, retry_reason: retry?.reason ?? "" }
            : {}),
        }),
      );
    });
  }

  async function overHttp(url: string, kind: Kind, payload: Json, retry?: Retry): Promise<SlackDelivery> {
    const body =
      kind === "events_api"
        ? JSON.stringify(payload)
        : new URLSearchParams(
            kind === "interactive"
              ? { payload: JSON.stringify(payload) }
              : Object.fromEntries(Object.entries(payload).map(([key, value]) => [key, String(value)])),
          ).toString();
    const type = kind === "events_api" ? "application/json" : "application/x-www-form-urlencoded";
    const startedAt = performance.now();
    try {
      const response = await fetch(url, {
        method: "POST",
        redirect: "manual",
        headers: {
          "content-type": type,
          "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
          connection: "close",
          ...sign(body),
          ...(retry === undefined
            ? {}
            : { "x-slack-retry-num": String(retry.number), "x-slack-retry-reason": retry.reason }),
        },
        body: signing === "replaced-body" ? body.replace("T0", "T1") : body,
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(timing.ackMs)]),
      });
      const answer = await response.text();
      const { status } = response;
      if (status < 200 || status > 299) {
        const wantsNoRetry = response.headers.get("x-slack-no-retry") === "1";
        return { ...failed("dispatch_failed", wantsNoRetry ? null : "http_error"), status };
      }
      const acknowledgedAfterMs = performance.now() - startedAt;
      return { acknowledgedAfterMs, body: readAnswer(answer), status, error: null, reason: null };
    } catch (error) {
      const isLate = error instanceof Error && error.name === "TimeoutError";
      if (isLate) return failed("operation_timeout", "http_timeout");
      return failed("dispatch_failed", "connection_failed");
    }
  }

  /** https://docs.slack.dev/authentication/verifying-requests-from-slack */
  function sign(body: string): Readonly<Record<string, string>> {
    if (signing === "missing") return {};
    const timestamp = String(Math.floor(Date.now() / 1000) - (signing === "stale" ? 600 : 0));
    const secret = signing === "forged" ? "another secret" : options.signingSecret();
    const hash = createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex");
    return { "x-slack-request-timestamp": timestamp, "x-slack-signature": `v0=${hash}` };
  }

  /** Sends an event until it is acknowledged, four times at most. */
  function sendEvent(callback: Json, retry?: Retry): Promise<SlackEventDelivery> {
    const eventId = String(callback["event_id"]);
    sent.set(eventId, callback);
    const work = (async () => {
      const attempts: SlackDelivery[] = [];
      let again = retry;
      for (;;) {
        await someSocket();
        const attempt = await send("events_api", callback, false, again);
        attempts.push(attempt);
        const delay = timing.retryDelaysMs[attempts.length - 1];
        const isOver = attempt.error === null || attempt.reason === null || delay === undefined;
        if (isOver || closing.signal.aborted)
          return { eventId, isAcknowledged: attempt.error === null, attempts };
        await pause(delay);
        if (closing.signal.aborted) return { eventId, isAcknowledged: false, attempts };
        again = { number: attempts.length, reason: attempt.reason };
      }
    })();
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
    return work;
  }

  /** An app that is just connecting anew still gets its events. */
  async function someSocket(): Promise<void> {
    if (requestUrl !== null || sockets.length > 0) return;
    await state.until(() => sockets.length > 0 || closing.signal.aborted, timing.ackMs).catch(() => {});
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        closing.signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      closing.signal.addEventListener("abort", end);
    });
  }

  return {
    newSocketUrl,
    send,
    sendEvent,
    /** The event as it was, once more: Slack delivers at least once. */
    resend(eventId: string): Promise<SlackEventDelivery> {
      const callback = sent.get(eventId);
      if (callback === undefined) throw new Error(`The local Slack sent no event ${eventId}.`);
      return sendEvent(callback, { number: 1, reason: "timeout" });
    },
    /** Whether the request URL answers the challenge that Slack sends before it takes an address. */
    async verifyUrl(url: string): Promise<boolean> {
      const challenge = state.newSecret("challenge");
      const payload = { type: "url_verification", token: "legacy", challenge };
      const { body } = await overHttp(url, "events_api", payload);
      return body === challenge || (isJson(body) && body["challenge"] === challenge);
    },
    deliverTo(url: string | null) {
      requestUrl = url;
    },
    setSigning(how: SlackSigning) {
      signing = how;
    },
    connections: () => sockets.length,
    /** Slack takes its sockets down, having said so. */
    disconnect(reason: "warning" | "refresh_requested" | "link_disabled") {
      for (const socket of sockets)
        socket.send(JSON.stringify({ type: "disconnect", reason, debug_info: DEBUG }));
    },
    /** The network breaks. */
    dropConnections() {
      for (const socket of sockets) socket.terminate();
    },
    async close() {
      clearInterval(pinging);
      closing.abort();
      state.changed();
      for (const socket of sockets) socket.terminate();
      webSockets.close();
      await Promise.allSettled(underWay);
    },
  };
}

/** https://docs.slack.dev/apis/events-api/using-socket-mode: up to ten sockets an app. */
const MAX_SOCKETS = 10;
const DEBUG = { host: "applink-local", build_number: 1, approximate_connection_time: 18_060 };

function failed(
  error: "operation_timeout" | "dispatch_failed",
  reason: SlackDelivery["reason"],
): SlackDelivery {
  return { acknowledgedAfterMs: null, body: null, status: null, error, reason };
}

function readAnswer(answer: string): unknown {
  if (answer === "") return null;
  try {
    const value: unknown = JSON.parse(answer);
    return isJson(value) ? value : answer;
  } catch {
    return answer;
  }
}
