import { arxivUrl, type Paper, paperUrl } from "./paper.ts";
import { plainText, readable } from "./readable.ts";
import { isStopWord, nameParts, parseWord } from "./words.ts";

export const EXPORT_FORMATS = ["bibtex", "markdown", "csv"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** A file's contents. `type` is its media type. */
export type ExportFile = { readonly name: string; readonly type: string; readonly text: string };

/** Papers as a file, in their order. Whatever stands in a title, the file is well formed and runs nothing. */
export function exportPapers(papers: readonly Paper[], format: ExportFormat): ExportFile {
  if (format === "bibtex") return { name: "papers.bib", type: "application/x-bibtex", text: bibtex(papers) };
  if (format === "markdown") return { name: "papers.md", type: "text/markdown", text: markdown(papers) };
  return { name: "papers.csv", type: "text/csv", text: csv(papers) };
}

function bibtex(papers: readonly Paper[]): string {
  const used = new Set<string>();
  return papers.map((paper) => bibtexEntry(paper, uniqueKey(bibtexKey(paper), used))).join("\n");
}

/** arXiv's own form of an entry. Twice braced, a title keeps its capitals whatever the style. */
function bibtexEntry(paper: Paper, key: string): string {
  const year = yearOf(paper);
  const authors = paper.authors.map(({ name }) => bibtexName(clean(name))).filter((name) => name !== "");
  const fields = [
    `title = {{${escapeLatex(clean(paper.title))}}}`,
    ...(authors.length === 0 ? [] : [`author = {${authors.join(" and ")}}`]),
    ...(year === null ? [] : [`year = {${year}}`]),
    `eprint = {${paper.id}}`,
    "archivePrefix = {arXiv}",
    `url = {${arxivUrl(paper.id)}}`,
  ];
  return `@misc{${key},\n${fields.map((field) => `  ${field},\n`).join("")}}\n`;
}

/** A comma or an "and" would make other names of it: braces keep the name whole. */
function bibtexName(name: string): string {
  const escaped = escapeLatex(name);
  return /,|(?:^|\s)and(?:\s|$)/i.test(name) ? `{${escaped}}` : escaped;
}

/** Family name, year and the first word of the title that says something: `chen2026agentspex`. */
function bibtexKey(paper: Paper): string {
  const maker = paper.authors[0]?.name ?? paper.organization?.name ?? "";
  const family = ascii(nameParts(maker)).at(-1) ?? "";
  const word = ascii(nameParts(clean(paper.title))).find((part) => {
    const parsed = parseWord(part);
    return parsed !== null && !isStopWord(parsed);
  });
  const key = `${family}${yearOf(paper) ?? ""}${word ?? ""}`;
  return /^[a-z]/.test(key) ? key.slice(0, 60) : `arxiv${key.slice(0, 60)}`;
}

function ascii(parts: readonly string[]): readonly string[] {
  return parts.map((part) => part.replace(/[^a-z0-9]/g, "")).filter((part) => part !== "");
}

/** `key`, else `keyb`, `keyc` … and after `keyz` with a number. */
function uniqueKey(key: string, used: Set<string>): string {
  let unique = key;
  for (let nth = 2; used.has(unique); nth++) {
    unique = `${key}${nth <= 26 ? String.fromCharCode(96 + nth) : `-${nth}`}`;
  }
  used.add(unique);
  return unique;
}

/** The publication's, or the one in a new arXiv id (`2504.06261`). */
function yearOf(paper: Paper): string | null {
  const own = /^\d{4}(?=\.)/.exec(paper.id)?.[0];
  return paper.publishedOn?.slice(0, 4) ?? (own === undefined ? null : `20${own.slice(0, 2)}`);
}

/** Braces are commands too: BibTeX counts them whether or not a backslash stands before them. */
const LATEX: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\textbraceleft{}",
  "}": "\\textbraceright{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
};

function escapeLatex(text: string): string {
  return text.replace(/[\\{}$&%#_^~]/g, (sign) => LATEX[sign] ?? `\\${sign}`);
}

function markdown(papers: readonly Paper[]): string {
  return papers
    .map((paper) => {
      const names = paper.authors.map(({ name }) => clean(name)).filter((name) => name !== "");
      const authors = names.length > 3 ? `${names[0]} et al.` : names.join(", ");
      const about = [authors, yearOf(paper) ?? ""].filter((part) => part !== "").join(", ");
      const title = escapeMarkdown(clean(paper.title)) || "Untitled";
      return `- [${title}](${paperUrl(paper.id)})${about === "" ? "" : ` · ${escapeMarkdown(about)}`}\n`;
    })
    .join("");
}

/** What marks up; any ASCII punctuation may stand behind a backslash: https://spec.commonmark.org/0.31.2/#backslash-escapes */
function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]<>()#|~!&$@]/g, "\\$&");
}

const COLUMNS = [
  "arxiv",
  "title",
  "authors",
  "organization",
  "published",
  "upvotes",
  "comments",
  "code",
  "stars",
  "url",
];

/** RFC 4180. The id has a prefix: as a number `2504.06260` would lose its last digit in a spreadsheet. */
function csv(papers: readonly Paper[]): string {
  const rows = papers.map((paper) => [
    `arXiv:${paper.id}`,
    clean(paper.title),
    paper.authors.map(({ name }) => clean(name)).join("; "),
    clean(paper.organization?.fullname || paper.organization?.name || ""),
    paper.publishedOn ?? "",
    String(paper.upvotes),
    String(paper.comments),
    paper.codeUrl ?? "",
    paper.stars === null ? "" : String(paper.stars),
    paperUrl(paper.id),
  ]);
  return [COLUMNS, ...rows].map((row) => `${row.map(csvField).join(",")}\r\n`).join("");
}

/** A text that begins as a formula gets an apostrophe: https://owasp.org/www-community/attacks/CSV_Injection */
function csvField(text: string): string {
  const safe = /^[\s]*[=+\-@＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n']|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** One line of text for people, without what cannot be seen. */
function clean(text: string): string {
  return plainText(readable(text));
}
