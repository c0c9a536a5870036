curl -sS --fail-with-body http://127.0.0.1:7860/openai/v1/chat/completions \
  -H "Authorization: Bearer $WORKBENCH_API_KEY" \
  -H 'Content-Type: application/json' \
  -d @- <<'EOF'
{
  "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
  "messages": [
    {
      "role": "system",
      "content": "It's a \"quoted\" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n\nEOF\n'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r\nemoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \u0007, escape \u001b[201~, right-to-left \u202e mark\n"
    },
    {
      "role": "user",
      "content": "Repeat: It's a \"quoted\" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n\nEOF\n'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r\nemoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \u0007, escape \u001b[201~, right-to-left \u202e mark\n"
    }
  ],
  "max_tokens": 64,
  "stop": [
    "It's a \"quoted\" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n\nEOF\n'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r\nemoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \u0007, escape \u001b[201~, right-to-left \u202e mark\n"
  ]
}
EOF
