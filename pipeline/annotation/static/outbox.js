// Events on their way to the server. Each is kept in the browser's database until the server says that it is on its
// disk, and is sent again with the same uid: what comes twice counts once. Until the database has it, which takes some
// milliseconds in which a tab may be closed, it stands in the local storage. The texts that wait for an answer are kept
// too, so that work goes on where the network is away.

const PER_REQUEST = 50;
const KEEPALIVE_BYTES = 50_000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8_000;

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

// The browser's database of one person and product; null where the browser has none, as in some private windows.
async function openDatabase(name) {
  try {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("events", { autoIncrement: true });
      opening.result.createObjectStore("rows", { keyPath: "row" });
    };
    return await done(opening);
  } catch {
    return null;
  }
}

export class Outbox {
  // told({state: saved | saving | away | taken | refused | not_saved | closed, count, …}) hears of every change.
  constructor(call, told) {
    this.call = call;
    this.told = told;
    this.waiting = [];
    this.wait = FIRST_WAIT;
  }

  // Opens the database; returns what it holds: {events, rows}.
  async open(name) {
    this.name = name;
    this.database = await openDatabase(name);
    const [kept, keys, rows] = await this.read();
    this.waiting.push(...kept.map((event, number) => ({ event, key: Promise.resolve(keys[number]) })));
    const known = new Set(kept.map((event) => event.uid));
    for (const [entry, event] of this.journal()) {
      if (known.has(event.uid)) localStorage.removeItem(entry);
      else this.waiting.push({ event, key: this.keep(event, entry) });
    }
    return { events: this.waiting.map((each) => each.event), rows };
  }

  async read() {
    if (!this.database) return [[], [], []];
    const stores = this.database.transaction(["events", "rows"]);
    const [events, waiting] = ["events", "rows"].map((store) => stores.objectStore(store));
    return Promise.all([done(events.getAll()), done(events.getAllKeys()), done(waiting.getAll())]);
  }

  add(event) {
    const entry = `${this.name}/${Date.now()}-${String(this.count = (this.count ?? 0) + 1).padStart(6, "0")}`;
    try {
      localStorage.setItem(entry, JSON.stringify(event));
    } catch {
      // A full or forbidden storage: the database alone keeps it.
    }
    this.waiting.push({ event, key: this.keep(event, entry) });
    this.tell("saving");
    this.send();
  }

  // Entries of the local storage and their events, the oldest first.
  journal() {
    return Object.keys(localStorage).filter((entry) => entry.startsWith(`${this.name}/`)).sort()
      .map((entry) => [entry, JSON.parse(localStorage.getItem(entry))]);
  }

  // Puts an event into the database; resolves to its key there once it will stay.
  async keep(event, entry) {
    const key = await this.write("events", (store) => store.add(event));
    if (key !== undefined) localStorage.removeItem(entry);
    return key ?? entry;
  }

  keepRow(row) { return this.write("rows", (store) => store.put(row)); }

  replaceRows(rows) {
    return this.write("rows", (store) => {
      store.clear();
      for (const row of rows) store.put(row);
      return null;
    });
  }

  // Sends what waits; resolves to whether nothing waits any more.
  send() {
    // Begun a moment later, so that whoever hears of it and sends again meets this sending and starts no other.
    this.sending ??= Promise.resolve().then(() => this.sendAll()).finally(() => { this.sending = null; });
    return this.sending;
  }

  async sendAll() {
    clearTimeout(this.timer);
    while (this.waiting.length && !this.closed) {
      const batch = this.waiting.slice(0, PER_REQUEST);
      const answer = await this.post(batch.map((each) => each.event));
      if (!answer) return false;
      this.waiting.splice(0, batch.length);
      this.wait = FIRST_WAIT;
      for (const each of batch) this.forget(each);
      this.told({ state: "taken", events: answer.events });
      for (const { uid, refused } of answer.events) if (refused) this.told({ state: "refused", uid, ...refused });
      this.counts = answer.counts;
      this.guide = answer.guide;
    }
    if (!this.closed) this.tell("saved");
    return !this.closed;
  }

  async post(events) {
    const body = JSON.stringify(events);
    const options = { method: "POST", headers: { "content-type": "application/json" }, body, keepalive: body.length < KEEPALIVE_BYTES };
    const response = await this.call("/api/events", options).catch(() => null);
    if (response?.ok) return response.json();
    if (response?.status === 401) {
      this.closed = true;
      this.tell("closed");
    } else {
      const error = response && (await response.json().catch(() => null))?.error;
      if (error) this.told({ state: "not_saved", ...error });
      this.tell("away");
      this.timer = setTimeout(() => this.send(), this.wait);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    }
    return null;
  }

  tell(state) { this.told({ state, count: this.waiting.length, counts: this.counts, guide: this.guide }); }

  // Removes an event that the server has, and its row, which waits no longer.
  async forget({ event, key }) {
    const known = await key;
    if (typeof known === "string") localStorage.removeItem(known);
    else await this.write("events", (store) => store.delete(known));
    if (event.event === "vote" || event.event === "skip") await this.write("rows", (store) => store.delete(event.row));
  }

  // Does something in a store; resolves to its result once that will stay. The server has the last word, so a browser
  // that cannot keep things is no error.
  async write(name, act) {
    if (!this.database) return undefined;
    try {
      const transaction = this.database.transaction(name, "readwrite");
      const request = act(transaction.objectStore(name));
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
      return request?.result;
    } catch {
      return undefined;
    }
  }
}
