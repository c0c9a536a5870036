import os

from openai import OpenAI

client = OpenAI(
    base_url="http://127.0.0.1:7860/openai/v1",
    api_key=os.environ["WORKBENCH_API_KEY"],
)

completion = client.completions.create(
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
    prompt="Once upon a time",
    max_tokens=64,
    extra_body={
        "moderation": {"model": "embedded", "policy": {"output": {"mode": "score"}}},
    },
)
print(completion.choices[0].text)
print(completion.moderation)
