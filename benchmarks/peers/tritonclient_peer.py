"""Asks a server as NVIDIA's Triton client does at its defaults, and writes what it understood as JSON.

    python -m benchmarks.peers.tritonclient_peer HOST:PORT MODEL RESULT TEXT …

At its defaults it sends the texts as binary data and asks for all outputs as binary data. It asks again in JSON,
with each compression that it offers, and for a model that is not there, whose error it must understand.
"""

import json
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Asks in each way."""
    from tritonclient.http import InferenceServerClient, InferRequestedOutput  # type: ignore[import-not-found]
    from tritonclient.utils import InferenceServerException  # type: ignore[import-not-found]

    address, model, result, *texts = sys.argv[1:]
    client = InferenceServerClient(address)
    found = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model_ready": client.is_model_ready(model),
        "server": client.get_server_metadata(),
        "model": client.get_model_metadata(model),
        "defaults": asked(client, model, texts),
        "json": asked(
            client,
            model,
            texts,
            binary=False,
            request_id="seven",
            outputs=[InferRequestedOutput("label", binary_data=False)],
        ),
    }
    for coding in ("gzip", "deflate"):
        packed: dict[str, Any] = {
            f"{way}_compression_algorithm": coding for way in ("request", "response")
        }
        found[coding] = asked(client, model, texts * 20, **packed)
    try:
        asked(client, "nobody", texts)
    except InferenceServerException as error:
        found["error"] = {"status": error.status(), "message": error.message()}
    Path(result).write_text(json.dumps(found), encoding="utf-8")


def asked(
    client: Any, model: str, texts: list[str], *, binary: bool = True, **options: Any
) -> dict[str, Any]:
    """The outputs of one request, as lists by their names."""
    import numpy as np
    from tritonclient.http import InferInput

    tensor = InferInput("text", [len(texts)], "BYTES")
    sent = np.array([text.encode() for text in texts], dtype=np.object_)
    tensor.set_data_from_numpy(sent, binary_data=binary)
    result = client.infer(model, [tensor], **options)
    names = [output["name"] for output in result.get_response()["outputs"]]
    return {name: plain(result.as_numpy(name)) for name in names}


def plain(values: Any) -> list[Any]:
    """The values of an array, its bytes as texts."""
    return [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]


if __name__ == "__main__":
    main()
