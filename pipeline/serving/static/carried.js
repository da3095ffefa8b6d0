// Shows the words that carried the answer, and lets people say whether the answer is right.

import { said, tone } from "./answers.js";
import { judge } from "./asking.js";
import { carriedBy } from "./occlusion.js";
import { say } from "./phrases.js";
import { byId, make } from "./words.js";

const FAINTEST = 0.5; // a strongest effect below this is shown as faint as it is
const DARKEST = 60; // percent of the colour; the text is still readable on it
const NAMED = 3;
const LONGEST = 40; // characters of a part that are named

const page = {
  more: byId("more"), explain: byId("explain"), carried: byId("carried"), marked: byId("marked"),
  note: byId("carried-note"), verdicts: byId("verdicts"), kept: byId("kept"), live: byId("live"),
};
const state = { shown: null, abort: null };

// Offers both for an answer: { texts, prediction, model }, model as GET /model tells it.
export function offerMore(shown) {
  clearMore();
  state.shown = shown;
  page.more.hidden = false;
  page.verdicts.hidden = !shown.model.feedback;
  const { sure, label } = said(shown.prediction, shown.model);
  tone(page.more, shown.model, sure ? label : null);
}

export function clearMore() {
  state.abort?.abort();
  state.shown = null;
  page.more.hidden = page.carried.hidden = true;
  page.explain.disabled = false;
  page.kept.textContent = "";
  for (const button of page.verdicts.querySelectorAll("button")) {
    button.disabled = false;
    button.setAttribute("aria-pressed", "false");
  }
}

// ---- words ---------------------------------------------------------------------------------

async function explain() {
  const { shown } = state;
  state.abort = new AbortController();
  const { signal } = state.abort;
  page.explain.disabled = true;
  page.carried.hidden = false;
  page.marked.replaceChildren();
  try {
    const progress = (done, all) => { page.note.textContent = say("leaving_out", { done, all }); };
    const parts = await carriedBy(shown.texts, shown.prediction, { signal, progress });
    if (state.shown !== shown) return;
    showParts(shown.texts, parts, shown.prediction.value !== undefined);
  } catch (error) {
    if (error.name === "AbortError" || state.shown !== shown) return;
    page.note.textContent = say("answer_stands", { why: error.message });
    page.explain.disabled = false;
  }
}

function showParts(texts, parts, isNumber) {
  if (parts.length === 0) {
    page.note.textContent = say("no_word");
    return;
  }
  const strongest = Math.max(FAINTEST, ...parts.map(({ effect }) => Math.abs(effect)));
  page.marked.replaceChildren(...texts.map((text, place) => {
    const own = parts.filter((part) => part.place === place);
    const line = make("p");
    let at = 0;
    for (const { start, end, effect } of own) {
      line.append(text.slice(at, start), markOf(text.slice(start, end), effect, strongest));
      at = end;
    }
    line.append(text.slice(at));
    return line;
  }));
  page.note.textContent = summary(texts, parts, isNumber);
  page.live.textContent = page.note.textContent;
}

function markOf(text, effect, strongest) {
  const share = Math.abs(effect) / strongest;
  const mark = make("span", effect >= 0 ? "carries" : "against", text);
  mark.style.setProperty("--share", `${share * DARKEST}%`);
  mark.style.setProperty("--under", share > 0.15 ? "2px" : "0");
  mark.title = say(effect >= 0 ? "for_it" : "against_it", { by: Math.abs(effect).toFixed(2) });
  return mark;
}

const shortened = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

function summary(texts, parts, isNumber) {
  const wordOf = ({ place, start, end }) => `“${shortened(texts[place].slice(start, end))}”`;
  const named = (chosen) => chosen.slice(0, NAMED).map(wordOf).join(", ");
  const pulling = parts.filter(({ effect }) => effect > 0).sort((one, other) => other.effect - one.effect);
  const pushing = parts.filter(({ effect }) => effect < 0).sort((one, other) => one.effect - other.effect);
  const [up, down] = isNumber ? ["raised", "lowered"] : ["carried", "against"];
  const told = [[up, pulling], [down, pushing]].filter(([, found]) => found.length)
    .map(([what, found]) => say(what, { words: named(found) }));
  return [...told, say("how")].join(" ");
}

// ---- right or wrong ------------------------------------------------------------------------

async function send(button) {
  const { shown } = state;
  const buttons = [...page.verdicts.querySelectorAll("button")];
  for (const each of buttons) each.disabled = true;
  try {
    await judge(shown.texts, { verdict: button.value, model: shown.model.hash });
    if (state.shown !== shown) return;
    button.setAttribute("aria-pressed", "true");
    page.kept.textContent = say("kept");
  } catch (error) {
    if (state.shown !== shown) return;
    const { got, next_step: next } = error.reason ?? { got: say("server_silent"), next_step: say("try_later") };
    page.kept.textContent = say("not_kept", { got, next });
    for (const each of buttons) each.disabled = false;
  }
}

page.explain.addEventListener("click", explain);
for (const button of page.verdicts.querySelectorAll("button")) button.addEventListener("click", () => send(button));
