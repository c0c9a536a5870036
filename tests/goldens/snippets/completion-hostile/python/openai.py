import os

from openai import OpenAI

client = OpenAI(
    base_url="http://127.0.0.1:7860/openai/v1",
    api_key=os.environ["WORKBENCH_API_KEY"],
)

chunks = client.completions.create(
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
    prompt=(
        'It\'s a "quoted" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n\n'
        "EOF\n"
        "'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r\n"
        "emoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \x07, escape \x1b[201~, right-to-left \u202e mark\n"
    ),
    max_tokens=64,
    stream=True,
)
for chunk in chunks:
    for choice in chunk.choices:
        print(choice.text, end="", flush=True)
print()
