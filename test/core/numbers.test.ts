import { expect, test } from "vitest";
import { count, ordinal, shortNumber } from "../../src/core/numbers.ts";

test.each([
  [0, "0"],
  [999, "999"],
  [1000, "1k"],
  [1234, "1.2k"],
  [9949, "9.9k"],
  [9999, "10k"],
  [48_300, "48k"],
  [999_499, "999k"],
  [999_500, "1M"],
  [1_250_000, "1.3M"],
])("writes %i in short as %s", (value, text) => {
  expect(shortNumber(value)).toBe(text);
});

test("counts nouns and places", () => {
  expect([count(1, "paper"), count(0, "paper"), count(1200, "paper")]).toEqual([
    "1 paper",
    "0 papers",
    "1,200 papers",
  ]);
  expect([1, 2, 3, 4, 11, 12, 13, 21, 101, 111].map(ordinal).join(" ")).toBe(
    "1st 2nd 3rd 4th 11th 12th 13th 21st 101st 111th",
  );
});
