"""The keys of a source that name columns with the rights of each row."""

from pipeline.core.product import Section


class RightsColumns(Section):
    """Columns of a source that say what may be done with each row; any of them may be left out."""

    licence: str | None = None
    """Column with the SPDX identifier or expression of each row's licence. A row whose licence is not in
    `product.requirements.allowed_licences` is left out; an empty cell stands for the source's own `licence`.
    A waiver of the source says nothing of its rows."""
    consent: str | None = None
    """Column that says whether the person agreed: `yes`, `true`, `1`, `given`, `동의` or `예`. Rows with `no`, `false`,
    `0`, `withdrawn`, `철회` and the like are left out, and so are empty cells; other words stop the build."""
    origin: str | None = None
    """Column with the place that each row is from, such as a web address. Hosts are counted."""
    collected: str | None = None
    """Column with the day on which each row was collected, in the form of ISO 8601. The first and the last are told."""

    @property
    def columns(self) -> list[str]:
        """The columns that are named."""
        named = (self.licence, self.consent, self.origin, self.collected)
        return [column for column in named if column]
