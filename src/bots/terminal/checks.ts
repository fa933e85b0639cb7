import { styleText } from "node:util";
import type { Check } from "../../core/bot.ts";
import { plainText } from "../../core/readable.ts";
import { wrap } from "./render.ts";

/**
 * A platform's checks for a terminal: a sign, the name and what was found in columns; what to do stands behind an
 * arrow, on the same line where it fits. Ends with a line break.
 * @param options `width`: columns, of which at most 120 are used. `color`: without it there is no escape sequence
 */
export function renderChecks(
  title: string,
  checks: readonly Check[],
  { width, color }: { readonly width: number; readonly color: boolean },
): string {
  const nameWidth = Math.max(0, ...checks.map(({ name }) => name.length));
  const indent = " ".repeat(nameWidth + 4);
  const room = Math.max(SHORTEST_LINE, Math.min(width, LONGEST_LINE) - indent.length);
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    color ? styleText(format, text, { validateStream: false }) : text;
  const lines = checks.flatMap(({ name, state, detail, fix }) => {
    const [sign, format] = SIGNS[state];
    const found = plainText(detail);
    const advice = fix === null ? "" : `→ ${plainText(fix)}`;
    const isShort = `${found} ${advice}`.length <= room;
    const parts = isShort
      ? [`${found} ${advice}`.trimEnd()]
      : [...wrap(found, room), ...wrap(advice, room).map((line, at) => (at === 0 ? line : `  ${line}`))];
    return parts.map((part, at) =>
      at === 0 ? `${paint(format, sign)} ${name.padEnd(nameWidth)}  ${part}` : `${indent}${part}`,
    );
  });
  return `${[paint("bold", title), ...lines].join("\n")}\n`;
}

const LONGEST_LINE = 120;
const SHORTEST_LINE = 30;
const SIGNS = {
  ok: ["✓", "green"],
  warning: ["!", "yellow"],
  error: ["✗", "red"],
} as const;
