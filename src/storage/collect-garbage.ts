import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Gives this thread's garbage back to the system at once. After a burst, such as building the search index, V8 keeps
 * a heap several times as large as what it holds, for as long as little happens. It stops the thread for some tens
 * of milliseconds.
 */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect({ type: "major", execution: "sync", flavor: "last-resort" });
}
