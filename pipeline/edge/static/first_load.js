// Starts the service worker, shows how much of the files has arrived, and starts the page once they are all here:
// what it imports then comes from the worker, which has compared each file with its SHA-256.

import { inMegabytes, phrase, translatePage } from "./device_phrases.js";

const byId = (id) => document.getElementById(id);

function showFailure(note) {
  byId("loading").hidden = false;
  byId("loading").dataset.state = "failed";
  byId("loading-title").textContent = phrase("failed");
  byId("loading-note").textContent = note;
}

function controlled() {
  return new Promise((resolve) => {
    if (navigator.serviceWorker.controller) resolve();
    else navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true });
  });
}

async function start() {
  translatePage();
  if (!("serviceWorker" in navigator)) {
    showFailure(phrase("insecure"));
    return;
  }
  let isWaiting = true; // a newer version that fails to arrive leaves this one as it is
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    if (!isWaiting) return;
    if (data.failed) {
      showFailure(phrase("altered", { file: data.failed, why: data.why }));
      return;
    }
    const { done, total } = data;
    byId("progress").value = done / total;
    byId("loading-note").textContent = phrase("loaded", { done: inMegabytes(done), total: inMegabytes(total) });
  });
  // Without "all" the browser would ask the server for the worker's script at every visit.
  const registration = await navigator.serviceWorker.register("offline_files.js", { updateViaCache: "all" });
  // A reload past the cache leaves the page without its worker.
  if (!navigator.serviceWorker.controller) registration.active?.postMessage("claim");
  await controlled();
  isWaiting = false;
  byId("loading-note").textContent = phrase("starting");
  const { startPage } = await import("./device_page.js");
  await startPage(registration);
}

start().catch((error) => showFailure(phrase("no_start", { why: error.message })));
