// @ts-check
// The page's script: what both views share, and the start of each.

import { pressed, startChat } from "./chat.js";
import { dayKey, startDays, visit } from "./days.js";
import { copy, element, get, ownPayloads } from "./dom.js";

const THEMES = ["auto", "light", "dark"];

element("theme").addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(readTheme()) + 1) % THEMES.length] ?? "auto";
  localStorage.setItem("theme", next);
  setTheme(next);
});
setTheme(readTheme());

document.addEventListener("click", onClick);
document.addEventListener("keydown", onKey);
addEventListener("popstate", () => void show(location.href));
element("close").addEventListener("click", () => dialog().close());
element("copy").addEventListener("click", () => void copyPayload());
startDays();
startChat();

/** @param {MouseEvent} event */
function onClick(event) {
  if (!(event.target instanceof Element) || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const target = event.target.closest(
    "a[data-view], [data-payload], [data-copy], [data-copy-file], [data-download]",
  );
  if (!(target instanceof HTMLElement)) return;
  const { payload, download, type, copy: text } = target.dataset;
  const file = target.closest(".file")?.querySelector("code")?.textContent ?? "";
  if (target instanceof HTMLAnchorElement && target.dataset.view !== undefined) {
    event.preventDefault();
    if (target.href !== location.href) history.pushState(null, "", target.href);
    void show(target.href);
  } else if (payload !== undefined) {
    event.preventDefault();
    void showPayload(target);
  } else if (text !== undefined) {
    void copy(text, target);
  } else if (download !== undefined) {
    save(download, type ?? "text/plain", file);
  } else if ("copyFile" in target.dataset) {
    void copy(file, target);
  }
}

/** Shows what an address means: the channels, or a day. @param {string} url */
async function show(url) {
  const view = new URL(url).pathname === "/days" ? "days" : "channels";
  document.body.dataset.view = view;
  for (const link of document.querySelectorAll(".views a")) {
    if (link instanceof HTMLElement && link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (view === "days") await visit(url, { push: false, bar: true });
  else document.title = "Paperboy";
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || dialog().open) return;
  const { target } = event;
  // Arrows on a closed menu choose at once on some systems: here they open it, so that nothing is posted
  // before a paper is chosen.
  if (target instanceof HTMLSelectElement && /^Arrow(Up|Down)$/.test(event.key)) {
    event.preventDefault();
    target.showPicker();
    return;
  }
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
  if (document.body.dataset.view === "days") dayKey(event);
  else pressed(event);
}

/** @param {string} name @param {string} type @param {string} text */
function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** @param {HTMLElement} link */
async function showPayload(link) {
  const own = ownPayloads.get(link.closest("article") ?? link);
  const text = own ?? (await (await get(link.getAttribute("href") ?? ""))?.text());
  if (text === undefined) return;
  element("payload-title").textContent =
    link.dataset.payload === "Slack" ? "Slack · chat.postMessage" : "Discord · create message";
  const code = /** @type {HTMLElement} */ (dialog().querySelector("code"));
  code.replaceChildren(...colorJson(text));
  element("copy").textContent = "Copy";
  dialog().showModal();
  /** @type {HTMLElement} */ (dialog().querySelector("pre")).scrollTo(0, 0);
}

/** @param {string} text @returns {Node[]} */
function colorJson(text) {
  return text.split(/("(?:\\.|[^"\\])*"(?:\s*:)?)/).map((piece) => {
    if (!piece.startsWith('"')) return document.createTextNode(piece);
    const span = document.createElement("span");
    span.className = piece.endsWith(":") ? "key" : "string";
    span.textContent = piece;
    return span;
  });
}

async function copyPayload() {
  await navigator.clipboard.writeText(dialog().querySelector("code")?.textContent ?? "");
  element("copy").textContent = "Copied";
}

function readTheme() {
  const stored = localStorage.getItem("theme") ?? "auto";
  return THEMES.includes(stored) ? stored : "auto";
}

/** @param {string} theme */
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const name = theme === "auto" ? "automatic" : theme;
  element("theme").setAttribute("aria-label", `Theme: ${name}`);
}

function dialog() {
  return /** @type {HTMLDialogElement} */ (element("payload"));
}
