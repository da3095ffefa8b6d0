// What the screen of the model's mistakes says.

export const PHRASES = {
  en: {
    title: "Mistakes",
    lead: "The last model that passed the gate gives {mistakes} of {validation} validation rows another answer than their label, the surest first. Ask one more person where the label may be wrong.",
    lead_numbers: "The half of the {validation} validation rows whose number the last model that passed the gate misses by most, the worst first. Ask one more person where the number may be wrong.",
    why: "What happens to a row",
    why_text: "Somebody who has not labelled it labels it, and sees neither the label nor the model's answer. With each row goes one that the model answered right, so that not only mistakes are corrected. Test rows are never shown here: correcting them by looking at mistakes would make later figures look better than they are.",
    opinions: "Asked again so far. Mistakes: {answered} of {sent} labelled, {differ} with another label than before. Rows the model answered right: {control_answered} of {control_sent} labelled, {control_differ} with another label.",
    pair: "Label → answer", slice: "Slice", source: "Source", confidence: "Confidence", all: "All", choice: "{name} ({rows})",
    found: "{found} rows", none: "No row fits.", more: "Show more", ask: "Ask again", asked: "Asked again",
    label: "labelled", answer: "model", sure: "{percent} % sure", opinion: "one more person: {label}", nothing: "none of them",
    keys_move: "next and previous", keys_ask: "asks one more person, or takes that back",
    said_asked: "One more person is asked.", said_forgotten: "Taken back.",
    not_built: "No model has passed the gate yet. Run `make pipeline` first.", all_right: "The model answers every validation row as it is labelled.",
    loading: "One moment …", away: "The server cannot be reached.", old_link: "This link does not work any more. Ask for a new one.", refused: "{got}; expected {expected}. Next: {next_step}",
  },
  ko: {
    title: "오답",
    lead: "게이트를 통과한 마지막 모델이 검증 데이터 {validation}행 중 {mistakes}행에 라벨과 다른 답을 냈습니다. 확신이 높은 순서입니다. 라벨이 틀렸을 수 있으면 한 사람에게 더 물어보세요.",
    lead_numbers: "검증 데이터 {validation}행 중 마지막 모델의 수가 가장 많이 빗나간 절반이며, 많이 빗나간 순서입니다. 수가 틀렸을 수 있으면 한 사람에게 더 물어보세요.",
    why: "보낸 행은 어떻게 되나요",
    why_text: "그 행에 라벨을 달지 않은 사람이 라벨을 답니다. 기존 라벨도 모델의 답도 보지 못합니다. 보낸 행마다 모델이 맞힌 행이 하나씩 함께 가므로 오답만 고쳐지지 않습니다. 테스트 행은 여기에 나오지 않습니다. 오답을 보고 테스트 라벨을 고치면 이후 수치가 실제보다 좋아 보이기 때문입니다.",
    opinions: "다시 물은 결과. 오답: {sent}행 중 {answered}행에 라벨, 그중 {differ}행은 전과 다름. 모델이 맞힌 행: {control_sent}행 중 {control_answered}행에 라벨, 그중 {control_differ}행은 전과 다름.",
    pair: "라벨 → 모델의 답", slice: "부분 집합", source: "출처", confidence: "확신", all: "전체", choice: "{name} ({rows})",
    found: "{found}행", none: "해당하는 행이 없습니다.", more: "더 보기", ask: "다시 묻기", asked: "다시 물음",
    label: "라벨", answer: "모델", sure: "확신 {percent} %", opinion: "다른 한 사람: {label}", nothing: "해당 없음",
    keys_move: "다음, 이전", keys_ask: "한 사람에게 더 묻거나 취소합니다",
    said_asked: "한 사람에게 더 묻습니다.", said_forgotten: "취소했습니다.",
    not_built: "게이트를 통과한 모델이 아직 없습니다. 먼저 `make pipeline`을 실행하세요.", all_right: "모델이 모든 검증 행에 라벨과 같은 답을 냈습니다.",
    loading: "잠시만 기다려 주세요 …", away: "서버에 연결할 수 없습니다.", old_link: "이 링크는 더 이상 쓸 수 없습니다. 새 링크를 요청하세요.", refused: "{got}; 필요한 것: {expected}. 다음: {next_step}",
  },
};
