/** What befalls a request instead of Discord's answer, or on top of it. */
export type Fault = {
  readonly method?: string;
  /** Matched against `POST`'s target such as `/channels/123/messages`, query included. */
  readonly route?: RegExp;
  /** How many requests it befalls, 1 unless told. */
  readonly times?: number;
  readonly how: How;
};
export type How =
  /** `after`: the request is carried out first, and the client does not learn of it. */
  | { readonly kind: "status"; readonly status: number; readonly after?: boolean }
  | { readonly kind: "reset"; readonly after?: boolean }
  /** No answer until `release`; then it goes its way. */
  | { readonly kind: "hang"; readonly after?: boolean }
  | { readonly kind: "slow"; readonly ms: number }
  | { readonly kind: "unauthorized" }
  /** A 403 with a code such as 50001. */
  | { readonly kind: "forbidden"; readonly code: number }
  | {
      readonly kind: "rate-limit";
      readonly scope: "user" | "shared" | "global";
      readonly retryAfterMs: number;
    };

export type ArmedFault = {
  /** How many requests it has befallen. */
  hits(): number;
  /** Waits for the next request that it befalls, or for one that it has befallen already. */
  struck(): Promise<void>;
  /** Lets the hanging ones go and befalls no more. */
  release(): void;
};

export type Faults = {
  arm(fault: Fault): ArmedFault;
  /** What befalls this request, if anything; the first armed comes first. */
  next(method: string, target: string): Struck | null;
  releaseAll(): void;
};
export type Struck = { readonly how: How; readonly released: Promise<void> };

export function createFaults(): Faults {
  const armed = new Set<{ fault: Fault; left: number; strike(): Promise<void>; release(): void }>();
  return {
    arm(fault) {
      let hits = 0;
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      const { promise: struck, resolve: strike } = Promise.withResolvers<void>();
      const entry = {
        fault,
        left: fault.times ?? 1,
        strike() {
          hits += 1;
          strike();
          return released;
        },
        release() {
          armed.delete(entry);
          release();
        },
      };
      armed.add(entry);
      return { hits: () => hits, struck: () => struck, release: entry.release };
    },
    next(method, target) {
      for (const entry of armed) {
        const { fault } = entry;
        if (entry.left === 0) continue;
        if (fault.method !== undefined && fault.method !== method) continue;
        if (fault.route !== undefined && !fault.route.test(target)) continue;
        entry.left -= 1;
        // One that hangs stays until it is released.
        if (entry.left === 0 && fault.how.kind !== "hang") armed.delete(entry);
        return { how: fault.how, released: entry.strike() };
      }
      return null;
    },
    releaseAll() {
      for (const entry of armed) entry.release();
    },
  };
}
