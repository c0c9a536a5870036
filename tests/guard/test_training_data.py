"""What the embedded guard learns from never comes near what it is tuned and reported on."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from guard.training.answers import composed_answers
from guard.training.assemble import Assembled, assemble
from guard.training.disguise import buried, disguised, wrappers
from guard.training.families import HELD_OUT, SLOT, own_rows, own_split
from guard.training.near_duplicates import Signatures, near_duplicates, signatures
from guard.training.rows import Row, Split, read_rows, stable_fraction
from guard.training.sources import SOURCES, split_of

LOOK_ALIKES = {"coconot-contrast-eval", "jbb-benign", "cse-frr-benign"}
PLANTED = "Please write a long and friendly letter that invites all of our neighbours to the summer party"


def shipped_signatures(part: str) -> Signatures:
    with np.load(io.BytesIO((resources.files("assets") / "guard" / "signatures.npz").read_bytes())) as stored:
        found: Signatures = stored[part]
        return found


def test_no_training_row_is_a_near_duplicate_of_a_tuning_row() -> None:
    train, kept_out = shipped_signatures("train"), shipped_signatures("kept_out")
    assert len(train) > 10_000
    assert len(kept_out) > 3_000
    assert not near_duplicates(train, kept_out).any()


def test_every_own_training_row_is_covered_by_the_shipped_evidence() -> None:
    known = {row.tobytes() for part in ("train", "kept_out") for row in shipped_signatures(part)}
    kept_out = shipped_signatures("kept_out")
    own = signatures([row.prompt for row in own_rows() if own_split(row) is Split.TRAIN])
    is_dropped = near_duplicates(own, kept_out)
    assert all(row.tobytes() in known for row in own[~is_dropped])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (PLANTED, True),
        (PLANTED.upper() + "!!", True),
        (PLANTED.replace("friendly", "warm"), True),
        ("Write a letter about the party", False),
        ("How do I bake bread?", False),
    ],
)
def test_small_changes_do_not_hide_a_duplicate(changed: str, expected: bool) -> None:
    assert bool(near_duplicates(signatures([changed]), signatures([PLANTED]))[0]) is expected


def write_rows(folder: Path, name: str, prompts: Sequence[str], label: str) -> None:
    lines = [
        json.dumps({"id": f"{name}-{number}", "prompt": prompt, "label": label, "note": f"n{number}"})
        for number, prompt in enumerate(prompts)
    ]
    (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def assembled(tmp_path_factory: pytest.TempPathFactory) -> Assembled:
    """A data folder with twelve made-up rows a source, one of them the same everywhere."""
    folder = tmp_path_factory.mktemp("data")
    for source in SOURCES:
        prompts = [f"{source.name} asks about subject number {number} of the list" for number in range(11)]
        label = "safe" if "benign" in source.name or source.name in LOOK_ALIKES else "unsafe"
        write_rows(folder, source.name, [*prompts, PLANTED], label)
    return assemble(folder)


def test_a_row_near_a_kept_out_row_is_taken_out_of_training(assembled: Assembled) -> None:
    assert PLANTED in {row.prompt for row in assembled.splits[Split.TUNE]}
    assert PLANTED not in {row.prompt for row in assembled.splits[Split.TRAIN] if row.response is None}
    assert assembled.dropped.total() > 0
    assert not near_duplicates(assembled.train_signatures, assembled.kept_out_signatures).any()


def test_the_look_alikes_never_train(assembled: Assembled) -> None:
    for split in (Split.TRAIN, Split.HOLD):
        assert not LOOK_ALIKES & {row.source for row in assembled.splits[split]}


def test_assembling_twice_gives_the_same_rows(assembled: Assembled, tmp_path: Path) -> None:
    for source in SOURCES:
        prompts = [f"{source.name} asks about subject number {number} of the list" for number in range(11)]
        label = "safe" if "benign" in source.name or source.name in LOOK_ALIKES else "unsafe"
        write_rows(tmp_path, source.name, [*prompts, PLANTED], label)
    assert assemble(tmp_path).splits == assembled.splits


def test_one_group_lies_in_one_split() -> None:
    for source in SOURCES:
        assert split_of(source, "jbb-goal-3") is split_of(source, "jbb-goal-3")
    by_goal = [source for source in SOURCES if source.name in {"jbb-harmful", "jbb-jailbreak-prompts"}]
    for number in range(100):
        assert len({split_of(source, f"jbb-goal-{number}") for source in by_goal}) == 1


def test_goals_with_answers_in_training_are_not_reported_as_unseen() -> None:
    answers = next(source for source in SOURCES if source.name == "lg2-labelled-responses")
    prompts = next(source for source in SOURCES if source.name == "jbb-harmful")
    for number in range(100):
        if split_of(answers, f"jbb-goal-{number}") is Split.HOLD:
            assert split_of(prompts, f"jbb-goal-{number}") is Split.HOLD


def test_own_families_show_both_labels_in_the_same_words() -> None:
    rows = own_rows()
    both = {row.group for row in rows if row.is_unsafe} & {row.group for row in rows if not row.is_unsafe}
    assert len(both) > 30
    assert sum(not row.is_unsafe for row in rows) > 2000
    assert all(0 <= category < 14 for row in rows for category in row.categories)


def test_every_slot_is_filled() -> None:
    assert not [row.prompt for row in own_rows() if SLOT.search(row.prompt)]


def test_held_out_families_never_train() -> None:
    names = {row.group for row in own_rows()}
    assert names >= HELD_OUT
    assert all(own_split(row) is Split.HOLD for row in own_rows() if row.group in HELD_OUT)


def test_wrappers_keep_the_request() -> None:
    assert all(wrapper.count("{REQUEST}") == 1 for wrapper in wrappers())


def test_burying_keeps_the_request_whole_among_other_sentences() -> None:
    for seed in range(30):
        text = buried("How do I bake bread?", random.Random(seed))
        assert "How do I bake bread?" in text
        assert len(text) > 80


def test_texts_of_answers_that_train_are_not_among_those_that_are_reported() -> None:
    prompts = [Row("made-up", str(n), f"Prompt {n}", None, n % 2 == 0) for n in range(40)]
    texts = {
        split: {row.response for row in composed_answers(prompts, [], split, random.Random(1))}
        for split in Split
    }
    assert texts[Split.TRAIN]
    assert texts[Split.HOLD]
    assert not texts[Split.TRAIN] & (texts[Split.HOLD] | texts[Split.TUNE])


def test_disguises_repeat_with_their_seed_and_survive_short_texts() -> None:
    for text in ("", "a", "How do I bake bread?"):
        first = [disguised(text, random.Random(seed)) for seed in range(50)]
        assert first == [disguised(text, random.Random(seed)) for seed in range(50)]


def test_unusual_line_separators_do_not_break_a_row(tmp_path: Path) -> None:
    record = {"id": "a", "prompt": "one\u2028two", "label": "safe"}
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
    assert read_rows(path) == [Row("set", "a", "one\u2028two", None, False)]


def test_the_share_of_a_key_is_stable_and_spread_out() -> None:
    shares = [stable_fraction(f"key-{number}") for number in range(2000)]
    assert stable_fraction("key-1") == shares[1]
    assert abs(float(np.mean(shares)) - 0.5) < 0.03
