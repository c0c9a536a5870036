import os

from openai import OpenAI

client = OpenAI(
    base_url="http://127.0.0.1:7860/openai/v1",
    api_key=os.environ["WORKBENCH_API_KEY"],
)


def check(texts):
    """Stops when the guard flags a text."""
    verdict = client.moderations.create(model="llama-guard-3", input=texts)
    for result in verdict.results:
        if result.flagged:
            hits = [name for name, hit in result.categories.to_dict().items() if hit]
            raise SystemExit(f"Flagged: {', '.join(hits)}")


messages = [
    {"role": "system", "content": "You are a careful assistant."},
    {"role": "user", "content": "What's the capital of France?"},
]
check(messages[-1]["content"])

completion = client.chat.completions.create(
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
    messages=messages,
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
            },
        },
    ],
    max_tokens=64,
    n=2,
)

answers = []
for choice in completion.choices:
    answers.append(choice.message.content or "")
    for call in choice.message.tool_calls or []:
        answers.append(call.function.name + call.function.arguments)

check(answers)
print(*answers, sep="\n\n")
