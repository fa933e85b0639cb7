import { createServer, type ServerResponse } from "node:http";

/** One call of a Web API method. */
export type Asked = {
  readonly method: string;
  /** Of the `Authorization` header; null without one. */
  readonly token: string | null;
  readonly args: Readonly<Record<string, string>>;
};

/** What a method answers with: a body, `ok: true` unless it says otherwise, and what goes with it. */
export type Answer = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  /** In the body's place: what is no JSON. */
  readonly raw?: string;
};
type Method = Answer | ((asked: Asked) => Answer | Promise<Answer>);

/** A server on loopback whose Web API methods answer as they are told; one that was told nothing is unknown. */
export async function startAnswers(methods: Readonly<Record<string, Method>> = {}) {
  const asked: Asked[] = [];
  const told = new Map(Object.entries(methods));
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const call: Asked = {
        method: (request.url ?? "").replace(/^\/api\//, ""),
        token: request.headers.authorization?.replace(/^Bearer /, "") ?? null,
        args: Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString())),
      };
      asked.push(call);
      const method = told.get(call.method) ?? refusal("unknown_method");
      void Promise.resolve(typeof method === "function" ? method(call) : method).then((answer) =>
        send(response, answer),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/api/`,
    asked,
    tell: (method: string, answer: Method) => told.set(method, answer),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** As Slack says no. */
export function refusal(error: string, more: Readonly<Record<string, unknown>> = {}): Answer {
  return { body: { ok: false, error, ...more } };
}

function send(response: ServerResponse, { status = 200, headers = {}, body, raw }: Answer): void {
  response.writeHead(status, {
    "content-type": raw === undefined ? "application/json" : "text/html",
    ...headers,
  });
  response.end(raw ?? JSON.stringify({ ok: true, ...body }));
}
