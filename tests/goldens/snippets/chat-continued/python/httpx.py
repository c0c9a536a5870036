import os

import httpx

response = httpx.post(
    "http://127.0.0.1:7860/openai/v1/chat/completions",
    headers={"Authorization": f"Bearer {os.environ['WORKBENCH_API_KEY']}"},
    json={
        "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "messages": [
            {"role": "user", "content": "Name a colour."},
            {"role": "assistant", "content": "Certainly:"},
        ],
        "continue_final_message": True,
        "max_tokens": 64,
    },
    timeout=600,
)
if response.is_error:
    raise SystemExit(response.text)

completion = response.json()
print(completion["choices"][0]["message"]["content"])
