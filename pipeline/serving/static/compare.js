// Compares the released model with its teacher, and lists its limits.

import {
  byId, lowerFirst, make, megabytes, milliseconds, number, percent, signed, times, words,
} from "./words.js";
import { panelOf } from "./answers.js";

const FIGURES = {
  accuracy: "Right answers", macro_f1: "Macro F1", micro_f1: "Micro F1", matthews: "Matthews correlation",
  average_precision: "Average precision", pearson: "Pearson correlation", spearman: "Spearman correlation",
};

const nameOf = (metric) => FIGURES[metric] ?? words(metric);
const metricOf = (model) => model.quality_metric ?? "accuracy";
const madeFor = (audience) => (audience ? ` Made for ${lowerFirst(audience)}` : "");

export function showPurpose(model) {
  const reads = model.pairs ? "Reads two texts" : "Reads a text";
  const { says } = panelOf(model);
  byId("audience").textContent = `${reads} and ${says(model)}.${madeFor(model.audience)}`;
}

// The first split on which both were scored; figures of different splits do not compare.
function quality(model) {
  const metric = metricOf(model);
  const of = (side, split) => side?.quality?.[split]?.[metric] ?? null;
  const split = ["test", "validation"].find((name) => of(model, name) !== null && of(model.teacher, name) !== null);
  return split
    ? { split, teacher: of(model.teacher, split), released: of(model, split) }
    : { split: null, teacher: null, released: null };
}

export function showComparison(model) {
  const { teacher } = model;
  byId("compare").hidden = !teacher;
  if (!teacher) return;
  const found = quality(model);
  const metric = metricOf(model);
  const typical = (side) => side.latency_ms?.p50 ?? null;
  const shown = (value, format) => (value === null || value === undefined ? "not measured" : format(value));
  const figure = metric === "accuracy" ? (share) => `${number(share * 100, 1)}%` : (value) => number(value, 3);
  const rows = [
    [nameOf(metric), found.teacher, found.released, figure],
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
  showRatios(teacher.size_bytes / model.size_bytes, typical(teacher) / typical(model), found, metric);
  const texts = { test: "test texts, which neither model has seen", validation: "validation texts" };
  byId("compare-note").textContent = (found.split ? `${nameOf(metric)} on ${texts[found.split]}. ` : "")
    + "Time is the median of many requests on the machine that built the model.";
}

function showRatios(smaller, faster, found, metric) {
  const ratios = [[smaller, "smaller", "larger"], [faster, "faster", "slower"]]
    .filter(([ratio]) => Number.isFinite(ratio) && ratio > 0)
    .map(([ratio, better, worse]) => [ratio >= 1 ? better : worse, times(Math.max(ratio, 1 / ratio))]);
  // The loss in quality is shown beside the gains.
  if (found.split) {
    const change = found.released - found.teacher;
    ratios.push(metric === "accuracy"
      ? ["points of accuracy", signed(change * 100, 1)]
      : [nameOf(metric).replace(" correlation", ""), signed(change, 2)]);
  }
  byId("ratios").replaceChildren(...ratios.map(([name, value]) => {
    const pair = make("div");
    pair.append(make("dt", "", name), make("dd", "", value));
    return pair;
  }));
}

export function showLimits(model) {
  const limits = [
    panelOf(model).knows(model), unsure(model), reads(model),
    "Irony, mixed feelings and quotations mislead it. A person should decide what matters to people.",
  ];
  byId("limits").hidden = false;
  byId("limits-list").replaceChildren(...limits.map((limit) => make("li", "", limit)));
}

function unsure(model) {
  const abstains = model.decision.abstain_below !== null;
  const answered = model.answered?.test ?? model.answered?.validation;
  if (abstains) {
    const share = answered
      ? `: it answers ${percent(answered.share)} of texts, and ${percent(answered.right ?? 0)} of these answers are right.`
      : ".";
    return `It says “not sure” if it would be wrong too often${share}`;
  }
  const right = metricOf(model) === "accuracy" ? quality(model).released : null;
  const wrong = right === null ? "." : `: about ${Math.round((1 - right) * 100)} of 100 answers are wrong.`;
  return panelOf(model).doubt(model, wrong);
}

const reads = (model) => (model.window_stride === null
  ? `It reads the first ${number(model.max_length, 0)} word pieces of a text, and says so if the text is longer.`
  : `It reads a long text in parts of ${number(model.max_length, 0)} word pieces and averages their results.`);

export const titleOf = (model) => words(model.product);
