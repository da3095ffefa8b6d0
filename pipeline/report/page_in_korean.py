"""The words of the data page in Korean, for products whose texts are Korean; names that users chose stay as they are."""

from pipeline.data import check_reports, cleaned_rows, leaking_rows, row_checks, row_rights

_WORDS = {
    "Data of %(product)s": "%(product)s의 데이터",
    "Written by the stage validate from report.json and manifest.json. No text of a row is on this page.": (
        "validate 단계가 report.json과 manifest.json으로 쓴 문서입니다. 행의 텍스트는 들어 있지 않습니다."
    ),
    "Language of the texts, by their letters: %(language)s": "글자로 본 텍스트의 언어: %(language)s",
    "Sources": "소스",
    "Licence": "라이선스",
    "Used because": "쓰는 이유",
    "Rows by licence": "라이선스별 행",
    "Left out": "빼낸 것",
    "Rows by place": "출처별 행",
    "Collected": "모은 날",
    "Rows read": "읽은 행",
    "Origin": "출처",
    "Size": "크기",
    "%(bytes)s bytes": "%(bytes)s바이트",
    "Rows": "행",
    "Table": "표",
    "In": "들어옴",
    "Taken out": "빼냄",
    "Out": "통과",
    "Of the labelled rows, %(copies)s were copies of another (limit %(most_copies)s) and %(rejected)s were taken out for"
    " other reasons (limit %(most_rejected)s).": (
        "라벨 있는 행 가운데 중복은 %(copies)s (기준 %(most_copies)s), 다른 이유로 빼낸 것은 %(rejected)s"
        " (기준 %(most_rejected)s)입니다."
    ),
    "There is no corpus of unlabelled texts.": "라벨 없는 텍스트의 말뭉치가 없습니다.",
    "The number": "숫자",
    "Number": "숫자",
    "Least": "최소",
    "Median": "중앙값",
    "Mean": "평균",
    "Most": "최대",
    "Different": "서로 다른 값",
    "Labels": "라벨",
    "No row has a label yet. People give them before a model is trained.": (
        "아직 라벨이 있는 행이 없습니다. 모델을 학습하기 전에 사람이 붙입니다."
    ),
    "Shares are of the labelled rows that passed. The longest bar is the commonest label.": (
        "비율은 통과한 라벨 있는 행에 대한 것입니다. 가장 긴 막대가 가장 흔한 라벨입니다."
    ),
    "Taken out of the labelled rows": "라벨 있는 행에서 빼낸 것",
    "Taken out of the corpus rows": "말뭉치에서 빼낸 것",
    "Shares are of the rows before the checks.": "비율은 검사하기 전의 행에 대한 것입니다.",
    "None.": "없습니다.",
    "Lengths in characters": "글자 수",
    "95 %%": "95 %%",
    "Of the texts that passed; of a pair, both texts together. 95 %% are at most as long as the number in that column.": (
        "통과한 텍스트의 길이이며, 쌍은 두 텍스트를 합한 것입니다. 95 %%가 그 열의 수보다 길지 않습니다."
    ),
    "Languages": "언어",
    "Source": "소스",
    "Label": "라벨",
    "unlike the others": "다른 것들과 다름",
    "Of so many rows of each, by letters and, in Latin letters, by common small words. A row that does not tell has the"
    " language of most others.": (
        "각각 그만큼의 행을 글자로, 로마자는 흔한 짧은 낱말로 본 것입니다. 알 수 없는 행은 나머지 대부분의 언어로 셉니다."
    ),
    "Near copies": "거의 같은 행",
    "%(rows)s labelled rows are near copies of another, in %(clusters)s clusters.": (
        "라벨 있는 행 가운데 %(rows)s개가 다른 행과 거의 같으며, 묶음은 %(clusters)s개입니다."
    ),
    "A cluster is never divided between training, validation and test.": (
        "한 묶음은 학습, 검증, 시험에 나뉘지 않습니다."
    ),
    "Personal data": "개인정보",
    "Kind": "종류",
    "labelled rows": "라벨 있는 행",
    "corpus rows": "말뭉치 행",
    "As far as patterns see it; names of persons are not looked for.": (
        "패턴으로 찾을 수 있는 것만 셉니다. 사람 이름은 찾지 않습니다."
    ),
    "Groups of people": "사람의 집단",
    "No labelled row holds one of the words that are looked for.": "찾는 낱말이 있는 라벨 있는 행이 없습니다.",
    "Labelled rows that hold one of few common words for the group; below, how many have each label, and each word.": (
        "집단을 가리키는 흔한 낱말 몇 개 가운데 하나가 있는 라벨 있는 행입니다. 아래는 라벨별 행과 낱말별 행입니다."
    ),
    "%(times)s times (%(low)s to %(high)s)": "%(times)s배 (%(low)s ~ %(high)s)",
    "%(rows)s rows": "%(rows)s행",
    "Far more frequent under one label": "한 라벨에 훨씬 많은 것",
    "A model may learn the word in place of what the text means. The model card says how far answers change when groups"
    " are exchanged.": (
        "모델이 텍스트의 뜻 대신 이 낱말을 배울 수 있습니다. 집단을 바꾸면 답이 얼마나 바뀌는지는 모델 카드에 있습니다."
    ),
    "None is far more frequent under one label.": "한 라벨에 훨씬 많은 것은 없습니다.",
    "Limits that held": "적용된 기준",
    "Parameter of validate": "validate의 매개변수",
    "Value": "값",
}
_NAMES = {
    "labelled": "라벨 있는 행",
    "corpus": "말뭉치",
    cleaned_rows.EMPTY: "빈 텍스트",
    cleaned_rows.SHORT: "너무 짧음",
    cleaned_rows.LONG: "너무 김",
    row_checks.COPY: "다른 행의 중복",
    row_checks.CONFLICT: "라벨이 다른 중복",
    leaking_rows.CONTAINS: "라벨 있는 텍스트를 품음",
    leaking_rows.CONTAINED: "라벨 있는 텍스트의 일부",
    leaking_rows.NEAR: "라벨 있는 텍스트와 거의 같음",
    check_reports.NOTE: (
        "영어 네 낱말(한국어 세 낱말이나 열 음절, 한자 여섯 자, 가나 여덟 자, 태국 글자 열 자)보다 적게 말하는 라벨 있는 텍스트는"
        " 흔한 말로 봅니다. 말뭉치의 텍스트와 같거나 거의 같을 때만 누출로 셉니다."
    ),
    row_rights.NOT_GIVEN: "동의를 거부하거나 철회함",
    row_rights.NOT_RECORDED: "동의 기록 없음",
    "Rows that hold it are kept.": "개인정보가 있는 행도 그대로 둡니다.",
    "Its kind took its place in the tables of validate.": "validate의 표에서는 그 자리를 종류 이름으로 바꾸었습니다.",
    "A row that holds it stops the build.": "개인정보가 있는 행이 나오면 빌드가 멈춥니다.",
    "gender": "성별",
    "religion": "종교",
    "origin": "출신",
    "age": "나이",
    "disability": "장애",
    "orientation": "성적 지향",
    "English": "영어",
    "Korean": "한국어",
    "Japanese": "일본어",
    "Chinese": "중국어",
    "German": "독일어",
    "French": "프랑스어",
    "Spanish": "스페인어",
    "Italian": "이탈리아어",
    "Portuguese": "포르투갈어",
    "Dutch": "네덜란드어",
    "Russian or another language in Cyrillic": "러시아어 등 키릴 문자를 쓰는 언어",
    "a language in Latin letters": "로마자를 쓰는 언어",
    "no letters": "글자 없음",
}
GROUPS = {
    "women": "여성",
    "men": "남성",
    "young": "젊은 사람",
    "old": "나이 든 사람",
    "Christian": "기독교",
    "Catholic": "천주교",
    "Buddhist": "불교",
    "Muslim": "이슬람교",
    "Korean": "한국인",
    "Chinese": "중국인",
    "Japanese": "일본인",
    "American": "미국인",
    "Vietnamese": "베트남인",
    "Jeolla": "전라도",
    "Gyeongsang": "경상도",
    "Chungcheong": "충청도",
    "disabled": "장애인",
    "not disabled": "비장애인",
    "other": "다른 장애인",
    "homosexual": "동성애자",
    "heterosexual": "이성애자",
    "bisexual": "양성애자",
}
"""Names of the groups of pipeline/text/identity_terms.py → Korean."""
KOREAN = _WORDS | _NAMES
"""English words of the page, and names that reports give → Korean."""
