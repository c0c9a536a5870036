from __future__ import annotations

from pathlib import Path

import pytest

from workbench.ui.languages import (
    BadLanguage,
    Language,
    language_for,
    read_language,
    read_languages,
    reader,
    shipped_folder,
    translated,
)

GERMAN = Language(
    "de",
    {
        "Home": "Start",
        "Copy & go": "Kopieren & los",
        "Keep <all>": "<Alles> behalten",
        "You are number {1} of {2}": "Von {2} haben Sie Nummer {1}",
        "{1} in": "{1} ein",
        "{1}; it is sent soon.": "{1}; es geht bald ab.",
    },
)


@pytest.mark.parametrize(
    ("english", "said"),
    [
        ("Home", "Start"),
        ("  Home\n", "  Start\n"),
        ("Unknown", "Unknown"),
        ("", ""),
        ("You are number 3 of 12", "Von 12 haben Sie Nummer 3"),
        ("Home; it is sent soon.", "Start; es geht bald ab."),
        ("1,024 in", "1,024 ein"),
        ("Home · 5 in · int8", "Start · 5 ein · int8"),
    ],
)
def test_a_text_is_translated_whole_or_with_its_holes_filled(english: str, said: str) -> None:
    assert GERMAN.text(english) == said


def test_only_a_number_fills_a_text_that_says_little() -> None:
    assert GERMAN.text("Log in") == "Log in"


@pytest.mark.parametrize(
    ("english", "said"),
    [
        ("<h1>Home</h1><p>Home is here</p>", "<h1>Start</h1><p>Home is here</p>"),
        ('<a title="Home" href="Home">x</a>', '<a title="Start" href="Home">x</a>'),
        (
            '<div data-facts="{&quot;a&quot;: 1}">Home</div>',
            '<div data-facts="{&quot;a&quot;: 1}">Start</div>',
        ),
        ("<b>Copy &amp; go</b>", "<b>Kopieren &amp; los</b>"),
        ("<b>Keep &lt;all&gt;</b>", "<b>&lt;Alles&gt; behalten</b>"),
        ("<code>Home</code>Home", "<code>Home</code>Start"),
        (
            '<p translate="no"><i>Home</i><p>Home</p></p>Home',
            '<p translate="no"><i>Home</i><p>Home</p></p>Start',
        ),
        (
            '<b translate="no" title="Home"><i title="Home">x</i></b>',
            '<b translate="no" title="Start"><i title="Home">x</i></b>',
        ),
        ('<br translate="no">Home', '<br translate="no">Start'),
        ("1 < 2 <b>Home", "1 < 2 <b>Start"),
    ],
)
def test_markup_is_translated_between_its_tags(english: str, said: str) -> None:
    assert GERMAN.markup(english) == said


def test_markup_without_known_texts_stays_as_it_is() -> None:
    markup = "<p class='a'>It&#x27;s &quot;here&quot; &nbsp;&amp; now</p><!-- Note --><hr/>"
    assert GERMAN.markup(markup) == markup


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("en-US,en;q=0.9,de;q=0.8", None),
        ("de;q=0.3,pt-BR;q=0.7", "pt-BR"),
        ("fr-FR,fr;q=0.9", None),
        ("fr,DE", "de"),
        ("pt", None),
        ("de;q=0", None),
        ("de;q=much, *", None),
        ("", None),
    ],
)
def test_the_dearest_language_that_is_there_is_spoken(accepted: str, tag: str | None) -> None:
    languages = {"de": GERMAN, "pt-br": Language("pt-BR", {})}
    found = language_for(accepted, languages)
    assert (None if found is None else found.tag) == tag


@pytest.mark.parametrize(
    ("name", "content", "cure"),
    [
        ("German.json", "{}", "de.json"),
        ("de.json", '{"Home": 1}', "mend it"),
        ("de.json", "{", "mend it"),
        ("de.json", '{"{1} of {2}": "{1} von {1}"}', "give both the same"),
    ],
)
def test_a_bad_file_is_named_with_its_cure_and_left_out(
    tmp_path: Path, name: str, content: str, cure: str
) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(BadLanguage, match=cure) as failure:
        read_language(tmp_path / name)
    assert name in str(failure.value)
    assert read_languages(tmp_path) == {}


def test_the_operators_texts_go_before_ours(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    (ours / "de.json").write_text('{"Home": "Start", "Stop": "Stopp"}', "utf-8")
    (theirs / "de.json").write_text('{"Home": "Daheim"}', "utf-8")
    (theirs / "nl.json").write_text('{"Home": "Thuis"}', "utf-8")
    languages = read_languages(ours, theirs, tmp_path / "missing")
    assert languages["de"].texts == {"Home": "Daheim", "Stop": "Stopp"}
    assert languages["nl"].text("Home") == "Thuis"


def test_every_language_of_ours_can_be_read() -> None:
    files = sorted(path.stem for path in shipped_folder().glob("*.json"))
    assert files
    assert sorted(language.tag for language in read_languages(shipped_folder()).values()) == files


def test_markup_beside_a_models_words_is_made_for_the_reader() -> None:
    assert translated("<b>Home</b>") == "<b>Home</b>"
    before = reader.set(GERMAN)
    try:
        assert translated("<b>Home</b>") == "<b>Start</b>"
    finally:
        reader.reset(before)
