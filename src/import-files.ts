import { closeSync, createReadStream, openSync, readSync, statSync } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";

/** A file that cannot be imported; the message names it. */
export class ImportError extends Error {
  constructor(file: string, reason: string, options?: { cause?: unknown }) {
    super(`${file} cannot be imported: ${reason}`, options);
    this.name = "ImportError";
  }
}

/** No line of lists is nearly as long; what is, is no such file. In characters. */
const MAX_LINE = 32 * 1024 * 1024;

/**
 * The lines of files one after the other; packed ones are known by their first bytes and unpacked.
 * @param onRead hears, as it goes, the share of all bytes that is read, 0 to 1
 * @throws ImportError, before the first line where a file cannot be read at all
 */
export async function* linesOfFiles(
  files: readonly string[],
  onRead: (share: number) => void,
): AsyncGenerator<string> {
  const sizes = files.map(sizeOf);
  const total = Math.max(
    1,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  let before = 0;
  for (const [index, file] of files.entries()) {
    const raw = createReadStream(file);
    const stream = isPacked(file) ? pipeline(raw, createGunzip(), () => {}) : raw;
    try {
      for await (const line of linesOf(stream)) {
        onRead((before + raw.bytesRead) / total);
        yield line;
      }
    } catch (error) {
      if (error instanceof Error && "code" in error)
        throw new ImportError(file, reasonOf(error), { cause: error });
      if (error instanceof RangeError) throw new ImportError(file, error.message, { cause: error });
      throw error;
    } finally {
      raw.destroy();
    }
    before += sizes[index] ?? 0;
  }
  onRead(1);
}

/**
 * The lines of a byte stream, without their ends.
 * @throws RangeError at a line of more than 32 million characters
 */
export async function* linesOf(stream: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const lines = (typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true })).split("\n");
    const rest = lines.pop() ?? "";
    for (const line of lines) {
      yield `${parts.join("")}${line}`.replace(/\r$/, "");
      parts = [];
      length = 0;
    }
    parts.push(rest);
    length += rest.length;
    if (length > MAX_LINE)
      throw new RangeError("a line has more than 32 million characters; this is no file of lists.");
  }
  const last = parts.join("") + decoder.decode();
  if (last !== "") yield last.replace(/\r$/, "");
}

function isPacked(file: string): boolean {
  const head = Buffer.alloc(2);
  const handle = openSync(file, "r");
  try {
    readSync(handle, head, 0, 2, 0);
  } finally {
    closeSync(handle);
  }
  return file.endsWith(".gz") || (head[0] === 0x1f && head[1] === 0x8b);
}

function sizeOf(file: string): number {
  try {
    const stat = statSync(file);
    if (stat.isDirectory())
      throw new ImportError(
        file,
        `it is a folder; name its files, as in ${file.replace(/\/$/, "")}/*.jsonl.gz.`,
      );
    return stat.size;
  } catch (error) {
    if (error instanceof ImportError || !(error instanceof Error)) throw error;
    throw new ImportError(file, reasonOf(error), { cause: error });
  }
}

function reasonOf(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  if (code === "ENOENT") return "there is no such file.";
  if (code === "EACCES") return "this user may not read it.";
  if (code.startsWith("Z_"))
    return `it is damaged or no gzip file (${error.message}); what stood before the damage was kept.`;
  return `${error.message}.`;
}
