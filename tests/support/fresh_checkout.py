"""Work that the workers of a test run share in a fresh checkout; otherwise each of them would do all of it.

All workers import the same modules in the same order. If none is compiled yet, each worker would compile all of them,
which takes seven seconds. Here each worker compiles its share first.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from compileall import compile_file
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest
from _pytest.assertion import rewrite

from tests.support import ROOT

_TESTS = ("tests/unit", "tests/integration", "tests/journeys")  # not all of tests/: it may contain npm packages
_PROGRAMS = ("publisher", "benchmarks", "tests/support")


def compile_share(config: pytest.Config, number: int, workers: int) -> None:
    """Compile a share of the tests and the program. number: of this worker, from 0."""
    for file in _files(_TESTS, "test_*.py")[number::workers]:
        _compile_test(config, file)
    for file in _files(_PROGRAMS, "*.py")[number::workers]:
        compile_file(file, quiet=2)


def _files(folders: tuple[str, ...], pattern: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob(pattern))


def _compile_test(config: pytest.Config, file: Path) -> None:
    """Do what pytest does before it imports a test: rewrite its assertions, and save the result to a file."""
    folder = rewrite.get_cache_dir(file)
    compiled = folder / f"{file.stem}{rewrite.PYC_TAIL}"
    if not compiled.exists() and rewrite.try_makedirs(folder):
        found, code = rewrite._rewrite_test(file, config)
        rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, found, compiled)


def find_constants(number: int, workers: int) -> None:
    """Find the constants in a share of the modules. Hypothesis makes examples from them, and caches them in files."""
    with suppress(ImportError):  # other versions of hypothesis do not look for constants
        from hypothesis.internal.constants_ast import constants_from_module, is_local_module_file

        for module in list(_modules())[number::workers]:
            if is_local_module_file(str(module.__file__)):
                constants_from_module(module)


def _modules() -> Iterator[ModuleType]:
    for name in sorted(sys.modules):
        if getattr(module := sys.modules[name], "__file__", None):
            yield module
