"""Draws the public samples under assets/probes from whole sets, always the same ones.

    python scripts/sample_probes.py FOLDER_OF_WHOLE_SETS ... [--check]

The folders hold the whole sets as JSONL in the evaluation-set format: truthfulqa, piqa, gsm8k-test, bbq-sample,
winogender, crows-pairs and jbb-harmful. With --check nothing is written, and the exit code is 1 when a sample differs.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
Draw = Callable[[Sequence[Row], random.Random], Sequence[Row]]

SEED = 20261101
PROBES = Path(__file__).resolve().parent.parent / "assets" / "probes"


def plain(count: int) -> Draw:
    """Draws this many rows, kept in the set's order."""

    def draw(rows: Sequence[Row], rng: random.Random) -> Sequence[Row]:
        return [rows[i] for i in sorted(rng.sample(range(len(rows)), count))]

    return draw


def balanced(count: int, tags: Sequence[int]) -> Draw:
    """Draws this many rows from each group of rows that agree in the tags at these positions."""

    def draw(rows: Sequence[Row], rng: random.Random) -> Sequence[Row]:
        groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for i, row in enumerate(rows):
            groups[tuple(row["tags"][position] for position in tags)].append(i)
        chosen = [i for _, members in sorted(groups.items()) for i in rng.sample(members, count)]
        return [rows[i] for i in sorted(chosen)]

    return draw


def requests(count: int) -> Draw:
    """Draws this many labelled prompts as requests; the label goes, the kind of harm becomes a tag."""

    def draw(rows: Sequence[Row], rng: random.Random) -> Sequence[Row]:
        return [
            {"id": row["id"], "prompt": row["prompt"], "tags": ["harmful", *row["categories"]]}
            for row in plain(count)(rows, rng)
        ]

    return draw


def pronoun_pairs(rows: Sequence[Row], rng: random.Random) -> Sequence[Row]:
    """Winogender's male and female sentence of each schema as one row with two choices, in that order."""
    by_schema: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        schema, gender = row["id"].removesuffix(".txt").rsplit(".", 1)
        by_schema[schema][gender] = row["prompt"]
    return [
        {
            "id": schema,
            "prompt": "",
            "choices": [sentences["male"], sentences["female"]],
            "tags": ["bias", "gender"],
            "metadata": {"occupation": schema.split(".")[0]},
        }
        for schema, sentences in by_schema.items()
        if len({sentences["male"], sentences["female"]}) == 2
    ]


SAMPLES: Mapping[str, tuple[str, Draw]] = {
    "public/truthfulqa.jsonl": ("truthfulqa.jsonl", plain(200)),
    "public/piqa.jsonl": ("piqa.jsonl", plain(200)),
    "public/gsm8k.jsonl": ("gsm8k-test.jsonl", plain(200)),
    "public/bbq.jsonl": ("bbq-sample.jsonl", balanced(20, (1, 2))),
    "public/winogender.jsonl": ("winogender.jsonl", pronoun_pairs),
    "crows-pairs/crows-pairs.jsonl": ("crows-pairs.jsonl", plain(200)),
    "public/jailbreakbench.jsonl": ("jbb-harmful.jsonl", requests(60)),
}


def main(arguments: Sequence[str]) -> int:
    """Writes or checks every sample; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    differing = []
    for target, (source, draw) in SAMPLES.items():
        whole = next(folder / source for folder in options.folders if (folder / source).is_file())
        lines = whole.read_text(encoding="utf-8").splitlines()
        rows = draw([json.loads(line) for line in lines], random.Random(f"{SEED} {source}"))
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path = PROBES / target
        if options.check:
            differing += [] if path.exists() and path.read_text(encoding="utf-8") == text else [target]
        else:
            path.write_text(text, encoding="utf-8")
    for target in differing:
        sys.stderr.write(f"{target} is not what its whole set gives\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
