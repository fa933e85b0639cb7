import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";

export type WebServer = {
  /** Such as `http://127.0.0.1:3000`. */
  readonly url: string;
  /** The one that was given, or the one that the system chose for 0. */
  readonly port: number;
  close(): Promise<void>;
};

/** Resolves once it listens; rejects with the system's error (`code` is `EADDRINUSE` where the port is taken). */
export async function openWebServer({
  fetch,
  host,
  port,
}: {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly host: string;
  readonly port: number;
}): Promise<WebServer> {
  const server = createAdaptorServer({ fetch, hostname: host });
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
        if ("closeAllConnections" in server) server.closeAllConnections();
      }),
  };
}

/** Whether a host means every address of the machine. */
export function isWildcard(host: string): boolean {
  return ["0.0.0.0", "::"].includes(host);
}
