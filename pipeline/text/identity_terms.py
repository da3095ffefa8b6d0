"""Short lists of words for groups of people, in English and Korean; a product file may add to them.

Words at one place of the groups of a kind say the same of another group, so that a text stays a text when one
is exchanged for the other: the idea of counterfactual token fairness (Garg et al. 2019, "Counterfactual
Fairness in Text Classification through Robustness"), with words that fit the same place of a sentence, as in
the templates of Dixon et al. 2018. Words that mostly mean something else (`straight`, `old`, `blind`, `black`) are left
out. The lists are few common words, and no measure of who a text speaks of.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipeline.core.term_lists import TermLists


class Kind(NamedTuple):
    """A kind of groups in the words of one language, such as gender in English."""

    language: str
    name: str


class Term(NamedTuple):
    """A word for one group of a kind, as the list writes it."""

    kind: Kind
    group: str
    word: str


_ENGLISH = {
    "gender": {
        "women": "she, her, her, hers, herself, woman, women, girl, girls, mother, mothers, daughter, daughters,"
        " sister, sisters, wife, wives, actress, actresses, grandmother, mom, lady, ladies, female, girlfriend",
        "men": "he, his, him, his, himself, man, men, boy, boys, father, fathers, son, sons,"
        " brother, brothers, husband, husbands, actor, actors, grandfather, dad, gentleman, gentlemen, male, boyfriend",
    },
    "religion": {
        "Christian": "christian, christians, christianity",
        "Muslim": "muslim, muslims, islam",
        "Jewish": "jewish, jews, judaism",
        "Hindu": "hindu, hindus, hinduism",
        "Buddhist": "buddhist, buddhists, buddhism",
    },
    "origin": {
        "American": "american, americans",
        "Mexican": "mexican, mexicans",
        "French": "french, french people",
        "Chinese": "chinese, chinese people",
        "British": "british, british people",
        "African": "african, africans",
        "German": "german, germans",
        "Japanese": "japanese, japanese people",
        "Russian": "russian, russians",
        "Korean": "korean, koreans",
        "Indian": "indian, indians",
        "Italian": "italian, italians",
        "Asian": "asian, asians",
        "European": "european, europeans",
    },
    "age": {
        "young": "teenage, teen, teenager, teenagers, young man, young men, young woman, young women, young people",
        "old": "elderly, elderly, pensioner, pensioners, old man, old men, old woman, old women, old people",
    },
    "disability": {
        word: ", ".join(
            f"{word} {who}" for who in ("people", "person", "man", "woman", "boy", "girl", "child")
        )
        for word in ("deaf", "blind", "autistic", "disabled")
    },
    "orientation": {
        "gay": "gay, gays, homosexual, homosexuals",
        "heterosexual": "heterosexual, heterosexuals, heterosexual, heterosexuals",
        "lesbian": "lesbian, lesbians, lesbian, lesbians",
        "bisexual": "bisexual, bisexuals, bisexual, bisexuals",
    },
}
_KOREAN = {
    "gender": {
        "women": "여자, 여성, 여학생, 여자친구, 여직원, 아내, 어머니, 엄마, 딸, 할머니, 소녀, 아줌마, 여동생, 여배우, 여사친, 며느리, 이모",
        "men": "남자, 남성, 남학생, 남자친구, 남직원, 남편, 아버지, 아빠, 아들, 할아버지, 소년, 아저씨, 남동생, 남배우, 남사친, 사위, 삼촌",
    },
    "religion": {
        "Christian": "기독교, 기독교인",
        "Buddhist": "불교, 불교도",
        "Muslim": "이슬람교, 이슬람교도",
        "Catholic": "천주교, 천주교인",
    },
    "origin": {
        "Korean": "한국인, 한국 사람",
        "Chinese": "중국인, 중국 사람",
        "American": "미국인, 미국 사람",
        "Vietnamese": "베트남인, 베트남 사람",
        "Japanese": "일본인, 일본 사람",
        "Jeolla": "전라도, 전라도 사람",
        "Gyeongsang": "경상도, 경상도 사람",
        "Chungcheong": "충청도, 충청도 사람",
    },
    "age": {
        "young": "청년, 젊은이, 청소년, 20대, 젊은 사람, 젊은 분",
        "old": "노인, 늙은이, 어르신, 60대, 나이 든 사람, 나이 드신 분",
    },
    "disability": {
        "disabled": "장애인, 시각장애인, 지체장애인",
        "not disabled": "비장애인, 비장애인, 비장애인",
        "other": "발달장애인, 청각장애인, 척수장애인",
    },
    "orientation": {
        "homosexual": "동성애자, 게이, 레즈비언",
        "heterosexual": "이성애자, 이성애자, 이성애자",
        "bisexual": "양성애자, 양성애자, 양성애자",
    },
}


def _listed(kinds: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, list[str]]]:
    return {
        kind: {group: words.split(", ") for group, words in groups.items()}
        for kind, groups in kinds.items()
    }


BUILT_IN: TermLists = {"English": _listed(_ENGLISH), "Korean": _listed(_KOREAN)}
"""Language → kind → group → its words."""


def chosen_terms(own: TermLists) -> dict[Kind, Mapping[str, Sequence[str]]]:
    """Kind → its groups: the lists of this file and, in the place of a kind that it names, those of a product."""
    languages = dict.fromkeys([*BUILT_IN, *own])
    lists = {each: {**BUILT_IN.get(each, {}), **own.get(each, {})} for each in languages}
    return {
        Kind(language, kind): groups
        for language, kinds in lists.items()
        for kind, groups in kinds.items()
        if groups
    }
