// Asks the server: sends texts, reads answers, and tells a refusal from a server that is not there.

import { postOf } from "./words.js";

export class Unavailable extends Error {}
export class Refused extends Error {
  constructor(status, reason) {
    super(reason.got);
    Object.assign(this, { status, reason });
  }
}

export async function call(path, options) {
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

// One request, of a text or of the two texts of a pair.
export const oneOf = ([text, second]) => (second === undefined ? { text } : { text, second });

// Several requests at once; each is a list of one text, or of two.
export const manyOf = (requests) => (requests[0].length === 1
  ? { texts: requests.map(([text]) => text) } : { pairs: requests });

export const predict = (texts, signal) => call("predict", postOf(oneOf(texts), signal));
export const predictMany = (requests, signal) => call("predict", postOf(manyOf(requests), signal));
export const predictByCandidate = (texts, signal) => call("predict?model=candidate", postOf(oneOf(texts), signal));
export const judge = (texts, { verdict, model }) => call(`feedback?verdict=${verdict}&model=${model}`, postOf(oneOf(texts)));
