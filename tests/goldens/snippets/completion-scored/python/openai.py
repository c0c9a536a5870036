import os

from openai import OpenAI

client = OpenAI(
    base_url="http://127.0.0.1:7860/openai/v1",
    api_key=os.environ["WORKBENCH_API_KEY"],
)

completion = client.completions.create(
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
    prompt=[1, 0, 15339],
    max_tokens=0,
    logprobs=5,
    echo=True,
)
print(completion.choices[0].text)
