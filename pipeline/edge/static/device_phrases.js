// The words of the page of the model on a device, in English and Korean, by the browser's language.

const PHRASES = {
  en: {
    lead: "It answers on this device. Nothing that you type leaves it.",
    loading: "Loading the model, once",
    loaded: "{done} of {total}",
    starting: "Starting it …",
    failed: "It could not be loaded",
    altered: "{file} did not arrive as it was written ({why}). Reload the page; if that does not help, tell whoever serves it.",
    insecure: "A browser keeps files for use without a network only on https:// or on localhost. Open this page there.",
    no_start: "The model did not start: {why}",
    write: "Write or paste a sentence", first: "First text", second: "Second text", examples: "Or try one of these",
    answer: "Answer", waiting: "Waiting for your text", type: "Type a sentence, or choose an example.",
    sure: "The model is {share} sure.", leans: "It leans towards {label}, with only {share}.", not_sure: "Not sure",
    none: "None of them", applies: "{count} of {labels} labels apply.", close: "A label is too close to its mark.",
    truncated: "It read only the beginning, because the text is too long.",
    refused: "That did not work", nothing_left: "Nothing is left of the text without its markup and blanks.",
    no_room: "The first text leaves no room for the second. Shorten it.",
    took: "{time} on this device · {pieces} word pieces",
    device: "On this device", kept: "Kept on it", compressed: "Loaded once, in Brotli", model: "The model itself",
    started: "Start", last: "Last answer", median: "Median answer", files: "Files checked by SHA-256",
    golden: "Answers as where it was built", of: "{right} of {of}", sent: "Sent to anyone", nothing: "Nothing",
    network: "Needs a network", no_more: "No more",
    newer: "A newer version is here.", replace: "Use it", card: "Model card", licences: "Licences",
    identity: "{variant}, {hash}",
  },
  ko: {
    lead: "이 기기에서 바로 답합니다. 입력한 글은 기기 밖으로 나가지 않습니다.",
    loading: "모델을 처음 한 번 불러옵니다",
    loaded: "{total} 중 {done}",
    starting: "시작하는 중 …",
    failed: "불러오지 못했습니다",
    altered: "{file} 파일이 원본과 다르게 도착했습니다 ({why}). 페이지를 새로 고치고, 그래도 안 되면 제공하는 쪽에 알려 주세요.",
    insecure: "브라우저는 https:// 주소나 localhost에서만 네트워크 없이 쓸 파일을 보관합니다. 그 주소로 열어 주세요.",
    no_start: "모델이 시작되지 않았습니다: {why}",
    write: "문장을 쓰거나 붙여 넣으세요", first: "첫째 글", second: "둘째 글", examples: "예문을 골라 보세요",
    answer: "답", waiting: "글을 기다리고 있습니다", type: "문장을 쓰거나 예문을 고르세요.",
    sure: "{share} 확신합니다.", leans: "{label} 쪽이지만 {share}뿐입니다.", not_sure: "확실하지 않음",
    none: "해당 없음", applies: "라벨 {labels}개 중 {count}개가 해당합니다.", close: "기준선에 너무 가까운 라벨이 있습니다.",
    truncated: "글이 길어 앞부분만 읽었습니다.",
    refused: "처리하지 못했습니다", nothing_left: "태그와 공백을 빼면 남는 글이 없습니다.",
    no_room: "첫째 글이 길어 둘째 글이 들어갈 자리가 없습니다. 줄여 주세요.",
    took: "이 기기에서 {time} · 낱말 조각 {pieces}개",
    device: "이 기기에서", kept: "보관한 크기", compressed: "처음 한 번 받은 크기(Brotli)", model: "모델 파일",
    started: "시작 시간", last: "마지막 답", median: "답의 중앙값", files: "SHA-256으로 확인한 파일",
    golden: "빌드할 때와 같은 답", of: "{of}개 중 {right}개", sent: "밖으로 보낸 글", nothing: "없음",
    network: "네트워크", no_more: "이제 필요 없음",
    newer: "새 버전이 있습니다.", replace: "바꾸기", card: "모델 카드", licences: "라이선스",
    identity: "{variant}, {hash}",
  },
};

const wanted = (navigator.languages ?? [navigator.language]).map((name) => name.slice(0, 2).toLowerCase());
export const language = wanted.find((name) => name in PHRASES) ?? "en";

export const phrase = (name, values = {}) => PHRASES[language][name]
  .replace(/\{(\w+)\}/g, (_, key) => values[key]);

export function translatePage() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = phrase(node.dataset.text);
}

const written = (value, digits) => new Intl.NumberFormat(language, {
  maximumFractionDigits: digits, minimumFractionDigits: digits,
}).format(value);
const digitsFor = (value) => (value >= 100 ? 0 : value >= 10 ? 1 : 2);
export const inMilliseconds = (value) => (value >= 1000
  ? `${written(value / 1000, 1)} s` : `${written(value, digitsFor(value))} ms`);
export const inMegabytes = (bytes) => `${written(bytes / 1e6, digitsFor(bytes / 1e6))} MB`;
// Never 100% or 0% for a rounded share: a model is not certain.
export const inPercent = (share) => {
  const rounded = Math.round(share * 100);
  if (rounded === 100 && share < 1) return "> 99%";
  return rounded === 0 && share > 0 ? "< 1%" : `${rounded}%`;
};
export const inNumber = (value) => written(value, 2);
export const inWords = (name) => {
  const spaced = name.replaceAll(/[-_]+/g, " ").trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};
