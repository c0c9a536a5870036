import os

import httpx

response = httpx.post(
    "http://127.0.0.1:7860/openai/v1/chat/completions",
    headers={"Authorization": f"Bearer {os.environ['WORKBENCH_API_KEY']}"},
    json={
        "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "messages": [
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
        "max_tokens": 64,
        "stop": [
            (
                'It\'s a "quoted" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n\n'
                "EOF\n"
                "'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r\n"
                "emoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \x07, escape \x1b[201~, right-to-left \u202e mark\n"
            ),
        ],
    },
    timeout=600,
)
if response.is_error:
    raise SystemExit(response.text)

completion = response.json()
print(completion["choices"][0]["message"]["content"])
