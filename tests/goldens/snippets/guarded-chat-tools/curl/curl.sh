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
    {"role": "system", "content": "You are a careful assistant."},
    {"role": "user", "content": "What's the capital of France?"}
  ],
  "tools": [
    {
      "type": "function",
      "function": {
        "name": "get_weather",
        "description": "The weather of a city at this moment.",
        "parameters": {
          "type": "object",
          "properties": {"city": {"type": "string"}},
          "required": ["city"]
        }
      }
    }
  ],
  "max_tokens": 64,
  "n": 2
}
EOF
}

input=$(request | python3 -c '
import json, sys
request = json.load(sys.stdin.buffer)
texts = request["messages"][-1]["content"]
print(json.dumps({"model": "llama-guard-3", "input": texts}))
')
check "$input"

answer=$(request | post chat/completions) || fail "$answer"
output=$(printf '%s' "$answer" | python3 -c '
import json, sys
texts = []
for choice in json.load(sys.stdin.buffer)["choices"]:
    texts.append(choice["message"].get("content") or "")
    for call in choice["message"].get("tool_calls") or []:
        texts.append(call["function"]["name"] + call["function"]["arguments"])
print(json.dumps({"model": "llama-guard-3", "input": texts}))
') || fail "$answer"
check "$output"

printf '%s\n' "$answer"
)
