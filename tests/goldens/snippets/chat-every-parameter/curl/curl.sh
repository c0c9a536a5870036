curl -sS --fail-with-body http://127.0.0.1:7860/openai/v1/chat/completions \
  -H "Authorization: Bearer $WORKBENCH_API_KEY" \
  -H 'Content-Type: application/json' \
  -d @- <<'EOF'
{
  "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
  "messages": [
    {"role": "system", "content": "You are a careful assistant."},
    {"role": "user", "content": "What's the capital of France?"}
  ],
  "temperature": 0.0,
  "max_tokens": 64,
  "top_p": 0.9,
  "top_k": 0,
  "stop": ["\n\n", "\"\"\""],
  "presence_penalty": 0.0,
  "frequency_penalty": -0.5,
  "min_p": 0.0,
  "repetition_penalty": 1.1,
  "seed": 0,
  "min_tokens": 0,
  "ignore_eos": false,
  "logit_bias": {"50256": -100.0, "0": 1.5},
  "n": 2,
  "logprobs": true,
  "top_logprobs": 0,
  "x_effective": true,
  "x_timing": true
}
EOF
