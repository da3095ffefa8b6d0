// The service worker. It fetches every file of this version once, compares its SHA-256 with files.js, keeps it, and from
// then on answers from what it kept: nothing is loaded twice, no network is needed, and no other address is asked.

importScripts("files.js"); // self.RELEASE: version, headers, files: name → {sha256, bytes, type}

const { version, headers, files } = self.RELEASE;
const KEPT = `modelyard ${self.registration.scope} `;
const INDEX = "index.html";

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("fetch", (event) => event.respondWith(answer(event.request)));
self.addEventListener("message", (event) => {
  if (event.data === "claim") event.waitUntil(self.clients.claim());
  if (event.data === "replace") self.skipWaiting();
});

async function keepAll() {
  const cache = await caches.open(KEPT + version);
  const total = Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for (const [name, file] of Object.entries(files)) {
    try {
      await cache.put(new URL(name, self.registration.scope), await verified(name, file));
    } catch (error) {
      await caches.delete(KEPT + version);
      await tell({ failed: name, why: error.message });
      throw error;
    }
    done += file.bytes;
    await tell({ done, total });
  }
}

async function verified(name, { sha256, type }) {
  // The browser may hold an older file of that name: then the server is asked.
  for (const cache of ["default", "reload"]) {
    const response = await fetch(name, { cache });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const bytes = await response.arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    if (digest.reduce((hex, byte) => hex + byte.toString(16).padStart(2, "0"), "") === sha256) {
      return new Response(bytes, { headers: { ...headers, "content-type": type } });
    }
  }
  throw new Error("SHA-256");
}

async function takeOver() {
  for (const name of await caches.keys()) {
    if (name.startsWith(KEPT) && name !== KEPT + version) await caches.delete(name);
  }
  await self.clients.claim();
}

async function answer(request) {
  const address = new URL(request.url);
  address.search = "";
  const scope = self.registration.scope;
  const name = address.href === scope ? INDEX : address.href.slice(scope.length);
  if (request.method !== "GET" || !address.href.startsWith(scope) || !(name in files)) return Response.error();
  const cache = await caches.open(KEPT + version);
  const kept = await cache.match(new URL(name, scope));
  if (kept) return kept;
  // The browser, or its user, has thrown it away.
  const fetched = await verified(name, files[name]);
  await cache.put(new URL(name, scope), fetched.clone());
  return fetched;
}

async function tell(message) {
  for (const client of await self.clients.matchAll({ includeUncontrolled: true })) client.postMessage(message);
}
