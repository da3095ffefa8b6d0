// Shows the answer for each problem: a label, several labels, or a number on its scale.

import { say } from "./phrases.js";
import { both, byId, either, make, number, percent, words } from "./words.js";

const SURE = 0.6;
const HALF = 0.5;
const COLOURS = 6;
const page = {
  answer: byId("answer"), verdict: byId("verdict"), detail: byId("detail"), bars: byId("bars"),
  mark: byId("mark-note"), scale: byId("scale"),
};

export const tone = (element, model, label) => {
  const place = model && label !== null ? model.labels.indexOf(label) : -1;
  element.style.setProperty("--tone", place < 0 ? "var(--soft)" : `var(--label-${place % COLOURS})`);
};

// ---- what differs by problem ---------------------------------------------------------------

const allProbabilities = (model) => Object.fromEntries(model.labels.map((label) => [label, null]));
const knowsLabels = (model) => say("knows_labels", { labels: either(model.labels) });

// Each problem has:
// answer: sure, verdict, short (for the list of tries), detail, label (gives the colour), named labels.
// blank: the bars before there is an answer.  marks: the threshold of each label, as a share.
// range: the ends of the scale, or null.  says: what the model does, after "Reads a text and".
// knows, doubt: one sentence each about the model's limits.
const PANELS = {
  classification: {
    answer({ label, probability, abstained }, { decision }) {
      // If the bundle decides when an answer is sure, the page does not decide it again.
      const fitted = decision.thresholds !== null || decision.abstain_below !== null;
      const sure = fitted ? !abstained : probability >= SURE;
      return {
        sure,
        label,
        named: [label],
        verdict: words(label),
        short: `${words(label)}, ${percent(probability)}`,
        detail: sure
          ? say("is_sure", { share: percent(probability) })
          : say("leans", { label: words(label).toLowerCase(), share: percent(probability) }),
      };
    },
    blank: allProbabilities,
    // With more than two labels, no single share decides between them.
    marks: ({ labels, decision }) => (labels.length === 2 && decision.thresholds ? decision.thresholds : []),
    range: () => null,
    says: ({ labels }) => say("says_label", { labels: either(labels) }),
    knows: knowsLabels,
    doubt(model, wrong) {
      if (model.decision.thresholds !== null) return say("sure_and_wrong", { wrong });
      return say("below", { share: percent(SURE), wrong });
    },
  },
  multi_label: {
    answer({ labels, abstained }, model) {
      const named = labels.length ? words(both(labels)) : say("none");
      const counts = { count: labels.length, all: model.labels.length };
      return {
        sure: !abstained,
        label: labels.length === 1 ? labels[0] : null,
        named: labels,
        verdict: named,
        short: named,
        detail: abstained
          ? say("leans_several", { labels: named.toLowerCase() })
          : say(labels.length === 1 ? "one_applies" : "some_apply", counts),
      };
    },
    blank: allProbabilities,
    marks: ({ labels, decision }) => decision.thresholds ?? labels.map(() => HALF),
    range: () => null,
    says: ({ labels }) => say("says_several", { labels: both(labels) }),
    knows: knowsLabels,
    doubt: () => say("doubt_several"),
  },
  regression: {
    answer({ value }, { labels }) {
      const shown = number(value, 2);
      return {
        sure: true, label: labels[0], named: [], verdict: shown, short: shown, detail: words(labels[0]),
      };
    },
    blank: () => ({}),
    marks: () => [],
    range: (model) => model.scale,
    says: ({ labels }) => say("says_number", { labels: either(labels) }),
    knows: () => say("knows_numbers"),
    doubt: () => say("doubt_number"),
  },
};

export const panelOf = (model) => PANELS[model.problem];
export const said = (prediction, model) => panelOf(model).answer(prediction, model);

export function showAnswer(prediction, model) {
  const { sure, label, named, verdict, detail } = said(prediction, model);
  page.answer.dataset.state = sure ? "sure" : "unsure";
  page.verdict.textContent = sure ? verdict : say("not_sure");
  page.detail.textContent = detail;
  if (prediction.truncated) page.detail.textContent += ` ${say("cut")}`;
  tone(page.answer, model, sure ? label : null);
  // An answer with no label, or with several, has no colour of its own.
  if (sure && label === null) page.answer.style.setProperty("--tone", "var(--ink)");
  showBars(prediction.probabilities ?? {}, named, model);
  showScale(prediction.value ?? null, model);
}

export function showNoAnswer(model) {
  showBars(model ? panelOf(model).blank(model) : {}, [], model);
  showScale(null, model);
}

// ---- bars and the scale ------------------------------------------------------------------

function showBars(probabilities, named, model) {
  const cuts = model ? panelOf(model).marks(model) : [];
  page.mark.hidden = Object.keys(probabilities).length === 0 || cuts.length === 0;
  fillBars(page.bars, probabilities, named, model);
}

// Shows each label's probability as a bar in a list.
export function fillBars(list, probabilities, named, model) {
  const labels = Object.keys(probabilities);
  const cuts = model ? panelOf(model).marks(model) : [];
  // The elements are kept, so that a bar moves smoothly.
  if ([...list.children].map((row) => row.dataset.label).join("\n") !== labels.join("\n")) {
    list.replaceChildren(...labels.map((label) => makeBar(label, model)));
  }
  labels.forEach((label, place) => {
    const row = list.children[place];
    const share = probabilities[label];
    row.querySelector(".name").classList.toggle("first", named.includes(label));
    row.querySelector(".percent").textContent = share === null ? "" : percent(share);
    row.querySelector(".fill").style.width = `${(share ?? 0) * 100}%`;
    const mark = row.querySelector(".mark");
    mark.hidden = cuts[place] === undefined;
    mark.style.left = `${(cuts[place] ?? 0) * 100}%`;
  });
}

function makeBar(label, model) {
  const row = make("li");
  row.dataset.label = label;
  const track = make("div", "track");
  track.setAttribute("aria-hidden", "true");
  track.append(make("div", "fill"));
  const holder = make("div", "holder");
  holder.append(track, make("span", "mark"));
  row.append(make("span", "name", words(label)), make("span", "percent"), holder);
  tone(row, model, label);
  return row;
}

// The scale covers the numbers in the training rows.
function showScale(value, model) {
  const range = model ? panelOf(model).range(model) : null;
  page.scale.hidden = !range;
  if (!range) return;
  const [low, high] = range;
  const share = value === null ? null : Math.min(Math.max((value - low) / (high - low || 1), 0), 1);
  const pin = page.scale.querySelector(".pin");
  pin.hidden = share === null;
  pin.style.left = `${(share ?? 0) * 100}%`;
  page.scale.querySelector(".low").textContent = number(low, 1);
  page.scale.querySelector(".high").textContent = number(high, 1);
}
