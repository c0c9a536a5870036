import os

from openai import OpenAI

client = OpenAI(
    base_url="http://127.0.0.1:7860/openai/v1",
    api_key=os.environ["WORKBENCH_API_KEY"],
)

completion = client.chat.completions.create(
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
    messages=[
        {
            "role": "system",
            "content": (
                'It\'s a "quoted" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n\n'
                "EOF\n"
                "'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r\n"
                "emoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \x07, escape \x1b[201~, right-to-left \u202e mark\n"
            ),
        },
        {
            "role": "user",
            "content": (
                'Repeat: It\'s a "quoted" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n\n'
                "EOF\n"
                "'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r\n"
                "emoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \x07, escape \x1b[201~, right-to-left \u202e mark\n"
            ),
        },
    ],
    max_tokens=64,
    stop=[
        (
            'It\'s a "quoted" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n\n'
            "EOF\n"
            "'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r\n"
            "emoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \x07, escape \x1b[201~, right-to-left \u202e mark\n"
        ),
    ],
)
print(completion.choices[0].message.content)
