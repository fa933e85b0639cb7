import { parseArgs } from "node:util";
import { benchAnswers } from "./answers.ts";
import { benchDeliver } from "./deliver.ts";
import { benchDigest } from "./digest.ts";
import { benchFanOut } from "./fan-out.ts";
import { benchImport } from "./import.ts";
import { benchInstall } from "./install.ts";
import { benchSearch } from "./search.ts";
import { benchStart } from "./start.ts";

/** Each measures one thing beside a peer in the same run, and says what the machine and the data were. */
const BENCHES: Record<string, (print: (line: string) => void, data: string | null) => Promise<void>> = {
  import: benchImport,
  digest: benchDigest,
  deliver: benchDeliver,
  answers: benchAnswers,
  "fan-out": benchFanOut,
  search: benchSearch,
  start: benchStart,
  install: benchInstall,
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { data: { type: "string" } } });
const unknown = positionals.filter((name) => BENCHES[name] === undefined);
if (unknown.length > 0) {
  console.error(
    `There is no benchmark ${unknown.join(", ")}: npm run bench -- [${Object.keys(BENCHES).join("|")}] [--data DIR]`,
  );
  process.exit(2);
}
for (const name of positionals.length > 0 ? positionals : Object.keys(BENCHES)) {
  console.log(`\n${name}`);
  await BENCHES[name]?.((line) => console.log(`  ${line}`), values.data ?? null);
}
