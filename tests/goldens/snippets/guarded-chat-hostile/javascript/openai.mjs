import OpenAI from "openai";

const apiKey = process.env.WORKBENCH_API_KEY;
if (!apiKey) throw new Error("Set WORKBENCH_API_KEY first");

const client = new OpenAI({
  baseURL: "http://127.0.0.1:7860/openai/v1",
  apiKey,
});

async function check(texts) {
  const verdict = await client.moderations.create({ model: 'it\'s a "guard"', input: texts });
  for (const { flagged, categories } of verdict.results) {
    if (!flagged) continue;
    throw new Error(`Flagged: ${Object.keys(categories).filter((name) => categories[name])}`);
  }
}

const messages = [
  {
    role: "user",
    content: [
      'It\'s a "quoted" `backtick` ${HOME} $HOME $(id) \\ back\\slash \\n',
      "EOF",
      "'''\"\"\" {{ braces }} {% percent %} %s !history #comment\t<tab>\r",
      "emoji 🙂 👩‍👩‍👧, line\u2028and\u2029paragraph separators, bell \u0007, escape \u001b[201~, right-to-left \u202e mark",
      "",
    ].join("\n"),
  },
  { role: "assistant", content: "Well..." },
  { role: "system", content: "Go on." },
];
await check(messages[0].content);

const chunks = await client.chat.completions.create({
  model: "HuggingFaceTB/SmolLM2-135M-Instruct",
  messages,
  max_tokens: 64,
  stream: true,
});

const answers = [""];
for await (const chunk of chunks) {
  for (const choice of chunk.choices) {
    answers[choice.index] += choice.delta.content ?? "";
  }
}

await check(answers);
console.log(answers.join("\n\n"));
