// The demo page: asks /predict as you type and shows figures of /model. No library, no build.

const TYPING_MS = 250;
const SETTLED_MS = 1500;
const RETRY_MS = 2500;
const SURE = 0.6;
const HISTORY = 6;
const COLOURS = 6;

const byId = (id) => document.getElementById(id);
const page = {
  text: byId("text"), form: byId("form"), answer: byId("answer"), verdict: byId("verdict"),
  detail: byId("detail"), bars: byId("bars"), time: byId("time"), live: byId("live"),
  token: byId("token"),
};
const state = { model: null, asked: 0, typing: 0, settled: 0, retry: 0, history: [], abort: null };

// ---- words and numbers -------------------------------------------------------------------

const words = (name) => {
  const spaced = name.replaceAll(/[-_]+/g, " ").trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};
const number = (value, digits) => new Intl.NumberFormat("en", {
  maximumFractionDigits: digits, minimumFractionDigits: digits,
}).format(value);
const digitsFor = (value) => (value >= 10 ? 0 : value >= 1 ? 1 : 2);
// Never "100%" for what is not certain: a model has no certainty.
const percent = (share) => {
  const rounded = Math.round(share * 100);
  if (rounded === 100 && share < 1) return "over 99%";
  if (rounded === 0 && share > 0) return "under 1%";
  return `${rounded}%`;
};
const milliseconds = (value) => `${number(value, digitsFor(value))} ms`;
const megabytes = (bytes) => {
  const size = bytes / 1e6;
  return size < 0.1 ? `${number(bytes / 1e3, 1)} kB` : `${number(size, digitsFor(size))} MB`;
};
const points = (share) => (share < 0 ? "−" : "+") + number(Math.abs(share) * 100, 1);
const times = (value) => `${number(value, digitsFor(value))}×`;
const lowerFirst = (text) => (/^.[A-Z]/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1));
const madeFor = (audience) => (audience ? ` Made for ${lowerFirst(audience)}` : "");
const named = (labels) => list(labels.map((label) => words(label).toLowerCase()));
const list = (names) => new Intl.ListFormat("en", { type: "disjunction" }).format(names);

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const tone = (element, label) => {
  const place = state.model ? state.model.labels.indexOf(label) : -1;
  element.style.setProperty("--tone", place < 0 ? "var(--soft)" : `var(--label-${place % COLOURS})`);
};

// ---- the server --------------------------------------------------------------------------

class Away extends Error {}
class Refused extends Error {
  constructor(status, told) {
    super(told.got);
    Object.assign(this, { status, told });
  }
}

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Away("no connection");
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  if (response.status === 503 || body === null) throw new Away("not ready");
  throw new Refused(response.status, body.error ?? { got: "no answer", next_step: "try again" });
}

function predict(text, signal) {
  const headers = { "content-type": "application/json" };
  if (page.token.value) headers.authorization = `Bearer ${page.token.value}`;
  return call("/predict", { method: "POST", headers, body: JSON.stringify({ text }), signal });
}

// ---- asking ------------------------------------------------------------------------------

async function ask({ keep = false } = {}) {
  clearTimeout(state.typing);
  clearTimeout(state.settled);
  clearTimeout(state.retry);
  state.abort?.abort();
  const text = page.text.value;
  const turn = ++state.asked;
  if (!text.trim()) return showEmpty();
  state.abort = new AbortController();
  try {
    if (!state.model) await loadModel();
    const answer = await predict(text, state.abort.signal);
    if (turn !== state.asked) return;
    if (answer.model.hash !== state.model.hash) await loadModel();
    showAnswer(answer);
    // A sentence that stood for a moment is a try; one still being typed is not.
    if (keep) remember(text, answer);
    else state.settled = setTimeout(() => remember(text, answer), SETTLED_MS);
  } catch (error) {
    if (turn === state.asked && error.name !== "AbortError") showError(error);
  }
}

function later() {
  clearTimeout(state.typing);
  clearTimeout(state.settled);
  state.typing = setTimeout(ask, TYPING_MS);
}

// ---- the answer --------------------------------------------------------------------------

function showEmpty() {
  page.answer.dataset.state = "empty";
  page.verdict.textContent = "Waiting for your words";
  page.detail.textContent = "Type a sentence, or choose an example.";
  page.time.textContent = "";
  page.live.textContent = "";
  showBars(Object.fromEntries((state.model?.labels ?? []).map((label) => [label, null])));
}

function showAnswer(answer) {
  const { label, probability, probabilities, truncated } = answer.predictions[0];
  const sure = probability >= SURE;
  page.answer.dataset.state = sure ? "sure" : "unsure";
  page.verdict.textContent = sure ? words(label) : "Not sure";
  page.detail.textContent = sure
    ? `The model is ${percent(probability)} sure.`
    : `It leans towards ${words(label).toLowerCase()}, with only ${percent(probability)}.`;
  if (truncated) page.detail.textContent += " It read only the beginning: the text is too long.";
  tone(page.answer, sure ? label : null);
  showBars(probabilities, label);
  page.time.textContent = `Answered in ${milliseconds(answer.milliseconds)}`;
  page.live.textContent = `${page.verdict.textContent}. ${page.detail.textContent}`;
}

function showBars(probabilities, best) {
  const labels = Object.keys(probabilities);
  // The same elements are kept, so that a bar moves instead of jumping.
  if ([...page.bars.children].map((row) => row.dataset.label).join("\n") !== labels.join("\n")) {
    page.bars.replaceChildren(...labels.map(makeBar));
  }
  labels.forEach((label, place) => {
    const row = page.bars.children[place];
    const share = probabilities[label];
    row.querySelector(".name").classList.toggle("first", label === best);
    row.querySelector(".percent").textContent = share === null ? "" : percent(share);
    row.querySelector(".fill").style.width = `${(share ?? 0) * 100}%`;
  });
}

function makeBar(label) {
  const row = make("li");
  row.dataset.label = label;
  const track = make("div", "track");
  track.setAttribute("aria-hidden", "true");
  track.append(make("div", "fill"));
  row.append(make("span", "name", words(label)), make("span", "percent"), track);
  tone(row, label);
  return row;
}

function showError(error) {
  page.answer.dataset.state = "error";
  page.answer.style.removeProperty("--tone");
  if (error instanceof Refused) {
    byId("token-row").hidden = error.status !== 401;
    page.verdict.textContent = error.status === 413 ? "That text is too long" : "That did not work";
    page.detail.textContent = `The server got ${error.told.got}. What to do: ${error.told.next_step}.`;
  } else if (error instanceof Away) {
    page.verdict.textContent = "The model is away";
    page.detail.textContent = "The server does not answer just now. Your text is kept, and this page "
      + "asks again by itself. If it stays so, start the server again.";
    state.retry = setTimeout(ask, RETRY_MS);
  } else {
    throw error;
  }
  page.live.textContent = `${page.verdict.textContent}. ${page.detail.textContent}`;
}

// ---- tries of this session ---------------------------------------------------------------

function remember(text, answer) {
  const { label, probability } = answer.predictions[0];
  const said = text.trim();
  state.history = state.history.filter((entry) => entry.said !== said);
  state.history.unshift({ said, label, probability });
  state.history.length = Math.min(state.history.length, HISTORY);
  showHistory();
}

function showHistory() {
  byId("history-block").hidden = state.history.length === 0;
  byId("history").replaceChildren(...state.history.map(({ said, label, probability }) => {
    const sure = probability >= SURE;
    const button = make("button");
    button.type = "button";
    const got = make("span", "got", sure ? `${words(label)}, ${percent(probability)}` : "Not sure");
    tone(got, sure ? label : null);
    button.append(make("span", "said", said), got);
    button.addEventListener("click", () => use(said));
    const item = make("li");
    item.append(button);
    return item;
  }));
}

function use(text) {
  page.text.value = text;
  ask({ keep: true });
}

// ---- what serves, and how good it is -----------------------------------------------------

async function loadModel() {
  state.model = await call("/model");
  const { product, audience, examples, variant, hash } = state.model;
  byId("product").textContent = words(product);
  document.title = `${words(product)} – try it`;
  byId("audience").textContent = `Reads a text and says ${named(state.model.labels)}.${madeFor(audience)}`;
  byId("identity").textContent = `${words(variant)}, ${hash.slice(0, 12)}.`;
  showExamples(examples);
  showComparison(state.model);
  showLimits(state.model);
}

function showExamples(examples) {
  byId("examples-block").hidden = examples.length === 0;
  byId("examples").replaceChildren(...examples.map((example) => {
    const button = make("button", "", example);
    button.type = "button";
    button.addEventListener("click", () => use(example));
    const item = make("li");
    item.append(button);
    return item;
  }));
}

// The split on which both were scored: figures of different rows must not stand side by side.
function quality(model) {
  const splits = ["test", "validation"];
  const of = (side, split) => side?.quality?.[split]?.accuracy ?? null;
  const split = splits.find((name) => of(model, name) !== null && of(model.teacher, name) !== null);
  return split
    ? { split, teacher: of(model.teacher, split), released: of(model, split) }
    : { split: null, teacher: null, released: null };
}

function showComparison(model) {
  const { teacher } = model;
  byId("compare").hidden = !teacher;
  if (!teacher) return;
  const right = quality(model);
  const typical = (side) => side.latency_ms?.p50 ?? null;
  const shown = (value, format) => (value === null || value === undefined ? "not measured" : format(value));
  const rows = [
    ["Right answers", right.teacher, right.released, (share) => `${number(share * 100, 1)}%`],
    ["Size", teacher.size_bytes, model.size_bytes, megabytes],
    ["Time per text", typical(teacher), typical(model), milliseconds],
  ];
  byId("figures").replaceChildren(...rows.map(([name, old, released, format]) => {
    const row = make("tr");
    const head = make("th", "", name);
    head.scope = "row";
    row.append(head, make("td", "", shown(old, format)), make("td", "", shown(released, format)));
    return row;
  }));
  showRatios(teacher.size_bytes / model.size_bytes, typical(teacher) / typical(model), right);
  const texts = { test: "texts that neither had seen", validation: "validation texts" };
  byId("compare-note").textContent = (right.split ? `Right answers on ${texts[right.split]}. ` : "")
    + "Time is the middle of many requests on the machine that built it.";
}

function showRatios(smaller, faster, right) {
  const ratios = [[smaller, "smaller", "larger"], [faster, "faster", "slower"]]
    .filter(([ratio]) => Number.isFinite(ratio) && ratio > 0)
    .map(([ratio, better, worse]) => [ratio >= 1 ? better : worse, times(Math.max(ratio, 1 / ratio))]);
  // What it cost stands beside what it gained.
  if (right.split) ratios.push(["points right", points(right.released - right.teacher)]);
  byId("ratios").replaceChildren(...ratios.map(([name, value]) => {
    const pair = make("div");
    pair.append(make("dt", "", name), make("dd", "", value));
    return pair;
  }));
}

function showLimits(model) {
  const right = quality(model).released;
  const limits = [
    `It knows only ${named(model.labels)}, and answers so even `
      + "for a text on another subject or in another language.",
    `Below ${percent(SURE)} it says “not sure”. It can be sure and wrong all the same`
      + (right === null ? "." : `: of 100 texts, about ${Math.round((1 - right) * 100)} are answered wrongly.`),
    `It reads the first ${number(model.max_length, 0)} pieces of words. What follows is left out, and it says so.`,
    "Irony, mixed feelings and quotations mislead it. Let a person decide what matters to people.",
  ];
  byId("limits").hidden = false;
  byId("limits-list").replaceChildren(...limits.map((limit) => make("li", "", limit)));
}

// ---- start -------------------------------------------------------------------------------

async function start() {
  try {
    await loadModel();
    if (page.text.value.trim()) ask();
    else showEmpty();
  } catch (error) {
    showError(error);
    if (error instanceof Away) {
      clearTimeout(state.retry);
      state.retry = setTimeout(start, RETRY_MS);
    }
  }
}

page.text.addEventListener("input", later);
page.token.addEventListener("change", () => ask());
page.form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask({ keep: true });
});
page.text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    ask({ keep: true });
  }
});
byId("clear").addEventListener("click", () => {
  state.history = [];
  showHistory();
  page.text.focus();
});
start();
