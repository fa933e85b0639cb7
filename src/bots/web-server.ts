import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";

export type WebServer = {
  /** Such as `http://127.0.0.1:3000`. */
  readonly url: string;
  /** The one that was given, or the one that the system chose for 0. */
  readonly port: number;
  close(): Promise<void>;
};

/**
 * The process's one web server. Resolves once it listens; rejects with the system's error (`code` is `EADDRINUSE` where
 * the port is taken).
 * @param options.listeners take the requests to some paths in Node's own form; `fetch` answers all others
 */
export async function openWebServer({
  fetch,
  listeners = new Map(),
  host,
  port,
}: {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly listeners?: ReadonlyMap<string, RequestListener>;
  readonly host: string;
  readonly port: number;
}): Promise<WebServer> {
  const answer = getRequestListener(fetch, { hostname: host });
  const server = createServer((request, response) => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const listener = listeners.get(path);
    if (listener === undefined) void answer(request, response);
    else listener(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
  const { port: served } = server.address() as AddressInfo;
  return {
    url: `http://${isWildcard(host) ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host}:${served}`,
    port: served,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        // Clients keep connections open for minutes; nothing here is worth waiting for.
        server.closeAllConnections();
      }),
  };
}

/** Whether a host means every address of the machine. */
export function isWildcard(host: string): boolean {
  return ["0.0.0.0", "::"].includes(host);
}
