import json
import os

import httpx

client = httpx.Client(
    base_url="http://127.0.0.1:7860/openai/v1",
    headers={"Authorization": f"Bearer {os.environ['WORKBENCH_API_KEY']}"},
    timeout=600,
)


def stream(route, body):
    """Yields the chunks of the API's answer as they arrive."""
    with client.stream("POST", route, json=body) as response:
        if response.is_error:
            raise SystemExit(response.read().decode())
        rest = b""
        for data in response.iter_bytes():
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.startswith(b"data: {"):
                    chunk = json.loads(line[6:])
                    if "error" in chunk:
                        raise SystemExit(chunk["error"]["message"])
                    yield chunk


chunks = stream(
    "/completions",
    {
        "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "prompt": (
            'It\'s a "quoted" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n\n'
            "EOF\n"
            "'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r\n"
            "emoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \x07, escape \x1b[201~, right-to-left \u202e mark\n"
        ),
        "max_tokens": 64,
        "stream": True,
    },
)
for chunk in chunks:
    for choice in chunk["choices"]:
        print(choice["text"], end="", flush=True)
print()
