// The board: what all labels tell, for the lead; one's own pace for everybody. Each figure opens the rows that it rests on.
// Texts come from the data and are only ever set as textContent.

import { byId, make } from "./elements.js";
import { PHRASES } from "./board_phrases.js";
import { goalBar, intervalBar, timeLine } from "./drawn.js";
import { language, speaker, translate } from "./phrases.js";
import { call, paintViews, token } from "./server.js";

const MEASURES = ["alpha", "ac1", "fleiss_kappa"];
const KINDS = ["labelled", "double", "disputed", "adjudicated", "skipped", "flagged", "commented"];
const PAGE = 20;
const SHORT_HASH = 8;

const say = speaker(PHRASES);
const hundredths = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const tenths = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const at = (time) => clock.format(new Date(time));

const state = { me: null, figures: null, measure: "alpha", filter: {}, shown: 0, asked: 0 };

// ---- pieces ------------------------------------------------------------------------------

// A figure that opens the rows it rests on.
function figure(text, filter, what) {
  const button = make("button", "found", text);
  button.type = "button";
  if (what) button.setAttribute("aria-label", `${text}, ${say("show_rows", { what })}`);
  button.addEventListener("click", () => openRows(filter));
  return button;
}

// A line with a name, a bar of the interval, and the figures. `bar` are further values of the bar.
function barLine(name, found, { filter, beside, warn, words = "measured", bar = {} } = {}) {
  const line = make("div", "bar-line");
  const head = make("div", "name", name);
  if (beside) head.append(make("span", "beside", beside));
  if (warn) head.append(make("span", "beside warn", warn));
  const figures = make("div", "figures");
  line.append(head);
  if (found) {
    const [low, high] = found.interval;
    line.append(intervalBar({ low, high, mark: found.value, ...bar }));
    const values = { value: hundredths.format(found.value), low: hundredths.format(low), high: hundredths.format(high) };
    const text = say(words, values);
    figures.append(filter ? figure(text, filter, name) : text);
  } else {
    line.append(make("span"));
    figures.append(make("span", "quiet", say("not_measured")));
  }
  line.append(figures);
  return line;
}

// The scale of bars: from 0, or from below it where an interval reaches there.
function scaleOf(all) {
  const lowest = Math.min(0, ...all.filter(Boolean).map((found) => found.interval[0]));
  const least = Math.max(Math.floor(lowest * 5) / 5, -1);
  return { least, ticks: Math.round((1 - least) * 5) };
}

// The numbers at the ends of the bars above.
function axis({ least = 0, most = 1 }) {
  const line = make("div", "bar-line axis");
  const ends = make("div", "ends");
  ends.append(make("span", "", String(least)), make("span", "", String(most)));
  line.append(make("span"), ends, make("span"));
  line.setAttribute("aria-hidden", "true");
  return line;
}

// ---- work --------------------------------------------------------------------------------

function paintWork({ goal, cost, waiting, rows, left_out: leftOut, over_time: points, why, pace }) {
  const known = goal && { done: goal.labelled, needed: goal.needed, low: goal.low, high: goal.high };
  const name = known ? (known.high === null ? "goal_open" : "goal") : "no_goal";
  byId("goal").textContent = say(name, known ?? { done: state.figures.labelled });
  byId("goal-bar").replaceChildren(...(known ? [goalBar(known)] : []));
  byId("cost").textContent = [
    costInWords(goal, cost), say("waiting", { count: waiting }), leftOut ? say("left_out", { count: leftOut }) : "",
  ].filter(Boolean).join(" ");
  byId("counts").replaceChildren(...KINDS.map((kind) => {
    const button = make("button");
    button.type = "button";
    button.append(make("strong", "", new Intl.NumberFormat(language).format(rows[kind])), make("span", "", say(`kind_${kind}`)));
    button.addEventListener("click", () => openRows({ kind }));
    const item = make("li");
    item.append(button);
    return item;
  }));
  paintLine(byId("line"), points);
  byId("why").replaceChildren(...Object.entries(why).map(([reason, count]) => {
    const item = make("li");
    item.append(make("span", "", reason || say("why_none")), figure(say("votes_count", { count }), { kind: "labelled", why: reason }, reason || say("why_none")));
    return item;
  }));
  byId("pace").textContent = paceInWords(pace);
}

function costInWords(goal, cost) {
  if (goal && goal.labelled >= goal.needed) return say("done_already");
  if (!cost) return goal ? "" : say("no_cost");
  const [hours, low, high] = [cost.hours, cost.low, cost.high ?? 0].map((value) => tenths.format(value));
  return say(cost.high === null ? "cost_open" : "cost", { rows: cost.rows, hours, low, high });
}

const paceInWords = (pace) => (pace
  ? say("seconds", { value: tenths.format(pace.seconds), low: tenths.format(pace.low), high: tenths.format(pace.high), count: pace.labels })
  : say("no_pace"));

function paintLine(place, points) {
  if (!points.length) {
    place.replaceChildren(make("p", "quiet", say("no_labels")));
    return;
  }
  const [first, last] = [points[0], points.at(-1)];
  const caption = make("figcaption", "ends", say("labels_so_far", { count: last.labels, first: at(first.time), last: at(last.time) }));
  place.replaceChildren(...(points.length > 2 ? [timeLine(points)] : []), caption);
}

// ---- agreement ---------------------------------------------------------------------------

function paintAgreement({ agreement, problem }) {
  const scale = scaleOf(Object.values(agreement));
  const shown = problem === "regression" ? ["alpha"] : MEASURES;
  byId("overall").replaceChildren(...shown.map((name) => barLine(say(name), agreement[name], { filter: { kind: "double" }, bar: scale })), axis(scale));
  byId("measures").hidden = problem === "regression";
  byId("measures").replaceChildren(...MEASURES.map((name) => {
    const button = make("button", "", say(name));
    button.type = "button";
    button.setAttribute("aria-pressed", name === state.measure);
    button.addEventListener("click", () => {
      state.measure = name;
      for (const other of byId("measures").children) other.setAttribute("aria-pressed", other === button);
      paintParts(state.figures);
    });
    return button;
  }));
  paintParts(state.figures);
}

function paintParts({ by_label: byLabel, by_guide: byGuide }) {
  const measured = (found) => found[state.measure];
  const scale = scaleOf([...Object.values(byLabel), ...byGuide.map((each) => each.agreement)].map(measured));
  byId("by-label").replaceChildren(...Object.entries(byLabel).map(
    ([label, found]) => barLine(label, measured(found), { filter: { kind: "double", label }, bar: scale }),
  ), axis(scale));
  byId("by-label").parentElement.hidden = !Object.keys(byLabel).length;
  byId("by-guide").replaceChildren(...byGuide.map(({ guide, since, votes, agreement }) => barLine(
    guide.slice(0, SHORT_HASH) || say("guide_none"), measured(agreement),
    { filter: { kind: "double", guide }, bar: scale, beside: `${say("guide_since", { time: at(since) })} · ${say("votes_count", { count: votes })}` },
  )), axis(scale));
}

// ---- confusions and people ---------------------------------------------------------------

function paintConfusions({ shared, pairs, matrix, confusions, problem, rows }) {
  const choice = byId("pair");
  const options = shared.map(({ first, second }) => [`${first} ${second}`, `${first} – ${second}`]);
  fillSelect(choice, [["", say("everybody")], ...options], "");
  choice.closest("p").hidden = !options.length;
  byId("matrix-lead").textContent = say("matrix_lead");
  paintMatrix(matrix, {});
  if (problem === "regression") byId("matrix-lead").textContent = say("number_matrix");
  else if (!rows.double) byId("matrix-lead").textContent = say("no_matrix");
  else if (!matrix) {
    byId("matrix-lead").textContent = say("too_many");
    byId("matrix").replaceChildren(list(confusions));
  }
  const scale = scaleOf(pairs.map((pair) => pair.kappa));
  byId("pairs").replaceChildren(...pairs.map(({ first, second, rows: count, same, kappa }) => barLine(`${first} – ${second}`, kappa, {
    filter: { kind: "double", person: first, other: second }, bar: scale, beside: say("pair_rows", { rows: count, same: Math.round(100 * same) }),
  })), axis(scale));
  if (!pairs.length) byId("pairs").replaceChildren(make("p", "quiet", say("no_pairs")));
}

function list(confusions) {
  const lines = make("ul", "pairs");
  lines.append(...confusions.map(({ first, second, rows }) => {
    const item = make("li");
    const filter = { kind: "double", label: first, other_label: second };
    item.append(make("span", "", say("confused", { first, second })), figure(say("found", { total: rows }), filter, say("confused", { first, second })));
    return item;
  }));
  return lines;
}

// The matrix of label × label; of two people where they are named, whose labels are the lines and the columns.
function paintMatrix(matrix, people) {
  const place = byId("matrix");
  place.hidden = !matrix || !matrix.flat().some(Boolean);
  if (place.hidden) {
    place.hidden = Boolean(matrix) || !state.figures.confusions.length;
    place.replaceChildren();
    return;
  }
  const { labels } = state.figures;
  const apart = Math.max(1, ...matrix.flatMap((line, row) => line.filter((_, column) => column !== row)));
  const table = make("table");
  const corner = make("tr");
  corner.append(make("td"), ...labels.map((label) => Object.assign(make("th", "", label), { scope: "col", title: label })));
  const head = make("thead");
  head.append(corner);
  const body = make("tbody");
  body.append(...matrix.map((line, row) => {
    const tr = make("tr");
    tr.append(Object.assign(make("th", "", labels[row]), { scope: "row", title: labels[row] }), ...line.map((count, column) => {
      const cell = make("td");
      cell.append(count ? cellButton(count, { row: labels[row], column: labels[column] }, people, row === column ? 0 : count / apart) : make("span", "none", "·"));
      return cell;
    }));
    return tr;
  }));
  table.append(make("caption", "", say("matrix_caption")), head, body);
  place.replaceChildren(table);
}

function cellButton(count, names, people, heat) {
  const button = make("button", names.row === names.column ? "same" : `heat-${Math.ceil(heat * 4)}`, new Intl.NumberFormat(language).format(count));
  button.type = "button";
  button.setAttribute("aria-label", say("cell", { ...names, count }));
  button.addEventListener("click", () => openRows({ kind: "double", label: names.row, other_label: names.column, ...people }));
  return button;
}

async function choosePair() {
  const [first, second] = byId("pair").value.split(" ");
  if (!second) {
    byId("matrix-lead").textContent = say("matrix_lead");
    paintMatrix(state.figures.matrix, {});
    return;
  }
  const response = await call(`/api/board/matrix?${new URLSearchParams({ first, second })}`).catch(() => null);
  if (!response?.ok) return;
  const { matrix } = await response.json();
  byId("matrix-lead").textContent = say("matrix_two", { first, second });
  paintMatrix(matrix, { person: first, other: second });
}

function paintPeople({ people }) {
  const scale = scaleOf(people.map((person) => person.reliability));
  byId("people").replaceChildren(...people.map(({ name, votes, shared, reliability, is_spammer: spammer }) => barLine(name, reliability, {
    filter: { kind: "double", person: name, apart: "1" }, bar: scale,
    beside: say("person_votes", { votes, shared }), warn: spammer ? say("spammer") : "",
  })), axis(scale));
  if (!people.length) byId("people").replaceChildren(make("p", "quiet", say("no_labels")));
}

// What suggestions cost in bias and gain in time, where some were shown.
function paintArms({ suggestions }) {
  byId("arms").hidden = !suggestions;
  if (!suggestions) return;
  const asInterval = (found) => found && { value: found.value, interval: [found.low, found.high] };
  const [bias, ratio] = [suggestions.agreement, suggestions.time_ratio].map(asInterval);
  byId("arms-figures").replaceChildren(
    barLine(say("bias"), bias, { bar: { least: -0.2, most: 0.2, ticks: 8 } }),
    barLine(say("gain"), ratio, { bar: { least: 0, most: 2, ticks: 8 } }),
  );
  byId("arms-verdict").textContent = say("verdict", { verdict: suggestions.verdict });
}

// ---- rows --------------------------------------------------------------------------------

function fillSelect(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) => {
    const option = make("option", "", text);
    option.value = value;
    return option;
  }));
  select.value = chosen;
}

const ANY = "*";

function openRows(filter) {
  const { labels, people, why, by_guide: byGuide } = state.figures;
  const names = people.map((person) => [person.name, person.name]);
  const options = {
    kind: ["all", ...KINDS].map((kind) => [kind, say(`kind_${kind}`)]),
    label: labels.map((label) => [label, label]), other_label: labels.map((label) => [label, label]), person: names, other: names,
    why: Object.keys(why).map((reason) => [reason, reason || say("why_none")]),
    guide: byGuide.map(({ guide }) => [guide, guide.slice(0, SHORT_HASH) || say("guide_none")]),
  };
  byId("filter").elements.apart.checked = Boolean(filter.apart);
  byId("filter-box").open = window.innerWidth > 640;
  for (const select of byId("filter").querySelectorAll("select")) {
    const every = select.name === "kind" ? [] : [[ANY, say("any")]];
    fillSelect(select, [...every, ...options[select.name]], filter[select.name] ?? (select.name === "kind" ? "all" : ANY));
  }
  state.filter = { ...filter };
  byId("rows").showModal();
  loadRows();
}

function changeFilter() {
  state.filter = Object.fromEntries([...new FormData(byId("filter"))].filter(([, value]) => value !== ANY));
  loadRows();
}

async function loadRows({ further = false } = {}) {
  const asked = state.asked += 1;
  const from = further ? state.shown : 0;
  const response = await call(`/api/board/rows?${new URLSearchParams({ ...state.filter, n: PAGE, from })}`).catch(() => null);
  if (asked !== state.asked) return;
  if (!response?.ok) {
    byId("found").textContent = say("away");
    return;
  }
  const { rows, total } = await response.json();
  const items = rows.map(rowItem);
  if (further) byId("row-list").append(...items);
  else byId("row-list").replaceChildren(...items);
  state.shown = from + rows.length;
  byId("found").textContent = total ? say("found", { total }) : say("found_none");
  byId("more-rows").hidden = state.shown >= total;
}

const inWords = ({ labels, number }) => number ?? (labels.join(", ") || say("none"));

function rowItem({ row, text, second, votes, skips, flags, comments, decision }) {
  const item = make("li");
  for (const part of [text ?? say("gone"), second].filter((each) => each !== null)) {
    const shown = make("p", "text", part);
    shown.dir = "auto";
    item.append(shown);
  }
  const given = make("p", "votes");
  const said = (who, what) => {
    const line = make("span", "", "");
    line.append(make("span", "who", who), ` ${what}`);
    given.append(line);
  };
  for (const vote of votes) said(say("gave", vote), inWords(vote));
  if (decision) said(say("decided"), inWords(decision));
  if (skips.length) said("", say("skipped_by", { people: skips.join(", ") }));
  if (flags.length) said("", say("flagged_by", { people: flags.join(", ") }));
  item.append(given);
  for (const [person, comment] of Object.entries(comments)) item.append(make("p", "note", `${person}: ${comment}`));
  item.append(make("span", "id", row));
  return item;
}

// ---- start -------------------------------------------------------------------------------

function paintAll(figures) {
  state.figures = figures;
  byId("all").hidden = false;
  paintWork(figures);
  paintAgreement(figures);
  paintConfusions(figures);
  paintPeople(figures);
  paintArms(figures);
}

function paintOwn({ votes, skips, pace, over_time: points }) {
  byId("own").textContent = [say("own_said", { votes, skips }), paceInWords(pace)].join(" · ");
  paintLine(byId("own-line"), points);
}

async function refresh() {
  byId("refresh").disabled = true;
  byId("state").textContent = say("loading");
  const wanted = ["/api/pace", ...(state.me.role === "lead" ? ["/api/board"] : [])];
  const answers = await Promise.all(wanted.map((path) => call(path).then((response) => (response.ok ? response.json() : null)).catch(() => null)));
  byId("refresh").disabled = false;
  if (answers.includes(null)) {
    byId("state").textContent = say("away");
    document.body.dataset.state = "away";
    return;
  }
  const [own, figures] = answers;
  paintOwn(own);
  if (figures) paintAll(figures);
  byId("state").textContent = say("as_of", { time: at(Date.now()) });
  document.body.dataset.state = "ready";
}

async function start() {
  translate(say);
  window.addEventListener("hashchange", () => location.reload());
  const response = token ? await call("/api/me").catch(() => null) : null;
  if (!response?.ok) {
    byId("state").textContent = say(!token || response?.status === 401 ? "no_link" : "away");
    byId("refresh").hidden = true;
    byId("own-title").parentElement.hidden = true;
    document.body.dataset.state = "closed";
    return;
  }
  state.me = await response.json();
  byId("product").textContent = state.me.product;
  byId("person").textContent = state.me.person;
  paintViews(state.me.role, say);
  if (state.me.role !== "lead") {
    document.title = say("pace_title");
    byId("title").textContent = say("pace_title");
  }
  byId("refresh").addEventListener("click", refresh);
  byId("pair").addEventListener("change", choosePair);
  byId("filter").addEventListener("change", changeFilter);
  byId("filter").addEventListener("submit", (event) => event.preventDefault());
  byId("close-rows").addEventListener("click", () => byId("rows").close());
  byId("more-rows").addEventListener("click", () => loadRows({ further: true }));
  await refresh();
}

start();
