import { readFileSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { z } from "zod";
import type { Bm25State } from "../core/bm25.ts";

/** A search index as it stands at a revision of a store. */
export type SearchSnapshot = {
  readonly state: Bm25State;
  readonly store: string;
  readonly revision: number;
};

/**
 * Reads a snapshot file. Null where there is none, or one that is damaged, cut short, of another format or of
 * another program: the index is then built from the store again.
 */
export function readSnapshot(file: string): SearchSnapshot | null {
  try {
    return decode(readFileSync(file));
  } catch {
    return null;
  }
}

/** Writes a snapshot file beside the old one and puts it in its place. Throws where the disk refuses it. */
export async function writeSnapshot(file: string, snapshot: SearchSnapshot): Promise<void> {
  const parts = encode(snapshot);
  await mkdir(dirname(file), { recursive: true });
  // Another process may be writing its own at the same moment.
  const unfinished = `${file}.${process.pid}.new`;
  try {
    const handle = await open(unfinished, "w");
    try {
      for (const part of parts) await handle.writeFile(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

const MAGIC = "PAPERBOY";
/** Grows with any change in the file's layout, in how text becomes stems, or in what a segment holds. */
const FORMAT = 1;
/** Magic, format, checksum of what follows them, length of the head. */
const PREFIX_BYTES = 20;

const count = z.number().int().min(0);
const headSchema = z.object({
  store: z.string(),
  revision: z.number(),
  /** How many terms there are. */
  terms: count,
  /** For each segment how many documents it has. */
  segments: z.array(count),
  /** Bytes of each section: the terms, then for each segment its ids, which are dead, its arrays. All little-endian. */
  sections: z.array(count),
});

function encode({ state, store, revision }: SearchSnapshot): Uint8Array[] {
  const sections: Uint8Array[] = [Buffer.from(state.terms.join("\n"))];
  for (const { segment, dead } of state.segments) {
    const { ids, lengths, upvotes, listed, terms, starts, docs, weights, placeStarts, places } = segment;
    const arrays = [lengths, upvotes, listed, terms, starts, docs, weights, placeStarts, places];
    sections.push(Buffer.from(ids.join("\n")), dead);
    for (const array of arrays)
      sections.push(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }
  const head: z.infer<typeof headSchema> = {
    store,
    revision,
    terms: state.terms.length,
    segments: state.segments.map(({ segment }) => segment.ids.length),
    sections: sections.map((section) => section.byteLength),
  };
  const headBytes = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.write(MAGIC, "latin1");
  prefix.writeUInt32LE(FORMAT, 8);
  prefix.writeUInt32LE(headBytes.length, 16);
  const checksum = [prefix.subarray(16), headBytes, ...sections].reduce((sum, part) => crc32(part, sum), 0);
  prefix.writeUInt32LE(checksum, 12);
  return [prefix, headBytes, ...sections];
}

function decode(file: Buffer): SearchSnapshot | null {
  if (file.length < PREFIX_BYTES || file.toString("latin1", 0, 8) !== MAGIC) return null;
  if (file.readUInt32LE(8) !== FORMAT || file.readUInt32LE(12) !== crc32(file.subarray(16))) return null;
  const headEnd = PREFIX_BYTES + file.readUInt32LE(16);
  const head = headSchema.parse(JSON.parse(file.toString("utf8", PREFIX_BYTES, headEnd)));
  const sections = head.sections[Symbol.iterator]();
  let at = headEnd;
  // Copied, so that each array begins where its element size wants it to and none keeps the file in memory.
  const bytes = (): Uint8Array<ArrayBuffer> => {
    const start = at;
    at += sections.next().value ?? 0;
    return new Uint8Array(file.subarray(start, at));
  };
  const words = (): Uint32Array => new Uint32Array(bytes().buffer);
  const lines = (number: number): string[] => {
    const text = new TextDecoder().decode(bytes());
    return number === 0 ? [] : text.split("\n");
  };
  // The order of the properties is the order of the sections.
  const terms = lines(head.terms);
  const segments = head.segments.map((size) => ({
    ids: lines(size),
    dead: bytes(),
    lengths: words(),
    upvotes: words(),
    listed: words(),
    terms: words(),
    starts: words(),
    docs: words(),
    weights: bytes(),
    placeStarts: words(),
    places: new Uint16Array(bytes().buffer),
  }));
  return {
    state: { terms, segments: segments.map(({ dead, ...segment }) => ({ segment, dead })) },
    store: head.store,
    revision: head.revision,
  };
}
