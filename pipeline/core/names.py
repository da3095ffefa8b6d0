"""The pattern of a product's name, which becomes the name of folders, models and releases.

Apart from the schema, so that the runtime, which loads without pydantic, can refuse a bundle whose
product is not a name but a path.
"""

import re

_PRODUCT_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
PRODUCT_NAME_RULE = "2 to 63 of a to z, 0 to 9 and hyphens, as in ticket-triage"


def is_product_name(name: str) -> bool:
    """Whether `name` may be a product's: no part of a path, in any system's spelling."""
    return _PRODUCT_NAME.fullmatch(name) is not None
