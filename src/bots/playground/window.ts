import { html } from "hono/html";
import { type Day, dayForPeople, isWeekend } from "../../core/day.ts";
import { CHANNELS, type Client, PEOPLE } from "./bot.ts";
import { type Html, icon } from "./draw.ts";
import type { PageView } from "./page.ts";

/** A client's window: its channels and who one is at the side; the channel, the preview of a day, and the composer. */
export function drawWindow(client: Client, view: PageView): Html {
  const name = NAMES[client];
  return html`<section class="window ${client}" data-client="${client}" aria-label="${name}">
  <aside class="side">
    <p class="place"><span class="badge" aria-hidden="true">L</span><span>Reading Lab</span></p>
    <nav aria-label="Channels on ${name}">
      <p class="kind" aria-hidden="true">${client === "discord" ? "Text channels" : "Channels"}</p>
      ${CHANNELS.map(
        (channel, index) =>
          html`<button type="button" class="open" data-open="${channel.name}" ${
            index === 0 ? html`aria-current="true"` : ""
          }><span class="hash" aria-hidden="true">#</span><span class="of">${channel.name}</span><span class="unread" hidden><span class="sr">, new messages</span></span></button>`,
      )}
    </nav>
    <label class="me">
      <span class="face" aria-hidden="true"></span>
      <span class="who" aria-hidden="true"><b></b><small></small></span>
      ${icon("M8 10l4-4 4 4M8 14l4 4 4-4")}
      <select class="person" aria-label="Who you are on ${name}">
        ${Object.entries(PEOPLE).map(
          ([id, person]) =>
            html`<option value="${id}" data-name="${person.name}" data-role="${person.role}">${person.name}, ${person.maySet ? "who may change settings" : "who may not change settings"}</option>`,
        )}
      </select>
    </label>
  </aside>
  <div class="chat">
    <header class="channel">
      <h2 class="of-channel"><span class="hash" aria-hidden="true">#</span><span class="of">${CHANNELS[0].name}</span><span class="sr"> on ${name}</span></h2>
      <h2 class="of-days">${CALENDAR}Preview<span class="sr"> on ${name}</span></h2>
      <p class="of-channel about">${CHANNELS[0].about}</p>
      <p class="of-days">What a channel would get on any day</p>
      <span class="client" aria-hidden="true">${name}</span>
    </header>
    <div class="scroll preview" tabindex="0" role="region" aria-label="Preview on ${name}">
      <div id="${client}-digest">
        ${view.day === null ? "" : html`<p class="date"><span>${DATES[client](view.day)}</span></p>`}
        ${view.view === "days" ? (view.digest?.[client] ?? drawEmpty(view)) : ""}
      </div>
      <div class="replies">${view.reply?.[client]}</div>
    </div>
    ${CHANNELS.map((channel, index) => drawRoom(client, channel, { hidden: index > 0, taste: index === 0 && view.view === "channels" ? (view.digest?.[client] ?? null) : null }))}
    <p class="only-preview">A preview: nothing here is posted. <a href="/" data-view="channels">Write in a channel</a></p>
    ${drawComposer(client)}
  </div>
</section>`;
}

const NAMES = { discord: "Discord", slack: "Slack" } as const;

/** A channel with its beginning, which says what can be typed. */
function drawRoom(
  client: Client,
  channel: (typeof CHANNELS)[number],
  { hidden, taste }: { readonly hidden: boolean; readonly taste: Html | null },
): Html {
  return html`<div class="scroll room" data-room="${channel.name}" data-about="${channel.about}" tabindex="0" role="region" aria-label="#${channel.name} on ${NAMES[client]}" ${hidden ? "hidden" : ""}>
    <div class="welcome ${taste === null ? "" : "with-taste"}">
      <span class="mast" aria-hidden="true">#</span>
      <h3>${client === "discord" ? `Welcome to #${channel.name}!` : `This is the very beginning of #${channel.name}`}</h3>
      <p>Paperboy is in this channel. Type <kbd>/</kbd> below, or begin with one of these:</p>
      <ul>${channel.lines.map(
        (line) =>
          html`<li><button type="button" class="line" data-run="${line}"><code>${drawLine(line)}</code>${RUN}</button><button type="button" class="icon-button" data-copy="${line}" aria-label="Copy ${line}">${COPY}</button></li>`,
      )}</ul>
      <noscript><p>The channels need JavaScript; <a href="/days">any day’s list</a> does not.</p></noscript>
    </div>
    ${taste === null ? "" : html`<section class="taste" aria-label="The newest digest, as a preview"><p class="date"><span>The newest digest, as this channel would get it</span></p>${taste}</section>`}
    <div class="messages" role="log" aria-label="Messages in #${channel.name} on ${NAMES[client]}"></div>
  </div>`;
}

function drawLine(line: string): Html {
  const [, command, rest] = /^(\/papers \S+)(.*)$/.exec(line) ?? [];
  return html`<b>${command}</b>${rest}`;
}

/** A combobox whose list of suggestions stands above it. */
function drawComposer(client: Client): Html {
  const list = `${client}-suggestions`;
  return html`<form class="composer" autocomplete="off">
      <div class="picker" hidden>
        <p class="picker-head"></p>
        <ul id="${list}" role="listbox" aria-label="Suggestions on ${NAMES[client]}"></ul>
      </div>
      <p class="thinking" hidden>Paperboy is thinking…</p>
      <div class="field-of">
        <span class="plus" aria-hidden="true">${icon("M12 5v14M5 12h14")}</span>
        <input name="text" role="combobox" aria-expanded="false" aria-autocomplete="list" aria-controls="${list}" aria-haspopup="listbox" aria-label="Message #${CHANNELS[0].name} on ${NAMES[client]}" placeholder="Message #${CHANNELS[0].name}, or type /" maxlength="2000" spellcheck="false" autocapitalize="off" autocomplete="off" enterkeyhint="send" />
        <button class="send" aria-label="Send on ${NAMES[client]}">${icon("M4.5 12 4 4.500 20.500 12 4 19.500 4.500 12M4.5 12H12")}</button>
      </div>
    </form>`;
}

/** What stands in the preview of a day without a digest. */
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

const CALENDAR = icon("M4.500 6.500h15v13h-15ZM4.500 10.500h15M8.500 4v4M15.500 4v4");
const RUN = icon("M5 12h13M12.500 6.500 18 12l-5.500 5.500", "run");
const COPY = icon("M9 9h10v11H9ZM15 9V4.500H5V15h4");
