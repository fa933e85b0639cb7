import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Nothing of a developer's machine reaches a test: no .env, no tokens, no store of theirs.
    env: { NO_COLOR: "1" },
    testTimeout: 20_000,
    hookTimeout: 40_000,
  },
});
