import { appendFileSync } from "node:fs";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

// Loaded into Paperboy's own process by `--import`: at each SIGUSR2 it writes a line to the file that
// LOOP_PROBE_FILE names, about the event loop since the line before. The product knows nothing of it.

const file = process.env["LOOP_PROBE_FILE"];
if (isMainThread && file !== undefined) {
  const monitor = monitorEventLoopDelay({ resolution: 5 });
  monitor.enable();
  let last = performance.now();
  let used = process.threadCpuUsage();
  let [longestMs, work] = [0, [] as number[]];
  const timer = setInterval(() => {
    const now = performance.now();
    const { user, system } = process.threadCpuUsage(used);
    used = process.threadCpuUsage();
    longestMs = Math.max(longestMs, now - last - 5);
    work.push((user + system) / 1000);
    last = now;
  }, 5);
  timer.unref();
  process.on("SIGUSR2", () => {
    const { user, system } = process.cpuUsage();
    const line = {
      p50Ms: monitor.percentile(50) / 1e6,
      p99Ms: monitor.percentile(99) / 1e6,
      longestMs,
      workP99Ms: work.sort((a, b) => a - b)[Math.floor(0.99 * work.length)] ?? 0,
      workMostMs: work.at(-1) ?? 0,
      cpuSeconds: (user + system) / 1e6,
    };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
    monitor.reset();
    [longestMs, work] = [0, []];
  });
}
