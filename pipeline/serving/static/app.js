// The demo page: sends what you type to /predict and shows the figures of /model. No library, no build.

import { call, predict, Refused, Unavailable } from "./asking.js";
import { said, showAnswer, showNoAnswer, tone } from "./answers.js";
import { askCandidate, clearCandidate, showCandidate } from "./candidate.js";
import { clearMore, offerMore } from "./carried.js";
import { showComparison, showLimits, showPurpose, titleOf } from "./compare.js";
import { say } from "./phrases.js";
import { byId, make, makeChoice, milliseconds, words } from "./words.js";

const TYPING_MS = 250;
const SETTLED_MS = 1500;
const RETRY_MS = 2500;
const HISTORY = 6;

const page = {
  text: byId("text"), second: byId("second"), form: byId("form"), answer: byId("answer"),
  verdict: byId("verdict"), detail: byId("detail"), time: byId("time"), live: byId("live"),
};
const state = { model: null, turn: 0, typing: 0, settled: 0, retry: 0, history: [], abort: null };

// ---- asking ------------------------------------------------------------------------------

// The text as it is written, or both texts of a pair.
const currentTexts = () => (state.model?.pairs ? [page.text.value, page.second.value] : [page.text.value]);

async function ask({ keep = false } = {}) {
  clearTimeout(state.typing);
  clearTimeout(state.settled);
  clearTimeout(state.retry);
  state.abort?.abort();
  const turn = ++state.turn;
  if (!page.text.value.trim()) return showEmpty();
  state.abort = new AbortController();
  const { signal } = state.abort;
  try {
    if (!state.model) await loadModel();
    const texts = currentTexts();
    if (texts.some((text) => !text.trim())) return showEmpty();
    const answer = await predict(texts, signal);
    if (turn !== state.turn) return;
    if (answer.model.hash !== state.model.hash) await loadModel();
    showAnswer(answer.predictions[0], state.model);
    offerMore({ texts, prediction: answer.predictions[0], model: state.model });
    page.time.textContent = say("answered_in", { time: milliseconds(answer.milliseconds) });
    page.live.textContent = `${page.verdict.textContent}. ${page.detail.textContent}`;
    // A text is remembered once it has not changed for a moment, not while it is being typed.
    if (keep) remember(texts, answer);
    else state.settled = setTimeout(() => remember(texts, answer), SETTLED_MS);
    await askCandidate(texts, answer.predictions[0], { model: state.model, signal });
  } catch (error) {
    if (turn === state.turn && error.name !== "AbortError") showError(error);
  }
}

function askSoon() {
  clearTimeout(state.typing);
  clearTimeout(state.settled);
  clearMore(); // what it offers is about the text as it was
  state.typing = setTimeout(ask, TYPING_MS);
}

// ---- the answer --------------------------------------------------------------------------

function showEmpty() {
  page.answer.dataset.state = "empty";
  const half = state.model?.pairs && currentTexts().some((text) => text.trim());
  page.verdict.textContent = say(half ? "waiting_other" : "waiting");
  page.detail.textContent = say(state.model?.pairs ? "type_both" : "type_one");
  page.time.textContent = "";
  page.live.textContent = "";
  showNoAnswer(state.model);
  clearMore();
  clearCandidate(state.model);
}

function showError(error) {
  page.answer.dataset.state = "error";
  page.answer.style.removeProperty("--tone");
  clearMore();
  clearCandidate(state.model);
  if (error instanceof Refused) {
    page.verdict.textContent = say(error.status === 413 ? "too_long" : "did_not_work");
    page.detail.textContent = say("server_got", { got: error.reason.got, next: error.reason.next_step });
  } else if (error instanceof Unavailable) {
    page.verdict.textContent = say("not_available");
    page.detail.textContent = say("no_server");
    state.retry = setTimeout(ask, RETRY_MS);
  } else {
    throw error;
  }
  page.live.textContent = `${page.verdict.textContent}. ${page.detail.textContent}`;
}

// ---- tries of this session ---------------------------------------------------------------

function remember(given, answer) {
  const texts = given.map((text) => text.trim());
  const key = texts.join("\n");
  state.history = state.history.filter((entry) => entry.key !== key);
  state.history.unshift({ key, texts, ...said(answer.predictions[0], state.model) });
  state.history.length = Math.min(state.history.length, HISTORY);
  showHistory();
}

function showHistory() {
  byId("history-block").hidden = state.history.length === 0;
  byId("history").replaceChildren(...state.history.map(({ texts, label, short, sure }) => {
    const got = make("span", "got", sure ? short : say("not_sure"));
    tone(got, state.model, sure ? label : null);
    return makeChoice(() => use(texts), make("span", "said", texts.join(" / ")), got);
  }));
}

function use([text, second]) {
  page.text.value = text;
  if (second !== undefined) page.second.value = second;
  ask({ keep: true });
}

// ---- the model and its figures -----------------------------------------------------------

async function loadModel() {
  state.model = await call("model");
  const { pairs, examples, variant, hash } = state.model;
  byId("product").textContent = titleOf(state.model);
  document.title = say("try_it", { name: titleOf(state.model) });
  byId("second-row").hidden = !pairs;
  byId("try-label").textContent = say(pairs ? "first_text" : "write");
  byId("tab-classify").textContent = say(pairs ? "judge_pair" : "judge_one");
  byId("identity").textContent = `${words(variant)}, ${hash.slice(0, 12)}.`;
  showPurpose(state.model);
  showExamples(examples);
  showComparison(state.model);
  showLimits(state.model);
  showCandidate(state.model);
  byId("browser-link").hidden = !state.model.browser;
  byId("stored").textContent = say(state.model.feedback ? "stored" : "not_stored");
}

function showExamples(examples) {
  byId("examples-block").hidden = examples.length === 0;
  byId("examples").replaceChildren(...examples.map((example) => {
    const texts = Array.isArray(example) ? example : [example];
    return makeChoice(() => use(texts), ...texts.map((text) => make("span", "text", text)));
  }));
}

// ---- start -------------------------------------------------------------------------------

async function start() {
  try {
    await loadModel();
    if (page.text.value.trim()) ask();
    else showEmpty();
  } catch (error) {
    showError(error);
    if (error instanceof Unavailable) {
      clearTimeout(state.retry);
      state.retry = setTimeout(start, RETRY_MS);
    }
  }
}

for (const box of [page.text, page.second]) {
  box.addEventListener("input", askSoon);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      ask({ keep: true });
    }
  });
}
page.form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask({ keep: true });
});
byId("clear").addEventListener("click", () => {
  state.history = [];
  showHistory();
  page.text.focus();
});
start();
