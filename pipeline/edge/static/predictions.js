// Turns the model's outputs into an answer, as the kinds of problem in pipeline/problem do.

const HALF = 0.5;

// The mean of the windows' outputs, in float32 as NumPy takes it.
export function meanOf(rows) {
  if (rows.length === 1) return [...rows[0]];
  return [...rows[0]].map((_, place) => {
    const sum = rows.reduce((total, row) => Math.fround(total + row[place]), 0);
    return Math.fround(sum / rows.length);
  });
}

function softmax(outputs) {
  const largest = Math.max(...outputs);
  const powers = outputs.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}

function sigmoid(value) {
  const small = Math.exp(-Math.abs(value));
  return (value >= 0 ? 1 : small) / (1 + small);
}

const abstains = (confidence, { abstain_below: least }) => least !== null && confidence < least;

// `scores` are in the order of the labels.
const PROBLEMS = {
  classification(outputs, { labels, decision }) {
    const scores = softmax(outputs);
    const weighed = scores.map((score, place) => score / (decision.thresholds?.[place] ?? 1));
    const place = weighed.indexOf(Math.max(...weighed));
    return {
      label: labels[place],
      probability: scores[place],
      scores,
      abstained: abstains(Math.max(...scores), decision),
    };
  },
  multi_label(outputs, { labels, decision }) {
    const scores = outputs.map(sigmoid);
    const cuts = labels.map((_, place) => decision.thresholds?.[place] ?? HALF);
    const nearest = Math.min(...scores.map((score, place) => Math.abs(score - cuts[place])));
    return {
      labels: labels.filter((_, place) => scores[place] >= cuts[place]),
      scores,
      abstained: abstains(nearest, decision),
    };
  },
  regression: (outputs) => ({ value: outputs[0], scores: outputs, abstained: false }),
};

// task: problem, labels, decision.
export const predictionOf = (outputs, task) => PROBLEMS[task.problem](outputs, task);
