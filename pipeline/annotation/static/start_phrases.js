// What the screen of the gold items says.

export const PHRASES = {
  en: {
    title: "Before you begin", labels: "Labels", next: "Next", begin: "Begin to label",
    place: "Before you begin: text {number} of {items}. After each answer you see the right one and the rule.",
    again: "Once more: a text that was not right before.",
    right: "Right: {label}.", wrong: "The right answer is {label}; yours was {given}.", none: "none of them",
    counts: "{right} right · {needed} of {items} are needed", passed: "{right} of {items} are right. The queue is open.",
    nothing: "There is nothing to learn first. Begin to label.", number_wanted: "Type a number.",
    old_link: "This link does not work any more. Ask for a new one.", away: "The server cannot be reached. Reload the page.",
    error: "{got}. Expected: {expected}. {next_step}.",
  },
  ko: {
    title: "시작하기 전에", labels: "라벨", next: "다음", begin: "라벨링 시작",
    place: "시작하기 전에: {items}개 중 {number}번째 글. 답할 때마다 정답과 규칙이 보입니다.",
    again: "다시 한 번: 앞에서 틀린 글입니다.",
    right: "맞았습니다: {label}.", wrong: "정답은 {label}, 내 답은 {given}입니다.", none: "해당 없음",
    counts: "{right}개 정답 · {items}개 중 {needed}개 필요", passed: "{items}개 중 {right}개를 맞혔습니다. 이제 라벨을 달 수 있습니다.",
    nothing: "먼저 익힐 것이 없습니다. 라벨링을 시작하세요.", number_wanted: "숫자를 입력하세요.",
    old_link: "이 링크는 더 이상 쓸 수 없습니다. 새 링크를 요청하세요.", away: "서버에 연결할 수 없습니다. 페이지를 다시 여세요.",
    error: "{got}. 필요한 것: {expected}. {next_step}.",
  },
};
