// Keeps the page's own files, so that it opens while the network is away. Answers of the API are never kept here.

const CACHE = "modelyard-annotation-1";
const FILES = [
  "/", "/static/page.css", "/static/page.js", "/static/elements.js", "/static/keys.js", "/static/markdown.js", "/static/outbox.js", "/static/own_keys.js",
  "/static/page_phrases.js", "/static/phrases.js", "/static/server.js", "/static/stopwatch.js", "/static/icon.svg",
];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin || pathname.startsWith("/api/")) return;
  event.respondWith(freshOrKept(event.request));
});

async function freshOrKept(request) {
  const cache = await caches.open(CACHE);
  try {
    const fresh = await fetch(request);
    if (fresh.ok) await cache.put(request, fresh.clone());
    return fresh;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
