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
  temperature: 0.7,
  max_tokens: 256,
  top_p: 1.0,
  top_k: 40,
  presence_penalty: 0.5,
  frequency_penalty: 0.0,
  stream: true,
});
for await (const chunk of chunks) {
  for (const choice of chunk.choices) {
    process.stdout.write(choice.delta.content ?? "");
  }
}
console.log();
