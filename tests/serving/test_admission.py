"""A full queue answers 503, and takes work again afterwards."""

import asyncio
import threading

import pytest

from pipeline.serving.admission import Admission
from pipeline.serving.protocol import ProtocolError


def test_a_full_queue_refuses_with_retry_after_and_recovers() -> None:
    gate = threading.Event()

    async def scenario() -> list[bool]:
        admission = Admission(workers=1, queue=1)
        waiting = [asyncio.create_task(admission.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ProtocolError) as caught:
            await admission.run(gate.wait)
        assert caught.value.status == 503
        assert caught.value.headers == {"retry-after": "1"}
        gate.set()
        done = list(await asyncio.gather(*waiting))
        done.append(await admission.run(gate.wait))
        admission.close()
        return done

    assert asyncio.run(scenario()) == [True, True, True]


def test_work_whose_caller_went_away_counts_until_it_ends() -> None:
    gate = threading.Event()

    async def scenario() -> None:
        admission = Admission(workers=1, queue=0)
        caller = asyncio.create_task(admission.run(gate.wait))
        await asyncio.sleep(0.05)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        with pytest.raises(ProtocolError):
            await admission.run(gate.wait)
        gate.set()
        admission.close()

    asyncio.run(scenario())


def test_an_error_of_the_work_reaches_the_caller_and_frees_its_place() -> None:
    async def scenario() -> None:
        admission = Admission(workers=1, queue=0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await admission.run(lambda: 1 // 0)
            await asyncio.sleep(0.01)
        admission.close()

    asyncio.run(scenario())
