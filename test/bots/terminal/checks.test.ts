import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { renderChecks } from "../../../src/bots/terminal/checks.ts";
import type { Check } from "../../../src/core/bot.ts";

const check = (name: string, state: Check["state"], detail: string, fix: string | null = null): Check => ({
  platform: "discord",
  name,
  state,
  detail,
  fix,
});
const CHECKS = [
  check("token", "ok", "accepted"),
  check("commands", "warning", "/papers is another version's", "npx paperboy register"),
  check(
    "channel",
    "error",
    "#papers on a server with a name of some length lacks Send Messages",
    "Edit Channel > Permissions there: add it",
  ),
];

describe("checks in a terminal", () => {
  test("stand in columns, each with a sign, what to do on the same line where it fits", () => {
    expect(renderChecks("Discord", CHECKS, { width: 70, color: false })).toBe(
      `Discord
✓ token     accepted
! commands  /papers is another version's → npx paperboy register
✗ channel   #papers on a server with a name of some length lacks Send
            Messages
            → Edit Channel > Permissions there: add it
`,
    );
  });

  test("keep to the terminal's width, and a wide one's lines short", () => {
    for (const width of [50, 80, 100, 400]) {
      const lines = renderChecks("Discord", CHECKS, { width, color: true }).split("\n");
      for (const line of lines) {
        expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(Math.min(width, 120));
      }
    }
  });

  test("have escape sequences only with colour", () => {
    const plain = renderChecks("Discord", CHECKS, { width: 80, color: false });
    const coloured = renderChecks("Discord", CHECKS, { width: 80, color: true });
    expect(stripVTControlCharacters(plain)).toBe(plain);
    expect(coloured).not.toBe(plain);
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });
});
