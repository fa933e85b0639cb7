/** Tells ids that were not seen before, out of the last so many. */
export function createOnce(most: number): (id: string) => boolean {
  const seen = new Set<string>();
  return (id) => {
    if (seen.has(id)) return false;
    seen.add(id);
    const [oldest] = seen;
    if (seen.size > most && oldest !== undefined) seen.delete(oldest);
    return true;
  };
}

/** A second press of the same button this soon is a double click. */
const DOUBLE_CLICK_MS = 1500;

/**
 * Tells presses that repeat one just made.
 * @param now milliseconds
 * @returns takes who pressed what where, and says whether it is the second half of a double click
 */
export function createDoubleClicks(now: () => number): (press: readonly unknown[]) => boolean {
  const pressed = new Map<string, number>();
  return (press) => {
    const key = JSON.stringify(press);
    const at = now();
    for (const [other, until] of pressed) if (until < at) pressed.delete(other);
    const isAgain = pressed.has(key);
    pressed.set(key, at + DOUBLE_CLICK_MS);
    return isAgain;
  };
}
