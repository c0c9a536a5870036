import os

import httpx

response = httpx.post(
    "http://127.0.0.1:7860/openai/v1/chat/completions",
    headers={"Authorization": f"Bearer {os.environ['WORKBENCH_API_KEY']}"},
    json={
        "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "messages": [
            {"role": "user", "content": "How is the weather in Paris?", "name": "ada"},
            {
                "role": "assistant",
                "content": "",
                "reasoning_content": "A tool knows.",
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {
                            "name": "get_weather",
                            "arguments": '{"city": "Paris"}',
                        },
                    },
                ],
            },
            {"role": "tool", "content": "18 °C", "tool_call_id": "call_1"},
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
                    "strict": True,
                },
            },
            {"type": "function", "function": {"name": "get_time"}},
        ],
        "tool_choice": {"type": "function", "function": {"name": "get_time"}},
        "parallel_tool_calls": False,
        "chat_template_kwargs": {"enable_thinking": False, "budget": None},
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
