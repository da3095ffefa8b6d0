// The screen on which disputes are decided: one key says the label, a second one why people differ. Votes come without names.
// Texts come from the data and are only ever set as textContent.

import { byId, make } from "./elements.js";
import { PHRASES } from "./adjudicate_phrases.js";
import { areKeysOn, meaningOf, nameKeys, switchKeys } from "./keys.js";
import { partsOf } from "./markdown.js";
import { Outbox } from "./outbox.js";
import { speaker, translate } from "./phrases.js";
import { call, newUid, paintViews, token } from "./server.js";
import { restart, seconds } from "./stopwatch.js";

const FEW_DISPUTES = 5;
const ASKED_DISPUTES = 10;
const MOST_ASKED = 100;
const HISTORY = 50;
const LONGEST_EXCERPT = 240;
const LOOK_AGAIN = 15_000;
// Why people differ, in the order of the keys 1, 2 and 3, with the phrase of each.
const CAUSES = [["slip", "slip"], ["guide", "cause_guide"], ["ambiguous", "ambiguous"]];

const say = speaker(PHRASES);
const page = Object.fromEntries([
  "alarm", "place", "text", "votes", "votes-part", "note", "guide", "guide-text", "open-guide", "question", "number", "number-form", "number-label",
  "labels", "causes", "undo", "later", "comment", "next", "counts", "saved", "live", "history", "history-list", "history-more", "history-empty",
  "open-history", "help", "help-list", "open-help", "keys-on", "note-dialog", "note-form", "note-text",
].map((id) => [id.replaceAll(/-(.)/g, (_, letter) => letter.toUpperCase()), byId(id)]));

const state = {
  me: null,
  queue: [],            // open disputes, the one on the screen first
  acts: [],             // decisions that stand, the last one last: {uid, seq?, dispute, labels, number, why, comment}
  more: false,          // whether the server has earlier ones
  looking: null,        // index in acts of the decision on the screen; null for the first of the queue
  chosen: new Set(),    // labels chosen so far, of several
  decision: null,       // the label or number that was decided, until it is said why: {labels, number}
  comment: "",
  open: 0,
  moves: 0,             // decisions and undoes here so far: an answer that was asked for before the last one counts without it
  done: 0,
};
const outbox = new Outbox(call, onOutbox);

// ---- what is on the screen ---------------------------------------------------------------

const isSeveral = () => state.me.problem === "multi_label";
const isNumber = () => state.me.problem === "regression";
const current = () => (state.looking === null ? state.queue[0] : state.acts[state.looking].dispute);
const inWords = ({ labels, number }) => String(number ?? (labels.join(", ") || say("none")));
const causeInWords = (why) => say(CAUSES.find(([cause]) => cause === why)[1]);

function paint() {
  const dispute = current();
  document.body.dataset.state = dispute ? "row" : "empty";
  page.text.classList.toggle("pair", Boolean(dispute?.second));
  page.text.replaceChildren(...(dispute ? [dispute.text ?? say("gone"), dispute.second] : [say("empty")])
    .filter((text) => text !== null && text !== undefined)
    .map((text) => {
      const part = make("span", "part", text);
      part.dir = "auto";
      return part;
    }));
  const given = state.looking === null ? null : state.acts[state.looking];
  page.place.hidden = !given;
  if (given) page.place.textContent = say("looking", { label: inWords(given), cause: causeInWords(given.why) });
  state.decision = null;
  state.comment = given?.comment ?? "";
  state.chosen = new Set(given?.labels ?? []);
  page.number.value = given?.number ?? "";
  page.votesPart.hidden = !dispute;
  page.votes.replaceChildren(...(dispute?.votes ?? []).map(voteItem));
  paintGuide(dispute?.labels ?? []);
  paintStep();
  paintNote();
  paintCounts();
}

function voteItem({ name, labels, number, comment, flagged }) {
  const item = make("li");
  item.append(make("span", "name", name), make("span", "got", inWords({ labels, number })));
  const remark = [flagged && say("flagged"), comment].filter(Boolean).join(" · ");
  if (remark) {
    item.append(make("span", "remark", remark));
    item.lastChild.dir = "auto";
  }
  return item;
}

// The question of the moment, and the buttons that answer it: first which label, then why people differ.
function paintStep() {
  const dispute = current();
  const asksWhy = state.decision !== null;
  page.question.textContent = "";
  if (asksWhy) page.question.textContent = say("why", { label: inWords(state.decision) });
  else if (dispute) page.question.textContent = say(isNumber() ? "which_number" : isSeveral() ? "which_labels" : "which");
  page.labels.hidden = isNumber() || asksWhy || !dispute;
  page.numberForm.hidden = !isNumber() || asksWhy || !dispute;
  page.causes.hidden = !asksWhy;
  page.next.hidden = (!isNumber() && !isSeveral()) || asksWhy || !dispute;
  page.number.removeAttribute("aria-invalid");
  for (const button of page.labels.children) {
    const { name } = button.dataset;
    if (isSeveral() || state.looking !== null) button.setAttribute("aria-pressed", state.chosen.has(name));
    else button.removeAttribute("aria-pressed");
    const by = (dispute?.votes ?? []).filter((vote) => vote.labels.includes(name)).map((vote) => vote.name);
    button.querySelector(".by").textContent = by.join(" ");
  }
  page.later.disabled = page.comment.disabled = !dispute;
  page.undo.disabled = !asksWhy && !state.acts.length && !state.more;
}

function paintNote() {
  page.note.hidden = !state.comment;
  page.note.textContent = state.comment;
}

function paintCounts() {
  page.counts.textContent = say("of", { open: state.open, done: state.done });
}

// Sections of the guide, those of the labels in dispute open; all of them where none is of a label in dispute.
function paintGuide(labels) {
  const plain = (text) => text.normalize("NFC").trim().toLowerCase();
  const wanted = new Set(labels.map(plain));
  const parts = (state.me.guide?.text ?? "").split(/^(?=##[ \t])/m).filter((part) => part.trim());
  const sections = parts.map((part) => {
    const [, title, text] = /^##[ \t]+(.*?)[ \t#]*(?:\r?\n|$)([^]*)$/.exec(part) ?? [null, "", part];
    return { title, text, isWanted: wanted.has(plain(title)) };
  });
  const isAnyWanted = sections.some((section) => section.isWanted);
  page.guideText.replaceChildren(...sections.map(({ title, text, isWanted }) => {
    const said = make("div", "said markdown");
    said.append(...partsOf(text, 1));
    if (!title) return said;
    const section = make("details");
    section.open = isWanted || !isAnyWanted;
    section.append(make("summary", "", title), said);
    return section;
  }));
  page.guideText.scrollTop = 0;
  page.guideText.querySelector("details[open]")?.scrollIntoView({ block: "nearest" });
}

function announce(text) {
  page.live.textContent = text;
}

function toText() {
  page.text.parentElement.scrollTop = 0;
  page.text.focus({ preventScroll: true });
  restart();
}

// ---- what a person does ------------------------------------------------------------------

function send(event, dispute) {
  const whole = { uid: newUid(), row: dispute.row, ...event };
  outbox.add(whole);
  return whole.uid;
}

function decide(decision) {
  if (!current()) return;
  state.decision = { labels: [], number: null, ...decision };
  paintStep();
  announce(page.question.textContent);
}

function back() {
  state.decision = null;
  paintStep();
  announce(page.question.textContent);
}

function sayWhy(why) {
  const dispute = current();
  const { labels, number } = state.decision;
  const event = { event: "adjudicate", labels, why, seconds: seconds() };
  if (number !== null) event.number = number;
  if (state.comment) event.comment = state.comment;
  if (state.me.guide) event.guide = state.me.guide.hash;
  const uid = send(event, dispute);
  const again = state.acts.some((act) => act.dispute.row === dispute.row);
  state.acts.push({ uid, dispute, labels, number, why, comment: state.comment });
  if (state.looking === null) state.queue.shift();
  state.looking = null;
  if (!again) count(1);
  paint();
  announce(say("given", { label: inWords({ labels, number }), cause: causeInWords(why) }));
  toText();
  refill();
}

function count(decided) {
  state.moves += 1;
  state.done += decided;
  state.open = Math.max(state.open - decided, 0);
}

function chooseLabel(name) {
  if (!current()) return;
  if (!isSeveral()) {
    decide({ labels: [name] });
    return;
  }
  if (!state.chosen.delete(name)) state.chosen.add(name);
  paintStep();
}

function next() {
  if (!current() || state.decision) return;
  if (isSeveral()) {
    decide({ labels: state.me.labels.map((label) => label.name).filter((name) => state.chosen.has(name)) });
  } else if (isNumber()) {
    const text = page.number.value.trim().replace(",", ".");
    const number = Number(text);
    if (!text || !Number.isFinite(number)) {
      page.number.setAttribute("aria-invalid", "true");
      announce(say("number_wanted"));
      return;
    }
    page.number.blur();
    decide({ number });
  }
}

async function undo() {
  if (state.decision) {
    back();
    return;
  }
  if (!state.acts.length && state.more) await loadHistory();
  const act = state.acts.pop();
  if (!act) {
    announce(say("nothing_to_undo"));
    return;
  }
  send({ event: "undo", undoes: act.uid }, act.dispute);
  const earlier = state.acts.findLastIndex((other) => other.dispute.row === act.dispute.row);
  state.looking = earlier < 0 ? null : earlier;
  if (earlier < 0) {
    state.queue = [act.dispute, ...state.queue.filter((other) => other.row !== act.dispute.row)];
    count(-1);
  }
  paint();
  announce(say("taken_back", { label: inWords(act) }));
  toText();
}

function later() {
  if (state.looking !== null) lookAt(null);
  else if (state.queue.length) {
    state.queue.push(state.queue.shift());
    paint();
    toText();
  }
}

function openComment() {
  if (!current()) return;
  page.noteText.value = state.comment;
  page.noteDialog.showModal();
  page.noteText.focus();
}

function saveComment() {
  state.comment = page.noteText.value.trim();
  page.noteDialog.close();
  paintNote();
  announce(say("comment_saved"));
}

async function look(step) {
  let to = (state.looking ?? state.acts.length) + step;
  if (to < 0 && state.more) {
    const before = state.acts.length;
    await loadHistory();
    to += state.acts.length - before;
  }
  if (to >= 0) lookAt(to < state.acts.length ? to : null);
}

function lookAt(index) {
  state.looking = index;
  paint();
  toText();
}

const step = (by) => {
  if (current()) page.number.value = String(Math.round((Number(page.number.value.replace(",", ".")) + by) * 1e6) / 1e6);
};

const commands = {
  undo, skip: later, comment: openComment, older: () => look(-1), newer: () => look(1), history: openHistory, guide: toggleGuide,
  help: () => page.help.showModal(), next, less: () => isNumber() && !state.decision && step(-1), more: () => isNumber() && !state.decision && step(1),
};

document.addEventListener("keydown", (event) => {
  if (!state.me || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") document.body.classList.remove("guide-open");
  const asksWhy = state.decision !== null;
  const codes = asksWhy ? CAUSES.map((_, number) => `Digit${number + 1}`) : state.me.labels.map((label) => (isNumber() ? null : label.code));
  const meaning = meaningOf(event, { codes, typesNumber: isNumber() && !asksWhy });
  if (!meaning) return;
  event.preventDefault();
  if (meaning.digit !== undefined) page.number.value += current() ? meaning.digit : "";
  else if (meaning.label !== undefined && asksWhy) sayWhy(CAUSES[meaning.label][0]);
  else if (meaning.label !== undefined) chooseLabel(state.me.labels[meaning.label].name);
  else if (event.code === "Backspace" && isNumber() && !asksWhy && page.number.value) page.number.value = page.number.value.slice(0, -1);
  else commands[meaning.command]?.();
});

// ---- decisions, guide, keys --------------------------------------------------------------

async function loadHistory() {
  const before = state.acts.find((act) => act.seq)?.seq;
  const response = await call(`/api/adjudications?n=${HISTORY}${before ? `&before=${before}` : ""}`).catch(() => null);
  if (!response?.ok) return;
  const { adjudications, more } = await response.json();
  const known = new Set(state.acts.map((act) => act.uid));
  const older = adjudications.filter((act) => !known.has(act.uid)).reverse();
  state.acts.unshift(...older);
  if (state.looking !== null) state.looking += older.length;
  state.more = more;
}

function openHistory() {
  paintHistory();
  page.history.showModal();
}

function paintHistory() {
  const seen = new Set();
  const shown = state.acts.map((act, index) => ({ act, index })).reverse().filter(({ act }) => {
    const isNew = !seen.has(act.dispute.row);
    seen.add(act.dispute.row);
    return isNew;
  });
  page.historyList.replaceChildren(...shown.map(({ act, index }) => {
    const button = make("button");
    button.type = "button";
    const said = make("span", "said", (act.dispute.text ?? say("gone")).slice(0, LONGEST_EXCERPT));
    said.dir = "auto";
    button.append(said, make("span", "got", inWords(act)), make("span", "remark", [causeInWords(act.why), act.comment].filter(Boolean).join(" · ")));
    button.addEventListener("click", () => {
      page.history.close();
      lookAt(index);
    });
    const item = make("li");
    item.append(button);
    return item;
  }));
  page.historyEmpty.hidden = shown.length > 0;
  page.historyMore.hidden = !state.more;
}

function toggleGuide() {
  if (!state.me.guide) return;
  document.body.classList.toggle("guide-open");
  if (document.body.classList.contains("guide-open")) page.guideText.focus();
}

function fillHelp() {
  const labels = state.me.labels.filter((label) => label.key);
  const signs = labels.map(({ key, code }) => [key.toUpperCase(), code]);
  const span = signs.length > 2 ? [signs[0], "–", signs.at(-1)] : signs;
  const lines = [
    isNumber() ? [[["0–9"]], "key_digits"] : [span, isSeveral() ? "key_toggle" : "key_label"],
    ...(isNumber() || isSeveral() ? [[[["Enter"]], "key_next"]] : []),
    [[["1", "Digit1"], ["2", "Digit2"], ["3", "Digit3"]], "key_cause"],
    [[["U", "KeyU"], ["Backspace"]], "key_undo"], [[["S", "KeyS"]], "key_later"], [[["C", "KeyC"]], "key_comment"],
    [[["J", "KeyJ"], ["K", "KeyK"]], "key_back"], [[["H", "KeyH"]], "key_history"],
    ...(state.me.guide ? [[[["G", "KeyG"]], "key_guide"]] : []), [[["?"]], "key_help"],
  ];
  page.helpList.replaceChildren(...lines.flatMap(([keys, phrase]) => {
    const term = make("dt");
    term.append(...keys.map((key) => (key === "–" ? document.createTextNode(key) : keySign(...key))));
    return [term, make("dd", "", say(phrase))];
  }));
}

function keySign(name, code) {
  const sign = make("kbd", "", name);
  if (code) sign.dataset.code = code;
  return sign;
}

function listen() {
  page.undo.addEventListener("click", undo);
  page.later.addEventListener("click", later);
  page.comment.addEventListener("click", openComment);
  page.next.addEventListener("click", next);
  page.numberForm.addEventListener("submit", (event) => {
    event.preventDefault();
    next();
  });
  page.openHistory.addEventListener("click", openHistory);
  page.openGuide.addEventListener("click", toggleGuide);
  page.openHelp.addEventListener("click", commands.help);
  byId("close-guide").addEventListener("click", () => document.body.classList.remove("guide-open"));
  for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
  for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", () => page.text.focus({ preventScroll: true }));
  page.historyMore.addEventListener("click", async () => {
    await loadHistory();
    paintHistory();
  });
  page.noteForm.addEventListener("submit", (event) => {
    event.preventDefault();
    saveComment();
  });
  page.noteText.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) saveComment();
  });
  page.keysOn.checked = areKeysOn();
  page.keysOn.addEventListener("change", () => switchKeys(page.keysOn.checked));
  window.addEventListener("online", () => outbox.send().then(refill));
}

// ---- the server --------------------------------------------------------------------------

function onOutbox({ state: outcome, count: kept, got, expected }) {
  if (outcome === "taken") return;
  if (outcome === "refused") alarm(say("refused", { got, expected }));
  else if (outcome === "not_saved") alarm(say("not_saved", { got }));
  else if (outcome === "closed") alarm(say("old_link"));
  else {
    if (outcome === "saved" && page.alarm.dataset.why === "not_saved") page.alarm.hidden = true;
    page.saved.dataset.state = outcome;
    page.saved.textContent = say(outcome, { count: kept });
    if (outcome === "saved" && state.me && !state.queue.length) refill();
  }
  if (outcome === "not_saved") page.alarm.dataset.why = outcome;
}

function alarm(text) {
  page.alarm.hidden = false;
  page.alarm.textContent = text;
  delete page.alarm.dataset.why;
}

// Brings more disputes where few are left. What was decided here must be there first, else it would come again.
let filling = null;
function refill() {
  if (state.queue.length >= FEW_DISPUTES) return null;
  filling ??= fill().finally(() => { filling = null; });
  return filling;
}

async function fill() {
  clearTimeout(fill.timer);
  if (!(await outbox.send())) return;
  const { moves } = state;
  const response = await call(`/api/disputes?n=${Math.min(state.queue.length + ASKED_DISPUTES, MOST_ASKED)}`).catch(() => null);
  if (response?.ok && !outbox.waiting.length) {
    const { disputes, counts } = await response.json();
    const known = new Set([...state.queue, ...state.acts.map((act) => act.dispute)].map((dispute) => dispute.row));
    const wasEmpty = !state.queue.length && state.looking === null;
    state.queue.push(...disputes.filter((dispute) => !known.has(dispute.row)));
    if (state.moves === moves) {
      state.open = counts.open;
      state.done = counts.adjudicated;
    }
    if (wasEmpty && state.queue.length) {
      paint();
      toText();
    } else paintCounts();
  }
  if (!state.queue.length) fill.timer = setTimeout(refill, LOOK_AGAIN);
}

// ---- start -------------------------------------------------------------------------------

function setUp(me) {
  state.me = me;
  byId("product").textContent = me.product;
  byId("person").textContent = me.person;
  paintViews(me.role, say);
  page.numberLabel.textContent = me.labels[0].name;
  page.labels.replaceChildren(...(isNumber() ? [] : me.labels).map(({ name, key, code }) => {
    const button = answerButton(name, key, code);
    button.dataset.name = name;
    button.querySelector(".name").after(make("span", "by"));
    button.addEventListener("click", () => chooseLabel(name));
    return button;
  }));
  page.causes.replaceChildren(...CAUSES.map(([cause, phrase], number) => {
    const button = answerButton(say(phrase), String(number + 1), `Digit${number + 1}`);
    button.addEventListener("click", () => sayWhy(cause));
    return button;
  }));
  page.openGuide.hidden = !me.guide;
  page.guide.hidden = !me.guide;
  fillHelp();
  nameKeys();
}

function answerButton(text, key, code) {
  const button = make("button");
  button.type = "button";
  button.append(make("span", "name", text));
  if (key) button.append(keySign(key.toUpperCase(), code));
  return button;
}

async function start() {
  translate(say);
  window.addEventListener("hashchange", () => location.reload());
  page.text.textContent = say("loading");
  if (!token) return close("no_link");
  const response = await call("/api/me").catch(() => null);
  if (response?.status === 401) return close("old_link");
  if (!response?.ok) return close("away");
  const me = await response.json();
  paintViews(me.role, say);
  if (me.role === "annotator") return close("not_yours");
  listen();
  setUp(me);
  await outbox.open(`modelyard-adjudication-${me.product}-${me.published}`);
  await outbox.send();
  await loadHistory();
  await refill();
  paint();
  toText();
  return undefined;
}

function close(fault) {
  document.body.dataset.state = "closed";
  page.text.textContent = say(fault, { count: 0 });
  for (const part of [page.labels, ...document.querySelectorAll(".acts, .tools button, .status")]) part.hidden = true;
}

start();
