import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";

/** The log writes to this process's own stderr, so each case runs in a process of its own. */
function logged(format: string): { stdout: string; stderr: string } {
  const script = `
    import { createLog } from "./src/log.ts";
    const log = createLog({ logLevel: "info", logFormat: "${format}", secrets: ["hf_secret\\"quoted", "xoxb-1234567"] });
    log.info({ url: "https://x/?t=xoxb-1234567", nested: { token: "hf_secret\\"quoted" } }, "sent xoxb-1234567");
    log.error(new Error("refused hf_secret\\"quoted"), "failed");
    log.debug("too quiet");
  `;
  return spawnSync(process.execPath, ["--input-type=module-typescript", "-e", script], { encoding: "utf8" });
}

describe.each(["json", "pretty"])("the log as %s", (format) => {
  test("writes to stderr, never a secret, nor below its level", () => {
    const { stdout, stderr } = logged(format);
    expect(stdout).toBe("");
    expect(stderr).toContain("sent [secret]");
    expect(stderr).toContain("refused [secret]");
    expect(stderr).not.toMatch(/hf_secret|xoxb-1234567|too quiet/);
  });
});
