// @ts-check
// What is typed, and what a client's picker offers meanwhile: a combobox with its list above it.

import { client, get, make, one } from "./dom.js";

/** @typedef {{text: string, label: string, hints: string[], summary: string}} Row */
/** @typedef {{name: string, summary: string, options: {name: string, summary: string, required: boolean}[]}} Usage */
/** @typedef {{rows: Row[], eager: boolean, usage: Usage | null}} Suggestions */

/**
 * @param {HTMLFormElement} form
 * @param {{query: () => Record<string, string>, send: (text: string) => void}} chat
 */
export function startComposer(form, chat) {
  const field = /** @type {HTMLInputElement} */ (one("input", form));
  const list = one("[role=listbox]", form);
  /** @type {Row[]} */
  let rows = [];
  let active = -1;
  let eager = false;
  /** @type {AbortController | undefined} */
  let asking;
  /** Whether the list is that of an earlier text. */
  let waits = false;
  /** Settled once the list is that of the text. */
  let answered = Promise.resolve();
  /** What was sent, newest last: arrows bring it back into an empty field. @type {string[]} */
  const sent = [];
  let recalled = 0;

  field.addEventListener("input", () => {
    narrow();
    answered = ask();
  });
  field.addEventListener("focus", () => {
    answered = ask();
  });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", onKey);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  // The field keeps the focus, so that its list stays open.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
    if (option !== null) choose([...list.children].indexOf(option));
  });

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const open = rows.length > 0;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && open) {
      event.preventDefault();
      // From the first row up, and from the last down, comes the other end.
      select(active === -1 && step === -1 ? rows.length - 1 : (active + step + rows.length) % rows.length);
    } else if (
      step !== undefined &&
      sent.length > 0 &&
      (field.value === "" || field.value === sent[recalled])
    ) {
      event.preventDefault();
      recalled = Math.min(sent.length, Math.max(0, (field.value === "" ? sent.length : recalled) + step));
      field.value = sent[recalled] ?? "";
    } else if (event.key === "Tab" && field.value.startsWith("/") && !event.shiftKey && (open || waits)) {
      event.preventDefault();
      if (open) choose(Math.max(active, 0));
      else void answered.then(() => choose(Math.max(active, 0)));
    } else if (event.key === "Enter" && active >= 0 && rows[active]?.text.trim() !== field.value.trim()) {
      event.preventDefault();
      choose(active);
    } else if (event.key === "Escape" && !one(".picker", form).hidden) {
      event.preventDefault();
      close();
    }
  }

  /** Drops at once what no longer fits, so that a quick Tab or Enter never takes what was offered for less text. */
  function narrow() {
    const typed = field.value.toLowerCase();
    rows = rows.filter(({ text }) => eager && text.startsWith(typed));
    list.replaceChildren(...rows.map(draw));
    select(rows.length > 0 ? 0 : -1);
  }

  async function ask() {
    asking?.abort();
    if (!field.value.trimStart().startsWith("/")) return close();
    asking = new AbortController();
    waits = true;
    const { signal } = asking;
    const query = new URLSearchParams({ ...chat.query(), text: field.value });
    const response = await get(`/complete?${query}`, { signal });
    /** @type {Suggestions | null} */
    const found = response === null ? null : await response.json().catch(() => null);
    if (signal.aborted) return;
    waits = false;
    if (found !== null && document.activeElement === field) show(found);
  }

  /** @param {Suggestions} found */
  function show(found) {
    ({ rows, eager } = found);
    const head = one(".picker-head", form);
    head.replaceChildren(...(found.usage === null ? [heading()] : usageOf(found.usage, field.value)));
    list.replaceChildren(...rows.map(draw));
    list.hidden = rows.length === 0;
    one(".picker", form).hidden = rows.length === 0 && found.usage === null;
    field.setAttribute("aria-expanded", String(rows.length > 0));
    select(eager && rows.length > 0 ? 0 : -1);
  }

  /** @param {number} index */
  function select(index) {
    active = index;
    for (const [at, option] of [...list.children].entries()) {
      option.setAttribute("aria-selected", String(at === index));
      if (at === index) option.scrollIntoView({ block: "nearest" });
    }
    if (index === -1) field.removeAttribute("aria-activedescendant");
    else field.setAttribute("aria-activedescendant", `${list.id}-${index}`);
  }

  /** @param {number} index */
  function choose(index) {
    const row = rows[index];
    if (row === undefined) return;
    field.value = row.text;
    field.scrollLeft = field.scrollWidth;
    narrow();
    answered = ask();
  }

  function close() {
    asking?.abort();
    waits = false;
    rows = [];
    active = -1;
    one(".picker", form).hidden = true;
    list.replaceChildren();
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function send() {
    const text = field.value.trim();
    close();
    if (text === "") return;
    if (sent.at(-1) !== text) sent.push(text);
    recalled = sent.length;
    field.value = "";
    chat.send(text);
  }

  /** @param {Row} row @param {number} index */
  function draw({ label, hints, summary }, index) {
    const option = make("li", "suggestion");
    option.id = `${list.id}-${index}`;
    option.setAttribute("role", "option");
    const name = make("span", "label", label);
    for (const hint of hints) name.append(" ", make("i", "hint", hint));
    const icon = document.createElement("img");
    icon.src = "/favicon.svg";
    icon.alt = "";
    option.append(icon, name, make("small", "summary", summary));
    return option;
  }

  function heading() {
    return document.createTextNode(client(form) === "slack" ? "Shortcuts · Paperboy" : "Paperboy");
  }
}

/** The command that is being filled in, its options, and what the one at hand is for. @param {Usage} usage @param {string} typed */
function usageOf({ name, summary, options }, typed) {
  const words = typed.trimStart().split(/\s+/).slice(2);
  const at = Math.min(Math.max(0, words.length - 1), options.length - 1);
  return [
    make("b", "label", `/papers ${name}`),
    ...options.map((option, index) => make("i", `hint${index === at ? " now" : ""}`, option.name)),
    make("small", "summary", options[at]?.summary ?? summary),
  ];
}
