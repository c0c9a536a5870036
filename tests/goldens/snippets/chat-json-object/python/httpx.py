import os

import httpx

response = httpx.post(
    "http://127.0.0.1:7860/openai/v1/chat/completions",
    headers={"Authorization": f"Bearer {os.environ['WORKBENCH_API_KEY']}"},
    json={
        "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "messages": [
            {"role": "system", "content": "You are a careful assistant."},
            {"role": "user", "content": "What's the capital of France?"},
        ],
        "max_tokens": 64,
        "response_format": {"type": "json_object"},
    },
    timeout=600,
)
if response.is_error:
    raise SystemExit(response.text)

completion = response.json()
print(completion["choices"][0]["message"]["content"])
