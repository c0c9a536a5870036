import OpenAI from "openai";

const apiKey = process.env.WORKBENCH_API_KEY;
if (!apiKey) throw new Error("Set WORKBENCH_API_KEY first");

const client = new OpenAI({
  baseURL: "http://127.0.0.1:7860/openai/v1",
  apiKey,
});

const chunks = await client.completions.create({
  model: "HuggingFaceTB/SmolLM2-135M-Instruct",
  prompt: [
    'It\'s a "quoted" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n',
    "EOF",
    "'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r",
    "emoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \u0007, escape \u001b[201~, right-to-left \u202e mark",
    "",
  ].join("\n"),
  max_tokens: 64,
  stream: true,
});
for await (const chunk of chunks) {
  for (const choice of chunk.choices) {
    process.stdout.write(choice.text);
  }
}
console.log();
