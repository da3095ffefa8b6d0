// What the page says, in English and Korean, by the browser's language.

const PHRASES = {
  en: {
    title: "Label", views: "Views", labels: "Labels", show: "Show", history: "History", guide: "Guide", keys: "Keys", close: "Close",
    cancel: "Cancel", save: "Save", undo: "Undo", skip: "Skip", flag: "Flag", comment: "Comment", next: "Next",
    your_answers: "Your answers", all: "All", flagged: "Flagged", commented: "Commented", earlier: "Earlier ones",
    nothing_here: "Nothing here.", comment_title: "Comment on this text", skipped: "skipped", none: "none of them",
    keys_lead: "Keys count by their place on the keyboard, whatever language it writes.", keys_on: "Keys label and command",
    key_label: "gives the label", key_toggle: "chooses a label, or not", key_digits: "type the number; ← → change it by one",
    key_next: "next", key_undo: "takes the last answer back, as often as you like", key_skip: "skips the text",
    key_flag: "flags the text, or not", key_comment: "comments on the text", key_back: "an earlier answer of yours, a later one",
    key_history: "your answers", key_guide: "the guide", key_help: "these keys",
    loading: "One moment …", empty: "Nothing waits for you. Thank you!",
    no_link: "Open the private link that `modelyard annotate` printed for you.",
    old_link: "This link does not work any more. Ask for a new one; nothing that you labelled here is lost.",
    gone: "(this text is no longer in the data)", of: "{done} done · {queue} wait", pace: "{seconds} s each",
    saved: "saved ✓", saving: "saving …", away: "not connected · {count} kept here", refused: "Not taken: {got}; expected {expected}.",
    not_saved: "The server cannot save: {got}. Your answers are kept here and sent again.", given: "{label}. Next text.", taken_back: "Taken back: {label}.",
    flag_on: "Flagged.", flag_off: "No longer flagged.", comment_saved: "Comment saved.", looking: "You gave this text: {label}. A new answer replaces it.",
    nothing_to_undo: "Nothing to take back.", number_wanted: "Type a number.",
  },
  ko: {
    title: "라벨링", views: "보기", labels: "라벨", show: "표시", history: "기록", guide: "지침", keys: "단축키", close: "닫기",
    cancel: "취소", save: "저장", undo: "되돌리기", skip: "건너뛰기", flag: "표시", comment: "메모", next: "다음",
    your_answers: "내 답변", all: "전체", flagged: "표시한 것", commented: "메모한 것", earlier: "이전 답변",
    nothing_here: "아직 없습니다.", comment_title: "이 글에 대한 메모", skipped: "건너뜀", none: "해당 없음",
    keys_lead: "입력 언어와 관계없이 키보드의 위치로 인식합니다.", keys_on: "단축키 사용",
    key_label: "라벨을 답니다", key_toggle: "라벨을 고르거나 뺍니다", key_digits: "숫자를 입력합니다. ← →는 1씩 바꿉니다",
    key_next: "다음", key_undo: "마지막 답변을 되돌립니다. 몇 번이든 가능합니다", key_skip: "이 글을 건너뜁니다",
    key_flag: "이 글을 표시하거나 해제합니다", key_comment: "메모를 씁니다", key_back: "이전 답변, 다음 답변",
    key_history: "내 답변", key_guide: "지침", key_help: "단축키 목록",
    loading: "잠시만 기다려 주세요 …", empty: "기다리는 글이 없습니다. 고맙습니다!",
    no_link: "`modelyard annotate`가 출력한 개인 링크를 열어 주세요.",
    old_link: "이 링크는 더 이상 쓸 수 없습니다. 새 링크를 요청하세요. 여기에서 단 라벨은 사라지지 않습니다.",
    gone: "(데이터에 더 이상 없는 글입니다)", of: "{done}개 완료 · {queue}개 대기", pace: "개당 {seconds}초",
    saved: "저장됨 ✓", saving: "저장 중 …", away: "연결 끊김 · {count}개 보관 중", refused: "받아들여지지 않음: {got}; 필요한 것: {expected}.",
    not_saved: "서버가 저장하지 못합니다: {got}. 답변은 여기에 보관되고 다시 전송됩니다.", given: "{label}. 다음 글.", taken_back: "되돌림: {label}.",
    flag_on: "표시했습니다.", flag_off: "표시를 해제했습니다.", comment_saved: "메모를 저장했습니다.", looking: "이 글의 답변: {label}. 새로 답하면 바뀝니다.",
    nothing_to_undo: "되돌릴 것이 없습니다.", number_wanted: "숫자를 입력하세요.",
  },
};

const wanted = (navigator.languages ?? [navigator.language]).map((name) => name.slice(0, 2).toLowerCase());
export const language = wanted.find((name) => name in PHRASES) ?? "en";
const whole = new Intl.NumberFormat(language);

export const say = (name, values = {}) => PHRASES[language][name].replace(/\{(\w+)\}/g, (_, key) => (
  typeof values[key] === "number" ? whole.format(values[key]) : values[key]));

// Replaces the English of the page.
export function translate() {
  document.documentElement.lang = language;
  document.title = say("title");
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = say(node.dataset.text);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", say(node.dataset.label));
}
