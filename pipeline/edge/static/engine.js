// A worker that answers texts with the model: cleaned, cut into tokens, run and decided as pipeline/runtime does it.
// It is sent {id, texts} and sends back {id, prediction, rows, truncated, milliseconds} or {id, refused}; before that,
// once, {ready} with what the page shows, or {failed}.

import * as ort from "./ort.wasm.min.mjs";
import { Tokenizer } from "./tokenizers.min.mjs";
import { meanOf, predictionOf } from "./predictions.js";
import { cleanerOf } from "./text_cleaning.js";
import { Unreadable, rowsOf } from "./token_rows.js";
import { encoderOf } from "./word_parts.js";

const SEGMENTS = "token_type_ids";
const json = async (name) => (await fetch(name)).json();

async function load() {
  const [model, characters, tokenizer, weights] = await Promise.all([
    json("model.json"), json("characters.json"), json("tokenizer.json"),
    fetch("model.onnx").then((response) => response.arrayBuffer()),
  ]);
  ort.env.wasm.numThreads = 1; // more need headers that a plain server does not send, and gain little here
  ort.env.wasm.wasmPaths = new URL(".", import.meta.url).href;
  const session = await ort.InferenceSession.create(new Uint8Array(weights), { executionProviders: ["wasm"] });
  return {
    ...model,
    session,
    clean: cleanerOf(characters),
    encode: encoderOf(new Tokenizer(tokenizer, {}), model.words),
  };
}

async function answer({ session, clean, encode, ...model }, texts) {
  const cleaned = model.cleaning ? texts.map((text) => clean(text.toWellFormed(), model.cleaning)) : texts;
  if (texts.some((text, at) => text && !cleaned[at])) throw new Unreadable("nothing left");
  const { rows, truncated } = rowsOf(cleaned.map(encode), model);
  const outputs = [];
  for (const row of rows) outputs.push(await outputsOf(session, row));
  return { prediction: { ...predictionOf(meanOf(outputs), model), truncated }, rows: rows.map(({ ids }) => ids) };
}

async function outputsOf(session, { ids, segments }) {
  const tensor = (values) => new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
  const feed = { input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)) };
  if (session.inputNames.includes(SEGMENTS)) feed[SEGMENTS] = tensor(segments);
  const { logits } = await session.run(feed, ["logits"]);
  return logits.data;
}

// How many of the answers that the model gave where it was built it gives here, too.
async function goldenOf(model) {
  let right = 0;
  for (const { texts, label, scores } of model.golden) {
    const found = (await answer(model, texts)).prediction;
    const near = scores.every((score, at) => Math.abs(score - found.scores[at]) <= model.golden_tolerance);
    if (near && (found.label ?? null) === label) right += 1;
  }
  return { right, of: model.golden.length };
}

const started = performance.now();
const loading = load().then(async (model) => {
  const golden = await goldenOf(model);
  self.postMessage({ ready: { golden, milliseconds: performance.now() - started } });
  return model;
});
loading.catch((error) => self.postMessage({ failed: String(error) }));

// One text at a time, in order.
let last = loading;
self.addEventListener("message", ({ data: { id, texts } }) => {
  last = last.then(async (model) => {
    const begun = performance.now();
    try {
      const found = await answer(model, texts);
      self.postMessage({ id, ...found, milliseconds: performance.now() - begun });
    } catch (error) {
      self.postMessage({ id, refused: error instanceof Unreadable ? error.message : String(error) });
    }
    return model;
  });
});
