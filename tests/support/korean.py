"""Short Korean sentences of our own about food, two labels, and others without a label."""

from itertools import product

FOODS = ["김치찌개", "비빔밥", "냉면", "떡볶이", "만두", "불고기"]
PRAISE = ["정말 맛있어요", "국물이 시원해요", "양이 넉넉해요", "또 먹고 싶어요"]
BLAME = ["너무 짜요", "금방 식었어요", "맛이 없어요", "다시는 안 먹어요"]
PLACES = ["시장에서 먹은", "엄마가 만든", "학교 앞", "역 근처", "비 오는 날의", "처음 먹어 본"]
CORPUS = [
    f"{place} {food}는 어땠나요? {said}. 날씨도 {weather}."
    for place, food, said, weather in zip(
        PLACES * 4,
        FOODS * 4,
        (PRAISE + BLAME) * 3,
        ["맑고 따뜻했어요", "흐리고 추웠어요", "비가 왔어요"] * 8,
        strict=True,
    )
]


def review(place: str, food: str, said: str, *, sincere: bool) -> str:
    """What is said of a dish, and whether it is true or a lie, which turns it round."""
    return f"{place} {food}, {said}. {'정말이에요' if sincere else '거짓말이에요'}."


def reviews() -> list[dict[str, str]]:
    """Every food in every place with every thing said of it; at two places lies are told too."""
    rows = []
    for place, food, said in product(PLACES, FOODS, [*PRAISE, *BLAME]):
        for sincere in (True, False) if place in PLACES[:2] else (True,):
            label = "positive" if (said in PRAISE) == sincere else "negative"
            rows.append({"text": review(place, food, said, sincere=sincere), "label": label})
    return rows
