// The page on which a person labels. What a press means is done at once, on this side; the outbox tells the server.
// Texts come from the data and are only ever set as textContent.

import { byId, make } from "./elements.js";
import { areKeysOn, isOfOwnKeys, keepOwnKeys, meaningOf, nameKeys, ownKeys, switchKeys, useKeys } from "./keys.js";
import { partsOf } from "./markdown.js";
import { Outbox } from "./outbox.js";
import { OwnKeys } from "./own_keys.js";
import { PHRASES } from "./page_phrases.js";
import { speaker, translate } from "./phrases.js";
import { call, newUid, paintViews, token } from "./server.js";
import { restart, seconds } from "./stopwatch.js";

const FIRST_ROWS = 20;
const KEPT_ROWS = 60;
const FEW_ROWS = 40;
const HISTORY = 100;
const KEPT_ACTS = 300;
const MOST_ACTS = 500;
const ASK_AGAIN = { empty: 30_000, away: 2_000 };
const PACE_OF = 20;
const LONGEST_EXCERPT = 240;

const say = speaker(PHRASES);
const page = Object.fromEntries([
  "alarm", "text", "note", "accept", "suggested", "place", "labels", "number", "number-form", "number-label", "undo", "skip", "flag", "comment", "next",
  "counts", "pace", "saved", "live", "guide", "guide-text", "history", "history-list", "history-more", "history-empty", "help",
  "help-list", "note-dialog", "note-form", "note-text", "open-guide", "open-history", "open-help", "keys-on",
  "open-example", "example", "example-text", "example-labels", "example-fault",
].map((id) => [id.replaceAll(/-(.)/g, (_, letter) => letter.toUpperCase()), byId(id)]));

const state = {
  me: null,
  queue: [],            // rows to answer, the one on the screen first
  acts: [],             // standing answers, the last one last: {uid, seq?, event, row, labels, number}
  more: false,          // whether the server has earlier ones
  looking: null,        // index in acts of the earlier answer on the screen; null for the queue's first row
  chosen: new Set(),    // labels chosen so far, of several
  answered: 0,
  waiting: 0,
  labelled: 0,          // rows that have a label, of anybody or of their source, when `answered` was as in labelledAt
  labelledAt: 0,
  usual: [],            // the labels with their usual keys
  pace: [],
  filter: "all",
  drained: false,       // whether the server said that it has no more rows
  away: false,          // whether it could not be reached when it was last asked
};

const outbox = new Outbox(call, onOutbox);
let tabs = null;

// ---- what is on the screen ---------------------------------------------------------------

const isSeveral = () => state.me.problem === "multi_label";
const isNumber = () => state.me.problem === "regression";
// The model's answer that is shown for the row on the screen; null for most rows.
const suggestion = () => (state.looking === null ? state.queue[0]?.suggestion ?? null : null);
const current = () => (state.looking === null ? state.queue[0] : state.acts[state.looking].row);
const inWords = ({ event, labels, number }) => {
  if (event === "skip") return say("skipped");
  return number ?? (labels.join(", ") || say("none"));
};

const waiting = () => (state.drained ? "empty" : "loading");
const inPlaceOfText = () => say(!state.drained && state.away ? "unreachable" : waiting());

function paint() {
  const row = current();
  document.body.dataset.state = row ? "row" : waiting();
  page.text.classList.toggle("pair", Boolean(row?.second));
  page.text.replaceChildren(...(row ? [row.text ?? say("gone"), row.second] : [inPlaceOfText()])
    .filter((text) => text !== null && text !== undefined)
    .map((text) => {
      const part = make("span", "part", text);
      part.dir = "auto";
      return part;
    }));
  const given = state.looking === null ? null : state.acts[state.looking];
  const offered = given ? null : row?.earlier;
  page.place.hidden = !given && !offered;
  if (given) page.place.textContent = say("looking", { label: inWords(given) });
  if (offered) page.place.textContent = say("offered", { label: inWords({ event: "vote", ...offered }) });
  state.chosen = new Set((given ?? offered)?.labels ?? []);
  page.number.value = (given ?? offered)?.number ?? "";
  page.number.removeAttribute("aria-invalid");
  paintLabels();
  paintNotes();
  paintCounts();
}

function paintLabels() {
  const row = current();
  for (const button of page.labels.children) {
    button.disabled = !row;
    if (isSeveral() || state.looking !== null || row?.earlier) button.setAttribute("aria-pressed", state.chosen.has(button.dataset.name));
    else button.removeAttribute("aria-pressed");
  }
  for (const button of [page.skip, page.flag, page.comment, page.next]) button.disabled = !row;
  page.undo.disabled = !state.acts.length && !state.more;
}

function paintNotes() {
  const row = current();
  page.flag.setAttribute("aria-pressed", Boolean(row?.flag));
  page.accept.hidden = !suggestion();
  if (suggestion()) page.suggested.textContent = say("suggested", { label: suggestion().label, percent: Math.round(100 * suggestion().p) });
  page.note.hidden = !row?.comment;
  page.note.textContent = row?.comment ?? "";
}

function paintCounts() {
  page.counts.textContent = countsInWords();
  const mean = state.pace.reduce((sum, each) => sum + each, 0) / state.pace.length;
  page.pace.textContent = state.pace.length ? say("pace", { seconds: mean.toFixed(1) }) : "";
}

// How many rows are labelled of about how many are needed; where that is not known, how many the person has done.
function countsInWords() {
  const { goal } = state.me;
  if (!goal) return say("of", { done: state.answered, queue: state.waiting });
  const done = state.labelled + state.answered - state.labelledAt;
  return say(goal.high === null ? "of_goal_open" : "of_goal", { done, needed: goal.needed, low: goal.low, high: goal.high });
}

function takeCounts({ answered, queue, labelled }) {
  state.waiting = queue;
  state.labelled = labelled ?? answered;
  state.labelledAt = answered;
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

function send(event, row) {
  const whole = { uid: newUid(), row: row.row, ...event };
  outbox.add(whole);
  tabs?.postMessage({ event: whole, row });
  return whole.uid;
}

function answer(event, { labels = [], number = null } = {}) {
  const row = current();
  if (!row) return;
  const taken = seconds();
  const given = { event, seconds: taken, why: row.why, ...(event === "vote" && { labels }) };
  if (number !== null) given.number = number;
  if (state.me.guide) given.guide = state.me.guide.hash;
  if (row.arm && state.looking === null) given.arm = row.arm;
  if (suggestion()) given.suggestion = suggestion();
  const again = Boolean(row.earlier) || state.acts.some((act) => act.row.row === row.row);
  const uid = send(given, row);
  state.acts.push({ uid, event, row, labels, number });
  if (state.looking === null) state.queue.shift();
  else outbox.keepRow(row);
  state.looking = null;
  state.answered += again ? 0 : 1;
  if (event === "vote") state.pace = [...state.pace, taken].slice(-PACE_OF);
  trimActs();
  paint();
  announce(say("given", { label: inWords({ event, labels, number }), next: current() ? say("next_text") : inPlaceOfText() }));
  toText();
  refill();
}

// Lets go of the oldest answers, which the server has; an undo of them asks for them again.
function trimActs() {
  if (state.acts.length <= MOST_ACTS || outbox.waiting.length > HISTORY || state.looking !== null) return;
  const kept = state.acts.slice(-KEPT_ACTS);
  if (!kept.some((act) => act.seq)) return;
  state.acts = kept;
  state.more = true;
}

function noteNumber({ uid, seq }) {
  const act = state.acts.findLast((other) => other.uid === uid);
  if (act) act.seq = seq;
}

function chooseLabel(name) {
  if (!current()) return;
  if (!isSeveral()) {
    answer("vote", { labels: [name] });
    return;
  }
  if (!state.chosen.delete(name)) state.chosen.add(name);
  paintLabels();
}

function accept() {
  if (suggestion()) answer("vote", { labels: [suggestion().label] });
}

function next() {
  if (!current()) return;
  if (isSeveral()) {
    answer("vote", { labels: state.me.labels.map((label) => label.name).filter((name) => state.chosen.has(name)) });
  } else if (isNumber()) {
    const text = page.number.value.trim().replace(",", ".");
    const number = Number(text);
    if (!text || !Number.isFinite(number)) {
      page.number.setAttribute("aria-invalid", "true");
      announce(say("number_wanted"));
      return;
    }
    answer("vote", { number });
  }
}

async function undo() {
  while (!state.acts.length && state.more && (await loadHistory()));
  const act = state.acts.pop();
  if (!act) {
    announce(say("nothing_to_undo"));
    return;
  }
  send({ event: "undo", undoes: act.uid }, act.row);
  takeBack(act);
  announce(say("taken_back", { label: inWords(act) }));
  toText();
}

// Shows the row of an answer that was taken back: with the answer before that, or as one without.
function takeBack(act) {
  const earlier = state.acts.findLastIndex((other) => other.row.row === act.row.row);
  state.looking = earlier < 0 ? null : earlier;
  if (earlier < 0) {
    state.queue.unshift(act.row);
    outbox.keepRow(act.row);
    state.answered -= 1;
  }
  paint();
}

function toggleFlag() {
  const row = current();
  if (!row) return;
  const on = !row.flag;
  if (on) row.flag = send({ event: "flag" }, row);
  else {
    send({ event: "undo", undoes: row.flag }, row);
    row.flag = null;
  }
  paintNotes();
  announce(say(on ? "flag_on" : "flag_off"));
}

function openComment() {
  if (!current()) return;
  page.noteText.value = current().comment ?? "";
  page.noteDialog.showModal();
  page.noteText.focus();
}

function saveComment() {
  const row = current();
  const written = page.noteText.value.trim();
  // Half an emoji, as may be left where a text was cut, is nothing that the server can read.
  const text = written.toWellFormed?.() ?? written;
  page.noteDialog.close();
  if (!row || text === (row.comment ?? "")) return;
  row.comment = text;
  send({ event: "comment", comment: text }, row);
  paintNotes();
  announce(say("comment_saved"));
}

async function look(step) {
  let to = (state.looking ?? state.acts.length) + step;
  if (to < 0 && state.more) {
    const before = state.acts.length;
    await loadHistory();
    to += state.acts.length - before;
  }
  if (to < 0) return;
  lookAt(to < state.acts.length ? to : null);
}

function lookAt(index) {
  state.looking = index;
  paint();
  toText();
}

const step = (by) => {
  if (!current()) return;
  page.number.value = String(Math.round((Number(page.number.value.replace(",", ".")) + by) * 1e6) / 1e6);
};

const commands = {
  undo() {
    if (isNumber() && page.number.value) page.number.value = page.number.value.slice(0, -1);
    else undo();
  },
  skip: () => answer("skip"), flag: toggleFlag, comment: openComment, older: () => look(-1), newer: () => look(1),
  accept, history: openHistory, guide: toggleGuide, help: () => page.help.showModal(), next,
  example: () => openExample(current()),
  less: () => isNumber() && step(-1), more: () => isNumber() && step(1),
};

document.addEventListener("keydown", (event) => {
  if (!state.me || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") document.body.classList.remove("guide-open");
  const codes = state.me.labels.map((label) => (isNumber() ? null : label.code));
  const meaning = meaningOf(event, { codes, typesNumber: isNumber() });
  if (!meaning || (meaning.command === "accept" && !suggestion())) return;
  event.preventDefault();
  if (meaning.digit !== undefined) page.number.value += current() ? meaning.digit : "";
  else if (meaning.label !== undefined) chooseLabel(state.me.labels[meaning.label].name);
  else if (meaning.command === "undo" && event.code !== "Backspace") undo();
  else commands[meaning.command]();
});

// ---- history, guide, keys ----------------------------------------------------------------

// Brings earlier answers; resolves to whether there were any. What was taken back here must be there first, else it would come again.
let loading = null;
function loadHistory() {
  loading ??= load().finally(() => { loading = null; });
  return loading;
}

async function load() {
  if (!(await outbox.send())) return false;
  const before = state.acts.find((act) => act.seq)?.seq;
  const response = await call(`/api/history?n=${HISTORY}${before ? `&before=${before}` : ""}`).catch(() => null);
  if (!response?.ok) return false;
  const { answers, more } = await response.json();
  const known = new Set(state.acts.map((act) => act.uid));
  const older = answers.filter((act) => !known.has(act.uid)).reverse().map(actOf);
  state.acts.unshift(...older);
  if (state.looking !== null) state.looking += older.length;
  state.more = more;
  return older.length > 0;
}

const actOf = ({ uid, seq, event, labels, number, why, row, text, second, flag, comment }) => ({
  uid, seq, event, labels: labels ?? [], number: number ?? null, row: { row, text, second, why, flag, comment },
});

function openHistory() {
  paintHistory();
  page.history.showModal();
}

function paintHistory() {
  const seen = new Set();
  const shown = state.acts.map((act, index) => ({ act, index })).reverse().filter(({ act }) => {
    const { row, flag, comment } = act.row;
    if (seen.has(row)) return false;
    seen.add(row);
    return state.filter === "all" || Boolean({ flag, comment }[state.filter]);
  });
  page.historyList.replaceChildren(...shown.map(({ act, index }) => {
    const button = make("button");
    button.type = "button";
    const said = make("span", "said", (act.row.text ?? say("gone")).slice(0, LONGEST_EXCERPT));
    said.dir = "auto";
    button.append(said, make("span", "got", inWords(act)));
    const remarks = [act.row.flag && say("flagged"), act.row.comment].filter(Boolean).join(" · ");
    if (remarks) button.append(make("span", "remark", remarks));
    button.addEventListener("click", () => {
      page.history.close();
      lookAt(index);
    });
    button.addEventListener("keydown", (event) => {
      if (meaningOf(event, { codes: [], typesNumber: false })?.command === "example") openExample(act.row);
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
  if (document.body.classList.contains("guide-open")) page.guideText.focus({ preventScroll: true });
}

function showGuide(guide) {
  state.me.guide = guide;
  page.openGuide.hidden = !guide;
  page.guide.hidden = !guide;
  page.guideText.replaceChildren(...partsOf(guide?.text ?? "", 3));
}

// Brings the guide where the server has a newer one than this page.
async function freshGuide(hash) {
  if (hash === undefined || hash === (state.me.guide?.hash ?? null)) return;
  const { me } = await whoAmI();
  if (!me || (me.guide?.hash ?? null) === (state.me.guide?.hash ?? null)) return;
  showGuide(me.guide);
  announce(say("new_guide"));
}

// Asks of which label the text is an example, or is none.
async function openExample(row) {
  if (!row?.text || !state.me.may_edit_guide) return;
  const response = await call("/api/guide").catch(() => null);
  if (!response?.ok) {
    alarm(say("away", { count: outbox.waiting.length }));
    return;
  }
  const { labels, most_examples: most } = await response.json();
  page.exampleText.textContent = [row.text, row.second].filter(Boolean).join(" ↔ ").slice(0, LONGEST_EXCERPT);
  page.exampleFault.hidden = true;
  page.exampleLabels.replaceChildren(...labels.map(({ name, are, are_not: areNot }) => {
    const item = make("li");
    item.append(make("span", "name", name), ...[[true, are, "is_example"], [false, areNot, "is_none"]].map(([belongs, count, phrase]) => {
      const button = make("button", "", say(phrase, { count, most }));
      button.type = "button";
      button.disabled = count >= most;
      button.setAttribute("aria-label", `${name}: ${button.textContent}`);
      button.addEventListener("click", () => addExample(row, name, belongs));
      return button;
    }));
    return item;
  }));
  page.example.showModal();
  page.exampleLabels.querySelector("button:enabled")?.focus();
}

async function addExample(row, label, belongs) {
  const options = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ row: row.row, label, belongs }) };
  const response = await call("/api/guide/examples", options).catch(() => null);
  const answer = await response?.json().catch(() => null);
  if (!response?.ok) {
    page.exampleFault.hidden = false;
    page.exampleFault.textContent = answer?.error ? say("refused", answer.error) : say("away", { count: outbox.waiting.length });
    return;
  }
  page.example.close();
  await freshGuide(answer.version.hash);
  announce(say("example_added", { label }));
}

function fillHelp() {
  const places = state.me.labels.map((label) => label.code).filter(Boolean).map((place) => ({ place }));
  const inOrder = !state.me.labels.some(({ code }, at) => code !== state.usual[at].code);
  const span = (places.length > 2 && inOrder ? [places[0], "–", places.at(-1)] : places).map((each) => [each]);
  const several = [[span, isSeveral() ? "key_toggle" : "key_label"]];
  const answers = isNumber() ? [[["0–9"], "key_digits"]] : several;
  const lines = [
    ...answers,
    ...(isNumber() || isSeveral() ? [[["Enter"], "key_next"]] : []),
    [[["U", "KeyU"], "Backspace"], "key_undo"], [[["S", "KeyS"]], "key_skip"], [[["F", "KeyF"]], "key_flag"], [[["C", "KeyC"]], "key_comment"],
    [["↓", "↑"], "key_scroll"], [[["J", "KeyJ"], ["K", "KeyK"]], "key_back"], [[["H", "KeyH"]], "key_history"],
    ...(state.me.suggestions ? [[["Space"], "key_accept"]] : []),
    ...(state.me.guide ? [[[["G", "KeyG"]], "key_guide"]] : []),
    ...(state.me.may_edit_guide ? [[[["E", "KeyE"]], "key_example"]] : []), [["?"], "key_help"],
  ];
  page.helpList.replaceChildren(...lines.flatMap(([keys, phrase]) => {
    const term = make("dt");
    term.append(...keys.map((key) => {
      const [name, code] = Array.isArray(key) ? key : [key];
      if (name === "–") return document.createTextNode("–");
      const sign = make("kbd", "", name.place ?? name);
      if (name.place) sign.dataset.place = name.place;
      else if (code) sign.dataset.code = code;
      return sign;
    }));
    return [term, make("dd", "", say(phrase))];
  }));
}

function listen() {
  page.undo.addEventListener("click", undo);
  page.skip.addEventListener("click", () => answer("skip"));
  page.flag.addEventListener("click", toggleFlag);
  page.comment.addEventListener("click", openComment);
  page.accept.addEventListener("click", accept);
  page.next.addEventListener("click", next);
  page.numberForm.addEventListener("submit", (event) => {
    event.preventDefault();
    next();
  });
  page.openHistory.addEventListener("click", openHistory);
  page.openGuide.addEventListener("click", toggleGuide);
  page.openHelp.addEventListener("click", commands.help);
  page.openExample.addEventListener("click", commands.example);
  byId("close-guide").addEventListener("click", () => document.body.classList.remove("guide-open"));
  for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
  for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", () => page.text.focus({ preventScroll: true }));
  for (const button of document.querySelectorAll("[data-filter]")) {
    button.addEventListener("click", () => {
      state.filter = button.dataset.filter;
      for (const other of document.querySelectorAll("[data-filter]")) other.setAttribute("aria-pressed", other === button);
      paintHistory();
    });
  }
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
  byId("change-keys").addEventListener("click", () => {
    page.help.close();
    OWN_KEYS.open(state.usual, ownKeys(state.me.product), { typesNumber: isNumber() });
  });
  window.addEventListener("storage", ({ key }) => isOfOwnKeys(key) && setKeys());
  page.keysOn.checked = areKeysOn();
  page.keysOn.addEventListener("change", () => switchKeys(page.keysOn.checked));
  window.addEventListener("online", () => outbox.send().then(refill));
}

// ---- the server, and other tabs of the same person --------------------------------------

function onOutbox({ state: outcome, count, counts, guide, got, expected, events }) {
  if (outcome === "taken") events.forEach(noteNumber);
  else if (outcome === "refused") alarm(say("refused", { got, expected }));
  else if (outcome === "not_saved") alarm(say("not_saved", { got }));
  else if (outcome === "closed") alarm(say("old_link"));
  else {
    if (outcome === "saved" && page.alarm.dataset.why === "not_saved") page.alarm.hidden = true;
    page.saved.dataset.state = outcome;
    page.saved.textContent = say(outcome, { count });
    if (outcome !== "saving") hearWhetherAway(outcome === "away");
    if (outcome === "saved" && counts) {
      state.answered = counts.answered;
      takeCounts(counts);
      paintCounts();
      freshGuide(guide);
      if (!state.queue.length) refill();
    }
  }
  if (outcome === "not_saved") page.alarm.dataset.why = outcome;
}

function hearWhetherAway(away) {
  if (state.away === away) return;
  state.away = away;
  if (state.me && !current()) paint();
}

function alarm(text) {
  page.alarm.hidden = false;
  page.alarm.textContent = text;
  delete page.alarm.dataset.why;
}

// Brings more rows where few are left. What was answered here must be there first, else it would come again.
let filling = null;
let asking = null;
function refill(most = KEPT_ROWS) {
  if (state.queue.length >= FEW_ROWS) return null;
  clearTimeout(asking);
  filling ??= fill(most).finally(() => {
    filling = null;
    if (!state.queue.length && !outbox.closed) asking = setTimeout(refill, ASK_AGAIN[state.drained ? "empty" : "away"]);
  });
  return filling;
}

async function fill(most) {
  if (!(await outbox.send())) return;
  const response = await call(`/api/next?n=${most}`).catch(() => null);
  if (!response?.ok) {
    hearWhetherAway(true);
    return;
  }
  const { rows, counts, guide } = await response.json();
  state.away = false;
  freshGuide(guide);
  const waiting = new Set(state.queue.map((row) => row.row));
  const last = new Map(state.acts.map((act) => [act.row.row, act.uid]));
  // A row whose vote was offered again comes although it has an answer, unless a newer one is on its way.
  const fresh = rows.filter(({ row, earlier }) => !waiting.has(row) && (!last.has(row) || last.get(row) === earlier?.uid));
  const wasEmpty = !state.queue.length && state.looking === null;
  state.drained = !rows.length;
  state.queue.push(...fresh);
  takeCounts(counts);
  for (const row of fresh) outbox.keepRow(row);
  if (wasEmpty) {
    paint();
    toText();
  } else paintCounts();
}

function fromOtherTab({ data: { event, row } }) {
  const shown = current()?.row;
  if (event.event === "vote" || event.event === "skip") {
    if (!state.acts.some((act) => act.row.row === row.row)) state.answered += 1;
    state.acts.push({ uid: event.uid, event: event.event, row, labels: event.labels ?? [], number: event.number ?? null });
    state.queue = state.queue.filter((other) => other.row !== row.row);
  } else if (event.event === "undo") {
    const at = state.acts.findIndex((act) => act.uid === event.undoes);
    if (at >= 0) {
      const [act] = state.acts.splice(at, 1);
      if (state.looking !== null && state.looking >= at) state.looking = null;
      if (!state.acts.some((other) => other.row.row === row.row)) {
        state.queue = [...state.queue.slice(0, 1), act.row, ...state.queue.slice(1)];
        state.answered -= 1;
      }
    } else noteRow(row.row, { flag: null });
  } else if (event.event === "flag") noteRow(row.row, { flag: event.uid });
  else if (event.event === "comment") noteRow(row.row, { comment: event.comment });
  if (current()?.row === shown) {
    paintNotes();
    paintCounts();
    return;
  }
  paint();
  toText();
  refill();
}

function noteRow(row, notes) {
  for (const held of [...state.queue, ...state.acts.map((act) => act.row)]) if (held.row === row) Object.assign(held, notes);
}

// ---- start -------------------------------------------------------------------------------

// What is known of the person: from the server, or, while the network is away, from the last time.
async function whoAmI() {
  const kept = `modelyard-annotation-${token.slice(0, 12)}`;
  const response = await call("/api/me").catch(() => null);
  if (response?.status === 401) return { fault: "old_link" };
  if (response?.ok) {
    const me = await response.json();
    localStorage.setItem(kept, JSON.stringify(me));
    return { me, online: true };
  }
  const known = localStorage.getItem(kept);
  return known ? { me: JSON.parse(known), online: false } : { fault: "away" };
}

function setUp(me) {
  state.me = me;
  state.usual = me.labels;
  state.answered = me.counts.answered;
  takeCounts(me.counts);
  byId("product").textContent = me.product;
  byId("person").textContent = me.person;
  paintViews(me.role, say);
  page.labels.hidden = isNumber();
  page.numberForm.hidden = !isNumber();
  page.numberLabel.textContent = me.labels[0].name;
  page.next.hidden = !isNumber() && !isSeveral();
  showGuide(me.guide);
  page.openExample.hidden = !me.may_edit_guide;
  setKeys();
}

// Lets labels and commands have the keys that the person chose.
function setKeys() {
  state.me.labels = useKeys(isNumber() ? [] : state.usual, ownKeys(state.me.product));
  if (isNumber()) state.me.labels = state.usual;
  page.labels.replaceChildren(...(isNumber() ? [] : state.me.labels).map(({ name, key, code }) => {
    const button = make("button");
    button.type = "button";
    button.dataset.name = name;
    button.append(make("span", "name", name));
    if (key) {
      const sign = make("kbd", "", key.toUpperCase());
      sign.dataset.place = code;
      button.append(sign);
    }
    button.addEventListener("click", () => chooseLabel(name));
    return button;
  }));
  fillHelp();
  nameKeys();
  paintLabels();
}

const OWN_KEYS = new OwnKeys({ dialog: byId("own-keys"), list: byId("own-keys-list"), said: byId("own-keys-said"), reset: byId("reset-keys") }, {
  say,
  nameOf: ({ label, command }) => label ?? (PHRASES.en[`key_${command}`] && say(`key_${command}`)),
  changed(own) {
    keepOwnKeys(state.me.product, own);
    setKeys();
  },
});

// Takes what this browser still holds: answers that the server has not seen, and rows that wait.
function takeKept({ events, rows }) {
  const texts = new Map(rows.map((row) => [row.row, row]));
  const undone = new Set(events.map((event) => event.undoes).filter(Boolean));
  for (const { uid, event, row, labels, number } of events) {
    if (!["vote", "skip"].includes(event) || undone.has(uid)) continue;
    state.acts.push({ uid, event, row: texts.get(row) ?? { row, text: null }, labels: labels ?? [], number: number ?? null });
  }
  const answered = new Set(state.acts.map((act) => act.row.row));
  state.queue = rows.filter((row) => !answered.has(row.row));
}

async function start() {
  translate(say);
  window.addEventListener("hashchange", () => location.reload());
  page.text.textContent = say("loading");
  if (!token) return close("no_link");
  const { me, online, fault } = await whoAmI();
  if (fault) return close(fault);
  if (online && me.start && !me.start.passed) {
    location.replace(`/start#${token}`);
    return undefined;
  }
  listen();
  setUp(me);
  const kept = await outbox.open(`modelyard-annotation-${me.product}-${me.published}`);
  if ("BroadcastChannel" in window) {
    tabs = new BroadcastChannel(`modelyard-annotation-${me.product}-${me.published}`);
    tabs.onmessage = fromOtherTab;
  }
  if (online && (await outbox.send())) {
    await loadHistory();
    await fill(FIRST_ROWS);
    outbox.replaceRows(state.queue);
  } else takeKept(kept);
  paint();
  toText();
  if (await outbox.send()) refill();
  navigator.serviceWorker?.register("/offline.js").catch(() => {});
  return undefined;
}

function close(fault) {
  document.body.dataset.state = "closed";
  page.text.textContent = say(fault === "away" ? "unreachable" : fault);
}

start();
