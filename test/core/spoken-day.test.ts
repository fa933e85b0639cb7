import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDay } from "../../src/core/day.ts";
import { parseSpokenDay } from "../../src/core/spoken-day.ts";
import { hostile } from "../bots/any-message.ts";

/** A Thursday. */
const TODAY = "2026-01-08";

test.each([
  ["today", "2026-01-08"],
  ["Yesterday", "2026-01-07"],
  ["tomorrow", "2026-01-09"],
  ["2025-2-3", "2025-02-03"],
  ["2025/02/03", "2025-02-03"],
  ["３１ December", "2025-12-31"],
  ["20th of January", "2026-01-20"],
  ["Sept 1, 2024", "2024-09-01"],
  ["29 Feb 2024", "2024-02-29"],
  ["29 Feb 2025", null],
  ["thursday", "2026-01-08"],
  ["last thu", "2026-01-01"],
  ["friday", "2026-01-02"],
  ["https://huggingface.co/papers/date/2025-12-01", "2025-12-01"],
  ["12", null],
  ["40 June", null],
  ["soon", null],
  ["", null],
])("%j is %s", (text, day) => expect(parseSpokenDay(text, TODAY)).toBe(day));

test("whatever is said is a real day or none", () => {
  fc.assert(
    fc.property(fc.oneof(hostile(300), fc.stringMatching(/^\d{1,4}[ /-]\w{1,9}[ /-]\d{1,4}$/)), (text) => {
      const day = parseSpokenDay(text, TODAY);
      expect(day === null || parseDay(day) === day).toBe(true);
    }),
  );
});
