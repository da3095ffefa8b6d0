// The page of the model on a device: takes what is typed to the worker, shows its answer, and what the device holds.

import {
  inMegabytes, inMilliseconds, inNumber, inPercent, inWords, phrase,
} from "./device_phrases.js";

const TYPING_MS = 120;
const SURE = 0.6;
const COLOURS = 6;
const KNOWN_REFUSALS = { "nothing left": "nothing_left", "first text takes all": "no_room" };
const byId = (id) => document.getElementById(id);
const page = { text: byId("text"), second: byId("second"), answer: byId("answer") };
const state = { model: null, engine: null, asked: 0, typing: 0, times: [], figures: {}, isWrong: false };

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const json = async (name) => (await fetch(name)).json();

export async function startPage(registration) {
  const [model, sizes] = await Promise.all([json("model.json"), json("sizes.json")]);
  state.model = model;
  const { golden, milliseconds } = await startEngine();
  byId("product").textContent = document.title = inWords(model.product);
  byId("second-row").hidden = !model.pairs;
  if (model.pairs) byId("text-label").textContent = phrase("first");
  byId("identity").textContent = phrase("identity", { variant: inWords(model.variant), hash: model.hash.slice(0, 12) });
  state.figures = {
    sent: phrase("nothing"),
    network: phrase("no_more"),
    last: "–",
    median: "–",
    compressed: inMegabytes(sizes.compressed),
    kept: inMegabytes(sizes.bytes),
    model: inMegabytes(model.size_bytes),
    started: inMilliseconds(milliseconds),
    files: sizes.files,
    golden: phrase("of", golden),
  };
  state.isWrong = golden.right < golden.of;
  showFigures();
  showExamples(model.examples);
  showEmpty();
  byId("loading").hidden = true;
  byId("ready").hidden = false;
  offerNewer(registration);
  for (const box of [page.text, page.second]) box.addEventListener("input", askSoon);
  byId("form").addEventListener("submit", (event) => event.preventDefault());
  if (page.text.value.trim()) ask();
}

// ---- the worker --------------------------------------------------------------------------

function startEngine() {
  state.engine = new Worker("engine.js", { type: "module" });
  return new Promise((resolve, reject) => {
    state.engine.addEventListener("error", (event) => reject(new Error(event.message)));
    state.engine.addEventListener("message", ({ data }) => {
      if (data.ready) resolve(data.ready);
      else if (data.failed) reject(new Error(data.failed));
      else if (data.id === state.asked) show(data);
    });
  });
}

const currentTexts = () => (state.model.pairs ? [page.text.value, page.second.value] : [page.text.value]);

function askSoon() {
  clearTimeout(state.typing);
  state.typing = setTimeout(ask, TYPING_MS);
}

function ask() {
  clearTimeout(state.typing);
  state.asked += 1;
  const texts = currentTexts();
  if (texts.every((text) => text.trim())) state.engine.postMessage({ id: state.asked, texts });
  else showEmpty();
}

// ---- the answer --------------------------------------------------------------------------

function showEmpty() {
  display({ mood: "empty", verdict: phrase("waiting"), detail: phrase("type") });
}

function show({ prediction, rows, refused, milliseconds }) {
  if (refused) {
    const known = KNOWN_REFUSALS[refused];
    display({ mood: "error", verdict: phrase("refused"), detail: known ? phrase(known) : refused });
    return;
  }
  const { model } = state;
  const { sure, label, named, verdict, detail } = SAID[model.problem](prediction, model);
  const more = prediction.truncated ? ` ${phrase("truncated")}` : "";
  display({
    mood: sure ? "sure" : "unsure",
    verdict: sure ? verdict : phrase("not_sure"),
    detail: detail + more,
    label: sure ? label : null,
    bars: model.problem === "regression" ? [] : model.labels.map((name, at) => [name, prediction.scores[at]]),
    named,
  });
  const pieces = rows.reduce((sum, row) => sum + row.length, 0);
  byId("time").textContent = phrase("took", { time: inMilliseconds(milliseconds), pieces });
  byId("live").textContent = `${byId("verdict").textContent}. ${byId("detail").textContent}`;
  state.times.push(milliseconds);
  state.figures.last = inMilliseconds(milliseconds);
  state.figures.median = inMilliseconds(state.times.toSorted((one, other) => one - other)[state.times.length >> 1]);
  showFigures();
}

const SAID = {
  classification({ label, probability, abstained }, { decision }) {
    const decided = decision.thresholds !== null || decision.abstain_below !== null;
    const sure = decided ? !abstained : probability >= SURE;
    const share = inPercent(probability);
    return {
      sure, label, named: [label], verdict: inWords(label),
      detail: phrase(sure ? "sure" : "leans", { share, label: inWords(label) }),
    };
  },
  multi_label({ labels, abstained }, model) {
    const counted = phrase("applies", { count: labels.length, labels: model.labels.length });
    return {
      sure: !abstained,
      label: labels.length === 1 ? labels[0] : null,
      named: labels,
      verdict: labels.map(inWords).join(", ") || phrase("none"),
      detail: abstained ? `${counted} ${phrase("close")}` : counted,
    };
  },
  regression: ({ value }, { labels }) => ({
    sure: true, label: labels[0], named: [], verdict: inNumber(value), detail: inWords(labels[0]),
  }),
};

function display({ mood, verdict, detail, label = null, bars = [], named = [] }) {
  page.answer.dataset.state = mood;
  byId("verdict").textContent = verdict;
  byId("detail").textContent = detail;
  byId("time").textContent = "";
  colour(page.answer, label);
  byId("bars").replaceChildren(...bars.map(([name, share]) => makeBar(name, share, named.includes(name))));
}

function makeBar(name, share, first) {
  const row = make("li");
  const [holder, track, fill] = [make("div", "holder"), make("div", "track"), make("div", "fill")];
  fill.style.width = `${share * 100}%`;
  track.append(fill);
  holder.append(track);
  row.append(make("span", first ? "name first" : "name", inWords(name)), make("span", "percent", inPercent(share)), holder);
  colour(row, name);
  return row;
}

function colour(element, label) {
  const place = label === null ? -1 : state.model.labels.indexOf(label);
  element.style.setProperty("--tone", place < 0 ? "var(--ink)" : `var(--label-${place % COLOURS})`);
}

function showExamples(examples) {
  byId("examples-block").hidden = examples.length === 0;
  byId("examples").replaceChildren(...examples.map((texts) => {
    const button = make("button");
    button.type = "button";
    button.append(...texts.map((text) => make("span", "text", text)));
    button.addEventListener("click", () => {
      [page.text.value, page.second.value = ""] = texts;
      ask();
    });
    const item = make("li");
    item.append(button);
    return item;
  }));
}

// ---- the device --------------------------------------------------------------------------

function showFigures() {
  byId("figures").replaceChildren(...Object.entries(state.figures).map(([name, value]) => {
    const pair = make("div");
    pair.append(make("dt", "", phrase(name)), make("dd", name === "golden" && state.isWrong ? "wrong" : "", value));
    return pair;
  }));
}

// A version that arrived while this one was open waits until it is asked for.
function offerNewer(registration) {
  const offer = () => { byId("newer").hidden = !registration.waiting; };
  offer();
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", offer);
  });
  byId("replace").addEventListener("click", () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    registration.waiting?.postMessage("replace");
  });
}
