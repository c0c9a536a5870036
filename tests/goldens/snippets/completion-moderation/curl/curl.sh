curl -sS --fail-with-body http://127.0.0.1:7860/openai/v1/completions \
  -H "Authorization: Bearer $WORKBENCH_API_KEY" \
  -H 'Content-Type: application/json' \
  -d @- <<'EOF'
{
  "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
  "prompt": "Once upon a time",
  "max_tokens": 64,
  "moderation": {"model": "embedded", "policy": {"output": {"mode": "score"}}}
}
EOF
