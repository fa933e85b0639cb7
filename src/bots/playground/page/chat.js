// @ts-check
// The living channels: the stream of what is posted, what is typed and pressed, who one is, and the clock.

import { startComposer } from "./composer.js";
import { all, announce, client, element, make, motion, one, ownPayloads, parse, post } from "./dom.js";

/** @typedef {{client: string, channel: string, zone: string, next: string | null}} ChannelClock */
/** @typedef {{now: string, channels: ChannelClock[]}} Clock */

/** @type {Clock | null} */
let clock = null;
/** The playground's time less this machine's. */
let ahead = 0;
/** Where the stream stands, for when it begins again. */
let lastEvent = "";
/** Whether what comes is new, rather than a channel's past. */
let ready = false;
/** A post that this window asked for and that is still to come. @type {string | null} */
let awaited = null;
/** Until when what arrives is what one waits for: the clock was moved. */
let awaitedUntil = 0;

export function startChat() {
  for (const pane of all(".window")) {
    const kept = sessionStorage.getItem(`channel-${client(pane)}`);
    if (kept !== null && pane.querySelector(`[data-room="${CSS.escape(kept)}"]`) !== null) open(pane, kept);
    const form = /** @type {HTMLFormElement} */ (one(".composer", pane));
    startComposer(form, {
      query: () => ({ ...place(pane), person: person() }),
      send: (text) => void send(pane, text),
    });
  }
  setPerson(sessionStorage.getItem("person") ?? "ada");
  document.addEventListener("click", onClick);
  document.addEventListener("change", onChoose);
  document.addEventListener("visibilitychange", connect);
  document.addEventListener("toggle", onToggle, true);
  connect();
  setInterval(showTime, 5000);
}

/** A slash begins a command in the window in use. @param {KeyboardEvent} event */
export function pressed(event) {
  if (event.key !== "/" || !(event.target instanceof Element)) return;
  const pane = event.target.closest(".window") ?? all(".window").find(isShown);
  if (pane === undefined) return;
  // The key itself goes into the field.
  one("input", pane).focus();
}

/** @param {MouseEvent} event */
function onClick(event) {
  if (!(event.target instanceof Element)) return;
  const target = event.target.closest(
    "[data-open], [data-run], [data-clock], .room [data-dismiss], .room button[data-action]",
  );
  if (!(target instanceof HTMLButtonElement)) return;
  const pane = /** @type {HTMLElement} */ (target.closest(".window"));
  const { open: channel, run, clock: move, action } = target.dataset;
  if (channel !== undefined) {
    open(pane, channel);
    goTo("channels");
  } else if (run !== undefined) void send(pane, run);
  else if (move !== undefined) void moveClock(target, move);
  else if ("dismiss" in target.dataset) target.closest("article")?.remove();
  else if (action !== undefined) void press(target, action, null);
}

/** @param {Event} event */
function onChoose(event) {
  const select = event.target;
  if (!(select instanceof HTMLSelectElement)) return;
  if (select.classList.contains("person")) return setPerson(select.value);
  const action = select.dataset.action;
  if (action === undefined || select.closest(".room") === null || select.value === "") return;
  const { value } = select;
  select.selectedIndex = 0;
  void press(select, action, value);
}

/** A thread that is opened comes into view. @param {Event} event */
function onToggle({ target }) {
  if (target instanceof HTMLDetailsElement && target.open)
    target.scrollIntoView({ block: "nearest", behavior: motion() });
}

/** Shows the channels where the preview is shown. @param {string} view */
function goTo(view) {
  if (document.body.dataset.view === view) return;
  one(`.views [data-view="${view}"]`).click();
}

/** @param {HTMLElement} pane @param {string} channel */
function open(pane, channel) {
  for (const room of all(".room", pane)) room.hidden = room.dataset.room !== channel;
  for (const button of all(".open", pane)) {
    if (button.dataset.open === channel) {
      button.setAttribute("aria-current", "true");
      setUnread(button, false);
    } else button.removeAttribute("aria-current");
  }
  const room = roomOf(pane);
  one(".of-channel .of", pane).textContent = channel;
  const field = /** @type {HTMLInputElement} */ (one(".composer input", pane));
  field.placeholder = `Message #${channel}, or type /`;
  field.setAttribute(
    "aria-label",
    `Message #${channel} on ${client(pane) === "slack" ? "Slack" : "Discord"}`,
  );
  sessionStorage.setItem(`channel-${client(pane)}`, channel);
  const empty = one(".messages", room).childElementCount === 0;
  room.scrollTo({ top: empty ? 0 : room.scrollHeight });
  showDue();
}

/** The channel that is open in a window. @param {Element} pane */
function roomOf(pane) {
  return one(".room:not([hidden])", pane);
}

/** @param {Element} pane */
function place(pane) {
  return { client: client(pane), channel: roomOf(pane).dataset.room ?? "" };
}

/** @param {HTMLElement} button @param {boolean} unread */
function setUnread(button, unread) {
  one(".unread", button).hidden = !unread;
  const pane = /** @type {HTMLElement} */ (button.closest(".window"));
  const any = all(".open .unread", pane).some((dot) => !dot.hidden);
  one(`label:has(#show-${client(pane)}) .dot`).hidden = !any;
}

/** Where it is narrow, one of the two is. @param {HTMLElement} pane */
function isShown(pane) {
  return pane.offsetParent !== null;
}

function person() {
  return /** @type {HTMLSelectElement} */ (one("select.person")).value;
}

/** @param {string} id */
function setPerson(id) {
  for (const select of all("select.person")) {
    if (!(select instanceof HTMLSelectElement)) continue;
    select.value = id;
    if (select.selectedIndex === -1) select.selectedIndex = 0;
    const label = /** @type {HTMLElement} */ (select.closest(".me"));
    const { name = "", role = "" } = select.selectedOptions[0]?.dataset ?? {};
    one(".face", label).textContent = name.slice(0, 1);
    one(".face", label).className = `face ${select.value}`;
    one("b", label).textContent = name;
    one("small", label).textContent = role;
  }
  sessionStorage.setItem("person", person());
}

/** @typedef {{ref: string} | {html: string, payload: string, replaces: boolean}} Answer */

/** @param {HTMLElement} pane @param {string} text */
async function send(pane, text) {
  const room = roomOf(pane);
  const answer = await think(pane, () => post("/command", { ...place(pane), person: person(), text }));
  if (answer !== null) take(room, answer, null);
}

/** @param {HTMLElement} control @param {string} id @param {string | null} value */
async function press(control, id, value) {
  const article = /** @type {HTMLElement} */ (control.closest("article"));
  const room = /** @type {HTMLElement} */ (control.closest(".room"));
  const pane = /** @type {HTMLElement} */ (control.closest(".window"));
  // One press at a time: a double click is one.
  if (article.ariaBusy === "true") return;
  article.ariaBusy = "true";
  const body = {
    client: client(pane),
    channel: room.dataset.room,
    person: person(),
    message: article.dataset.ref || null,
    id,
    value,
  };
  const answer = await think(pane, () => post("/press", body));
  article.ariaBusy = null;
  if (answer !== null) take(room, answer, article);
}

/** @param {HTMLElement} pane @param {() => Promise<Answer | null>} asking */
async function think(pane, asking) {
  const thinking = one(".thinking", pane);
  thinking.hidden = false;
  const answer = await asking();
  thinking.hidden = true;
  return answer;
}

/** @param {HTMLElement} room @param {Answer} answer @param {HTMLElement | null} article whose button was pressed */
function take(room, answer, article) {
  if ("ref" in answer) {
    const posted = room.querySelector(`[data-ref="${CSS.escape(answer.ref)}"]`);
    awaited = posted === null ? answer.ref : null;
    if (posted instanceof HTMLElement) look(posted);
    return;
  }
  const message = parse(answer.html);
  ownPayloads.set(message, answer.payload);
  if (answer.replaces && article !== null) {
    const focus = article.contains(document.activeElement);
    article.replaceWith(message);
    if (focus) all("button, select, a", message)[0]?.focus({ preventScroll: true });
  } else {
    message.classList.add("new");
    one(".messages", room).append(message);
    look(message);
  }
  stamp(room);
  announce(`Paperboy: ${firstWords(message)}`);
}

/** Brings a message into view: its end where it fits, else its beginning. @param {HTMLElement} message */
function look(message) {
  const room = /** @type {HTMLElement} */ (message.closest(".room"));
  const block = message.offsetHeight < room.clientHeight - 24 ? "end" : "start";
  message.scrollIntoView({ block, behavior: motion() });
}

/** @param {HTMLElement} message */
function firstWords(message) {
  return message.querySelector(".body :is(h3, p)")?.textContent ?? "";
}

/** @type {EventSource | undefined} */
let stream;

/** Listens while the page is seen: a browser has few connections to one server, and a hidden page catches up. */
function connect() {
  stream?.close();
  if (document.visibilityState === "hidden") return;
  stream = new EventSource(`/events${lastEvent === "" ? "" : `?after=${lastEvent}`}`);
  stream.addEventListener("message", (event) => {
    if (event.lastEventId !== "") lastEvent = event.lastEventId;
    arrive(JSON.parse(event.data));
  });
  stream.addEventListener("reload", () => location.reload());
  stream.addEventListener("clock", (event) => setClock(JSON.parse(event.data)));
  stream.addEventListener("again", () => {
    ready = false;
    for (const message of all(".room [data-ref]:not([data-ref=''])")) message.remove();
  });
  stream.addEventListener("ready", (event) => {
    lastEvent = event.lastEventId;
    for (const room of all(".room")) {
      stamp(room);
      // A channel in which nothing happened yet begins with its preview.
      const empty = one(".messages", room).childElementCount === 0;
      if (!ready) room.scrollTo({ top: empty ? 0 : room.scrollHeight });
    }
    ready = true;
  });
}

/** @param {{ref: string, client: string, channel: string, html: string}} news */
function arrive({ ref, client: side, channel, html }) {
  const pane = one(`.window.${side}`);
  const room = one(`[data-room="${CSS.escape(channel)}"]`, pane);
  const message = parse(html);
  const standing = room.querySelector(`[data-ref="${CSS.escape(ref)}"]`);
  if (standing !== null) standing.replaceWith(message);
  else one(".messages", room).append(message);
  if (!ready) return;
  stamp(room);
  const own = awaited === ref;
  if (own) awaited = null;
  if (standing !== null) return;
  message.classList.add("new");
  const seen = !room.hidden && document.body.dataset.view === "channels";
  const atEnd = room.scrollHeight - room.scrollTop - room.clientHeight < message.offsetHeight + 160;
  if (seen && (own || atEnd || Date.now() < awaitedUntil)) look(message);
  if (!seen || !isShown(pane)) setUnread(one(`[data-open="${CSS.escape(channel)}"]`, pane), true);
  announce(
    `${message.getAttribute("aria-label")?.split(",")[0] ?? ""} in #${channel}: ${firstWords(message)}`,
  );
}

/** Times in the channel's zone, and a line wherever a day begins. @param {HTMLElement} room */
function stamp(room) {
  const side = client(room);
  const zone = zoneOf(side, room.dataset.room ?? "");
  const time = new Intl.DateTimeFormat("en-US", { timeZone: zone, hour: "numeric", minute: "2-digit" });
  const date = new Intl.DateTimeFormat(
    "en-US",
    side === "slack"
      ? { timeZone: zone, weekday: "long", month: "long", day: "numeric" }
      : { timeZone: zone, dateStyle: "long" },
  );
  for (const line of all(".messages > .date", room)) line.remove();
  let before = "";
  for (const message of all(".messages > article", room)) {
    for (const shown of all("time[datetime]", message)) {
      const at = new Date(shown.getAttribute("datetime") ?? "");
      shown.textContent = time.format(at);
      const day = date.format(at);
      if (shown.parentElement?.tagName !== "HEADER" || day === before) continue;
      const line = make("p", "date");
      line.append(make("span", "", day));
      message.before(line);
      before = day;
    }
  }
}

/** @param {string} side @param {string} channel */
function zoneOf(side, channel) {
  return clock?.channels.find((of) => of.client === side && of.channel === channel)?.zone ?? "UTC";
}

/** @param {Clock} told */
function setClock(told) {
  const zones = clock?.channels.map((of) => of.zone).join();
  clock = told;
  ahead = Date.parse(told.now) - Date.now();
  showTime();
  showDue();
  if (zones !== told.channels.map((of) => of.zone).join()) for (const room of all(".room")) stamp(room);
}

/** The open channels that are seen, with their zone and next digest. */
function shownClocks() {
  return all(".window")
    .filter(isShown)
    .flatMap((pane) => {
      const { client: side, channel } = place(pane);
      return clock?.channels.find((of) => of.client === side && of.channel === channel) ?? [];
    });
}

function showTime() {
  const zone = shownClocks()[0]?.zone ?? "UTC";
  const now = new Date(Date.now() + ahead);
  element("clock-now").textContent = inZone(now, zone, {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
  element("clock-zone").textContent = zone.split("/").at(-1)?.replaceAll("_", " ") ?? zone;
}

/** When the next digest comes: in each channel's header, and beside the clock for the soonest. */
function showDue() {
  for (const pane of all(".window")) {
    const { client: side, channel } = place(pane);
    const of = clock?.channels.find((known) => known.client === side && known.channel === channel);
    one(".about", pane).textContent = of?.next
      ? `Next digest: ${due(of)} ${of.zone.split("/").at(-1)?.replaceAll("_", " ")}`
      : (roomOf(pane).dataset.about ?? "");
  }
  const next = soonest();
  element("clock-due").textContent = next?.next ? `#${next.channel}, ${due(next)}` : "none is due yet";
  /** @type {HTMLButtonElement} */ (one("[data-clock=next-digest]")).disabled = next === undefined;
  showTime();
}

/** The channel whose digest is next: of those that are open, else of all. */
function soonest() {
  const due = (/** @type {ChannelClock[]} */ of) =>
    of.filter(({ next }) => next !== null).sort((a, b) => String(a.next).localeCompare(String(b.next)))[0];
  return due(shownClocks()) ?? due(clock?.channels ?? []);
}

/** @param {ChannelClock} of */
function due({ next, zone }) {
  return inZone(new Date(next ?? ""), zone, {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** @param {Date} at @param {string} timeZone @param {Intl.DateTimeFormatOptions} parts */
function inZone(at, timeZone, parts) {
  return new Intl.DateTimeFormat("en-GB", { timeZone, ...parts }).format(at).replace(/^(\w+),/, "$1");
}

/** @param {HTMLButtonElement} button @param {string} action */
async function moveClock(button, action) {
  const next = soonest();
  const at = action === "next-digest" && next !== undefined ? next : place(one(".window"));
  button.disabled = true;
  // What the clock brings is what one waits for.
  awaitedUntil = Date.now() + 10_000;
  const told = await post("/clock", { client: at.client, channel: at.channel, action });
  button.disabled = false;
  if (told === null) return;
  setClock(told);
  announce(`It is ${element("clock-now").textContent} now.`);
}
