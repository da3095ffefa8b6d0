"""Makes MLflow work where the path of .venv has a `%`.

MLflow hands alembic the folder of its migrations as a setting in which `%` begins a placeholder. It
escapes the address of the database, but not this folder.
"""

import sys
from typing import Any


def accept_percent_signs(prefix: str = sys.prefix) -> None:
    """Makes alembic take a folder of migrations as it is written, if the path of .venv needs that."""
    if "%" not in prefix:
        return
    from alembic.config import Config

    original = Config.set_main_option
    if hasattr(original, "takes_percent_signs"):
        return

    def set_main_option(self: Any, name: str, value: str) -> None:
        original(self, name, value.replace("%", "%%") if name == "script_location" else value)

    set_main_option.takes_percent_signs = True  # type: ignore[attr-defined]
    Config.set_main_option = set_main_option  # type: ignore[method-assign]
