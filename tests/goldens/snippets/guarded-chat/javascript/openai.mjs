import OpenAI from "openai";

const apiKey = process.env.WORKBENCH_API_KEY;
if (!apiKey) throw new Error("Set WORKBENCH_API_KEY first");

const client = new OpenAI({
  baseURL: "http://127.0.0.1:7860/openai/v1",
  apiKey,
});

async function check(texts) {
  const verdict = await client.moderations.create({ input: texts });
  for (const { flagged, categories } of verdict.results) {
    if (!flagged) continue;
    throw new Error(`Flagged: ${Object.keys(categories).filter((name) => categories[name])}`);
  }
}

const messages = [
  { role: "system", content: "You are a careful assistant." },
  { role: "user", content: "What's the capital of France?" },
];
await check(messages.at(-1).content);

const completion = await client.chat.completions.create({
  model: "HuggingFaceTB/SmolLM2-135M-Instruct",
  messages,
  max_tokens: 64,
});

const answers = [];
for (const choice of completion.choices) {
  answers.push(choice.message.content ?? "");
}

await check(answers);
console.log(answers.join("\n\n"));
