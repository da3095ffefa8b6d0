// Which words carried the answer: each is left out in turn, and the model is asked again (occlusion).
// Runs on request alone, in small batches, and ends at once when the text changes.

import { predictMany } from "./asking.js";

const MOST_PARTS = 48; // a longer text is left out in groups of words
const BATCH = 12;
const NEAREST = 1e-6; // probabilities nearer to 0 or 1 count as this far from them

// Where the words of a text are: [{ start, end }]. Works for scripts without blanks, too.
function wordsOf(text) {
  const segments = new Intl.Segmenter(undefined, { granularity: "word" }).segment(text);
  return [...segments].filter(({ isWordLike }) => isWordLike)
    .map(({ index, segment }) => ({ start: index, end: index + segment.length }));
}

// The parts of all texts that are left out in turn: [{ place, start, end }], at most `most` of them.
export function partsOf(texts, most = MOST_PARTS) {
  const words = texts.flatMap((text, place) => wordsOf(text).map((word) => ({ place, ...word })));
  const together = Math.ceil(words.length / most);
  if (together <= 1) return words;
  return texts.flatMap((_, place) => {
    const own = words.filter((word) => word.place === place);
    const groups = [];
    for (let first = 0; first < own.length; first += together) {
      groups.push({ place, start: own[first].start, end: own[Math.min(first + together, own.length) - 1].end });
    }
    return groups;
  });
}

const without = (texts, { place, start, end }) => texts.map((text, number) => (
  number === place ? `${text.slice(0, start).trimEnd()} ${text.slice(end).trimStart()}`.trim() : text
));

const logOdds = (p) => {
  const held = Math.min(Math.max(p, NEAREST), 1 - NEAREST);
  return Math.log(held / (1 - held));
};

// How strongly a prediction says what `first` said: log-odds of its labels, or the number.
function strength(prediction, first) {
  if (first.value !== undefined) return prediction.value;
  const all = Object.entries(first.probabilities).sort(([, one], [, other]) => other - one);
  const named = first.labels?.length ? first.labels : [first.label ?? all[0][0]];
  return named.reduce((sum, label) => sum + logOdds(prediction.probabilities[label]), 0) / named.length;
}

// The parts of the texts with what each did: { place, start, end, effect }. Positive: the answer leans on it.
export async function carriedBy(texts, prediction, { signal, progress = () => {} }) {
  const whole = strength(prediction, prediction);
  const parts = partsOf(texts).filter((part) => without(texts, part).every((text) => text));
  const found = [];
  for (let first = 0; first < parts.length; first += BATCH) {
    const batch = parts.slice(first, first + BATCH);
    progress(first, parts.length);
    const { predictions } = await predictMany(batch.map((part) => without(texts, part)), signal);
    batch.forEach((part, number) => found.push({ ...part, effect: whole - strength(predictions[number], prediction) }));
  }
  return found;
}
