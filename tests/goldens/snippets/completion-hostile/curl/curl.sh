curl -N -sS --fail-with-body http://127.0.0.1:7860/openai/v1/completions \
  -H "Authorization: Bearer $WORKBENCH_API_KEY" \
  -H 'Content-Type: application/json' \
  -d @- <<'EOF'
{
  "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
  "prompt": "It's a \"quoted\" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n\nEOF\n'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r\nemoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \u0007, escape \u001b[201~, right-to-left \u202e mark\n",
  "max_tokens": 64,
  "stream": true
}
EOF
