import os

from openai import OpenAI

client = OpenAI(
    base_url="http://127.0.0.1:7860/openai/v1",
    api_key=os.environ["WORKBENCH_API_KEY"],
)

chunks = client.completions.create(
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
    prompt="Once upon a time",
    temperature=0.7,
    max_tokens=256,
    top_p=1.0,
    presence_penalty=0.5,
    frequency_penalty=0.0,
    stream=True,
    extra_body={"top_k": 40},
)
for chunk in chunks:
    for choice in chunk.choices:
        print(choice.text, end="", flush=True)
print()
