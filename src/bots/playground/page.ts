import { html } from "hono/html";
import { type Day, dayForPeople, isWeekend } from "../../core/day.ts";
import type { Html } from "./draw.ts";

/** How many papers a digest may have here; the first is the default. */
export const TOPS = [5, 10, 20] as const;

export type PageView = {
  /** Newest first. */
  readonly days: readonly { readonly day: Day; readonly count: number }[];
  /** The day shown; null while there is none. */
  readonly day: Day | null;
  readonly today: Day;
  readonly topic: string;
  readonly top: number;
  readonly search?: string | undefined;
  readonly loading: boolean;
  readonly notice: string | null;
  /** The day's digest; null where there is none. */
  readonly digest: Drawn | null;
  /** The answer to a search in the address; null for none. */
  readonly reply: Drawn | null;
};

type Drawn = { readonly discord: Html; readonly slack: Html };

/**
 * The whole page, complete without its script. The script swaps the elements `days`, `notice`,
 * `discord-digest` and `slack-digest` for those of another day's page.
 */
export function drawPage(view: PageView): Html {
  const shownDay = view.day === null ? "" : dayForPeople(view.day, view.today);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<meta name="description" content="Hugging Face's Daily Papers as Paperboy brings them to Discord and Slack." />
<title>${shownDay === "" ? "" : `${shownDay} · `}Paperboy</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml" />
<link rel="stylesheet" href="/page.css" />
<script src="/page.js"></script>
</head>
<body>
<a class="skip" href="#channels">Skip to the channels</a>
<header class="bar">
  <h1><a class="wordmark" href="/">${MARK}Paperboy</a></h1>
  <form id="bar" action="/" method="get">
    ${drawDays(view, shownDay)}
    <label class="field topics">
      <span class="sr">Topics</span>
      ${icon("M4 6h16M7 12h10M10 18h4")}
      <input name="topic" value="${view.topic}" placeholder="Topics, e.g. agents -robotics" maxlength="500" autocomplete="off" spellcheck="false" autocapitalize="off" />
    </label>
    <fieldset class="segments">
      <legend class="sr">Papers in a digest</legend>
      ${TOPS.map(
        (top) =>
          html`<label><input type="radio" name="top" value="${top}" aria-label="Top ${top}" ${top === view.top ? "checked" : ""} /><span aria-hidden="true">${top === TOPS[0] ? `Top ${top}` : top}</span></label>`,
      )}
    </fieldset>
    <label class="field search">
      <span class="sr">Search papers</span>
      ${icon("M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.5 15.5 20 20")}
      <input type="search" name="search" value="${view.search ?? ""}" placeholder="Search papers" maxlength="250" autocomplete="off" enterkeyhint="search" aria-keyshortcuts="/" />
      <kbd aria-hidden="true">/</kbd>
    </label>
    <button class="apply">Show</button>
  </form>
  <button id="theme" class="icon-button" type="button" aria-label="Theme: automatic">
    ${icon("M12 3.500a8.5 8.5 0 1 0 0 17Z M12 3.500a8.5 8.5 0 0 1 0 17", "theme-auto")}
    ${icon("M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2.500v2M12 19.500v2M2.5 12h2M19.5 12h2M5.3 5.300l1.4 1.400M17.3 17.300l1.4 1.400M5.3 18.700l1.4-1.400M17.3 6.700l1.4-1.4", "theme-light")}
    ${icon("M20 14.500A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.500Z", "theme-dark")}
  </button>
</header>
<p id="notice" class="notice">${view.notice ?? ""}</p>
<fieldset class="segments switch">
  <legend class="sr">Client</legend>
  <label><input type="radio" name="client" id="show-discord" checked /><span>Discord</span></label>
  <label><input type="radio" name="client" id="show-slack" /><span>Slack</span></label>
</fieldset>
<main id="channels" tabindex="-1">
  ${drawWindow("discord", view)}
  ${drawWindow("slack", view)}
</main>
<dialog id="payload" aria-labelledby="payload-title" closedby="any">
  <header>
    <h2 id="payload-title"></h2>
    <button id="copy" type="button" class="dialog-button">Copy</button>
    <button id="close" type="button" class="icon-button" aria-label="Close">${icon("M6 6l12 12M18 6 6 18")}</button>
  </header>
  <pre tabindex="0" aria-label="Payload"><code></code></pre>
</dialog>
<p id="announcer" class="sr" role="status" aria-live="polite"></p>
<p id="toast" class="toast" role="status" aria-live="polite"></p>
</body>
</html>`;
}

/** What stands in a channel without a digest. */
function drawEmpty({ day, today, loading }: PageView): Html {
  if (day !== null) {
    return html`<div class="empty">
      <p class="lead">No list on ${dayForPeople(day, today)}.</p>
      <p>${isWeekend(day) ? "Hugging Face has lists from Monday to Friday; nothing is posted on a weekend." : "A holiday, or a day that is not here; nothing is posted then."}</p>
    </div>`;
  }
  if (loading) {
    return html`<div class="empty">
      <div class="skeleton" aria-hidden="true"><i></i><i></i><i></i></div>
      <p class="lead">Fetching the last 30 lists…</p>
      <p>The newest one is shown as soon as it is here.</p>
    </div>`;
  }
  return html`<div class="empty">
    <p class="lead">No papers yet.</p>
    <p>Paperboy fetches the newest lists when Hugging Face can be reached.</p>
  </div>`;
}

function drawDays({ days, day, today, loading }: PageView, shownDay: string): Html {
  const earlier = days.find((listed) => day !== null && listed.day < day)?.day;
  const later = days.findLast((listed) => day !== null && listed.day > day)?.day;
  const known = days.some((listed) => listed.day === day);
  return html`<nav id="days" class="days" aria-label="Day" ${loading ? "data-loading" : ""} data-count="${days.length}">
    ${drawStep("earlier", "Earlier day", earlier, "M14.5 5.5 8 12l6.5 6.5")}
    <label class="day">
      <span class="day-shown" aria-hidden="true">${shownDay === "" ? "Daily Papers" : shownDay}${icon("M7 10l5 5 5-5")}</span>
      <select id="day" name="day" aria-label="Day" ${days.length === 0 ? "disabled" : ""}>
        ${known || day === null ? "" : html`<option value="${day}" selected>${shownDay} · no list</option>`}
        ${Map.groupBy(days, (listed) => listed.day.slice(0, 7))
          .entries()
          .map(
            ([month, listed]) =>
              html`<optgroup label="${MONTH.format(new Date(`${month}-01T00:00:00Z`))}">${listed.map(
                (option) =>
                  html`<option value="${option.day}" ${option.day === day ? "selected" : ""}>${dayForPeople(option.day, today)} · ${option.count}</option>`,
              )}</optgroup>`,
          )
          .toArray()}
      </select>
    </label>
    ${drawStep("later", "Later day", later, "M9.5 5.5 16 12l-6.5 6.5")}
  </nav>`;
}

function drawStep(id: string, label: string, day: Day | undefined, path: string): Html {
  if (day === undefined) return html`<span class="icon-button off" aria-hidden="true">${icon(path)}</span>`;
  return html`<a id="${id}" class="icon-button" href="/?day=${day}" data-day="${day}" aria-label="${label}">${icon(path)}</a>`;
}

function drawWindow(client: "discord" | "slack", view: PageView): Html {
  const name = client === "discord" ? "Discord" : "Slack";
  return html`<section class="window ${client}" aria-labelledby="${client}-title">
  <div class="rail" aria-hidden="true">${RAILS[client]}</div>
  <div class="chat">
    <header class="channel">
      <h2 id="${client}-title"><span class="hash" aria-hidden="true">#</span>papers<span class="sr"> on ${name}</span></h2>
      <p>Daily Papers, weekdays at 9:00</p>
      <span class="client" aria-hidden="true">${name}</span>
    </header>
    <div class="scroll" tabindex="0" role="region" aria-label="Messages on ${name}">
      <div id="${client}-digest">
        ${view.day === null ? "" : html`<p class="date"><span>${DATES[client](view.day)}</span></p>`}
        ${view.digest?.[client] ?? drawEmpty(view)}
      </div>
      <div class="replies">${view.reply?.[client]}</div>
    </div>
    <button type="button" class="composer" data-search aria-label="Search papers">
      <span class="plus" aria-hidden="true">${icon("M12 5v14M5 12h14")}</span><span><b>/papers search</b> Message #papers</span>
    </button>
  </div>
</section>`;
}

const MONTH = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", month: "long", year: "numeric" });
const DISCORD_DATE = new Intl.DateTimeFormat("en-US", { timeZone: "UTC", dateStyle: "long" });
const SLACK_DATE = new Intl.DateTimeFormat("en-US", {
  timeZone: "UTC",
  weekday: "long",
  month: "long",
  day: "numeric",
});

/** As each client writes the line between two days. */
const DATES = {
  discord: (day: Day) => DISCORD_DATE.format(new Date(`${day}T00:00:00Z`)),
  slack: (day: Day) => SLACK_DATE.format(new Date(`${day}T00:00:00Z`)),
};

function icon(path: string, className = ""): Html {
  return html`<svg class="icon ${className}" viewBox="0 0 24 24" aria-hidden="true"><path d="${path}" /></svg>`;
}

/** A folded newspaper. */
const MARK = html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
  <path class="sheet" d="M3 4.500h14.500V18a2 2 0 0 0 2 2H5a2 2 0 0 1-2-2Z" />
  <path class="fold" d="M17.5 8.500H21.500V18a2 2 0 0 1-4 0Z" />
  <path class="type" d="M6 8h8.500M6 11.500h3.500v4H6ZM12 11.75h2.500M12 15.25h2.5" />
</svg>`;

const RAILS = {
  discord: html`<span class="guild home">${icon("M4 11.5 12 5l8 6.500V19a1 1 0 0 1-1 1h-4.500v-5h-5v5H5a1 1 0 0 1-1-1Z")}</span><i></i><span class="guild here">P</span><span class="guild"><small>ML</small></span><span class="guild"><small>NLP</small></span><span class="guild add">${icon("M12 6v12M6 12h12")}</span>`,
  slack: html`<span class="workspace">P</span><span class="tool on">${icon("M4 11.5 12 5l8 6.500V19a1 1 0 0 1-1 1h-4.500v-5h-5v5H5a1 1 0 0 1-1-1Z")}</span><span class="tool">${icon("M5 6h14v9.500h-8L7 19v-3.500H5Z")}</span><span class="tool">${icon("M12 4.500a5.5 5.5 0 0 1 5.5 5.500c0 4 1.5 5.5 1.5 5.500H5s1.5-1.5 1.5-5.500A5.5 5.5 0 0 1 12 4.500M10 19h4")}</span>`,
};
