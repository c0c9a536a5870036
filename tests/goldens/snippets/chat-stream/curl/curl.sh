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
  "temperature": 0.7,
  "max_tokens": 256,
  "top_p": 1.0,
  "top_k": 40,
  "presence_penalty": 0.5,
  "frequency_penalty": 0.0,
  "stream": true
}
EOF
