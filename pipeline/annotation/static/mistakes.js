// The screen on which leads and adjudicators look through the model's mistakes, and send rows to one more person.

import { byId, make } from "./elements.js";
import { nameKeys } from "./keys.js";
import { PHRASES } from "./mistakes_phrases.js";
import { speaker, translate } from "./phrases.js";
import { call, newUid, paintViews, token } from "./server.js";

const PART = 20;
const LONGEST = 900;
const BEGINNING = 400;
const RANGES = [[90, 100], [70, 90], [50, 70], [0, 50]];

const say = speaker(PHRASES);
const named = (label) => label || say("nothing");
const option = (name, value) => {
  const made = make("option", "", name);
  made.value = value;
  return made;
};

const state = { shown: 0, filled: false, asking: 0 };
const fields = ["pair", "slice", "source", "confidence"].map(byId);

// ---- the rows ----------------------------------------------------------------------------

function address() {
  const [pair, slice, source, confidence] = fields.map((field) => (field.value ? JSON.parse(field.value) : null));
  const asked = new URLSearchParams({ from: state.shown, n: PART });
  if (pair) [["label", pair[0]], ["answer", pair[1]]].forEach(([name, value]) => asked.set(name, value));
  if (slice) asked.set("slice", slice);
  if (source) asked.set("source", source);
  if (confidence) [["least", confidence[0]], ["most", confidence[1]]].forEach(([name, value]) => asked.set(name, value));
  return `/api/mistakes?${asked}`;
}

async function answered(path, options) {
  const response = await call(path, options).catch(() => null);
  if (response?.ok) {
    byId("alarm").hidden = true;
    return response.json();
  }
  const error = response ? (await response.json().catch(() => ({}))).error : null;
  alarm(error && response.status !== 401 ? say("refused", error) : say(response ? "old_link" : "away"));
  return null;
}

function alarm(text) {
  byId("alarm").textContent = text;
  byId("alarm").hidden = false;
}

async function show({ anew }) {
  if (anew) state.shown = 0;
  state.asking += 1;
  const asking = state.asking;
  const found = await answered(address());
  if (!found || asking !== state.asking) return;
  document.body.dataset.state = "rows";
  if (!found.built || !found.mistakes) {
    byId("lead").textContent = say(found.built ? "all_right" : "not_built");
    return;
  }
  byId("lead").textContent = say(found.has_confidence ? "lead" : "lead_numbers", found);
  if (!state.filled) fill(found);
  paintOpinions(found.opinions);
  const items = found.rows.map(item);
  if (anew) byId("rows").replaceChildren(...items);
  else byId("rows").append(...items);
  state.shown += items.length;
  byId("found").textContent = found.found ? say("found", found) : say("none");
  byId("more").hidden = state.shown >= found.found;
  byId("keys").hidden = !found.found;
  if (!anew) items[0]?.focus();
}

function fill({ filters, has_confidence: hasConfidence }) {
  state.filled = true;
  const [pair, slice, source, confidence] = fields;
  const choice = (name, rows, value) => option(say("choice", { name, rows }), JSON.stringify(value));
  pair.replaceChildren(option(say("all"), ""), ...filters.pairs.map(({ label, answer, rows }) => choice(`${named(label)} → ${named(answer)}`, rows, [label, answer])));
  slice.replaceChildren(option(say("all"), ""), ...filters.slices.map(({ name, rows }) => choice(name, rows, name)));
  source.replaceChildren(option(say("all"), ""), ...filters.sources.map(({ name, rows }) => choice(name, rows, name)));
  confidence.replaceChildren(option(say("all"), ""), ...RANGES.map(([least, most]) => option(`${least}–${most} %`, JSON.stringify([least, most]))));
  pair.parentElement.hidden = !hasConfidence;
  byId("confidence-field").hidden = !hasConfidence;
  byId("filters").hidden = false;
  byId("why").hidden = false;
}

function paintOpinions({ error, control }) {
  byId("opinions").hidden = !error.sent;
  const numbers = { ...error, control_sent: control.sent, control_answered: control.answered, control_differ: control.differ };
  byId("opinions").textContent = say("opinions", numbers);
}

function item(found) {
  const row = make("li", "mistake");
  row.tabIndex = -1;
  row.dataset.row = found.row;
  const texts = [found.text, found.second].filter((text) => text !== null).map(said);
  const facts = make("p", "facts");
  facts.append(
    make("span", "fact", say("label")), " ", make("strong", "", named(found.label)), " · ",
    make("span", "fact", say("answer")), " ", make("strong", "", named(found.answer)),
    ...(found.confidence === null ? [] : [" · ", say("sure", { percent: Math.round(100 * found.confidence) })]),
  );
  const from = make("p", "quiet", [found.source, ...found.slices].join(" · "));
  const foot = make("div", "foot");
  const button = make("button", "ask");
  button.type = "button";
  button.addEventListener("click", () => ask(row));
  foot.append(from, button);
  row.append(...texts, facts, foot);
  if (found.opinion !== null) facts.append(" · ", make("span", "opinion", say("opinion", { label: named(found.opinion) })));
  paintAsked(row, found.asked);
  return row;
}

// A long text shows its beginning, and all of it once it is opened.
function said(text) {
  const whole = make("p", "said", text);
  whole.dir = "auto";
  if (text.length <= LONGEST) return whole;
  const part = make("details", "long");
  const beginning = make("summary", "", `${text.slice(0, BEGINNING)} …`);
  beginning.dir = "auto";
  part.append(beginning, whole);
  return part;
}

function paintAsked(row, asked) {
  const button = row.querySelector(".ask");
  button.setAttribute("aria-pressed", asked);
  button.textContent = say(asked ? "asked" : "ask");
}

async function ask(row) {
  const button = row.querySelector(".ask");
  if (button.getAttribute("aria-busy") === "true") return;
  const back = button.getAttribute("aria-pressed") === "true";
  button.setAttribute("aria-busy", "true");
  const body = JSON.stringify({ row: row.dataset.row, uid: newUid() });
  const said = await answered(`/api/mistakes/${back ? "forget" : "ask"}`, { method: "POST", body, headers: { "content-type": "application/json" } });
  button.removeAttribute("aria-busy");
  if (!said) return;
  paintAsked(row, said.asked);
  paintOpinions(said.opinions);
  byId("live").textContent = say(said.asked ? "said_asked" : "said_forgotten");
}

// ---- keys, by their place on the keyboard ---------------------------------------------------

function move(by) {
  const rows = [...byId("rows").children];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
  if (!next && by > 0 && !byId("more").hidden) show({ anew: false });
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, input, textarea")) return;
  const row = document.activeElement?.closest(".mistake");
  const does = { KeyJ: () => move(1), KeyK: () => move(-1), KeyQ: () => row && !event.repeat && ask(row) }[event.code];
  if (!does) return;
  event.preventDefault();
  does();
});

// ---- start ------------------------------------------------------------------------------

async function start() {
  translate(say);
  window.addEventListener("hashchange", () => location.reload());
  byId("lead").textContent = say(token ? "loading" : "no_link");
  if (!token) return;
  const me = await answered("/api/me");
  if (!me) return;
  byId("product").textContent = me.product;
  byId("person").textContent = me.person;
  paintViews(me.role, say);
  nameKeys();
  for (const field of fields) field.addEventListener("change", () => show({ anew: true }));
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("more").addEventListener("click", () => show({ anew: false }));
  await show({ anew: true });
}

start();
