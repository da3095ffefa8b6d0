// Answers the requests of a parity check with the engine of the folder, and sends back ids and answers, then times.
// pipeline/edge/parity_check.py serves it, and compares; it is no part of the folder.

const CHUNK = 200;
const [WARM_UPS, TIMED] = [100, 500];
const engine = new Worker("../engine.js", { type: "module" });
const waiting = new Map();
let ask = 0;

const ready = new Promise((resolve, reject) => {
  engine.addEventListener("error", (event) => reject(new Error(event.message)));
  engine.addEventListener("message", ({ data }) => {
    if (data.ready) resolve(data.ready);
    else if (data.failed) reject(new Error(data.failed));
    else waiting.get(data.id)(data);
  });
});

function answerTo(texts) {
  ask += 1;
  engine.postMessage({ id: ask, texts });
  return new Promise((resolve) => { waiting.set(ask, resolve); });
}

async function post(name, value) {
  const response = await fetch(name, { method: "POST", body: JSON.stringify(value) });
  if (!response.ok) throw new Error(`${name}: HTTP ${response.status}`);
}

async function check() {
  const { golden, milliseconds: started } = await ready;
  const { requests, timed } = await (await fetch("requests.json")).json();
  for (let at = 0; at < requests.length; at += CHUNK) {
    await post("answers", await Promise.all(requests.slice(at, at + CHUNK).map(answerTo)));
    waiting.clear();
  }
  const times = [];
  for (let run = 0; run < WARM_UPS + TIMED; run += 1) times.push((await answerTo(timed)).milliseconds);
  await post("done", { golden, started, times: times.slice(WARM_UPS), browser: navigator.userAgent });
}

check().catch((error) => post("failed", String(error)));
