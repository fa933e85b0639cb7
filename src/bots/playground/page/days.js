// @ts-check
// The preview of any day: what a channel would get, read only. Both windows show the same.

import { announce, client, element, get as fetchPage, motion, parse, toast } from "./dom.js";

export function startDays() {
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
  document.addEventListener("click", onClick);
  document.addEventListener("change", onChoose);
  watchLoading();
}

/** Arrows change the day, a slash begins a search. @param {KeyboardEvent} event */
export function dayKey(event) {
  const step = { ArrowLeft: "earlier", ArrowRight: "later" }[event.key];
  if (event.key === "/") {
    event.preventDefault();
    searchField().select();
    searchField().focus();
  } else if (step !== undefined) {
    document.getElementById(step)?.click();
  }
}

/** @param {MouseEvent} event */
function onClick(event) {
  if (!(event.target instanceof Element) || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const target = event.target.closest("[data-day], .preview [data-dismiss], .preview button[data-action]");
  if (!(target instanceof HTMLElement)) return;
  const article = target.closest("article");
  const { day, action } = target.dataset;
  if (day !== undefined) {
    event.preventDefault();
    void visit(barUrl(day));
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
  if (select.closest(".preview") === null) return;
  const id = select.value;
  select.selectedIndex = 0;
  if (id !== "") void answer({ kind: "paper", id });
}

/** A button of a message. @param {Element} article @param {string} action */
async function act(article, action) {
  const { pages, source } = /** @type {HTMLElement} */ (article).dataset;
  const offset = pages && action.startsWith(`${pages}:`) ? action.slice(pages.length + 1) : null;
  if (offset === null) return toast("This is a preview; in a channel this button works.");
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
export async function visit(url, { push = true, bar = false, digest = true } = {}) {
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
  if (document.body.dataset.view === "days") document.title = page.title;
  if (push && url !== location.href) history.pushState(null, "", url);
  if (!digest) return;
  for (const scroll of document.querySelectorAll(".preview")) scroll.scrollTo({ top: 0 });
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
  return new URL(`/days?${asked}`, location.href).href;
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
      await visit(barUrl(), { push: false, digest: empty });
    }
    watchLoading();
  }, 2000);
}

/** @param {string} url @param {AbortSignal} [signal] */
async function get(url, signal) {
  const response = await fetchPage(url, { signal: signal ?? null });
  if (response === null && !signal?.aborted) element("channels").removeAttribute("aria-busy");
  return response;
}

/** The same message in both channels, since both hold the same ones. @param {Element} article */
function twins(article) {
  const place = [...channel(article).querySelectorAll("article")].indexOf(
    /** @type {HTMLElement} */ (article),
  );
  return [...document.querySelectorAll(".preview")].flatMap(
    (scroll) => scroll.querySelectorAll("article")[place] ?? [],
  );
}

/** @param {Element} inside @returns {Element} */
function channel(inside) {
  return inside.closest(".preview") ?? inside;
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
