import OpenAI from "openai";

const apiKey = process.env.WORKBENCH_API_KEY;
if (!apiKey) throw new Error("Set WORKBENCH_API_KEY first");

const client = new OpenAI({
  baseURL: "http://127.0.0.1:7860/openai/v1",
  apiKey,
});

const completion = await client.completions.create({
  model: "HuggingFaceTB/SmolLM2-135M-Instruct",
  prompt: "Once upon a time",
  max_tokens: 64,
  n: 2,
  best_of: 3,
});

const answers = [];
for (const choice of completion.choices) {
  answers.push(choice.text);
}
console.log(answers.join("\n\n"));
