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
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "get_weather",
                    "description": "The weather of a city at this moment.",
                    "parameters": {
                        "type": "object",
                        "properties": {"city": {"type": "string"}},
                        "required": ["city"],
                    },
                },
            },
        ],
        "max_tokens": 64,
    },
    timeout=600,
)
if response.is_error:
    raise SystemExit(response.text)

completion = response.json()
message = completion["choices"][0]["message"]
print(message["content"])
for call in message.get("tool_calls") or []:
    print(call["function"]["name"], call["function"]["arguments"])
