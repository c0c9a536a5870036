import os

from openai import OpenAI

client = OpenAI(
    base_url="http://127.0.0.1:7860/openai/v1",
    api_key=os.environ["WORKBENCH_API_KEY"],
)

completion = client.chat.completions.create(
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
    messages=[
        {"role": "user", "content": "Name a colour."},
        {"role": "assistant", "content": "Certainly:"},
    ],
    max_tokens=64,
    extra_body={"continue_final_message": True},
)
print(completion.choices[0].message.content)
