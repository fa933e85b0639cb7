import { paperByTitle, paperFacts, paperItem, paperSelect } from "./answer.ts";
import { type Asker, type Choice, type Desk, type Option, type Reply, sentence } from "./command.ts";
import { parsePaperId } from "./paper.ts";
import { cutAtSentence, plainText, readable } from "./readable.ts";
import { say } from "./reply.ts";
import { SourceError } from "./source.ts";
import type { StoredPaper } from "./store.ts";
import { summarize } from "./summarize.ts";

export type Sought =
  | { readonly paper: StoredPaper; readonly reply: null }
  | { readonly paper: null; readonly reply: Reply };

/** The paper that an id, a link or words of a title mean, else what to answer. */
export async function seek(desk: Desk, command: "show" | "similar", text: string): Promise<Sought> {
  const asked = plainText(text);
  const none = (reply: Reply): Sought => ({ paper: null, reply });
  if (asked === "") return none(say("Which paper?", `Such as: /papers ${command} 2504.06261`));
  const id =
    paperIdIn(asked) ??
    asked
      .split(" ")
      .map(paperIdIn)
      .find((each) => each !== null) ??
    null;
  if (id !== null) return seekId(desk, id);
  if (/:\/\/|^www\./i.test(asked)) {
    return none(
      say(
        "This is no link to a paper on arxiv.org, huggingface.co or alphaxiv.org.",
        `Such as: /papers ${command} https://arxiv.org/abs/2504.06261`,
      ),
    );
  }
  const { paper, near } = await paperByTitle(desk, asked);
  if (paper !== null) return { paper, reply: null };
  const wanted = cutAtSentence(asked, 100);
  if (near.length === 0) {
    return none(
      say(`No paper here is called ${wanted}.`, `An id or a link opens any: /papers ${command} 2504.06261`),
    );
  }
  return none({
    to: "asker",
    message: {
      ...sentence("Did you mean …", `Titles near ${wanted}`),
      items: near.map((each, index) => ({ ...paperItem(each), rank: index + 1, facts: paperFacts(each) })),
      select: { ...paperSelect(near), id: `v1:${command}` },
    },
  });
}

/** From the store, else from Hugging Face, and then it is kept. */
export async function seekId(desk: Desk, id: string): Promise<Sought> {
  const [known] = await desk.store.papers([id]);
  if (known !== undefined) return { paper: known, reply: null };
  try {
    const found = await desk.source.paper(id);
    if (found !== null) {
      await desk.store.savePapers([{ paper: found, summary: summarize(found) }], desk.clock().toISOString());
      const [kept] = await desk.store.papers([found.id]);
      if (kept !== undefined) return { paper: kept, reply: null };
    }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return {
      paper: null,
      reply: say(
        `${id} is not kept here, and Hugging Face cannot be reached now.`,
        "Try again in a few minutes.",
      ),
    };
  }
  return {
    paper: null,
    reply: say(
      `Neither this Paperboy nor Hugging Face knows a paper ${id}.`,
      `It may be on https://arxiv.org/abs/${id}`,
    ),
  };
}

/** The id in an id or link, whatever quotes or punctuation stand around it. */
export function paperIdIn(text: string): string | null {
  const plain = plainText(text.slice(0, 2000).normalize("NFKC"));
  return (
    parsePaperId(plain) ?? parsePaperId(plain.replace(/^[\s"'“”‘’«»([{<`]+|[\s"'“”‘’«»)\]}>`.,;:!?]+$/gu, ""))
  );
}

export function paperOption(): Option {
  return {
    name: "paper",
    summary: "An arXiv id, a link, or words of the title",
    required: true,
    choices: null,
    complete: completePapers,
  };
}

/** Discord's limits of a completion. */
export const MOST_CHOICES = 25;
const LONGEST_LABEL = 100;

/** Papers of the newest lists whose id or title begins so, or has a word that does; then what a search finds. */
async function completePapers(desk: Desk, _asker: Asker, typed: string): Promise<readonly Choice[]> {
  const prefix = plainText(typed.slice(0, 300)).toLowerCase();
  const id = paperIdIn(prefix);
  // Four digits behind the point are an id, and the beginning of others.
  const [known] = id === null ? [] : await desk.store.papers([id]);
  if (known !== undefined) return [choiceOf(known)];
  const days = (await desk.store.days({ limit: 10 })).filter((each) => each.count > 0).slice(0, 3);
  const lists = await Promise.all(days.map(({ day }) => desk.store.list(day)));
  const recent = lists
    .flatMap((list) => list?.papers ?? [])
    .filter(
      (paper) => paper.id.startsWith(prefix) || ` ${titleOf(paper).toLowerCase()}`.includes(` ${prefix}`),
    );
  const { near } =
    prefix === "" || recent.length >= MOST_CHOICES ? NOTHING_NEAR : await paperByTitle(desk, prefix);
  const choices = new Map([...recent, ...near].map((paper) => [paper.id, choiceOf(paper)]));
  return [...choices.values()].slice(0, MOST_CHOICES);
}

const NOTHING_NEAR = { near: [] as const };

function choiceOf(paper: StoredPaper): Choice {
  return { label: cutAtSentence(titleOf(paper), LONGEST_LABEL), value: paper.id };
}

export function titleOf(paper: StoredPaper): string {
  return plainText(readable(paper.title)) || "Untitled";
}

export function quoted(paper: StoredPaper): string {
  return `“${cutAtSentence(titleOf(paper), 100)}”`;
}
