(
set -euo pipefail

post() {
  curl -sS --fail-with-body http://127.0.0.1:7860/openai/v1/"$1" \
    -H "Authorization: Bearer $WORKBENCH_API_KEY" \
    -H 'Content-Type: application/json' \
    -d @-
}

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

check() {
  verdict=$(printf '%s' "$1" | post moderations) || fail "$verdict"
  printf '%s' "$verdict" | python3 -c '
import json, sys
sys.exit(any(result["flagged"] for result in json.load(sys.stdin.buffer)["results"]))
' || fail "Flagged: $verdict"
}

request() {
  cat <<'EOF'
{
  "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
  "messages": [
    {
      "role": "user",
      "content": "It's a \"quoted\" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n\nEOF\n'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r\nemoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \u0007, escape \u001b[201~, right-to-left \u202e mark\n"
    },
    {"role": "assistant", "content": "Well..."},
    {"role": "system", "content": "Go on."}
  ],
  "max_tokens": 64,
  "stream": true
}
EOF
}

input=$(request | python3 -c '
import json, sys
request = json.load(sys.stdin.buffer)
texts = request["messages"][0]["content"]
print(json.dumps({"model": '"'"'it\'"'"'s a "guard"'"'"', "input": texts}))
')
check "$input"

answer=$(request | post chat/completions) || fail "$answer"
output=$(printf '%s' "$answer" | python3 -c '
import json, sys
texts = [""]
for line in sys.stdin.buffer:
    if line.startswith(b"data: {"):
        for choice in json.loads(line[6:])["choices"]:
            texts[choice["index"]] += choice["delta"].get("content") or ""
print(json.dumps({"model": '"'"'it\'"'"'s a "guard"'"'"', "input": texts}))
') || fail "$answer"
check "$output"

printf '%s\n' "$answer"
)
