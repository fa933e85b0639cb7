import { createServer, type ServerResponse } from "node:http";

/** What a route answers with: a body with status 200, or all of it. */
export type Answer = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** In the body's place: what is no JSON. */
  readonly raw?: string;
};
export type Asked = { readonly route: string; readonly query: string; readonly body: unknown };

export const TOKEN = "a-token-that-must-never-be-shown";

/**
 * A server on loopback that answers routes such as `GET /users/@me` as it is told, and as Discord does where it was
 * not told: 404 without a route, 401 without the token.
 */
export async function startAnswers(routes: Readonly<Record<string, Answer>>) {
  const asked: Asked[] = [];
  const told = new Map(Object.entries(routes));
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://127.0.0.1");
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const route = `${request.method} ${pathname.replace(/^\/api\/v10/, "")}`;
      const text = Buffer.concat(chunks).toString();
      asked.push({ route, query: search, body: text === "" ? null : JSON.parse(text) });
      const isKnown = request.headers.authorization === `Bot ${TOKEN}`;
      send(response, isKnown ? (told.get(route) ?? refusal(404, 0, "404: Not Found")) : UNAUTHORIZED);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/api`,
    asked,
    tell: (route: string, answer: Answer) => told.set(route, answer),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** As Discord says no. */
export function refusal(status: number, code: number, message: string, more: object = {}): Answer {
  return { status, body: { code, message, ...more } };
}

const UNAUTHORIZED = refusal(401, 0, "401: Unauthorized");

function send(response: ServerResponse, answer: Answer): void {
  const { status = 200, headers = {}, body, raw } = answer;
  response.writeHead(status, {
    "content-type": raw === undefined ? "application/json" : "text/html",
    ...headers,
  });
  response.end(raw ?? JSON.stringify(body));
}
