curl -sS --fail-with-body http://127.0.0.1:7860/openai/v1/chat/completions \
  -H "Authorization: Bearer $WORKBENCH_API_KEY" \
  -H 'Content-Type: application/json' \
  -d @- <<'EOF'
{
  "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
  "messages": [
    {"role": "user", "content": "Name a colour."},
    {"role": "assistant", "content": "Certainly:"}
  ],
  "continue_final_message": true,
  "max_tokens": 64
}
EOF
