/** Whose installation it is: a workspace's own, or an organization's, which serves all of its workspaces. */
export type InstallationKey = {
  /** The id of the workspace (`T…`) or of the organization (`E…`). */
  readonly id: string;
  readonly isOrg: boolean;
};

/** What a workspace or an organization granted: its tokens, as the adapter's own text, which is a secret. */
export type Installation = InstallationKey & {
  readonly value: string;
  /** ISO instant, UTC, with milliseconds. */
  readonly installedAt: string;
};

/** An installation without its secret. */
export type InstallationState = InstallationKey & {
  readonly installedAt: string;
  /** Why its tokens cannot be read, and what to do, in a sentence; null where they can. */
  readonly problem: string | null;
  /** Whether they are still encrypted with a key that was replaced; they no longer are once they were read. */
  readonly hasOldKey: boolean;
};

/** Tokens could not be read or kept; the message says whose, why and what to do, and holds no secret. */
export class InstallationError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "InstallationError";
  }
}

/**
 * What lasts of the tokens by which an app that many workspaces install speaks to each. Nobody who has the store alone
 * can read them. Every call is one transaction.
 */
export type Installations = {
  /** Keeps what an installation brought. A newer one replaces an older one, and an older one changes nothing. */
  keep(installation: Installation): Promise<void>;
  /**
   * Gives a standing installation other tokens, such as refreshed ones.
   * @returns false where this very installation no longer stands: it was removed, or another one replaced it
   */
  renew(installation: Installation): Promise<boolean>;
  /** @throws InstallationError where its tokens cannot be read */
  find(key: InstallationKey): Promise<Installation | null>;
  /** All of them, the longest standing first. What cannot be read is said of each. */
  list(): Promise<readonly InstallationState[]>;
  /**
   * Removes an installation that ended at an instant, and none that is newer. Word of an end comes late, twice and
   * after the next installation.
   * @param options.at ISO instant; whole seconds are enough: an installation of the same second stays
   * @returns whether one was removed
   */
  remove(key: InstallationKey, options: { readonly at: string }): Promise<boolean>;
  /** Remembers the organization whose installation serves a workspace that has none of its own. */
  assign(workspace: string, organization: string): Promise<void>;
  /** @returns the organization that a workspace was assigned to last, as long as its installation stands */
  organizationOf(workspace: string): Promise<string | null>;
};
