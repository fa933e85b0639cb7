import type { Asker, Desk, Reply } from "./command.ts";
import { runCommand } from "./commands.ts";
import { paperIdIn, seekId } from "./paper-sought.ts";
import { plainText } from "./readable.ts";
import { say } from "./reply.ts";
import { isStopWord, parseWord } from "./words.ts";

/** So many papers that a text names are looked for; each may be a question to Hugging Face. */
const MOST_PAPERS = 5;
/** What a text is about stands at its beginning; a whole paper's abstract is shorter. */
const LONGEST_PROSE = 4000;
/** A query that the topic language reads word by word. */
const LONGEST_QUERY = 300;

/**
 * Papers on what somebody else's text is about: those most like the first paper that it names, with a button for each
 * other one; else what its words find.
 * @param text plain, from outside, of any length
 */
export async function relatedTo(desk: Desk, asker: Asker, text: string): Promise<Reply> {
  const ids = paperIdsIn(text).slice(0, MOST_PAPERS);
  const sought = await Promise.all(ids.map((id) => seekId(desk, id)));
  const [first, ...others] = sought.flatMap(({ paper }) => (paper === null ? [] : [paper.id]));
  if (first !== undefined) {
    const reply = await runCommand(desk, asker, "similar", { paper: first });
    const buttons = others.map((id) => ({ label: `Similar to ${id}`, id: `v1:similar:${id}` }));
    return { ...reply, message: { ...reply.message, buttons: [...reply.message.buttons, ...buttons] } };
  }
  const query = queryOf(text);
  if (query !== "") return runCommand(desk, asker, "search", { query });
  const unknown = sought.find(({ reply }) => reply !== null)?.reply;
  return (
    unknown ??
    say(
      "This message has no words to go by.",
      "Choose one with a few words or a link to a paper, or search:",
      "/papers search agents",
    )
  );
}

/** The ids of the papers that a text names or links to, in order, each once. */
function paperIdsIn(text: string): readonly string[] {
  const ids = text
    .split(/[\s<>|()[\]{}"]+/)
    .filter((part) => part.length < 500 && /\d{4}\.\d{4}|\/\d{7}/.test(part))
    .flatMap((part) => {
      const id = paperIdIn(part);
      // What no link says is an id only where its first half is a year and a month.
      const isLikely = part.includes("/") || /^\d\d(0[1-9]|1[0-2])\./.test(id ?? "");
      return id !== null && isLikely ? [id] : [];
    });
  return [...new Set(ids)];
}

/** The text's telling words, each once, in order; addresses are none. */
function queryOf(text: string): string {
  const prose = plainText(text.slice(0, LONGEST_PROSE).replace(/\b(?:https?:\/\/|www\.)\S+/gi, " "));
  const words = prose.toLowerCase().match(/[\p{L}\p{N}\p{M}]+(?:[-'’+][\p{L}\p{N}\p{M}]+)*/gu) ?? [];
  let query = "";
  for (const word of new Set(words)) {
    const read = word.length < 2 || word.length > 40 || /^\d+$/.test(word) ? null : parseWord(word);
    if (read === null || isStopWord(read)) continue;
    if (query.length + word.length + 1 > LONGEST_QUERY) break;
    query += `${query === "" ? "" : " "}${word}`;
  }
  return query;
}
