"""Turns `s3://bucket/key` into an address of https that is signed with the keys of the environment.

So an object of S3 comes by the road of every other file, with its resumption, limits and messages. The
keys, the region and the address of another S3 (`AWS_ENDPOINT_URL`) are found as by every program of AWS.
"""

import importlib.util
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pipeline.core.errors import DataError

if TYPE_CHECKING:
    from botocore.session import Session

ACCESS = (
    "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_DEFAULT_REGION, or AWS_PROFILE, of somebody"
    " who may read the object"
)
_SECONDS = 6 * 3600
"""How long the signed address holds: a download that is cut goes on with it."""


def signed_address(url: str, *, of: str) -> str:
    """The address at which the object of `s3://bucket/key` can be read without any header.

    Raises:
        DataError: the package for S3 is missing, or the address or the settings are of no use.
    """
    bucket, _, key = url.partition("://")[2].partition("/")
    if not bucket or not key:
        raise DataError(
            f"{of}: {url} names no object", expected="s3://bucket/key", next_step="correct `url`"
        )
    if importlib.util.find_spec("botocore") is None:
        raise DataError(
            f"{of}: {url} needs a package that is not installed",
            expected="botocore, of this project's extra `s3`",
            next_step=".venv/bin/pip install -c constraints.txt '.[s3]'",
        )
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        return _signed(Session(), bucket, unquote(key))
    except (BotoCoreError, ValueError) as error:
        raise DataError(
            f"{of}: {url} cannot be asked for ({type(error).__name__}: {error})",
            expected="a bucket, keys and a region as programs of AWS read them",
            next_step=ACCESS,
        ) from None


def _signed(session: "Session", bucket: str, key: str) -> str:
    """A signed address or, where the environment has no keys, the plain one of a public object."""
    from botocore import UNSIGNED
    from botocore.config import Config

    version = UNSIGNED if session.get_credentials() is None else "s3v4"
    client = session.create_client("s3", config=Config(signature_version=version))
    wanted = {"Bucket": bucket, "Key": key}
    return str(client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=_SECONDS))
