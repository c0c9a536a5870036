import os

import httpx

response = httpx.post(
    "http://127.0.0.1:7860/openai/v1/completions",
    headers={"Authorization": f"Bearer {os.environ['WORKBENCH_API_KEY']}"},
    json={
        "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "prompt": "Once upon a time",
        "max_tokens": 64,
        "n": 2,
        "best_of": 3,
    },
    timeout=600,
)
if response.is_error:
    raise SystemExit(response.text)

completion = response.json()

answers = []
for choice in completion["choices"]:
    answers.append(choice["text"])
print(*answers, sep="\n\n")
