"""How a candidate stands beside the champion: in words for a person, as JSON for a program."""

from dataclasses import asdict, dataclass
from typing import Any

from pipeline.judge.judgement import MOST_PAIRS, Judgement


@dataclass(frozen=True, kw_only=True)
class ShadowStatus:
    """A candidate as it stands.

    Attributes:
        dropped: requests that were not compared: more came than the server had idle time for.
        damaged: lines of the file that could not be read.
        refused: why the server cannot try it; None where it can.
        file: of the pairs.
    """

    champion: str
    candidate: str
    canary: float
    judgement: Judgement
    dropped: int
    damaged: int
    refused: str | None
    file: str

    @property
    def open(self) -> bool:
        """Whether more requests can bring a verdict."""
        undecided = self.judgement.outcome == "undecided"
        return undecided and self.refused is None and self.judgement.pairs < MOST_PAIRS


def as_text(found: ShadowStatus) -> str:
    """How a candidate stands, for a person."""
    judgement = found.judgement
    how = f"answers {found.canary:.1%} of the requests" if found.canary else "in shadow"
    lines = [
        f"candidate {found.candidate[:12]}, {how}, beside {found.champion[:12]}",
        f"{judgement.pairs:,} requests compared, {found.dropped:,} were not",
        f"verdict: {verdict_in_words(found)}",
        "",
        f"{'what':<12} {'found':>8} {'allowed':>8} {'alarm':>7} {'shown to be no worse':>21}",
    ]
    for stream in judgement.streams:
        mean = "-" if stream.mean is None else f"{stream.mean:.2%}"
        lines.append(
            f"{stream.name:<12} {mean:>8} {stream.allowed:>8.2%} {min(stream.alarm, 1):>7.0%} "
            f"{min(stream.shown, 1):>21.0%}"
        )
    if found.damaged:
        lines.append(f"{found.damaged} lines of {found.file} could not be read and do not count.")
    return "\n".join(lines)


def as_json(found: ShadowStatus) -> dict[str, Any]:
    """How a candidate stands, for a program."""
    value = asdict(found)
    for stream, state in zip(value["judgement"]["streams"], found.judgement.streams, strict=True):
        stream["mean"] = state.mean
    return value


def verdict_in_words(found: ShadowStatus) -> str:
    """The verdict, after how many requests, and because of what."""
    judgement = found.judgement
    if found.refused is not None:
        return f"none, for the server cannot try it: {found.refused}"
    if judgement.outcome == "promote":
        return f"promote, after {judgement.decided_at:,} requests: no worse in any respect"
    if judgement.outcome == "roll back":
        return f"roll back, after {judgement.decided_at:,} requests: {', '.join(judgement.because)}"
    if judgement.pairs >= MOST_PAIRS:
        return f"undecided after {judgement.pairs:,} requests, and no more are compared"
    return "undecided, more requests are needed"
