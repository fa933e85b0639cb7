import { expect, test } from "vitest";
import { createProgress } from "../src/progress.ts";

function terminal(isTTY: boolean) {
  const written: string[] = [];
  return { written, stream: { isTTY, columns: 200, write: (text: string) => written.push(text) > 0 } };
}

test("a progress bar shows the share, the count, the rate and the time left", () => {
  const { written, stream } = terminal(true);
  let now = 0;
  const progress = createProgress("papers", stream, () => now);
  now = 10_000;
  progress.update(0.25, 20_000);
  expect(written[0]).toContain("██████░░░░░░░░░░░░░░░░░░ 25 % · 20,000 papers · 2k a second · 30 s left");
  now = 10_050;
  progress.update(0.26, 20_100);
  expect(written).toHaveLength(1);
  progress.update(1, 80_000);
  progress.end();
  expect(written).toHaveLength(3);
});

test("a progress bar stays silent where nobody watches", () => {
  const { written, stream } = terminal(false);
  const progress = createProgress("papers", stream);
  progress.update(0.5, 1);
  progress.end();
  expect(written).toEqual([]);
});
