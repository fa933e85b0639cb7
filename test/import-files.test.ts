import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { linesOf, linesOfFiles } from "../src/import-files.ts";

const folder = mkdtempSync(join(tmpdir(), "paperboy-import-"));
function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}
const read = (files: readonly string[], onRead: (share: number) => void = () => {}) =>
  Array.fromAsync(linesOfFiles(files, onRead));

describe("the lines of files to import", () => {
  test("come from plain and packed files, one after the other, with the share read", async () => {
    const shares: number[] = [];
    const files = [file("a.jsonl", "one\r\ntwo\n"), file("b.jsonl.gz", gzipSync("three\nfour"))];
    expect(await read(files, (share) => shares.push(share))).toEqual(["one", "two", "three", "four"]);
    expect(shares.at(-1)).toBe(1);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  });

  test("keep a character whole that two chunks share", async () => {
    const bytes = new TextEncoder().encode("π₀\n👩‍🔬");
    const chunks = Array.from(bytes, (_, index) => bytes.slice(index, index + 1));
    const stream = (async function* () {
      yield* chunks;
    })();
    expect(await Array.fromAsync(linesOf(stream))).toEqual(["π₀", "👩‍🔬"]);
  });

  test("are refused before the first one where a file is missing or a folder", async () => {
    const good = file("c.jsonl", "line\n");
    await expect(read([good, join(folder, "none.jsonl")])).rejects.toThrow(
      /none\.jsonl cannot be imported: there is no such file\./,
    );
    await expect(read([folder])).rejects.toThrow(/it is a folder; name its files, as in .*\*\.jsonl\.gz/);
  });

  test("end with one clear sentence where a packed file is damaged", async () => {
    const whole = gzipSync(Array.from({ length: 20_000 }, (_, index) => `line ${index * 7919}`).join("\n"));
    const cut = file("cut.jsonl.gz", whole.subarray(0, whole.length / 2));
    await expect(read([cut])).rejects.toThrow(
      /cut\.jsonl\.gz cannot be imported: it is damaged or no gzip file/,
    );
    await expect(read([file("no.jsonl.gz", "plain text")])).rejects.toThrow(/damaged or no gzip file/);
  });
});
