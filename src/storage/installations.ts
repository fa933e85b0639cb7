import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import {
  type Installation,
  InstallationError,
  type InstallationKey,
  type Installations,
} from "../core/installation.ts";
import type { Database, Tables } from "./database.ts";

/**
 * Installations over a migrated database, their tokens encrypted with AES-256-GCM. What is read under an older key is
 * encrypted anew with the first.
 * @param options.keys 32 bytes each, base64: the first encrypts, all decrypt; none where nothing is kept or read
 */
export function createInstallations(
  db: Database,
  { keys }: { readonly keys: readonly string[] },
): Installations {
  const cipher = createCipher(keys);

  return {
    async keep(installation) {
      const row = {
        id: installation.id,
        is_org: toInteger(installation.isOrg),
        installed_at: installation.installedAt,
        ...cipher.encrypt(installation, installation.value),
      };
      await db
        .insertInto("installations")
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(["id", "is_org"])
            .doUpdateSet(row)
            .where("installations.installed_at", "<=", row.installed_at),
        )
        .execute();
    },

    async renew(installation) {
      const { numUpdatedRows } = await db
        .updateTable("installations")
        .set(cipher.encrypt(installation, installation.value))
        .where("id", "=", installation.id)
        .where("is_org", "=", toInteger(installation.isOrg))
        .where("installed_at", "=", installation.installedAt)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },

    async find(key) {
      const row = await db
        .selectFrom("installations")
        .selectAll()
        .where("id", "=", key.id)
        .where("is_org", "=", toInteger(key.isOrg))
        .executeTakeFirst();
      if (row === undefined) return null;
      const installation = { ...toKey(row), installedAt: row.installed_at, value: cipher.decrypt(row) };
      if (row.key_id !== cipher.keyId) await encryptAnew(installation, row.nonce);
      return installation;
    },

    async list() {
      const rows = await db
        .selectFrom("installations")
        .selectAll()
        .orderBy("installed_at")
        .orderBy("id")
        .execute();
      return rows.map((row) => ({
        ...toKey(row),
        installedAt: row.installed_at,
        problem: problemOf(row),
        hasOldKey: row.key_id !== cipher.keyId,
      }));
    },

    async remove(key, { at }) {
      const { numDeletedRows } = await db
        .deleteFrom("installations")
        .where("id", "=", key.id)
        .where("is_org", "=", toInteger(key.isOrg))
        .where("installed_at", "<", at)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },

    async assign(workspace, organization) {
      await db
        .insertInto("assignments")
        .values({ workspace, organization })
        .onConflict((conflict) => conflict.column("workspace").doUpdateSet({ organization }))
        .execute();
    },

    async organizationOf(workspace) {
      const row = await db
        .selectFrom("assignments")
        .innerJoin("installations", "installations.id", "assignments.organization")
        .select("organization")
        .where("workspace", "=", workspace)
        .where("is_org", "=", 1)
        .executeTakeFirst();
      return row?.organization ?? null;
    },
  };

  /** Only while the row is as it was read: what another call wrote since is newer. */
  async function encryptAnew(installation: Installation, nonce: string): Promise<void> {
    await db
      .updateTable("installations")
      .set(cipher.encrypt(installation, installation.value))
      .where("id", "=", installation.id)
      .where("is_org", "=", toInteger(installation.isOrg))
      .where("nonce", "=", nonce)
      .execute();
  }

  function problemOf(row: Row): string | null {
    try {
      cipher.decrypt(row);
      return null;
    } catch (error) {
      if (error instanceof InstallationError) return error.message;
      throw error;
    }
  }
}

type Row = Tables["installations"];
type Encrypted = Pick<Row, "key_id" | "nonce" | "ciphertext">;

/** 96 bits at random are safe for four billion encryptions a key: NIST SP 800-38D, 8.3. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ALGORITHM = "aes-256-gcm";

function createCipher(texts: readonly string[]) {
  const keys = texts.map((text) => Buffer.from(text, "base64")).map((key) => ({ id: idOf(key), key }));
  const first = keys[0];

  return {
    /** Of the key that encrypts; null without one. */
    keyId: first?.id ?? null,

    /** @throws InstallationError without a key */
    encrypt(owner: InstallationKey, value: string): Encrypted {
      if (first === undefined) {
        throw new InstallationError(
          `The tokens of ${named(owner)} cannot be kept without a key: set ENCRYPTION_KEY, as \`openssl rand -base64 32\` prints one.`,
        );
      }
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, first.key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(associatedData(owner));
      const parts = [cipher.update(value, "utf8"), cipher.final(), cipher.getAuthTag()];
      return {
        key_id: first.id,
        nonce: nonce.toString("base64"),
        ciphertext: Buffer.concat(parts).toString("base64"),
      };
    },

    /** @throws InstallationError without the key, and where the row was changed */
    decrypt(row: Row): string {
      const owner = toKey(row);
      const key = keys.find(({ id }) => id === row.key_id)?.key;
      if (key === undefined) {
        throw new InstallationError(
          `The tokens of ${named(owner)} are encrypted with the key ${row.key_id}, which is not in ENCRYPTION_KEY: add that key behind a comma, or install the app there again.`,
        );
      }
      const bytes = Buffer.from(row.ciphertext, "base64");
      try {
        const options = { authTagLength: TAG_BYTES };
        const decipher = createDecipheriv(ALGORITHM, key, Buffer.from(row.nonce, "base64"), options);
        decipher.setAAD(associatedData(owner));
        decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
        return decipher.update(bytes.subarray(0, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
      } catch (error) {
        throw new InstallationError(
          `The tokens of ${named(owner)} were changed since they were encrypted with the key ${row.key_id}: install the app there again.`,
          { cause: error },
        );
      }
    },
  };
}

/** Names a key without telling anything of it. */
function idOf(key: Buffer): string {
  return createHash("sha256").update("paperboy key id\0").update(key).digest("hex").slice(0, 8);
}

/** Binds tokens to whose they are, so that a row that is copied over another's cannot be read. */
function associatedData({ id, isOrg }: InstallationKey): Buffer {
  return Buffer.from(JSON.stringify(["installation", isOrg ? "org" : "team", id]));
}

function named({ id, isOrg }: InstallationKey): string {
  return `the ${isOrg ? "organization" : "workspace"} ${id}`;
}

function toKey(row: Pick<Row, "id" | "is_org">): InstallationKey {
  return { id: row.id, isOrg: row.is_org === 1 };
}

function toInteger(truth: boolean): 0 | 1 {
  return truth ? 1 : 0;
}
