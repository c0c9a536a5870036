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
    n=2,
    best_of=3,
)

answers = []
for choice in completion.choices:
    answers.append(choice.text)
print(*answers, sep="\n\n")
