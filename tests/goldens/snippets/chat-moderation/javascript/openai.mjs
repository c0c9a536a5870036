import OpenAI from "openai";

const apiKey = process.env.WORKBENCH_API_KEY;
if (!apiKey) throw new Error("Set WORKBENCH_API_KEY first");

const client = new OpenAI({
  baseURL: "http://127.0.0.1:7860/openai/v1",
  apiKey,
});

const completion = await client.chat.completions.create({
  model: "HuggingFaceTB/SmolLM2-135M-Instruct",
  messages: [
    { role: "system", content: "You are a careful assistant." },
    { role: "user", content: "What's the capital of France?" },
  ],
  max_tokens: 64,
  moderation: {
    model: "embedded",
    policy: { input: { mode: "score" }, output: { mode: "block" } },
  },
});
console.log(completion.choices[0].message.content);
console.dir(completion.moderation, { depth: null });
