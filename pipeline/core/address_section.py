"""The keys of a source whose texts are fetched from an address before a build (docs/adr/0039)."""

from typing import Any

from pydantic import Field, model_validator

from pipeline.core.fetched_addresses import address_fault, fetched_place, header_fault
from pipeline.core.product import Rate, Section


class AddressSection(Section):
    """Keys that say where texts are fetched from; a source without `url` has none of them."""

    url: str | None = None
    """Address that the file is fetched from before a build: `https://…`, `http://…` or `s3://bucket/key`;
    with `query`, the address of a database, as SQLAlchemy writes it. `${NAME}` stands for the environment
    variable NAME; a password may stand there only so."""
    query: str | None = None
    """One SELECT, whose rows are fetched from the database at `url`."""
    since_column: str | None = None
    """Column of `query` that grows with each new or changed row, such as `updated_at`. A later fetch then asks
    the database only for rows from its greatest value so far on, and puts them behind those that are there; with an
    `id_column`, a changed row takes the place of the old one. Rows that the database deletes stay until
    `modelyard data fetch --full`."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of the request for `url`, such as `Authorization: Bearer ${TOKEN}`. Another host, to which
    the answer leads, does not get them."""
    max_mb: Rate = 2000.0
    """Most megabytes of 10⁶ bytes that are fetched from `url`."""

    @model_validator(mode="before")
    @classmethod
    def _with_the_place_of_what_is_fetched(cls, values: Any) -> Any:
        """The values with the path at which the file of an address is kept."""
        if not isinstance(values, dict):
            return values
        url, query, name = (values.get(key) for key in ("url", "query", "path"))
        if not isinstance(url, str) or not all(isinstance(v, str | None) for v in (query, name)):
            return values
        return values | {"path": fetched_place(url, query, name)}

    def address_fault(self, *, kind: str, path: str, licence: str) -> str | None:
        """Keys that must change, in words; None where all fit together."""
        if self.url is None:
            unwanted = self.query or self.since_column or self.headers or kind in ("url", "sql")
            return (
                "`url`, where there is a `query`, `since_column`, `headers` or a `kind` of such"
                if unwanted
                else None
            )
        if kind != ("url" if self.query is None else "sql"):
            return "`kind: url` with a `url`, and `kind: sql` with a `query` beside it"
        if self.since_column is not None and kind != "sql":
            return "`query` beside `since_column`, for a database alone can be asked for newer rows"
        if path.count("/") != 2:
            return "a name without folders as `path` of what is fetched, such as tickets.csv"
        if not licence:
            return "`licence` of what lies at `url`: `own` where the texts are yours"
        if self.headers and kind == "sql":
            return "no `headers`, which a database does not read"
        return address_fault(self.url, self.query) or header_fault(self.headers)
