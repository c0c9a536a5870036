from __future__ import annotations

from tests.sites import MODEL, OTHER_MODEL, Site


async def test_models_are_listed_with_what_is_known_of_them(site: Site) -> None:
    body = (await site.client.get("/openai/v1/models")).json()
    assert body["object"] == "list"
    assert [model["id"] for model in body["data"]] == [MODEL, OTHER_MODEL]
    loaded, other = body["data"]
    assert (loaded["state"], loaded["context_length"], loaded["owned_by"]) == ("ready", 4096, "scripted")
    assert (other["state"], other["context_length"], other["price_per_million_tokens"]) == (
        "unloaded",
        None,
        0.2,
    )


async def test_a_model_is_found_by_an_id_with_slashes_escaped_or_not(site: Site) -> None:
    for path in (MODEL, MODEL.replace("/", "%2F")):
        answer = await site.client.get(f"/openai/v1/models/{path}")
        assert answer.json()["id"] == MODEL


async def test_an_unknown_model_is_a_404_wherever_it_is_named(site: Site) -> None:
    answers = [
        await site.client.get("/openai/v1/models/no/such"),
        await site.client.post("/openai/v1/tokenize", json={"model": "no/such", "prompt": "a"}),
        await site.client.post("/openai/v1/completions", json={"model": "no/such", "prompt": "a"}),
    ]
    for answer in answers:
        assert answer.status_code == 404
        assert (answer.json()["error"]["param"], answer.json()["error"]["code"]) == (
            "model",
            "model_not_found",
        )


async def test_tokenize_counts_a_text_and_loads_the_model_for_it(site: Site) -> None:
    answer = await site.client.post("/openai/v1/tokenize", json={"model": OTHER_MODEL, "prompt": "one two"})
    assert answer.json() == {"tokens": [0, 1], "count": 2, "max_model_len": 4096}


async def test_tokenize_renders_messages(site: Site) -> None:
    sent = {"model": MODEL, "messages": [{"role": "user", "content": "one two three"}]}
    answer = await site.client.post("/openai/v1/tokenize", json=sent)
    assert answer.json()["count"] == 3
