/**
 * LaTeX in a title or an abstract as text for people: `$\pi_0$` is π₀, `\textbf{X}` is X, ``` ``quoted'' ``` is
 * “quoted”. Hugging Face strips many dollars and backslashes, so `pi_0`, `R^{2}` and `2.4times` are read too.
 * What is no LaTeX stays as it is: `$5`, `snake_case`, `{a, b}`, `--flag`. One pass over the text, whose work is
 * bounded by its length. The result is not escaped for any platform.
 */
export function readable(text: string): string {
  if (!/[\\$^_{`~]|--|''|\d(?:times|rightarrow)|\b(?:sim|leq|geq|infty|rightarrow)/.test(text)) return text;
  return createReader(text)();
}

/**
 * The text on one line, without what cannot be seen or would steer a screen: control, bidirectional, zero-width
 * and tag characters, lone surrogates. Whitespace is collapsed to single blanks and trimmed. Idempotent.
 */
export function plainText(text: string): string {
  return text
    .replace(/[\t-\r\u0085]/g, " ")
    .replace(INVISIBLE, "")
    .replace(/[\s\p{Z}]+/gu, " ")
    .trim();
}

/** Not the visible Arabic and Kaithi signs among the format characters, nor what makes a sign an emoji. */
const INVISIBLE =
  /(?![\u0600-\u0605\u06DD\u08E2\u{110BD}])(?!\uFE0F)[\p{Cc}\p{Cf}\p{Cs}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/**
 * The text cut to at most `max` UTF-16 units: at the end of a sentence where one lies past the half, otherwise
 * at a word with `…`. Never inside a surrogate pair, and inside a grapheme only where that alone is too long.
 */
export function cutAtSentence(text: string, max: number): string {
  if (text.length <= max) return text;
  if (max < 1) return "";
  let sentence = 0;
  for (const { 0: end, index } of text.slice(0, max + 2).matchAll(SENTENCE_END)) {
    const at = index + end.length;
    if (at <= max && !ABBREVIATION.test(text.slice(Math.max(0, at - 12), at))) sentence = at;
  }
  if (sentence > max / 2) return text.slice(0, sentence).trimEnd();
  const space = text.lastIndexOf(" ", max - 1);
  const head = text.slice(0, space > max / 2 ? space : graphemeStart(text, max - 1));
  return `${head.replace(/[\s,;:.([{–—-]+$/u, "")}…`;
}

/** The largest of the limits from `from` to `to` that fits, supposing that a smaller one does too; null for none. */
export function largestLimit(from: number, to: number, fits: (limit: number) => boolean): number | null {
  if (!fits(from)) return null;
  if (fits(to)) return to;
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

// The look-behind lets a run of marks be tried once, not from each of its marks.
const SENTENCE_END = /(?<![.!?])[.!?]+["'”’)\]]*(?=\s+(?:["'“‘([]|[^\s\p{Ll}])|\s*$)|[。！？]/gu;
const ABBREVIATION = /(?:^|[\s(])(?:e\.g|i\.e|et al|vs|cf|resp|approx|etc|Fig|Eq|Sec|Dr|No|[A-Z])\.$/;

const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The last place at or before `at` where the text may be cut. Looks back 64 units at most. */
function graphemeStart(text: string, at: number): number {
  const from = pairStart(text, Math.max(0, at - 64));
  const start = from + (GRAPHEMES.segment(text.slice(from, at + 64)).containing(at - from)?.index ?? 0);
  return start > from ? start : pairStart(text, at);
}

function pairStart(text: string, at: number): number {
  return /[\uDC00-\uDFFF]/.test(text.charAt(at)) && /[\uD800-\uDBFF]/.test(text.charAt(at - 1)) ? at - 1 : at;
}

/** Groups nested deeper than this are read as flat text, so that hostile input cannot exhaust the stack. */
const MAX_DEPTH = 20;
/** How far ahead the closing `$` of a formula may lie. */
const MAX_FORMULA = 300;

function createReader(source: string): () => string {
  let at = 0;
  let depth = 0;
  /** Whether the group read last had its `}`. */
  let closed = false;
  /** Where a `'` closes a quotation, and a `$` a formula, that was opened before. */
  let quoteEnd = -1;
  let formulaEnd = -1;

  return () => read(false);

  /** Up to the end, or in a group up to its `}`, which is consumed. */
  function read(inGroup: boolean): string {
    let out = "";
    // Kept apart: a look at the end of a growing string would copy it each time.
    let before = "";
    while (at < source.length) {
      const character = source.charAt(at);
      if (character === "}" && inGroup) {
        at += 1;
        closed = true;
        return out;
      }
      const next = piece(character, before);
      out += next;
      if (next !== "") before = next.charAt(next.length - 1);
    }
    closed = false;
    return out;
  }

  /** Consumes what begins here. `before` is the last unit written so far in this group. */
  function piece(character: string, before: string): string {
    if (/[A-Za-z]/.test(character)) return word(before);
    if (character === "\\") return command(before);
    if (character === "^" || character === "_") return script(character, before);
    if (character === "{") return group(before);
    if (character === "$") return dollar();
    if (character === "-") return dash(before);
    if (character === "`" || character === "'") return quote(before);
    at += 1;
    if (character !== "~") return character;
    const next = source.charAt(at);
    const isTie = /[\p{L}\d.,;:)\]'”}]/u.test(before) && /[^\s~]/.test(next);
    return isTie && !(/\d/.test(before) && /\d/.test(next)) ? " " : "~";
  }

  function take(pattern: RegExp): string {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0] ?? "";
    at += found.length;
    return found;
  }

  function word(before: string): string {
    const url = take(URL_START);
    if (url !== "") return url + verbatimUrl();
    const name = take(LETTERS);
    const next = source.charAt(at);
    if (next === "{" && BARE_COMMANDS.has(name)) return applied(name);
    if ((next === "_" || next === "^") && GREEK.has(name)) return SYMBOLS.get(name) ?? name;
    if (BARE_SYMBOLS.has(name)) return SYMBOLS.get(name) ?? name;
    if (name === "times" && /[\d⁰-⁹²³¹°)]/.test(before)) return "×";
    if (name === "sim" && !/[\w-]/.test(before)) {
      const number = take(/!?(?=\d)(?!2[A-Za-z])/y);
      if (number !== "" || (/\d/.test(next) && !/^2[A-Za-z]/.test(source.slice(at, at + 2)))) return "∼";
    }
    return name;
  }

  /** An address as it is; LaTeX escapes characters in it, and a label in braces may follow. */
  function verbatimUrl(): string {
    let url = "";
    for (;;) {
      url += take(/[^\s{}<>"\\$]+/y);
      if (source.charAt(at) !== "\\" || !/[_%&#~^$]/.test(source.charAt(at + 1))) break;
      url += source.charAt(at + 1);
      at += 2;
    }
    if (source.charAt(at) === "{" && source.charAt(at + 1) !== "}") argument();
    return url;
  }

  function command(before: string): string {
    at += 1;
    if (at === source.length) return "\\";
    const name = take(LETTERS) || source.charAt(at++);
    if (!/[A-Za-z]/.test(name)) return escaped(name, before);
    if (STYLES.has(name) || NOISE.has(name)) {
      take(/\s*/y);
      return STYLES.has(name) && source.charAt(at) === "{" ? argument() : "";
    }
    if (Object.hasOwn(LETTER_ACCENTS, name) && /\{\\?[A-Za-z]\}/y.test(source.slice(at, at + 4))) {
      return (argument() + (LETTER_ACCENTS[name] ?? "")).normalize("NFC");
    }
    const symbol = SYMBOLS.get(name);
    if (symbol !== undefined) {
      if (symbol.endsWith(".")) take(/\./y);
      return symbol;
    }
    return applied(name);
  }

  /** A command with what it does to its arguments; of an unknown one its argument stays, or else its name. */
  function applied(name: string): string {
    if (source.charAt(at) !== "{") return name;
    if (SILENT.has(name)) {
      argument();
      return name === "textcolor" && source.charAt(at) === "{" ? argument() : "";
    }
    const text = argument();
    if (name === "textsuperscript") return toScript("^", text);
    if (name === "textsubscript") return toScript("_", text);
    if (name === "sqrt") return `√${inParentheses(text)}`;
    if (name === "footnote") return ` (${text.trim()})`;
    if (name === "mathbb") return DOUBLE_STRUCK.get(text) ?? text;
    if (name === "href") return source.charAt(at) === "{" ? argument() : text;
    if (name.endsWith("frac") && source.charAt(at) === "{") {
      return `${inParentheses(text)}/${inParentheses(argument())}`;
    }
    return text === "" ? name : text;
  }

  /** `\%`, `\"o`, `\,` and the like. */
  function escaped(character: string, before: string): string {
    if (character === "\\") return " ";
    if (/[()[\]!-]/.test(character)) return "";
    if (/[,;: ]/.test(character)) return " ";
    const accent = ACCENTS.get(character);
    if (accent === undefined) return character;
    // `query\'s` is an escaped apostrophe, not an ś.
    if (character === "'" && /\p{L}/u.test(before) && /^[st](?![\p{L}])/u.test(source.slice(at, at + 2)))
      return "'";
    const letter = take(accent.letters);
    if (letter === "") return character;
    return (letter.replace(/[\\{}]/g, "").replace("ı", "i") + accent.mark).normalize("NFC");
  }

  function script(sign: "^" | "_", before: string): string {
    at += 1;
    const next = source.charAt(at);
    if (next === "{" && before !== "") return toScript(sign, groupSymbol(SYMBOLS) ?? argument());
    if (next === "\\" && /[A-Za-z]/.test(source.charAt(at + 1))) return toScript(sign, command(""));
    const bare = take(BARE_STYLE);
    if (bare !== "") return toScript(sign, argument());
    if (sign === "^") {
      if (take(/circ/y) !== "") return "°";
      const exponent = take(/[+-]?\d{1,4}|[A-Za-z](?![A-Za-z])|\*(?!\*)/y);
      return before === "" || exponent === "" ? `^${exponent}` : toScript(sign, exponent);
    }
    // `x_t` is a subscript, `snake_case`, `int_8` and `V_AI` are names.
    const isShort = /(?:^|[^\w/.@\-\p{L}])[\p{L}]$/u.test(source.slice(Math.max(0, at - 3), at - 1));
    const base = isShort || /[\u0370-\u03FF\u2100-\u214F]/.test(before);
    const index = base ? take(/(?:\d{1,2}|[a-z])(?![\dA-Z_]|[a-z](?!ropto))/y) : "";
    return index === "" ? "_" : toScript(sign, index);
  }

  /** The text of the group that begins here, without its braces. */
  function argument(): string {
    at += 1;
    if (depth >= MAX_DEPTH) return "";
    depth += 1;
    const text = read(true);
    depth -= 1;
    return text;
  }

  /** `{circ}`, `{times}`: a group that is one symbol's name without its backslash. */
  function groupSymbol(names: { has(name: string): boolean }): string | null {
    SYMBOL_GROUP.lastIndex = at;
    const name = SYMBOL_GROUP.exec(source)?.[1] ?? "";
    if (!names.has(name)) return null;
    take(SYMBOL_GROUP);
    return SYMBOLS.get(name) ?? name;
  }

  /** Braces go where they are LaTeX's (`{\it x}`, `1{,}879`, `symmet{R}y`) and stay where they are the text's. */
  function group(before: string): string {
    const symbol = groupSymbol(GROUP_SYMBOLS);
    if (symbol !== null) return symbol;
    const start = source.slice(at, at + 4);
    const isLatex =
      /^\{(?:\\|[,=<>]\}|[A-Za-z]\}[A-Za-z])/.test(start) ||
      (/[a-z]/.test(before) && /^\{[A-Z]\}/.test(start));
    const text = depth < MAX_DEPTH ? argument() : source.charAt(at++);
    if (isLatex || depth >= MAX_DEPTH) return text;
    return closed ? `{${text}}` : `{${text}`;
  }

  /** Drops both dollars of a formula; a price keeps its own. */
  function dollar(): string {
    at += 1;
    if (at - 1 === formulaEnd) return "";
    if (source.charAt(at) === "$") {
      at += 1;
      return "";
    }
    const end = source.slice(at, at + MAX_FORMULA).indexOf("$");
    if (end < 1 || !isFormula(source.slice(at, at + end), source.charAt(at + end + 1))) return "$";
    formulaEnd = at + end;
    return "";
  }

  function dash(before: string): string {
    const run = take(/-+/y);
    const next = source.charAt(at);
    if (run.length === 3) return "—";
    // `--flag` begins a word; anything longer is a rule.
    if (run.length !== 2 || /^\s?$/.test(before) !== /^\s?$/.test(next)) return run;
    return /\p{L}/u.test(before) && /\p{L}/u.test(next) ? "—" : "–";
  }

  function quote(before: string): string {
    if (take(/``/y) !== "") return "“";
    const opensWord = /^[\s([{“—–-]?$/.test(before);
    if (take(/''/y) !== "") {
      if (opensWord) return /[\p{L}\d]/u.test(source.charAt(at)) ? "“" : "''";
      return "”";
    }
    at += 1;
    if (at - 1 === quoteEnd) return "’";
    if (source.charAt(at - 1) === "'" || !opensWord) return source.charAt(at - 1);
    const closing = /^[^`']{1,60}'(?![\p{L}\d'])/u.exec(source.slice(at, at + 64))?.[0].length;
    if (closing === undefined) return "`";
    quoteEnd = at + closing - 1;
    return "‘";
  }
}

/** As pandoc reads dollars, and with something that only a formula has. `after` follows the closing dollar. */
function isFormula(content: string, after: string): boolean {
  if (/^\s|[\s\\]$/.test(content) || /\d/.test(after)) return false;
  if (/[\\^_{]/.test(content)) return true;
  return !/\s/.test(content)
    ? content.length <= 30
    : !/[A-Za-z]{4}|[a-z]{2,3} [a-z]/.test(content) && content.length <= 60;
}

/** Raised or lowered characters where Unicode has them all, otherwise `^x`, `^(a b)`, `_x`. */
function toScript(sign: "^" | "_", content: string): string {
  const text = content.trim();
  if (text === "") return "";
  if (/^[°′*†‡]$/.test(text)) return text;
  if (text === "⊤") return "ᵀ";
  const table = sign === "^" ? SUPERSCRIPTS : SUBSCRIPTS;
  if (text.length <= 12) {
    const mapped = Array.from(text, (character) => table.get(character));
    if (mapped.every((character) => character !== undefined)) return mapped.join("");
  }
  return `${sign}${inParentheses(text)}`;
}

function inParentheses(text: string): string {
  return text.length > 1 && text.length <= 80 && !/^[\p{L}\d.]+$/u.test(text) ? `(${text})` : text;
}

function pairs(text: string): ReadonlyMap<string, string> {
  const words = text.trim().split(/\s+/);
  return new Map(words.flatMap((name, i) => (i % 2 === 0 ? [[name, words[i + 1] ?? ""] as const] : [])));
}

function zip(from: string, to: string): ReadonlyMap<string, string> {
  const targets = Array.from(to);
  return new Map(Array.from(from, (character, i) => [character, targets[i] ?? character] as const));
}

const LETTERS = /[A-Za-z]+/y;
const URL_START = /https?:\/\//y;
const BARE_STYLE = /(?:text(?:bf|it|tt|rm|sc|sf)?|math(?:rm|bf|it|cal|bb|sf)|operatorname)(?=\{)/y;
const SYMBOL_GROUP = /\{([A-Za-z]{1,20})\}/y;

const GREEK_LETTERS = pairs(`
  alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ
  mu μ nu ν xi ξ pi π rho ρ varrho ρ sigma σ tau τ upsilon υ phi φ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ
  Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω nabla ∇`);
const GREEK = new Set(GREEK_LETTERS.keys());
const SYMBOLS: ReadonlyMap<string, string> = new Map([
  ...GREEK_LETTERS,
  ...pairs(`
  times × div ÷ pm ± mp ∓ cdot · cdots ⋯ dots … ldots … sim ∼ simeq ≃ approx ≈ cong ≅ equiv ≡ propto ∝ leq ≤ le ≤
  leqslant ≤ geq ≥ ge ≥ geqslant ≥ neq ≠ ne ≠ ll ≪ gg ≫ lt < gt > in ∈ notin ∉ subset ⊂ subseteq ⊆ supset ⊃ cup ∪
  cap ∩ emptyset ∅ forall ∀ exists ∃ neg ¬ land ∧ lor ∨ to → rightarrow → Rightarrow ⇒ leftarrow ← Leftarrow ⇐
  leftrightarrow ↔ Leftrightarrow ⇔ mapsto ↦ uparrow ↑ downarrow ↓ infty ∞ partial ∂ sum ∑ prod ∏ int ∫ star ⋆
  ast * circ ° deg ° degree ° prime ′ dagger † ddagger ‡ top ⊤ bot ⊥ perp ⊥ parallel ∥ mid | vert | Vert ‖ oplus ⊕
  otimes ⊗ odot ⊙ langle ⟨ rangle ⟩ lceil ⌈ rceil ⌉ lfloor ⌊ rfloor ⌋ ell ℓ hbar ℏ Re ℜ Im ℑ checkmark ✓ bullet •
  textgreater > textless < textasciitilde ~ textasciicircum ^ textbackslash \\ textdegree ° textendash – textemdash —
  ss ß ae æ AE Æ oe œ OE Œ o ø O Ø l ł L Ł aa å AA Å i ı LaTeX LaTeX TeX TeX ie i.e. eg e.g. etc etc. vs vs.`),
  ["etal", "et al."],
  ["quad", " "],
  ["qquad", " "],
]);
/** Read without their backslash too: no English word is among them. */
const BARE_SYMBOLS = new Set(["leq", "geq", "neq", "propto", "rightarrow", "leftarrow", "infty"]);
const GROUP_SYMBOLS = new Set([...BARE_SYMBOLS, ...GREEK, "times", "sim", "circ", "deg", "pm", "cdot"]);

const STYLES = new Set(
  `textbf textit texttt textsc textsf textrm textup textmd text emph underline uline ul mathcal mathbf mathrm mathit
  mathsf mathtt mathfrak mathscr boldsymbol bm operatorname mbox hbox url path bf it em tt sc sf rm displaystyle
  bar hat tilde vec overline widehat widetilde dot`.split(/\s+/),
);
const BARE_COMMANDS = new Set(
  `textbf textit texttt textsc textsf textrm text emph mathcal mathbf mathrm mathit mathsf mathbb boldsymbol
  operatorname sqrt frac textsuperscript textsubscript`.split(/\s+/),
);
/** Commands that say nothing to a reader. */
const NOISE = new Set(
  `xspace allowbreak noindent centering small large Large footnotesize left right big Big bigl bigr Bigl Bigr limits
  nolimits textstyle linebreak newline par protect ensuremath`.split(/\s+/),
);
const SILENT = new Set(
  "cite citep citet ref eqref label color textcolor begin end vspace hspace footnotemark".split(" "),
);
const DOUBLE_STRUCK = zip("CHNPQRZ", "ℂℍℕℙℚℝℤ");
const LETTER_ACCENTS: Readonly<Record<string, string>> = {
  c: "\u0327",
  v: "\u030C",
  u: "\u0306",
  H: "\u030B",
  k: "\u0328",
  r: "\u030A",
};
const ACCENTS: ReadonlyMap<string, { readonly mark: string; readonly letters: RegExp }> = new Map(
  (
    [
      ["'", "\u0301", "aceilnorsuyz"],
      ["`", "\u0300", "aeiou"],
      ["^", "\u0302", "aceghijosuwy"],
      ['"', "\u0308", "aeiouy"],
      ["~", "\u0303", "ano"],
      ["=", "\u0304", "aeiou"],
      [".", "\u0307", "cegz"],
    ] as const
  ).map(([sign, mark, letters]) => [
    sign,
    { mark, letters: new RegExp(`\\{?(?:\\\\?i(?![a-z])|[${letters}])\\}?`, "iy") },
  ]),
);
const SUPERSCRIPTS = zip(
  "0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWαβγδθ",
  "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵅᵝᵞᵟᶿ",
);
const SUBSCRIPTS = zip(
  "0123456789+-−=()aehijklmnoprstuvxβγρφχ.,",
  "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ.,",
);
