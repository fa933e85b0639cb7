import type { PersonKey } from "./channel.ts";
import type { Clock } from "./context.ts";

/** Lets people call commands, but none so often that others wait for it. */
export type FloodGuard = {
  /** Counts a call. @returns null where it is admitted; else the milliseconds until the next one may be */
  admit(caller: PersonKey): number | null;
};

/**
 * A guard that counts the admitted calls of each person and each workspace in windows that all begin together. With a
 * window everything counted in it goes, so that it holds no more than the callers of one window. Calls without a
 * workspace (Discord's direct messages) are counted by person alone.
 * @param options.perPerson calls of one person in a window, at least 1
 * @param options.perWorkspace calls of all people of a workspace in a window, at least 1
 */
export function createFloodGuard(options: {
  readonly perPerson: number;
  readonly perWorkspace: number;
  readonly windowMs: number;
  readonly clock: Clock;
}): FloodGuard {
  const { perPerson, perWorkspace, windowMs, clock } = options;
  let window = Number.NaN;
  const calls = new Map<string, number>();

  return {
    admit({ platform, workspace, person }) {
      const now = clock().getTime();
      // A clock that was set back is in another window too.
      if (Math.floor(now / windowMs) !== window) {
        window = Math.floor(now / windowMs);
        calls.clear();
      }
      const counted = [{ key: JSON.stringify([platform, workspace, person]), most: perPerson }];
      if (workspace !== "") counted.push({ key: JSON.stringify([platform, workspace]), most: perWorkspace });
      const isFull = counted.some(({ key, most }) => (calls.get(key) ?? 0) >= most);
      if (isFull) return (window + 1) * windowMs - now;
      for (const { key } of counted) calls.set(key, (calls.get(key) ?? 0) + 1);
      return null;
    },
  };
}
