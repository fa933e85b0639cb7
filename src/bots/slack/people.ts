import type { webApi } from "@slack/bolt";
import { within } from "../../core/deadline.ts";

/** What Paperboy asks of a person. */
export type Person = {
  /** IANA zone; null where the scope `users:read` is not granted. */
  readonly zone: string | null;
  /** Guests may not change a channel's settings. */
  readonly isGuest: boolean;
};

const UNKNOWN: Person = { zone: null, isGuest: false };
const FRESH_MS = 3_600_000;
const MOST_PEOPLE = 2000;
/** A slow answer must not hold up what was asked. */
const WAIT_MS = 800;

/** Reads people once an hour at most; without the scope everybody is a member without a zone. */
export function createPeople({
  now,
  lacksScope,
}: {
  /** Milliseconds. */
  readonly now: () => number;
  /** Whether an error is for want of a scope. */
  readonly lacksScope: (error: unknown, workspace: string) => boolean;
}): {
  find(client: webApi.WebClient, workspace: string, person: string): Promise<Person>;
} {
  const known = new Map<string, { readonly at: number; readonly person: Promise<Person> }>();

  async function ask(client: webApi.WebClient, person: string): Promise<Person> {
    const { user } = await client.users.info({ user: person });
    return {
      zone: user?.tz ?? null,
      isGuest:
        user?.is_restricted === true || user?.is_ultra_restricted === true || user?.is_stranger === true,
    };
  }

  return {
    async find(client, workspace, person) {
      const key = `${workspace}/${person}`;
      const found = known.get(key);
      if (found !== undefined && now() - found.at < FRESH_MS) return within(found.person, WAIT_MS, UNKNOWN);
      const asked = ask(client, person).catch((error: unknown) => {
        // A lacking scope stays lacking for a while; what failed otherwise is asked again.
        if (!lacksScope(error, workspace)) known.delete(key);
        return UNKNOWN;
      });
      known.delete(key);
      known.set(key, { at: now(), person: asked });
      const [oldest] = known.keys();
      if (known.size > MOST_PEOPLE && oldest !== undefined) known.delete(oldest);
      return within(asked, WAIT_MS, UNKNOWN);
    },
  };
}
