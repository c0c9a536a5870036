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

const prompt = "Once upon a time";
await check(prompt);

const completion = await client.completions.create({
  model: "HuggingFaceTB/SmolLM2-135M-Instruct",
  prompt,
  max_tokens: 64,
});

const answers = [];
for (const choice of completion.choices) {
  answers.push(choice.text);
}

await check(answers);
console.log(answers.join("\n\n"));
