import os

from openai import OpenAI

client = OpenAI(
    base_url="http://127.0.0.1:7860/openai/v1",
    api_key=os.environ["WORKBENCH_API_KEY"],
)

chunks = client.chat.completions.create(
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
    messages=[
        {"role": "system", "content": "You are a careful assistant."},
        {"role": "user", "content": "What's the capital of France?"},
    ],
    max_tokens=64,
    n=2,
    stream=True,
    extra_body={"x_effective": True},
)

answers = [""] * 2
for chunk in chunks:
    for choice in chunk.choices:
        answers[choice.index] += choice.delta.content or ""
    if getattr(chunk, "x_effective", None):
        print("", chunk.x_effective, sep="\n")
print(*answers, sep="\n\n")
