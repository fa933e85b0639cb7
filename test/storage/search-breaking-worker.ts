// The search worker, which ends or throws outside any call when it is asked to find these words.
import { parentPort } from "node:worker_threads";
import type { SearchCall } from "../../src/storage/search-worker.ts";

parentPort?.on("message", (call: SearchCall) => {
  if (call.kind !== "search") return;
  if (call.query.topic.text === "exit now") process.exit(3);
  if (call.query.topic.text === "throw now") throw new Error("out of luck");
});
await import("../../src/storage/search-worker.ts");
