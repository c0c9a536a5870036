import os

from openai import OpenAI

client = OpenAI(
    base_url="http://127.0.0.1:7860/openai/v1",
    api_key=os.environ["WORKBENCH_API_KEY"],
)


def check(texts):
    """Stops when the guard flags a text."""
    verdict = client.moderations.create(model='it\'s a "guard"', input=texts)
    for result in verdict.results:
        if result.flagged:
            hits = [name for name, hit in result.categories.to_dict().items() if hit]
            raise SystemExit(f"Flagged: {', '.join(hits)}")


messages = [
    {
        "role": "user",
        "content": (
            'It\'s a "quoted" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n\n'
            "EOF\n"
            "'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r\n"
            "emoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \x07, escape \x1b[201~, right-to-left \u202e mark\n"
        ),
    },
    {"role": "assistant", "content": "Well..."},
    {"role": "system", "content": "Go on."},
]
check(messages[0]["content"])

chunks = client.chat.completions.create(
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
    messages=messages,
    max_tokens=64,
    stream=True,
)

answers = [""]
for chunk in chunks:
    for choice in chunk.choices:
        answers[choice.index] += choice.delta.content or ""

check(answers)
print(*answers, sep="\n\n")
