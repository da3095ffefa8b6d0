"""The orders in which waiting requests may be computed; apart from the rest, for the supervisor imports nothing large."""

from typing import Literal

Order = Literal["shortest", "arrival"]
ORDERS: tuple[Order, ...] = ("shortest", "arrival")
