"""A licence is read as SPDX writes it, and each of its parts must be allowed."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from pipeline.core.licences import is_allowed, misspelling
from pipeline.core.product import Requirements

USUAL = ("MIT", "CC-BY-4.0", "Apache-2.0")


def requirements(*allowed: str) -> Requirements:
    return Requirements(quality_metric="accuracy", allowed_licences=[*(allowed or USUAL)])


@pytest.mark.parametrize(
    "licence",
    [
        *("MIT", "mit", "own", "cc-by-4.0 and mit", "MIT AND CC-BY-4.0", "MIT OR GPL-3.0-only"),
        *("(GPL-3.0-only OR MIT) AND CC-BY-4.0", "Apache-2.0 WITH LLVM-exception", "Apache-2.0+"),
    ],
)
def test_a_licence_whose_parts_are_allowed_needs_no_waiver(licence: str) -> None:
    assert is_allowed(licence, requirements())


@pytest.mark.parametrize(
    "licence",
    [
        *("unknown", "GPL-3.0-only", "MIT AND GPL-3.0-only", "GPL-2.0-only OR GPL-3.0-only"),
        *("GPL-2.0-only WITH Classpath-exception-2.0", "MIT WITH MIT", "MIT AND unknown"),
        *("MTI", "MIT AND", "", "LicenseRef-mine", "LicenseRef-MIT-Diehl", "MIT, Apache-2.0"),
    ],
)
def test_any_other_licence_needs_one(licence: str) -> None:
    assert not is_allowed(licence, requirements())


def test_what_is_allowed_may_be_named_in_every_spelling_and_way() -> None:
    assert is_allowed("MIT", requirements("mit"))
    assert is_allowed("GPL-2.0-only", requirements("GPL-2.0"))
    assert is_allowed("GPL-2.0-or-later", requirements("GPL-2.0-only"))
    assert is_allowed("unknown", requirements("unknown"))
    assert is_allowed("LicenseRef-mine AND MIT", requirements("LicenseRef-mine", "MIT"))
    with_exception = "GPL-2.0-only WITH Classpath-exception-2.0"
    assert is_allowed(with_exception, requirements(with_exception))
    assert not is_allowed("GPL-2.0-only", requirements(with_exception))
    assert is_allowed("CC0-1.0 AND GPL-3.0-only", requirements("GPL-3.0-only AND CC0-1.0"))


@pytest.mark.parametrize(
    ("licence", "words"),
    [
        ("MTI", "'MTI' is no SPDX identifier: did you mean MIT?"),
        ("CC BY 4.0", "did you mean CC-BY-4.0?"),
        ("apache", "did you mean Apache-2.0?"),
        ("GPL3 AND MIT", "'GPL3' is no SPDX identifier"),
        ("CC0", "did you mean CC0-1.0?"),
        ("MIT WITH LLVM-exceptoin", "no SPDX exception: did you mean LLVM-exception?"),
        ("LLVM-exception", "may only stand behind WITH"),
        ("MIT WITH CC0-1.0", "as a licence, not behind WITH"),
        ("see the contract of 2024", "'see the contract of 2024' is no SPDX identifier"),
        ("MIT AND", "is no SPDX expression"),
        ("MIT;CC0-1.0", "is no SPDX expression"),
        ("", "is no SPDX expression"),
    ],
)
def test_a_misspelt_licence_is_named_with_the_one_that_was_meant(licence: str, words: str) -> None:
    assert words in (misspelling(licence, requirements()) or "")
    with pytest.raises(ValidationError, match=r"SPDX|WITH"):
        requirements(licence)


@pytest.mark.parametrize("licence", ["own", "unknown", "mit", "EUPL-1.2", "LicenseRef-mine"])
def test_a_licence_that_is_well_written_has_no_fault_whether_it_is_allowed_or_not(
    licence: str,
) -> None:
    assert misspelling(licence, requirements()) is None


def test_licences_that_stand_in_the_list_are_judged_without_the_index_of_all() -> None:
    code = (
        "import sys\n"
        "from pipeline.core.licences import is_allowed\n"
        "from pipeline.core.product import Requirements\n"
        "assert is_allowed('MIT', Requirements(quality_metric='accuracy'))\n"
        "assert 'license_expression' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
