import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { evalSummaries } from "./eval-summaries.ts";
import { crossValidate, fitSummaries, readTldrs } from "./fit-summaries.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { data: { type: "string" }, check: { type: "boolean", default: false } },
});
const isFit = positionals[0] === "fit";
const name = isFit ? "fit-summaries" : "eval-summaries";
const file = join(values.data ?? "", "scitldr", isFit ? "train.jsonl" : "dev.jsonl");
if (values.data === undefined || !existsSync(file)) {
  console.error(`Where are the papers? npm run ${name} -- --data DIR, with ${file} in it.`);
  process.exit(2);
}
if (isFit) refit();
else evaluate(values.data);

function refit(): void {
  const papers = readTldrs(file);
  if (values.check) {
    console.log(`${figures(crossValidate(papers), 2)}  ROUGE-1/2/L F1, cross-validated in five parts`);
    return;
  }
  const weights = new URL("../src/core/summary-weights.json", import.meta.url);
  writeFileSync(weights, `${JSON.stringify(fitSummaries(papers), null, 2)}\n`);
  console.log(`src/core/summary-weights.json is fitted to ${papers.length} papers.`);
}

function evaluate(data: string): void {
  const rows = evalSummaries(data);
  console.log(`ROUGE-1/2/L F1 on ${rows[0]?.papers} papers`);
  for (const { method, rouge1, rouge2, rougeL, msPerPaper } of rows) {
    console.log(`${figures([rouge1, rouge2, rougeL], 1)}  ${msPerPaper.toFixed(2)} ms CPU  ${method}`);
  }
}

function figures(all: readonly number[], digits: number): string {
  return all.map((each) => each.toFixed(digits)).join(" / ");
}
