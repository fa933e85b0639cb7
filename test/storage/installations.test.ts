import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { InstallationError, type InstallationKey } from "../../src/core/installation.ts";
import { type Database, migrate, openSqlite, type Tables } from "../../src/storage/database.ts";
import { createInstallations } from "../../src/storage/installations.ts";
import { installationsContract } from "../contracts/installations.ts";

const [OLD, NEW, OTHER] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte).toString("base64")) as [
  string,
  string,
  string,
];
const TEAM: InstallationKey = { id: "T1", isOrg: false };
const VALUE = JSON.stringify({ bot: { token: "xoxb-1-secret", refreshToken: "xoxe-1-secret" } });
const INSTALLATION = { ...TEAM, value: VALUE, installedAt: "2026-04-22T09:00:00.000Z" };

const over = (db: Database) => ({
  installations: createInstallations(db, { keys: [NEW] }),
  async clear() {
    await db.deleteFrom("installations").execute();
    await db.deleteFrom("assignments").execute();
  },
  close: () => db.destroy(),
});

installationsContract("SQLite", async () => over(await openSqlite(":memory:")));

installationsContract("PGlite", async () => {
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: new PGlite() }) });
  await migrate(db);
  return over(db);
});

describe("tokens at rest", () => {
  let db: Database;
  beforeEach(async () => {
    db = await openSqlite(":memory:");
  });
  afterEach(() => db.destroy());

  const under = (...keys: readonly string[]) => createInstallations(db, { keys });
  const row = () => db.selectFrom("installations").selectAll().executeTakeFirstOrThrow();

  test("leave no trace of themselves in any byte of the store's files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "paperboy-installations-"));
    const file = await openSqlite(join(folder, "paperboy.db"));
    try {
      const installations = createInstallations(file, { keys: [NEW, OLD] });
      await createInstallations(file, { keys: [OLD] }).keep(INSTALLATION);
      await installations.find(TEAM);
      await installations.renew({ ...INSTALLATION, value: VALUE.replaceAll("secret", "renewed") });
      const names = readdirSync(folder);
      const bytes = Buffer.concat(names.map((name) => readFileSync(join(folder, name)))).toString("latin1");
      expect(names).toContain("paperboy.db-wal");
      expect(bytes).toContain("installations");
      for (const secret of ["xoxb", "xoxe", "secret", "renewed", "refreshToken", OLD, NEW])
        for (const form of [secret, Buffer.from(secret).toString("base64").replace(/.?=*$/, "")])
          expect(bytes).not.toContain(form);
    } finally {
      await file.destroy();
      await rm(folder, { recursive: true });
    }
  });

  test("are encrypted with another nonce every time", async () => {
    const nonces = new Set<string>();
    for (let each = 0; each < 50; each++) {
      await under(NEW).keep(INSTALLATION);
      nonces.add((await row()).nonce);
    }
    expect(nonces.size).toBe(50);
    expect([...nonces].every((nonce) => Buffer.from(nonce, "base64").length === 12)).toBe(true);
  });

  test("are read under any of the keys, and encrypted with the first from then on", async () => {
    await under(OLD).keep(INSTALLATION);
    const before = await row();
    expect(await under(NEW, OLD).list()).toMatchObject([{ problem: null, hasOldKey: true }]);
    expect(await row()).toEqual(before);
    expect(await under(NEW, OLD).find(TEAM)).toEqual(INSTALLATION);
    expect((await row()).key_id).not.toBe(before.key_id);
    expect(await under(NEW).find(TEAM)).toEqual(INSTALLATION);
    const standing = await row();
    await under(NEW, OLD).find(TEAM);
    expect(await row()).toEqual(standing);
  });

  test("are read under a key however its base64 is written", async () => {
    const key = Buffer.from([...Array(32).keys()].map((each) => 251 - each));
    await under(key.toString("base64")).keep(INSTALLATION);
    expect(await under(key.toString("base64url")).find(TEAM)).toEqual(INSTALLATION);
  });

  test("under a key that is missing are said so, with the key's name and never the key", async () => {
    await under(OLD).keep(INSTALLATION);
    const { key_id } = await row();
    const sentence = `The tokens of the workspace T1 are encrypted with the key ${key_id}, which is not in ENCRYPTION_KEY: add that key behind a comma, or install the app there again.`;
    for (const keys of [[OTHER], []]) {
      await expect(under(...keys).find(TEAM)).rejects.toThrow(new InstallationError(sentence));
      expect(await under(...keys).list()).toMatchObject([{ ...TEAM, problem: sentence }]);
    }
    expect(sentence).not.toContain(OLD);
  });

  test("cannot be kept without a key", async () => {
    await expect(under().keep(INSTALLATION)).rejects.toThrow(/^The tokens .*: set ENCRYPTION_KEY/);
    expect(await under().list()).toEqual([]);
  });

  test.each([
    ["another workspace's row", { id: "T2" }],
    ["an organization's row", { is_org: 1 as const }],
    ["a changed ciphertext", { ciphertext: "AAAA".repeat(30) }],
    ["a ciphertext cut short", { ciphertext: "AAAA" }],
    ["no ciphertext", { ciphertext: "" }],
    ["a changed nonce", { nonce: "AAAAAAAAAAAAAAAA" }],
    ["no nonce", { nonce: "" }],
  ])("are refused from %s, in one sentence", async (_, change) => {
    await under(NEW).keep(INSTALLATION);
    await db.updateTable("installations").set(change).execute();
    const { id, is_org } = await row();
    const sentence = /^The tokens of the (workspace|organization) T\d were changed since .* again\.$/;
    await expect(under(NEW).find({ id, isOrg: is_org === 1 })).rejects.toThrow(sentence);
    expect((await under(NEW).list())[0]?.problem).toMatch(sentence);
  });
});
