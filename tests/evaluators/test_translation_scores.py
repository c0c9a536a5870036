from __future__ import annotations

import pytest
import sacrebleu

from evaluators.base import Answer, Sample
from evaluators.bleu import Bleu
from evaluators.chrf import Chrf
from evaluators.data import load_builtin

REFERENCE = "Die Bibliothek ist sonntags geschlossen."
SAMPLE = Sample("s", expected=(REFERENCE,))


@pytest.mark.parametrize("evaluator", [Chrf(), Chrf(word_order=2), Bleu()])
def test_the_reference_itself_is_perfect_and_nonsense_is_not(evaluator: Chrf | Bleu) -> None:
    assert evaluator.score(SAMPLE, Answer(REFERENCE)).value == pytest.approx(1.0)
    assert (evaluator.score(SAMPLE, Answer("xyz")).value or 0.0) < 0.1
    assert evaluator.score(SAMPLE, Answer("")).value == 0.0


def test_scores_are_sacrebleus_on_a_scale_of_one() -> None:
    given = "Die Bibliothek hat sonntags zu."
    chrf = sacrebleu.sentence_chrf(given, [REFERENCE]).score / 100
    assert Chrf().score(SAMPLE, Answer(given)).value == pytest.approx(chrf)
    bleu = sacrebleu.sentence_bleu(given, [REFERENCE], use_effective_order=True).score / 100
    assert Bleu().score(SAMPLE, Answer(given)).value == pytest.approx(bleu)


def test_the_best_reference_counts() -> None:
    sample = Sample("s", expected=(REFERENCE, "Sonntags hat die Bibliothek zu."))
    assert Chrf().score(sample, Answer("Sonntags hat die Bibliothek zu.")).value == pytest.approx(1.0)


def test_without_a_reference_there_is_no_score() -> None:
    assert Chrf().score(Sample("s"), Answer("x")).value is None
    assert Bleu().score(Sample("s"), Answer("x")).value is None


def test_a_copied_sentence_scores_far_below_its_translation() -> None:
    """An untranslated sentence must not look like a fair translation."""
    for sample in load_builtin("translation").samples:
        source = sample.prompt.split("\n\n")[1]
        assert (Chrf().score(sample, Answer(source)).value or 0.0) < 0.5
