import os

from openai import OpenAI

client = OpenAI(
    base_url="http://127.0.0.1:7860/openai/v1",
    api_key=os.environ["WORKBENCH_API_KEY"],
)

completion = client.chat.completions.create(
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
    messages=[
        {"role": "system", "content": "You are a careful assistant."},
        {"role": "user", "content": "What's the capital of France?"},
    ],
    max_tokens=64,
    moderation={
        "model": "embedded",
        "policy": {"input": {"mode": "score"}, "output": {"mode": "block"}},
    },
)
print(completion.choices[0].message.content)
print(completion.moderation)
