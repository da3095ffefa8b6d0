// Chooses between English and Korean by the browser's language, and writes a screen's phrases into it.

const COMMON = {
  en: {
    views: "Views", view_label: "Label", view_guide: "Guide page", view_adjudicate: "Adjudicate", view_mistakes: "Mistakes", view_board: "Board",
    view_pace: "Pace", close: "Close", no_link: "Open the private link that `modelyard annotate` printed for you.",
  },
  ko: {
    views: "보기", view_label: "라벨링", view_guide: "지침 화면", view_adjudicate: "이견 판정", view_mistakes: "오답", view_board: "현황판",
    view_pace: "속도", close: "닫기", no_link: "`modelyard annotate`가 출력한 개인 링크를 열어 주세요.",
  },
};

const wanted = (navigator.languages ?? [navigator.language]).map((name) => name.slice(0, 2).toLowerCase());
export const language = wanted.find((name) => name in COMMON) ?? "en";
const whole = new Intl.NumberFormat(language);

// Returns say(name, values): a phrase of the table {en: {…}, ko: {…}}, or one that all screens share.
export const speaker = (table) => (name, values = {}) => (table[language][name] ?? COMMON[language][name])
  .replace(/\{(\w+)\}/g, (_, key) => (typeof values[key] === "number" ? whole.format(values[key]) : values[key]));

// Replaces the English of the screen.
export function translate(say) {
  document.documentElement.lang = language;
  document.title = say("title");
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = say(node.dataset.text);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", say(node.dataset.label));
}
