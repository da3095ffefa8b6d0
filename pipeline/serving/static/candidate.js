// Shows the candidate's answer beside the champion's, where the server tries one.

import { predictByCandidate } from "./asking.js";
import { fillBars, panelOf, said, tone } from "./answers.js";
import { say } from "./phrases.js";
import { byId, milliseconds } from "./words.js";

const page = {
  answers: byId("answers"), card: byId("candidate"), title: byId("answer-title"), verdict: byId("candidate-verdict"),
  detail: byId("candidate-detail"), bars: byId("candidate-bars"), time: byId("candidate-time"), agrees: byId("agrees"),
};

// Shows or hides the candidate's card for a model as GET /model tells it.
export function showCandidate(model) {
  page.card.hidden = !model.candidate;
  page.title.textContent = say(model.candidate ? "champion" : "answer");
  page.answers.classList.toggle("two", Boolean(model.candidate));
  clearCandidate(model);
}

export function clearCandidate(model) {
  if (!model?.candidate) return;
  page.card.dataset.state = "empty";
  page.verdict.textContent = say("candidate_waits");
  page.detail.textContent = page.time.textContent = page.agrees.textContent = "";
  fillBars(page.bars, panelOf(model.candidate).blank(model.candidate), [], model.candidate);
}

// Asks the candidate about the same texts, and says whether both agree.
export async function askCandidate(texts, prediction, { model, signal }) {
  if (!model.candidate) return;
  try {
    const answer = await predictByCandidate(texts, signal);
    if (signal.aborted) return;
    const [theirs] = answer.predictions;
    const { sure, label, named, verdict, detail } = said(theirs, model.candidate);
    page.card.dataset.state = sure ? "sure" : "unsure";
    page.verdict.textContent = sure ? verdict : say("not_sure");
    page.detail.textContent = detail;
    page.time.textContent = say("answered_in", { time: milliseconds(answer.milliseconds) });
    tone(page.card, model, sure ? label : null);
    fillBars(page.bars, theirs.probabilities ?? {}, named, model.candidate);
    // A label has one colour on both cards, though a candidate may name the labels in another order.
    for (const row of page.bars.children) tone(row, model, row.dataset.label);
    page.agrees.textContent = agreement(prediction, theirs, model);
  } catch (error) {
    if (error.name === "AbortError") return;
    clearCandidate(model);
    page.verdict.textContent = say("no_answer");
    page.detail.textContent = error.reason?.got ?? say("silent_now");
  }
}

function agreement(ours, theirs, model) {
  const [mine, other] = [said(ours, model), said(theirs, model.candidate)];
  if (mine.verdict === other.verdict) return say("both_same");
  return say("differ", { ours: mine.verdict, theirs: other.verdict });
}
