"""Asks a server as KServe's REST client does, and writes what it understood as JSON.

    python -m benchmarks.peers.kserve_peer http://HOST:PORT MODEL RESULT TEXT …

The client sends its own request objects, in JSON or with binary data, or a dictionary of the caller's.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any


async def main() -> None:
    """Asks in each way."""
    from kserve import InferenceRESTClient, RESTConfig  # type: ignore[import-not-found]

    address, model, result, *texts = sys.argv[1:]
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=1))
    tensor = {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts}
    requests = {
        "json": request_of(model, texts, binary=False),
        "binary": request_of(model, texts, binary=True),
        "dictionary": {"inputs": [tensor]},
    }
    found: dict[str, Any] = {
        "live": await client.is_server_live(address),
        "ready": await client.is_server_ready(address),
        "model_ready": await client.is_model_ready(address, model),
    }
    for name, request in requests.items():
        answer = await client.infer(address, request, model_name=model)
        found[name] = {output.name: plain(output.as_numpy()) for output in answer.outputs}
    Path(result).write_text(json.dumps(found), encoding="utf-8")


def request_of(model: str, texts: list[str], *, binary: bool) -> Any:
    """A request for label and probability, its texts in JSON or as binary data."""
    import numpy as np
    from kserve import InferInput, InferRequest
    from kserve.protocol.infer_type import RequestedOutput  # type: ignore[import-not-found]

    tensor = InferInput("text", [len(texts)], "BYTES")
    tensor.set_data_from_numpy(np.array(texts, dtype=np.object_), binary_data=binary)
    wanted = [
        RequestedOutput(name, parameters={"binary_data": binary})
        for name in ("label", "probability")
    ]
    return InferRequest(model_name=model, infer_inputs=[tensor], request_outputs=wanted)


def plain(values: Any) -> list[Any]:
    """The values of an array, its bytes as texts."""
    return [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]


if __name__ == "__main__":
    asyncio.run(main())
