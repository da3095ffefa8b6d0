// Compares the released model with its teacher, and lists its limits.

import {
  byId, lowerFirst, make, megabytes, milliseconds, number, percent, signed, times, words,
} from "./words.js";
import { panelOf } from "./answers.js";
import { say } from "./phrases.js";

const FIGURES = {
  accuracy: say("accuracy"), macro_f1: "Macro F1", micro_f1: "Micro F1", matthews: "Matthews correlation",
  average_precision: "Average precision", pearson: "Pearson correlation", spearman: "Spearman correlation",
};

const nameOf = (metric) => FIGURES[metric] ?? words(metric);
const metricOf = (model) => model.quality_metric ?? "accuracy";
const madeFor = (audience) => (audience ? ` ${say("made_for", { audience: lowerFirst(audience) })}` : "");

export function showPurpose(model) {
  const says = panelOf(model).says(model);
  byId("audience").textContent = say(model.pairs ? "reads_two" : "reads_one", { says }) + madeFor(model.audience);
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
  const shown = (value, format) => (value === null || value === undefined ? say("not_measured") : format(value));
  const figure = metric === "accuracy" ? (share) => `${number(share * 100, 1)}%` : (value) => number(value, 3);
  const rows = [
    [nameOf(metric), found.teacher, found.released, figure],
    [say("size"), teacher.size_bytes, model.size_bytes, megabytes],
    [say("time_a_text"), typical(teacher), typical(model), milliseconds],
  ];
  byId("figures").replaceChildren(...rows.map(([name, old, released, format]) => {
    const row = make("tr");
    const head = make("th", "", name);
    head.scope = "row";
    row.append(head, make("td", "", shown(old, format)), make("td", "", shown(released, format)));
    return row;
  }));
  showRatios(teacher.size_bytes / model.size_bytes, typical(teacher) / typical(model), found, metric);
  byId("compare-note").textContent = (found.split ? say(`on_${found.split}`, { metric: nameOf(metric) }) : "") + say("median");
}

function showRatios(smaller, faster, found, metric) {
  const ratios = [[smaller, say("smaller"), say("larger")], [faster, say("faster"), say("slower")]]
    .filter(([ratio]) => Number.isFinite(ratio) && ratio > 0)
    .map(([ratio, better, worse]) => [ratio >= 1 ? better : worse, times(Math.max(ratio, 1 / ratio))]);
  // The loss in quality is shown beside the gains.
  if (found.split) {
    const change = found.released - found.teacher;
    ratios.push(metric === "accuracy"
      ? [say("points"), signed(change * 100, 1)]
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
    say("irony"),
  ];
  byId("limits").hidden = false;
  byId("limits-list").replaceChildren(...limits.map((limit) => make("li", "", limit)));
}

function unsure(model) {
  const abstains = model.decision.abstain_below !== null;
  const answered = model.answered?.test ?? model.answered?.validation;
  if (abstains) {
    return answered
      ? say("abstains_share", { share: percent(answered.share), right: percent(answered.right ?? 0) })
      : say("abstains");
  }
  const right = metricOf(model) === "accuracy" ? quality(model).released : null;
  const wrong = right === null ? "." : say("wrong_of_100", { count: Math.round((1 - right) * 100) });
  return panelOf(model).doubt(model, wrong);
}

const reads = (model) => (model.window_stride === null
  ? say("reads_first", { count: number(model.max_length, 0) })
  : say("reads_parts", { count: number(model.max_length, 0) }));

export const titleOf = (model) => words(model.product);
