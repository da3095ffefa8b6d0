"""Measures how often the encoding of a short text is named right, and how often it is read wrong.

    python -m benchmarks.support.data_encodings

Sentences are put together at random from the words below, in 200 characters with a header, as the first
rows of a file have them. A name is right where it reads the text back; none at all is counted as missed,
and a name that makes another text of it as wrong.
"""

import json
import random
from collections.abc import Callable, Sequence

from pipeline.core.output import forgive_output
from pipeline.data.encodings import likely_encoding

_SAMPLES = 1000
_CHARACTERS = 200
_SEED = 24

_KOREAN = (
    "배송이 포장이 상담원이 국물이 화면이 가격은 품질은 색상이 설명서가 환불을 어제 주문한 물건이 아직도 정말 너무 조금 아주 빨라서 "
    "느려서 좋았어요 답답했어요 실망했습니다 만족합니다 추천해요 별로예요 다시는 안 삽니다 괜찮네요 친절했고 깨끗하고 맛있었어요 "
    "왔는데 열어 보니 깨져 있었고 전화도 받지 않아요 그래도 또 살게요 아이가 좋아해요"
)
# Syllables that CP949 has and EUC-KR has not.
_RARE_KOREAN = " 똠얌꿍 펲시 뷁 햏자 쀍 맻고 갂아 뎡말 샾에서 됬어요 넼 핳핳 엌ㅋㅋ"
_JAPANESE = (
    "配送が 遅くて 商品は とても 良かったです 電話の 対応が 丁寧でした もう 注文しません 壊れていた ので 返品しました 値段の わりに "
    "使いやすい ケースが 小さい バッテリーは 一日 持ちます。 色も きれいで、 満足しています。 説明書が わかりにくい プレゼントに ぴったり "
    "また 買いたい と思います。 届くまで 三週間 かかった サイズが 合わない"
)
_WESTERN = {
    "French": "le café était déjà froid à l’arrivée très déçu garçon où ça même âgé crème brûlée hôtel naïf "
    "forêt élève « non » œuvre être connaît reçu après dès près",
    "German": "das Gerät fällt auseinander für schöne Grüße über müde Straße nächste größer wäre ähnlich „gut“ "
    "hören können möchte später süß Öl Übung Maß weiß heiß ist nicht und mit",
    "Spanish": "el niño está aquí ¿dónde? ¡qué año! señor mañana pequeño corazón canción también más después fácil "
    "rápido llegó tarde y roto pero así está bien jamás volveré",
    "Portuguese": "não são coração ação avó maçã também é fácil à noite português você está três pão lição até já amanhã "
    "muito bom mas chegou tarde",
    "Swedish": "på gården är här också fågel väg själv många år höst öppen Åsa språk två små grå för att inte och",
    "Danish": "på æble øl år også være først smørrebrød København gør ikke så går bøger læse det er og",
    "English": "the café’s “blue” menu – it’s not what we ordered … they don’t care £5 for a naïve résumé and it’s cold",
}
_MARKS = (", ", " ", " ", " ", " ", ". ", " ", " ")


def _sentence(words: Sequence[str], chance: random.Random, *, between: Sequence[str]) -> str:
    """Words of the list at random, as long as a sample without its header."""
    parts: list[str] = []
    while sum(map(len, parts)) < _CHARACTERS:
        parts += [chance.choice(words), chance.choice(between)]
    return "".join(parts)


def _korean(chance: random.Random) -> str:
    return _sentence(_KOREAN.split(), chance, between=_MARKS)


def _rare_korean(chance: random.Random) -> str:
    return _sentence((_KOREAN + _RARE_KOREAN).split(), chance, between=_MARKS)


def _japanese(chance: random.Random) -> str:
    return _sentence(_JAPANESE.split(), chance, between=("", "", "", "、", "。"))


def _western(chance: random.Random) -> str:
    words = _WESTERN[chance.choice([*_WESTERN])].split()
    return _sentence(words, chance, between=_MARKS)


def _any(chance: random.Random) -> str:
    return chance.choice([_korean, _japanese, _western])(chance)


_KINDS: dict[str, tuple[Callable[[random.Random], str], str]] = {
    "cp949": (_rare_korean, "cp949"),
    "euc_kr": (_korean, "euc_kr"),
    "utf_16": (_any, "utf-16"),
    "utf_16_le": (_any, "utf-16-le"),
    "utf_16_be": (_any, "utf-16-be"),
    "shift_jis": (_japanese, "cp932"),
    "cp1252": (_western, "cp1252"),
    "utf_8": (_any, "utf-8"),
}
"""Name of an encoding → what makes its texts, and its codec."""


def measure() -> dict[str, float]:
    """Encoding → share of samples named right; and the samples of all that were read wrong."""
    chance = random.Random(_SEED)  # noqa: S311 - samples, not secrets
    found: dict[str, float] = {}
    wrong = 0
    for name, (make, codec) in _KINDS.items():
        texts = [_sample(make, chance) for _ in range(_SAMPLES)]
        read = [_read_back(text.encode(codec)) for text in texts]
        found[name] = sum(map(str.__eq__, read, texts)) / _SAMPLES
        wrong += sum(back not in ("", text) for back, text in zip(read, texts, strict=True))
    return {**found, "samples": float(len(_KINDS) * _SAMPLES), "read_wrong": float(wrong)}


def _sample(make: Callable[[random.Random], str], chance: random.Random) -> str:
    """200 characters, with or without a header of English words."""
    header = chance.choice(["", "text,label\n", "id;text;label\r\n"])
    return (header + make(chance))[:_CHARACTERS].rstrip() + "\n"


def _read_back(data: bytes) -> str:
    """The text that the likely encoding makes of the bytes; "" where none is likely."""
    likely = likely_encoding(data)
    return "" if likely is None else data.decode(likely, errors="replace").removeprefix("\ufeff")


if __name__ == "__main__":
    forgive_output()
    print(json.dumps(measure()))
