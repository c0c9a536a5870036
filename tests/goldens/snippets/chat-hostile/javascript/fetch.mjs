const apiKey = process.env.WORKBENCH_API_KEY;
if (!apiKey) throw new Error("Set WORKBENCH_API_KEY first");

const response = await fetch("http://127.0.0.1:7860/openai/v1/chat/completions", {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
    Authorization: `Bearer ${apiKey}`,
  },
  body: JSON.stringify({
    model: "HuggingFaceTB/SmolLM2-135M-Instruct",
    messages: [
      {
        role: "system",
        content: [
          'It\'s a "quoted" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n',
          "EOF",
          "'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r",
          "emoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \u0007, escape \u001b[201~, right-to-left \u202e mark",
          "",
        ].join("\n"),
      },
      {
        role: "user",
        content: [
          'Repeat: It\'s a "quoted" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n',
          "EOF",
          "'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r",
          "emoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \u0007, escape \u001b[201~, right-to-left \u202e mark",
          "",
        ].join("\n"),
      },
    ],
    max_tokens: 64,
    stop: [
      [
        'It\'s a "quoted" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n',
        "EOF",
        "'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r",
        "emoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \u0007, escape \u001b[201~, right-to-left \u202e mark",
        "",
      ].join("\n"),
    ],
  }),
});
if (!response.ok) throw new Error(await response.text());

const completion = await response.json();
console.log(completion.choices[0].message.content);
