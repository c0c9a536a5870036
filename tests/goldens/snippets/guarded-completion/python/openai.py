import os

from openai import OpenAI

client = OpenAI(
    base_url="http://127.0.0.1:7860/openai/v1",
    api_key=os.environ["WORKBENCH_API_KEY"],
)


def check(texts):
    """Stops when the guard flags a text."""
    verdict = client.moderations.create(input=texts)
    for result in verdict.results:
        if result.flagged:
            hits = [name for name, hit in result.categories.to_dict().items() if hit]
            raise SystemExit(f"Flagged: {', '.join(hits)}")


prompt = "Once upon a time"
check(prompt)

completion = client.completions.create(
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
    prompt=prompt,
    max_tokens=64,
)

answers = []
for choice in completion.choices:
    answers.append(choice.text)

check(answers)
print(*answers, sep="\n\n")
