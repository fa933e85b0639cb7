import { shortNumber } from "./core/numbers.ts";

/** A bar on stderr, drawn in place at most ten times a second; nothing where stderr is no terminal. */
export type Progress = {
  /** @param share 0 to 1 of the work; the time left follows from it
   *  @param count things done so far; the rate follows from it */
  update(share: number, count: number): void;
  /** Clears the line. */
  end(): void;
};

const WIDTH = 24;

/** @param unit what is counted, such as `papers` */
export function createProgress(
  unit: string,
  stream: Pick<NodeJS.WriteStream, "isTTY" | "write" | "columns"> = process.stderr,
  now: () => number = Date.now,
): Progress {
  if (!stream.isTTY) return { update() {}, end() {} };
  const start = now();
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    update(share, count) {
      const instant = now();
      if (share < 1 && instant - drawnAt < 100) return;
      drawnAt = instant;
      const seconds = Math.max(0.001, (instant - start) / 1000);
      const full = Math.round(Math.min(1, share) * WIDTH);
      const parts = [
        `${"█".repeat(full)}${"░".repeat(WIDTH - full)} ${Math.round(share * 100)} %`,
        `${count.toLocaleString("en-US")} ${unit}`,
        `${shortNumber(Math.round(count / seconds))} a second`,
        share > 0 ? `${duration(seconds / share - seconds)} left` : "…",
      ];
      stream.write(`\r\x1b[2K${parts.join(" · ").slice(0, Math.max(20, stream.columns - 1))}`);
    },
    end() {
      stream.write("\r\x1b[2K");
    },
  };
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
