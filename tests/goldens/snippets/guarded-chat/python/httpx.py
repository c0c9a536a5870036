import os

import httpx

client = httpx.Client(
    base_url="http://127.0.0.1:7860/openai/v1",
    headers={"Authorization": f"Bearer {os.environ['WORKBENCH_API_KEY']}"},
    timeout=600,
)


def post(route, body):
    """The API's answer; stops with its message when it is an error."""
    response = client.post(route, json=body)
    if response.is_error:
        raise SystemExit(response.text)
    return response.json()


def check(texts):
    """Stops when the guard flags a text."""
    verdict = post("/moderations", {"input": texts})
    for result in verdict["results"]:
        if result["flagged"]:
            hits = [name for name, hit in result["categories"].items() if hit]
            raise SystemExit(f"Flagged: {', '.join(hits)}")


messages = [
    {"role": "system", "content": "You are a careful assistant."},
    {"role": "user", "content": "What's the capital of France?"},
]
check(messages[-1]["content"])

completion = post(
    "/chat/completions",
    {
        "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "messages": messages,
        "max_tokens": 64,
    },
)

answers = []
for choice in completion["choices"]:
    answers.append(choice["message"].get("content") or "")

check(answers)
print(*answers, sep="\n\n")
