import os

import httpx

response = httpx.post(
    "http://127.0.0.1:7860/openai/v1/completions",
    headers={"Authorization": f"Bearer {os.environ['WORKBENCH_API_KEY']}"},
    json={
        "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "prompt": "Once upon a time",
        "max_tokens": 64,
        "moderation": {"model": "embedded", "policy": {"output": {"mode": "score"}}},
    },
    timeout=600,
)
if response.is_error:
    raise SystemExit(response.text)

completion = response.json()
print(completion["choices"][0]["text"])
print(completion["moderation"])
