curl -N -sS --fail-with-body http://127.0.0.1:7860/openai/v1/chat/completions \
  -H "Authorization: Bearer $WORKBENCH_API_KEY" \
  -H 'Content-Type: application/json' \
  -d @- <<'EOF'
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
  "stream": true
}
EOF
