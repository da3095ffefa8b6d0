"""The few kinds of error that a person may meet, each with what to do next."""


class PipelineError(Exception):
    """A failure that the person who runs the pipeline can correct.

    Args:
        got: what was found, with the name of the file or parameter.
        expected: what should have been there.
        next_step: one thing to do now.

    Attributes:
        is_answer: whether it is what a build found out, rather than a fault.
    """

    def __init__(self, got: str, *, expected: str, next_step: str) -> None:
        super().__init__(got, expected, next_step)
        self.is_answer = False
        self.got = got
        self.expected = expected
        self.next_step = next_step

    def __str__(self) -> str:
        return f"got: {self.got}\n  expected: {self.expected}\n  next: {self.next_step}"


class ParameterError(PipelineError):
    """A file of parameters, or a value given in its place, is not what the schema allows."""


class DataError(PipelineError):
    """The data are missing, malformed, or break a limit that the parameters set."""


class LabelsNeededError(DataError):
    """Too few rows have a label yet. A build ends there, and ends well: now people label rows."""

    def __init__(self, got: str, *, expected: str, next_step: str) -> None:
        super().__init__(got, expected=expected, next_step=next_step)
        self.is_answer = True


class CannotBeToldError(DataError):
    """No simple model finds anything in the texts that tells the label. A build ends there, and ends
    well: that no model is worth training is an answer, and the stage's verdict.json holds it.
    """

    def __init__(self, got: str, *, expected: str, next_step: str) -> None:
        super().__init__(got, expected=expected, next_step=next_step)
        self.is_answer = True


class TrainingError(PipelineError):
    """Training cannot go on: a loss is not finite, or a model is worse than its limit."""


class ArtifactError(PipelineError):
    """A file that an earlier step should have written is missing, damaged or of another shape."""


class RequirementsMissedError(PipelineError):
    """No variant meets the product's requirements: the failure that is a result of the recipe.

    Args:
        nearest: name of the variant that falls short least.
        missed: names of the requirements that it misses.
    """

    def __init__(
        self, got: str, *, expected: str, next_step: str, nearest: str, missed: tuple[str, ...]
    ) -> None:
        super().__init__(got, expected=expected, next_step=next_step)
        self.nearest = nearest
        self.missed = missed


class BusyError(PipelineError):
    """The machine does other work, so that a figure of speed would not be the model's own."""


class ReleaseError(PipelineError):
    """A model could not be registered, started, verified or restored."""


class ChampionChangedError(ReleaseError):
    """Another model is in production than the one that a release may replace; nothing was done."""


def unusable(got: str, *, expected: str) -> ArtifactError:
    """The error for a bundle, or a part of one, that does not work here."""
    next_step = "build the bundle again with `make pipeline`; do not edit it by hand"
    return ArtifactError(got, expected=expected, next_step=next_step)
