// The first screen of a person where the project has gold items: an answer, then the right one and the rule.

import { byId, make } from "./elements.js";
import { meaningOf, nameKeys } from "./keys.js";
import { partsOf } from "./markdown.js";
import { speaker, translate } from "./phrases.js";
import { call, newUid, paintViews, token } from "./server.js";
import { PHRASES } from "./start_phrases.js";

const say = speaker(PHRASES);

// item: the one on the screen; told: whether its answer is shown; asked: rows asked in this round.
const state = { me: null, items: [], standing: null, item: null, told: false, asked: new Set(), chosen: new Set(), busy: false };

const isSeveral = () => state.me.problem === "multi_label";
const isNumber = () => state.me.problem === "regression";
const inWords = ({ labels, number }) => number ?? (labels.join(", ") || say("none"));

function alarm(text) {
  byId("alarm").hidden = !text;
  byId("alarm").textContent = text;
}

// The next item: one without an answer, else one that was wrong and was not asked since; then a new round begins.
function nextItem() {
  const open = state.items.filter(({ answer }) => !answer);
  if (open.length) return open[0];
  const wrong = state.items.filter(({ answer }) => !answer.right);
  const left = wrong.filter(({ row }) => !state.asked.has(row));
  if (!left.length) state.asked.clear();
  return left[0] ?? wrong[0] ?? null;
}

function paint() {
  const { item, standing, told } = state;
  const passed = standing.passed && (told || !item);
  document.body.dataset.state = item ? "row" : "empty";
  byId("text").classList.toggle("pair", Boolean(item?.second));
  byId("text").replaceChildren(...(item ? [item.text, item.second] : [say("passed", standing)]).filter((text) => text).map((text) => {
    const part = make("span", "part", text);
    part.dir = "auto";
    return part;
  }));
  const number = state.items.findIndex((each) => each.row === item?.row) + 1;
  byId("place").textContent = item && (item.answer && !told ? say("again") : say("place", { number, items: standing.items }));
  byId("labels").hidden = isNumber() || told || !item;
  byId("number-form").hidden = !isNumber() || told || !item;
  byId("next").hidden = !told && item && !isNumber() && !isSeveral();
  byId("next-text").textContent = say(passed ? "begin" : "next");
  byId("counts").textContent = say("counts", standing);
  byId("told").hidden = !told;
  for (const button of byId("labels").children) if (isSeveral()) button.setAttribute("aria-pressed", state.chosen.has(button.dataset.name));
  if (told) paintAnswer(item);
}

function paintAnswer({ answer, gold, rules }) {
  const label = inWords(gold);
  byId("verdict").textContent = answer.right ? say("right", { label }) : say("wrong", { label, given: inWords(answer) });
  byId("why").textContent = gold.why;
  byId("rules").replaceChildren(...partsOf(rules.map(({ text }) => text).join("\n\n"), 2));
  byId("live").textContent = [byId("verdict").textContent, gold.why].join(" ");
}

async function answer(given) {
  if (state.busy || state.told || !state.item) return;
  state.busy = true;
  const { row } = state.item;
  const body = JSON.stringify({ uid: newUid(), row, ...given });
  const response = await call("/api/start", { method: "POST", headers: { "content-type": "application/json" }, body }).catch(() => null);
  const found = await response?.json().catch(() => null);
  state.busy = false;
  if (!response?.ok) {
    alarm(found?.error ? say("error", found.error) : say("away"));
    return;
  }
  alarm("");
  Object.assign(state, { items: found.items, standing: found.standing, told: true });
  state.asked.add(row);
  state.item = state.items.find((item) => item.row === row);
  paint();
  byId("next").focus();
}

function next() {
  if (!state.item || (state.told && state.standing.passed)) {
    location.assign(`/#${token}`);
    return;
  }
  if (!state.told) {
    sendChosen();
    return;
  }
  Object.assign(state, { told: false, item: nextItem(), chosen: new Set() });
  byId("number").value = "";
  paint();
  byId("text").focus();
}

function sendChosen() {
  if (isSeveral()) answer({ labels: state.me.labels.map((label) => label.name).filter((name) => state.chosen.has(name)) });
  else if (isNumber()) {
    const text = byId("number").value.trim().replace(",", ".");
    const wrong = !text || !Number.isFinite(Number(text));
    byId("number").toggleAttribute("aria-invalid", wrong);
    if (wrong) byId("live").textContent = say("number_wanted");
    else answer({ number: Number(text) });
  }
}

function choose(name) {
  if (!isSeveral()) {
    answer({ labels: [name] });
    return;
  }
  if (state.told) return;
  if (!state.chosen.delete(name)) state.chosen.add(name);
  paint();
}

function listen() {
  byId("next").addEventListener("click", next);
  byId("number-form").addEventListener("submit", (event) => {
    event.preventDefault();
    next();
  });
  document.addEventListener("keydown", (event) => {
    const meaning = meaningOf(event, { codes: isNumber() ? [] : state.me.labels.map((label) => label.code), typesNumber: isNumber() });
    if (!meaning || (meaning.command && meaning.command !== "next")) return;
    event.preventDefault();
    if (meaning.label !== undefined) choose(state.me.labels[meaning.label].name);
    else if (meaning.digit !== undefined) byId("number").value += state.told ? "" : meaning.digit;
    else next();
  });
}

function setUp() {
  const { me } = state;
  byId("product").textContent = me.product;
  byId("person").textContent = me.person;
  paintViews(me.role, say);
  byId("number-label").textContent = me.labels[0].name;
  byId("labels").replaceChildren(...me.labels.map(({ name, key, code }) => {
    const button = make("button");
    button.type = "button";
    button.dataset.name = name;
    button.append(make("span", "name", name));
    if (key) {
      const sign = make("kbd", "", key.toUpperCase());
      sign.dataset.code = code;
      button.append(sign);
    }
    button.addEventListener("click", () => choose(name));
    return button;
  }));
  nameKeys();
}

async function start() {
  translate(say);
  window.addEventListener("hashchange", () => location.reload());
  if (!token) return close("no_link");
  const answers = await Promise.all(["/api/me", "/api/start"].map((path) => call(path).catch(() => null)));
  if (answers.some((response) => !response?.ok)) return close(answers[0]?.status === 401 ? "old_link" : "away");
  const [me, found] = await Promise.all(answers.map((response) => response.json()));
  state.me = me;
  setUp();
  if (!found.standing) return close("nothing");
  Object.assign(state, { items: found.items, standing: found.standing });
  state.item = state.standing.passed ? null : nextItem();
  listen();
  paint();
  byId("text").focus();
  return undefined;
}

function close(fault) {
  document.body.dataset.state = "closed";
  byId("text").textContent = say(fault);
  document.querySelector(".answers").hidden = true;
}

start();
