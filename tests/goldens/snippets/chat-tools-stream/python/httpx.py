import json
import os

import httpx

client = httpx.Client(
    base_url="http://127.0.0.1:7860/openai/v1",
    headers={"Authorization": f"Bearer {os.environ['WORKBENCH_API_KEY']}"},
    timeout=600,
)


def stream(route, body):
    """Yields the chunks of the API's answer as they arrive."""
    with client.stream("POST", route, json=body) as response:
        if response.is_error:
            raise SystemExit(response.read().decode())
        rest = b""
        for data in response.iter_bytes():
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.startswith(b"data: {"):
                    chunk = json.loads(line[6:])
                    if "error" in chunk:
                        raise SystemExit(chunk["error"]["message"])
                    yield chunk


chunks = stream(
    "/chat/completions",
    {
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
        "stream": True,
    },
)
for chunk in chunks:
    for choice in chunk["choices"]:
        print(choice["delta"].get("content") or "", end="", flush=True)
        for call in choice["delta"].get("tool_calls") or []:
            print(call["function"].get("name") or "", call["function"].get("arguments") or "", sep="", end="")
print()
