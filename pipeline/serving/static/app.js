// The demo page: sends what you type to /predict and shows the figures of /model. No library, no build.

import { said, showAnswer, showNoAnswer, tone } from "./answers.js";
import { showComparison, showLimits, showPurpose, titleOf } from "./compare.js";
import { byId, make, makeChoice, milliseconds, postOf, words } from "./words.js";

const TYPING_MS = 250;
const SETTLED_MS = 1500;
const RETRY_MS = 2500;
const HISTORY = 6;

const page = {
  text: byId("text"), second: byId("second"), form: byId("form"), answer: byId("answer"),
  verdict: byId("verdict"), detail: byId("detail"), time: byId("time"), live: byId("live"),
};
const state = { model: null, turn: 0, typing: 0, settled: 0, retry: 0, history: [], abort: null };

// ---- the server --------------------------------------------------------------------------

class Unavailable extends Error {}
class Refused extends Error {
  constructor(status, reason) {
    super(reason.got);
    Object.assign(this, { status, reason });
  }
}

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unavailable("no connection");
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  if (response.status === 503 || body === null) throw new Unavailable("not ready");
  throw new Refused(response.status, body.error ?? { got: "no answer", next_step: "try again" });
}

function predict(texts, signal) {
  const [text, second] = texts;
  return call("predict", postOf(state.model.pairs ? { text, second } : { text }, signal));
}

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
    page.time.textContent = `Answered in ${milliseconds(answer.milliseconds)}`;
    page.live.textContent = `${page.verdict.textContent}. ${page.detail.textContent}`;
    // A text is remembered once it has not changed for a moment, not while it is being typed.
    if (keep) remember(texts, answer);
    else state.settled = setTimeout(() => remember(texts, answer), SETTLED_MS);
  } catch (error) {
    if (turn === state.turn && error.name !== "AbortError") showError(error);
  }
}

function askSoon() {
  clearTimeout(state.typing);
  clearTimeout(state.settled);
  state.typing = setTimeout(ask, TYPING_MS);
}

// ---- the answer --------------------------------------------------------------------------

function showEmpty() {
  page.answer.dataset.state = "empty";
  const half = state.model?.pairs && currentTexts().some((text) => text.trim());
  page.verdict.textContent = half ? "Waiting for the other text" : "Waiting for your text";
  page.detail.textContent = state.model?.pairs
    ? "Type both texts, or choose an example."
    : "Type a sentence, or choose an example.";
  page.time.textContent = "";
  page.live.textContent = "";
  showNoAnswer(state.model);
}

function showError(error) {
  page.answer.dataset.state = "error";
  page.answer.style.removeProperty("--tone");
  if (error instanceof Refused) {
    page.verdict.textContent = error.status === 413 ? "That text is too long" : "That did not work";
    page.detail.textContent = `The server got ${error.reason.got}. What to do: ${error.reason.next_step}.`;
  } else if (error instanceof Unavailable) {
    page.verdict.textContent = "The model is not available";
    page.detail.textContent = "The server does not answer at the moment. Your text is kept, and this page "
      + "tries again by itself. If this goes on, restart the server.";
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
    const got = make("span", "got", sure ? short : "Not sure");
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
  document.title = `${titleOf(state.model)} – try it`;
  byId("second-row").hidden = !pairs;
  byId("try-label").textContent = pairs ? "First text" : "Write or paste a sentence";
  byId("tab-classify").textContent = pairs ? "Judge a pair" : "Judge a sentence";
  byId("identity").textContent = `${words(variant)}, ${hash.slice(0, 12)}.`;
  showPurpose(state.model);
  showExamples(examples);
  showComparison(state.model);
  showLimits(state.model);
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
