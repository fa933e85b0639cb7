// @ts-check
// What the page does beyond its first HTML. Runs in the head, before anything is painted: the remembered
// theme and the watch over pictures must be there first, the rest waits for the document.

const THEMES = ["auto", "light", "dark"];
const root = document.documentElement;
setTheme(readTheme());

// A picture that cannot be loaded shows the tile below it.
addEventListener(
  "error",
  (event) => {
    if (event.target instanceof HTMLImageElement) event.target.classList.add("missing");
  },
  true,
);

addEventListener("DOMContentLoaded", () => {
  element("theme").addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(readTheme()) + 1) % THEMES.length] ?? "auto";
    localStorage.setItem("theme", next);
    setTheme(next);
  });
  setTheme(readTheme());

  const bar = form();
  bar.addEventListener("submit", (event) => {
    event.preventDefault();
    const search = searchField();
    if (document.activeElement === search) void answer({ kind: "search", query: search.value.trim() });
    else void visit(barUrl());
  });
  bar.addEventListener("change", (event) => {
    if (event.target !== searchField()) void visit(barUrl());
  });
  addEventListener("popstate", () => void visit(location.href, { push: false, bar: true }));
  document.addEventListener("click", onClick);
  document.addEventListener("change", onChoose);
  document.addEventListener("keydown", onKey);
  element("close").addEventListener("click", () => dialog().close());
  element("copy").addEventListener("click", () => void copyPayload());
  watchLoading();
});

/** @param {MouseEvent} event */
function onClick(event) {
  if (!(event.target instanceof Element) || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const target = event.target.closest(
    "[data-day], [data-payload], [data-dismiss], [data-search], button[data-action]",
  );
  if (!(target instanceof HTMLElement)) return;
  const article = target.closest("article");
  const { day, payload, action } = target.dataset;
  if (day !== undefined) {
    event.preventDefault();
    void visit(barUrl(day));
  } else if (payload !== undefined) {
    event.preventDefault();
    void showPayload(target);
  } else if ("search" in target.dataset) {
    searchField().focus();
  } else if ("dismiss" in target.dataset && article !== null) {
    for (const twin of twins(article)) twin.remove();
  } else if (action !== undefined && article !== null) {
    void act(article, action);
  }
}

/** @param {Event} event */
function onChoose(event) {
  const select = event.target;
  if (!(select instanceof HTMLSelectElement) || select.dataset.action !== "v1:show") return;
  const id = select.value;
  select.selectedIndex = 0;
  if (id !== "") void answer({ kind: "paper", id });
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
  const step = { ArrowLeft: "earlier", ArrowRight: "later" }[event.key];
  if (event.key === "/") {
    event.preventDefault();
    searchField().select();
    searchField().focus();
  } else if (step !== undefined) {
    document.getElementById(step)?.click();
  }
}

/** A button of a message. @param {Element} article @param {string} action */
async function act(article, action) {
  const { pages, source } = /** @type {HTMLElement} */ (article).dataset;
  const offset = pages && action.startsWith(`${pages}:`) ? action.slice(pages.length + 1) : null;
  if (offset === null) return toast("The playground only reads; in a channel this button works.");
  const drawn = await fetchMessage({ ...Object.fromEntries(new URLSearchParams(source)), offset });
  if (drawn === null) return;
  for (const twin of twins(article)) {
    const turned = parse(client(twin) === "slack" ? drawn.slack : drawn.discord);
    twin.replaceWith(turned);
    turned.scrollIntoView({ block: "start", behavior: motion() });
  }
  announce("Another page of papers.");
}

/** Appends the answer to a command in both channels. @param {Record<string, string>} source */
async function answer(source) {
  if (source.query === "") return;
  const drawn = await fetchMessage(source);
  if (drawn === null) return;
  for (const replies of document.querySelectorAll(".replies")) {
    const reply = parse(client(replies) === "slack" ? drawn.slack : drawn.discord);
    reply.classList.add("new");
    replies.append(reply);
    reply.scrollIntoView({ block: "start", behavior: motion() });
  }
  const [first] = document.querySelectorAll(".replies > :last-child :is(h3, .body p)");
  announce(`Paperboy answers: ${first?.textContent ?? ""}`);
}

/** @param {Record<string, string>} source @returns {Promise<{discord: string, slack: string} | null>} */
async function fetchMessage(source) {
  const response = await get(`/message?${new URLSearchParams(source)}`);
  return response === null ? null : response.json();
}

/** @type {AbortController | undefined} */
let visiting;

/**
 * Shows another page of the playground without loading it: its days, notice and digest.
 * @param {string} url
 * @param {{push?: boolean, bar?: boolean, digest?: boolean}} [how] `bar`: the fields follow the page's too
 */
async function visit(url, { push = true, bar = false, digest = true } = {}) {
  visiting?.abort();
  visiting = new AbortController();
  element("channels").setAttribute("aria-busy", "true");
  const response = await get(url, visiting.signal);
  if (response === null) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  element("channels").removeAttribute("aria-busy");
  const focused = document.activeElement?.id;
  for (const id of digest ? ["days", "notice", "discord-digest", "slack-digest"] : ["days", "notice"]) {
    const next = page.getElementById(id);
    if (next !== null) element(id).replaceWith(next);
  }
  if (focused) document.getElementById(focused)?.focus();
  if (bar) for (const field of ["topic", "top"]) setField(field, new FormData(form(page)).get(field));
  document.title = page.title;
  if (push && url !== location.href) history.pushState(null, "", url);
  if (!digest) return;
  for (const scroll of document.querySelectorAll(".scroll")) scroll.scrollTo({ top: 0 });
  announce(document.querySelector("#discord-digest h3, #discord-digest .lead")?.textContent ?? "");
}

/** The address of what the bar asks for. @param {string} [day] instead of the one that is chosen */
function barUrl(day) {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form())) {
    if (name !== "search" && typeof value === "string" && value.trim() !== "") asked.set(name, value.trim());
  }
  if (day !== undefined) asked.set("day", day);
  if (asked.get("top") === "5") asked.delete("top");
  return new URL(`/?${asked}`, location.href).href;
}

/** Asks every two seconds while the first lists arrive, and shows the first that does. */
function watchLoading() {
  const days = element("days");
  if (!("loading" in days.dataset)) return;
  setTimeout(async () => {
    const response = await fetch("/status").catch(() => null);
    const status = response?.ok ? await response.json() : null;
    if (status !== null && (String(status.days) !== days.dataset.count || !status.loading)) {
      const empty = document.querySelector("#discord-digest .empty") !== null;
      await visit(location.href, { push: false, digest: empty });
    }
    watchLoading();
  }, 2000);
}

/** The response, or null after a sentence on what went wrong. @param {string} url @param {AbortSignal} [signal] */
async function get(url, signal) {
  try {
    const response = await fetch(url, { signal: signal ?? null });
    if (response.ok) return response;
    toast(await response.text());
  } catch {
    if (signal?.aborted) return null;
    toast("Paperboy does not answer. Is it still running?");
  }
  element("channels").removeAttribute("aria-busy");
  return null;
}

/** @param {HTMLElement} link */
async function showPayload(link) {
  const response = await get(link.getAttribute("href") ?? "");
  if (response === null) return;
  const text = await response.text();
  const name = link.dataset.payload;
  element("payload-title").textContent =
    name === "Slack" ? "Slack · chat.postMessage" : "Discord · create message";
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

/** The same message in both channels, since both hold the same ones. @param {Element} article */
function twins(article) {
  const place = [...channel(article).querySelectorAll("article")].indexOf(
    /** @type {HTMLElement} */ (article),
  );
  return [...document.querySelectorAll(".scroll")].flatMap(
    (scroll) => scroll.querySelectorAll("article")[place] ?? [],
  );
}

/** @param {Element} inside @returns {Element} */
function channel(inside) {
  return inside.closest(".scroll") ?? inside;
}

/** @param {Element} inside */
function client(inside) {
  return inside.closest(".slack") === null ? "discord" : "slack";
}

/** @param {string} markup the server's, escaped there @returns {Element} */
function parse(markup) {
  const template = document.createElement("template");
  template.innerHTML = markup.trim();
  return /** @type {Element} */ (template.content.firstElementChild);
}

/** @param {string} text */
function announce(text) {
  element("announcer").textContent = text;
}

let toastTimer = 0;

/** @param {string} text */
function toast(text) {
  element("toast").textContent = text;
  clearTimeout(toastTimer);
  toastTimer = window.setTimeout(() => {
    element("toast").textContent = "";
  }, 6000);
}

function readTheme() {
  const stored = localStorage.getItem("theme") ?? "auto";
  return THEMES.includes(stored) ? stored : "auto";
}

/** @param {string} theme */
function setTheme(theme) {
  root.dataset.theme = theme;
  const name = theme === "auto" ? "automatic" : theme;
  document.getElementById("theme")?.setAttribute("aria-label", `Theme: ${name}`);
}

/** @returns {ScrollBehavior} */
function motion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
}

/** @param {string} name @param {FormDataEntryValue | null} value */
function setField(name, value) {
  const field = form().elements.namedItem(name);
  if (field instanceof RadioNodeList || field instanceof HTMLInputElement) field.value = String(value ?? "");
}

/** @param {Document} [page] */
function form(page = document) {
  return /** @type {HTMLFormElement} */ (page.getElementById("bar"));
}

function searchField() {
  return /** @type {HTMLInputElement} */ (form().elements.namedItem("search"));
}

function dialog() {
  return /** @type {HTMLDialogElement} */ (element("payload"));
}

/** @param {string} id @returns {HTMLElement} */
function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element "${id}".`);
  return found;
}
