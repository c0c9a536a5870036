import OpenAI from "openai";

const apiKey = process.env.WORKBENCH_API_KEY;
if (!apiKey) throw new Error("Set WORKBENCH_API_KEY first");

const client = new OpenAI({
  baseURL: "http://127.0.0.1:7860/openai/v1",
  apiKey,
});

const chunks = await client.chat.completions.create({
  model: "HuggingFaceTB/SmolLM2-135M-Instruct",
  messages: [
    { role: "system", content: "You are a careful assistant." },
    { role: "user", content: "What's the capital of France?" },
  ],
  max_tokens: 64,
  n: 2,
  x_effective: true,
  stream: true,
});

const answers = Array(2).fill("");
for await (const chunk of chunks) {
  for (const choice of chunk.choices) {
    answers[choice.index] += choice.delta.content ?? "";
  }
  if (chunk.x_effective) {
    console.log();
    console.dir(chunk.x_effective, { depth: null });
  }
}
console.log(answers.join("\n\n"));
