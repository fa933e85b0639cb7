import { html } from "hono/html";
import { type Day, dayForPeople } from "../../core/day.ts";
import { type Html, icon } from "./draw.ts";
import { drawWindow } from "./window.ts";

/** How many papers a digest may have here; the first is the default. */
export const TOPS = [5, 10, 20] as const;

export type PageView = {
  /** The living channels, or the preview of any day. */
  readonly view: "channels" | "days";
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
 * The whole page. The preview of days is complete without script, which swaps the elements `days`, `notice`,
 * `discord-digest` and `slack-digest` for those of another day's page; the channels live by script alone.
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
<script src="/theme.js"></script>
<script type="module" src="/page.js"></script>
</head>
<body data-view="${view.view}">
<a class="skip" href="#channels">Skip to the channels</a>
<header class="bar">
  <h1><a class="wordmark" href="/">${MARK}Paperboy</a></h1>
  <nav class="segments views" aria-label="View">
    ${drawView("channels", "/", "Channels", view)}
    ${drawView("days", "/days", "Any day", view)}
  </nav>
  ${CLOCK}
  <form id="bar" action="/days" method="get">
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
  <label><input type="radio" name="client" id="show-discord" checked /><span>Discord<i class="dot" hidden></i></span></label>
  <label><input type="radio" name="client" id="show-slack" /><span>Slack<i class="dot" hidden></i></span></label>
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

function drawView(name: PageView["view"], href: string, label: string, { view }: PageView): Html {
  return html`<a href="${href}" data-view="${name}" ${name === view ? html`aria-current="page"` : ""}><span>${label}</span></a>`;
}

/** The clock that all windows share. The script fills it in. */
const CLOCK = html`<div class="clock" role="group" aria-label="The playground's clock">
    <p class="now">${icon("M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 7.500V12l3 2")}<time id="clock-now"></time><small id="clock-zone"></small></p>
    <button type="button" class="clock-button main" data-clock="next-digest" aria-describedby="clock-due">Next digest now</button>
    <small id="clock-due"></small>
    <button type="button" class="clock-button" data-clock="next-day">Next day</button>
    <button type="button" class="clock-button" data-clock="start-over">Start over</button>
  </div>`;

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
  return html`<a id="${id}" class="icon-button" href="/days?day=${day}" data-day="${day}" aria-label="${label}">${icon(path)}</a>`;
}

const MONTH = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", month: "long", year: "numeric" });
/** A folded newspaper. */
const MARK = html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
  <path class="sheet" d="M3 4.500h14.500V18a2 2 0 0 0 2 2H5a2 2 0 0 1-2-2Z" />
  <path class="fold" d="M17.5 8.500H21.500V18a2 2 0 0 1-4 0Z" />
  <path class="type" d="M6 8h8.500M6 11.500h3.500v4H6ZM12 11.75h2.500M12 15.25h2.5" />
</svg>`;
