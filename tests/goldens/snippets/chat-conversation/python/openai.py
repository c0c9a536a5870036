import os

from openai import OpenAI

client = OpenAI(
    base_url="http://127.0.0.1:7860/openai/v1",
    api_key=os.environ["WORKBENCH_API_KEY"],
)

completion = client.chat.completions.create(
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
    messages=[
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
    tools=[
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
    tool_choice={"type": "function", "function": {"name": "get_time"}},
    parallel_tool_calls=False,
    max_tokens=64,
    extra_body={"chat_template_kwargs": {"enable_thinking": False, "budget": None}},
)
message = completion.choices[0].message
print(message.content)
for call in message.tool_calls or []:
    print(call.function.name, call.function.arguments)
