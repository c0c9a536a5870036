from __future__ import annotations

import collections
import datetime

import pytest

from evaluators.base import Sample
from evaluators.data.builtin import builtin_sets, licence_text, load_builtin
from workbench.core.chat import Role
from workbench.core.errors import NotFound

NAMES = list(builtin_sets())


@pytest.mark.parametrize("name", NAMES)
def test_every_set_is_whole_and_has_no_bad_row(name: str) -> None:
    loaded = load_builtin(name)
    assert loaded.bad_rows == ()
    assert len(loaded.samples) == builtin_sets()[name].rows >= 40
    assert loaded.name == name


@pytest.mark.parametrize("name", NAMES)
def test_every_set_names_its_source_and_brings_its_licence(name: str) -> None:
    assert builtin_sets()[name].source
    assert len(licence_text(name)) > 100


def test_share_alike_data_lies_in_a_folder_of_its_own() -> None:
    for found in builtin_sets().values():
        folder = found.file.split("/")[0]
        alike = {other.licence for other in builtin_sets().values() if other.file.startswith(folder + "/")}
        assert "SA" not in found.licence or alike == {found.licence}


@pytest.mark.parametrize("name", ["truthfulqa", "piqa", "bbq", "humaneval"])
def test_multiple_choice_sets_mark_one_choice_as_right(name: str) -> None:
    assert all(sample.correct_choice is not None for sample in load_builtin(name).samples)


def test_a_solution_goes_on_where_its_functions_head_ends() -> None:
    for sample in load_builtin("humaneval").samples:
        context = builtin_sets()["humaneval"].as_continuation(sample).prompt
        assert context == sample.prompt
        assert context.endswith("\n")
        assert len(set(sample.choices)) == 4
        assert all(choice.startswith((" ", "\t", "\n")) for choice in sample.choices)


@pytest.mark.parametrize("name", ["crows-pairs", "winogender"])
def test_pair_sets_have_two_whole_sentences_and_no_prompt(name: str) -> None:
    for sample in load_builtin(name).samples:
        assert len(sample.choices) == 2
        assert builtin_sets()[name].as_continuation(sample).prompt == ""


@pytest.mark.parametrize("name", NAMES)
def test_no_set_asks_the_same_thing_twice(name: str) -> None:
    asked = [(sample.prompt, sample.messages, sample.choices) for sample in load_builtin(name).samples]
    assert len(set(asked)) == len(asked)


def test_every_dialogue_ends_with_the_user() -> None:
    for sample in load_builtin("dialogue").samples:
        assert sample.messages[-1].role is Role.USER
        assert sample.expected


def test_cut_off_questions_name_their_month_and_cover_the_years() -> None:
    years = set()
    for sample in load_builtin("cutoff").samples:
        date = datetime.datetime.strptime(str(sample.metadata["date"]), "%Y-%m").replace(tzinfo=datetime.UTC)
        assert f"{date:%B %Y}" in sample.prompt
        assert sample.correct_choice is not None
        assert len(sample.choices) == 4
        years.add(date.year)
    assert years == set(range(2012, 2026))


def test_the_right_answer_stands_anywhere_among_the_choices() -> None:
    """A model that always takes one position must not be right more often than by chance, about."""
    positions = collections.Counter(sample.correct_choice for sample in load_builtin("cutoff").samples)
    assert max(positions.values()) < 0.4 * 58


def test_memorization_pairs_are_alike_but_for_the_words() -> None:
    """Rewordings of about the same length, and as many new lines as famous ones."""
    samples = load_builtin("memorization").samples
    groups = collections.Counter(sample.tags[1] for sample in samples)
    assert groups == {"classic": 40, "fresh": 40}
    for group in groups:
        pairs = [sample.choices for sample in samples if sample.tags[1] == group]
        original, reworded = (sum(len(pair[i]) for pair in pairs) for i in (0, 1))
        assert reworded == pytest.approx(original, rel=0.05)


def test_the_likelihood_prompt_takes_a_sample_with_braces_as_it_is() -> None:
    sample = Sample("s", "What is {prompt} in {x}?")
    assert (
        builtin_sets()["piqa"].as_continuation(sample).prompt == "Question: What is {prompt} in {x}?\nAnswer:"
    )


def test_an_unknown_set_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(NotFound, match="truthfulqa"):
        load_builtin("mmlu")
