"""Each safety line that `make mutate` takes out is still where its list says, and has its tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from mutate.check import AT_LEAST, faults_of, strange, thinned
from mutate.lines import MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_safety_line_stands_once_in_its_file_and_its_tests_exist(mutation: Mutation) -> None:
    assert not list(faults_of(mutation))


def test_no_promise_has_fewer_safety_lines_than_before() -> None:
    assert not list(thinned(Counter(mutation.promise for mutation in MUTATIONS)))


def test_a_safety_line_taken_off_the_list_is_missed() -> None:
    left = Counter(AT_LEAST) - Counter(["P8"])
    had = AT_LEAST["P8"]
    assert list(thinned(left)) == [f"P8 has {had - 1} safety lines, and had {had}"]


def test_a_promise_without_a_figure_is_told() -> None:
    found = {**AT_LEAST, "P99": 1}
    assert list(thinned(found)) == [
        "P99 is no promise with a number of safety lines; add it to AT_LEAST"
    ]


def test_a_line_that_moved_and_a_test_that_went_are_told() -> None:
    gone = replace(MUTATIONS[0], old="no such line", tests=("-m", "tests/none.py", "a/b.py::c"))
    assert len(list(faults_of(gone))) == 3
    renamed = replace(MUTATIONS[0], tests=("tests/test_mutate_lines.py::test_none",))
    assert len(list(faults_of(renamed))) == 1


def test_a_line_whose_place_is_taken_by_no_sound_python_is_told() -> None:
    unsound = replace(MUTATIONS[0], new="        return no_such_name\n")
    assert len(strange([MUTATIONS[0], unsound])) == 1
