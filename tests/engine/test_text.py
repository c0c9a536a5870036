"""Joined pieces are the whole text, and stop strings are never shown."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from tests.engine.tiny_models import EOS, byte_tokenizer
from workbench.engine.text import Detokenizer, StopScanner, TokenBytes

BYTES = byte_tokenizer()


def sentencepiece_tokenizer() -> PreTrainedTokenizerFast:
    """A small vocabulary in sentencepiece's spelling with byte fallback."""
    words = [
        "<unk>",
        "<s>",
        "</s>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        "▁",
        "▁the",
        "▁sea",
        "a",
        "s",
        "e",
    ]
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="</s>", bos_token="<s>", clean_up_tokenization_spaces=False
    )


PIECES = sentencepiece_tokenizer()


def joined(tokenizer: PreTrainedTokenizerFast, ids: list[int]) -> str:
    stream = Detokenizer(tokenizer)
    return "".join(stream.push(token) for token in ids) + stream.flush()


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_the_stream_of_a_byte_level_text_is_the_text(text: str) -> None:
    ids = BYTES(text, add_special_tokens=False)["input_ids"]
    assert joined(BYTES, ids) == text


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 255), max_size=30))
def test_any_bytes_join_to_the_whole_decoding(ids: list[int]) -> None:
    assert joined(BYTES, ids) == BYTES.decode(ids, skip_special_tokens=True)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=4), st.sampled_from([" the", " sea", "a"])), max_size=12))
def test_sentencepiece_tokens_of_any_text_join_to_the_whole_decoding(parts: list[str]) -> None:
    ids = PIECES("".join(parts), add_special_tokens=False)["input_ids"]
    assert joined(PIECES, ids) == PIECES.decode(ids, skip_special_tokens=True)


def test_special_tokens_have_no_text_unless_they_are_visible() -> None:
    ids = [*BYTES("ab")["input_ids"], EOS, *BYTES("cd")["input_ids"]]
    assert joined(BYTES, ids) == "abcd"
    shown = Detokenizer(BYTES, frozenset({EOS}))
    assert "".join(shown.push(token) for token in ids) + shown.flush() == "ab<eos>cd"


@settings(max_examples=500, deadline=None)
@given(
    text=st.text(alphabet="abc", max_size=30),
    stops=st.lists(st.text(alphabet="abc", min_size=1, max_size=4), max_size=4),
    cuts=st.lists(st.integers(0, 30), max_size=6),
)
def test_what_is_shown_ends_before_the_first_stop_string(
    text: str, stops: list[str], cuts: list[int]
) -> None:
    scanner, shown = StopScanner(stops), ""
    borders = sorted({0, *(min(cut, len(text)) for cut in cuts), len(text)})
    stopped = False
    for begin, end in itertools.pairwise(borders):
        piece, stopped = scanner.push(text[begin:end])
        shown += piece
        if stopped:
            break
    if not stopped:
        shown += scanner.flush()
    places = [text.find(stop) for stop in stops if stop in text]
    assert stopped == bool(places)
    # A stop string that is complete earlier in the stream wins over one that begins earlier but ends later.
    assert not any(stop in shown for stop in stops)
    assert text.startswith(shown)
    if not places:
        assert shown == text


def test_token_bytes_of_both_spellings() -> None:
    level = TokenBytes(BYTES.convert_ids_to_tokens(list(range(len(BYTES)))), BYTES.all_special_ids)
    ids = BYTES("é 世")["input_ids"]
    assert b"".join(level.of(token) for token in ids) == "é 世".encode()
    assert level.of(EOS) == b"<eos>"
    pieces = TokenBytes(PIECES.convert_ids_to_tokens(list(range(len(PIECES)))), PIECES.all_special_ids)
    assert pieces.of(PIECES.convert_tokens_to_ids("▁the")) == b" the"
    assert pieces.of(PIECES.convert_tokens_to_ids("<0x0A>")) == b"\n"
    assert level.of(10**6) == b""
