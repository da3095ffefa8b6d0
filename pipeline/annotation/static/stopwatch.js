// For how long the text on the screen has been in sight, without the time in which the tab was hidden.

const watch = { since: 0, before: 0 };

document.addEventListener("visibilitychange", () => {
  if (document.hidden && watch.since) watch.before += performance.now() - watch.since;
  watch.since = document.hidden ? 0 : performance.now();
});

// Begins again, with a new text.
export function restart() {
  watch.before = 0;
  watch.since = document.hidden ? 0 : performance.now();
}

export const seconds = () => Math.round((watch.before + (watch.since ? performance.now() - watch.since : 0)) / 10) / 100;
