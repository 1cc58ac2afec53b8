"""Every mutant in the table applies to the current code, and the tests that it names exist."""

from __future__ import annotations

import ast

import pytest

from tests.support import ROOT
from tests.support.mutants import MUTANTS, Mutant

EACH = pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)


@EACH
def test_the_text_to_break_occurs_once(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1


@EACH
def test_the_broken_code_is_still_python(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert ast.dump(ast.parse(mutant.applied(text))) != ast.dump(ast.parse(text))


@EACH
def test_the_tests_that_must_notice_exist(mutant: Mutant) -> None:
    assert mutant.tests
    for test in mutant.tests:
        path, _, name = test.partition("[")[0].partition("::")  # the part in brackets is a case of the test
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
