import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exportPapers } from "../../src/core/export.ts";
import { plainText } from "../../src/core/readable.ts";
import { hostile } from "../bots/any-message.ts";
import { madeUpPaper } from "../contracts/made-up-paper.ts";

const CHEN = madeUpPaper({
  id: "2604.13340",
  title: "AgentSPEX: 100% of $\\pi_0$ & More",
  authors: [
    { name: "Łukasz Chén", username: null },
    { name: "Ada Example", username: null },
  ],
});

const text = hostile(200).map(plainText);
const papers = fc.array(
  fc.record({ title: text, name: text, organization: text }).map(({ title, name, organization }) =>
    madeUpPaper({
      title,
      authors: [{ name, username: null }],
      organization: { name: organization, fullname: organization },
    }),
  ),
  { minLength: 1, maxLength: 6 },
);

describe("BibTeX", () => {
  test("an entry has arXiv's form", () => {
    expect(exportPapers([CHEN], "bibtex").text).toBe(`@misc{chen2026agentspex,
  title = {{AgentSPEX: 100\\% of π₀ \\& More}},
  author = {Łukasz Chén and Ada Example},
  year = {2026},
  eprint = {2604.13340},
  archivePrefix = {arXiv},
  url = {https://arxiv.org/abs/2604.13340},
}
`);
  });

  test("keys are unique, and one word may do where there is no author or date", () => {
    const bare = madeUpPaper({
      id: "hep-th/9901001",
      title: "超",
      authors: [],
      organization: null,
      publishedOn: null,
    });
    const many = Array.from({ length: 30 }, () => CHEN);
    const keys = [...exportPapers([...many, bare, bare], "bibtex").text.matchAll(/^@misc\{(.*),$/gm)].map(
      ([, key]) => key,
    );
    expect(keys).toHaveLength(32);
    expect(new Set(keys).size).toBe(32);
    expect(keys.slice(0, 2)).toEqual(["chen2026agentspex", "chen2026agentspexb"]);
    expect(keys.slice(30)).toEqual(["arxiv", "arxivb"]);
  });

  test("a name with a comma or an and stays one name", () => {
    const authors = ["Team A, B", "Black and White"].map((name) => ({ name, username: null }));
    expect(exportPapers([madeUpPaper({ authors })], "bibtex").text).toContain(
      "author = {{Team A, B} and {Black and White}}",
    );
  });

  test("braces balance and every line is a field, whatever the text", () => {
    fc.assert(
      fc.property(papers, (some) => {
        const bibtex = exportPapers(some, "bibtex").text;
        expect(depths(bibtex).at(-1)).toBe(0);
        expect(Math.min(...depths(bibtex))).toBe(0);
        for (const line of bibtex.split("\n")) {
          expect(line).toMatch(/^(@misc\{[a-z0-9-]+,| {2}[a-zA-Z]+ = \{.*\},|\}|)$/u);
        }
        expect(bibtex).not.toMatch(/(?<!\\)[$&%#]/);
      }),
    );
  });

  test("a lone brace is a command, since BibTeX counts one behind a backslash too", () => {
    const odd = madeUpPaper({ title: "A { B", authors: [{ name: "C } D", username: null }] });
    const bibtex = exportPapers([odd], "bibtex").text;
    expect(bibtex).toContain("title = {{A \\textbraceleft{} B}},");
    expect(bibtex).toContain("author = {C \\textbraceright{} D},");
  });
});

describe("Markdown", () => {
  test("a paper is a line with a link", () => {
    expect(exportPapers([CHEN], "markdown").text).toBe(
      "- [AgentSPEX: 100% of π₀ \\& More](https://huggingface.co/papers/2604.13340) · Łukasz Chén, Ada Example, 2026\n",
    );
  });

  test("nothing in a title ends the link or begins a tag", () => {
    fc.assert(
      fc.property(papers, (some) => {
        const lines = exportPapers(some, "markdown").text.split("\n").slice(0, -1);
        expect(lines).toHaveLength(some.length);
        for (const line of lines) {
          const bare = line.replaceAll(/\\./g, "");
          expect(bare).toMatch(
            /^- \[[^[\]<>`]*\]\(https:\/\/huggingface\.co\/papers\/2604\.00001\)( · [^[\]<>`]*)?$/u,
          );
        }
      }),
    );
  });
});

describe("CSV", () => {
  test("the first row names the columns and the id keeps its last digit", () => {
    const [head, row] = exportPapers([CHEN], "csv").text.split("\r\n");
    expect(head).toBe("arxiv,title,authors,organization,published,upvotes,comments,code,stars,url");
    expect(row).toBe(
      "arXiv:2604.13340,AgentSPEX: 100% of π₀ & More,Łukasz Chén; Ada Example,Example Lab,2026-04-20,10,1,,,https://huggingface.co/papers/2604.13340",
    );
  });

  test.each(["=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", "＝1", "\t=1"])("%j is no formula", (title) => {
    const cells = parseCsv(exportPapers([madeUpPaper({ title })], "csv").text);
    expect(cells[1]?.[1]).toBe(`'${plainText(title)}`);
  });

  test("it reads back as ten columns, none a formula, whatever the text", () => {
    fc.assert(
      fc.property(papers, (some) => {
        const rows = parseCsv(exportPapers(some, "csv").text);
        expect(rows).toHaveLength(some.length + 1);
        for (const row of rows) {
          expect(row).toHaveLength(10);
          for (const cell of row) expect(cell).not.toMatch(/^\s*[=+\-@＝＋－＠]/);
        }
      }),
    );
  });
});

/** How deep in braces the text is, at its begin and behind each, as BibTeX counts them. */
function depths(bibtex: string): number[] {
  const depths = [0];
  for (const [brace] of bibtex.matchAll(/[{}]/g))
    depths.push((depths.at(-1) ?? 0) + (brace === "{" ? 1 : -1));
  return depths;
}

/** RFC 4180, read character by character. */
function parseCsv(csv: string): string[][] {
  const rows: string[][] = [[]];
  let cell = "";
  let inQuotes = false;
  for (let at = 0; at < csv.length; at++) {
    const character = csv.charAt(at);
    if (inQuotes && character === '"' && csv.charAt(at + 1) === '"') {
      cell += '"';
      at++;
    } else if (character === '"') inQuotes = !inQuotes;
    else if (!inQuotes && (character === "," || csv.startsWith("\r\n", at))) {
      rows.at(-1)?.push(cell);
      cell = "";
      if (character === "\r") {
        at++;
        rows.push([]);
      }
    } else cell += character;
  }
  return rows.slice(0, -1);
}
