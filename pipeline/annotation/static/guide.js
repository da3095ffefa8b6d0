// The screen on which people read the guide, and an adjudicator or lead changes it. Texts are only ever set as textContent.

import { byId, make } from "./elements.js";
import { PHRASES } from "./guide_phrases.js";
import { partsOf } from "./markdown.js";
import { language, speaker, translate } from "./phrases.js";
import { call, paintViews, token } from "./server.js";

const say = speaker(PHRASES);
const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const MARKS = { same: "", added: "+", removed: "−", gap: "⋯" };
const PARTS = ["reading", "editor", "saving", "conflict", "result"];

const state = { guide: null, base: null, shown: null };
let draftName = "";

// ---- the server ---------------------------------------------------------------------------

// The answer of a request, which is {status, …}; null where it was refused or the server is away, which is then said.
async function ask(path, body) {
  const options = body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await call(path, options ?? {}).catch(() => null);
  const answer = await response?.json().catch(() => null);
  byId("alarm").hidden = true;
  if (response?.ok || response?.status === 409) return { status: response.status, ...answer };
  alarm(answer?.error ? say("error", answer.error) : say("away"));
  return null;
}

function alarm(text) {
  byId("alarm").hidden = false;
  byId("alarm").textContent = text;
}

// ---- reading ------------------------------------------------------------------------------

const authorOf = ({ who }) => who ?? say("by_hand");

function paintGuide() {
  const { guide } = state;
  const newest = guide.versions[0];
  byId("reading").replaceChildren(...partsOf(guide.text));
  byId("newest").textContent = newest ? say("newest", { time: when.format(new Date(newest.time)), who: authorOf(newest), why: newest.why }) : say("empty");
  byId("edit").hidden = !guide.may_edit;
  byId("edit").textContent = say(newest ? "edit" : "write");
  byId("unseen").hidden = !guide.unseen;
  byId("unseen").textContent = say("unseen");
  byId("past").hidden = guide.versions.length === 0;
  byId("versions").replaceChildren(...guide.versions.map((version) => {
    const button = make("button");
    button.type = "button";
    const time = make("span", "quiet", `${when.format(new Date(version.time))} · ${authorOf(version)}`);
    button.append(make("span", "", version.why), time);
    button.addEventListener("click", () => openVersion(version.hash));
    const item = make("li");
    item.append(button);
    return item;
  }));
}

function show(...parts) {
  for (const part of PARTS) byId(part).hidden = !parts.includes(part);
  byId("edit").hidden = !state.guide.may_edit || !parts.includes("reading");
  for (const id of ["past", "newest"]) byId(id).hidden = !parts.includes("reading") || (id === "past" && !state.guide.versions.length);
}

async function load() {
  const guide = await ask("/api/guide");
  if (guide) state.guide = guide;
  if (guide) paintGuide();
  return Boolean(guide);
}

// ---- diffs --------------------------------------------------------------------------------

function paintDiff(list, diff) {
  list.replaceChildren(...diff.map(([kind, line]) => {
    const item = make("li", kind);
    const mark = make("span", "mark", MARKS[kind]);
    mark.setAttribute("aria-hidden", "true");
    const text = make("span", "line");
    if (kind === "added" || kind === "removed") text.append(make("span", "unseen", `${say(kind)}: `));
    text.append(line);
    text.dir = "auto";
    item.append(mark, text);
    return item;
  }));
}

const aboutOf = (labels) => (labels.length ? say("about", { labels: labels.join(", ") }) : "");

function votesOf(votes) {
  if (!votes) return "";
  if (votes.offered) return say("votes_offered", votes);
  if (votes.near) return say("votes", votes);
  return votes.old ? say("votes_none", votes) : say("votes_zero");
}

async function openVersion(hash) {
  const found = await ask(`/api/guide/version?hash=${hash}`);
  if (!found) return;
  byId("version-title").textContent = found.version.why;
  byId("version-about").textContent = [when.format(new Date(found.version.time)), authorOf(found.version), aboutOf(found.labels)].filter(Boolean).join(" · ");
  paintDiff(byId("version-diff"), found.diff);
  paintVotes(found, byId("version-votes"), byId("version-offer"));
  if (!byId("version").open) byId("version").showModal();
}

function paintVotes({ version, votes }, text, button) {
  state.shown = version.hash;
  text.textContent = votesOf(votes);
  button.hidden = !votes?.near || votes.offered > 0;
}

async function offer() {
  const found = await ask("/api/guide/offers", { version: state.shown });
  if (!found) return;
  paintVotes(found, byId("votes"), byId("offer"));
  paintVotes(found, byId("version-votes"), byId("version-offer"));
  byId("leave").textContent = say("close");
  byId("live").textContent = say("offered", found);
}

// ---- editing ------------------------------------------------------------------------------

function openEditor(text, base) {
  state.base = base;
  byId("source").value = text;
  show("editor");
  byId("source").focus();
  byId("source").setSelectionRange(0, 0);
  byId("source").scrollTop = 0;
}

const keepDraft = () => localStorage.setItem(draftName, JSON.stringify({ text: byId("source").value, base: state.base }));

function closeEditor() {
  localStorage.removeItem(draftName);
  show("reading");
  byId("heading").focus();
}

async function review(event) {
  event.preventDefault();
  const found = await ask("/api/guide/diff", { text: byId("source").value });
  if (!found) return;
  paintDiff(byId("diff"), found.diff);
  byId("about").textContent = found.diff.length ? aboutOf(found.labels) : say("nothing");
  show("saving");
  byId("saving").querySelector("[type=submit]").disabled = !found.diff.length;
  byId("saving-title").focus();
}

async function save(event) {
  event.preventDefault();
  const found = await ask("/api/guide", { text: byId("source").value, base: state.base, why: byId("why").value });
  if (!found) return;
  if (found.status === 409) {
    openConflict(found);
    return;
  }
  localStorage.removeItem(draftName);
  byId("why").value = "";
  await load();
  byId("result-title").textContent = say("saved");
  paintVotes(found, byId("votes"), byId("offer"));
  byId("leave").textContent = say(byId("offer").hidden ? "close" : "leave");
  show("result", "reading");
  byId("result-title").focus();
}

function openConflict({ current, text, theirs, yours }) {
  state.conflict = { text, base: current?.hash ?? null };
  byId("theirs-title").textContent = current ? say("theirs", { who: authorOf(current), why: current.why }) : "";
  paintDiff(byId("theirs"), theirs);
  paintDiff(byId("yours"), yours);
  byId("go-on").hidden = false;
  show("conflict");
  byId("conflict-title").focus();
}

function listen() {
  byId("edit").addEventListener("click", () => openEditor(state.guide.text, state.guide.hash));
  byId("cancel").addEventListener("click", closeEditor);
  byId("back").addEventListener("click", () => {
    show("editor");
    byId("source").focus();
  });
  byId("editor").addEventListener("submit", review);
  byId("saving").addEventListener("submit", save);
  byId("source").addEventListener("input", keepDraft);
  byId("offer").addEventListener("click", offer);
  byId("version-offer").addEventListener("click", offer);
  byId("leave").addEventListener("click", () => {
    show("reading");
    byId("heading").focus();
  });
  byId("go-on").addEventListener("click", () => {
    state.base = state.conflict.base;
    keepDraft();
    show("editor", "conflict");
    byId("go-on").hidden = true;
    byId("source").focus();
  });
  byId("take-theirs").addEventListener("click", async () => {
    await load();
    closeEditor();
  });
  byId("close-version").addEventListener("click", () => byId("version").close());
}

async function start() {
  translate(say);
  window.addEventListener("hashchange", () => location.reload());
  if (!token) return close("no_link");
  const response = await call("/api/me").catch(() => null);
  if (!response?.ok) return close(response?.status === 401 ? "old_link" : "away");
  const me = await response.json();
  byId("product").textContent = me.product;
  byId("person").textContent = me.person;
  paintViews(me.role, say);
  if (!(await load())) return undefined;
  listen();
  show("reading");
  draftName = `modelyard-guide-draft-${me.product}-${me.published}`;
  const draft = JSON.parse(localStorage.getItem(draftName) ?? "null");
  if (draft && state.guide.may_edit) {
    openEditor(draft.text, draft.base);
    byId("live").textContent = say("draft");
  }
  document.body.dataset.state = "ready";
  return undefined;
}

function close(fault) {
  document.body.dataset.state = "closed";
  alarm(say(fault));
}

start();
