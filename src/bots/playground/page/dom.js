// @ts-check
// What all parts of the page's script use.

/** The payloads of messages that only this window has. @type {WeakMap<Element, string>} */
export const ownPayloads = new WeakMap();

/** @param {string} id @returns {HTMLElement} */
export function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element "${id}".`);
  return found;
}

/** The one element that matches. @param {string} selector @param {ParentNode} [within] @returns {HTMLElement} */
export function one(selector, within = document) {
  const found = within.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`The page has nothing for "${selector}".`);
  return found;
}

/** @param {string} selector @param {ParentNode} [within] @returns {HTMLElement[]} */
export function all(selector, within = document) {
  return [...within.querySelectorAll(selector)].filter((found) => found instanceof HTMLElement);
}

/** Which client's window it stands in. @param {Element} inside */
export function client(inside) {
  return inside.closest(".slack") === null ? "discord" : "slack";
}

/** @param {string} markup the server's, escaped there @returns {HTMLElement} */
export function parse(markup) {
  const template = document.createElement("template");
  template.innerHTML = markup.trim();
  return /** @type {HTMLElement} */ (template.content.firstElementChild);
}

/** An element with classes and text. @param {string} tag @param {string} className @param {string} [text] */
export function make(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/**
 * The response, or null after a sentence on what went wrong.
 * @param {string} url @param {RequestInit} [init]
 */
export async function get(url, init = {}) {
  try {
    const response = await fetch(url, init);
    if (response.ok) return response;
    toast(await response.text());
  } catch {
    if (init.signal?.aborted) return null;
    toast("Paperboy does not answer. Is it still running?");
  }
  return null;
}

/** The answer to a post as JSON, or null after a sentence. @param {string} url @param {object} body */
export async function post(url, body) {
  const headers = { "content-type": "application/json" };
  const response = await get(url, { method: "POST", headers, body: JSON.stringify(body) });
  return response === null ? null : response.json();
}

/** Says it to who listens to the page. @param {string} text */
export function announce(text) {
  element("announcer").textContent = text;
}

let toastTimer = 0;

/** @param {string} text */
export function toast(text) {
  element("toast").textContent = text;
  clearTimeout(toastTimer);
  toastTimer = window.setTimeout(() => {
    element("toast").textContent = "";
  }, 6000);
}

/** @param {string} text @param {HTMLElement} button which says so for a while */
export async function copy(text, button) {
  await navigator.clipboard.writeText(text);
  button.classList.add("copied");
  setTimeout(() => button.classList.remove("copied"), 1500);
  announce("Copied");
}

/** @returns {ScrollBehavior} */
export function motion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
}
