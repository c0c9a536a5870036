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
        "temperature": 0.0,
        "max_tokens": 64,
        "top_p": 0.9,
        "top_k": 0,
        "stop": ["\n\n", '"""'],
        "presence_penalty": 0.0,
        "frequency_penalty": -0.5,
        "min_p": 0.0,
        "repetition_penalty": 1.1,
        "seed": 0,
        "min_tokens": 0,
        "ignore_eos": False,
        "logit_bias": {"50256": -100.0, "0": 1.5},
        "n": 2,
        "logprobs": True,
        "top_logprobs": 0,
        "x_effective": True,
        "x_timing": True,
    },
    timeout=600,
)
if response.is_error:
    raise SystemExit(response.text)

completion = response.json()

answers = []
for choice in completion["choices"]:
    answers.append(choice["message"].get("content") or "")
print(completion["x_effective"])
print(completion["x_timing"])
print(*answers, sep="\n\n")
