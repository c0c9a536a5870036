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
  moderation: { model: "embedded", policy: { output: { mode: "score" } } },
});
console.log(completion.choices[0].text);
console.dir(completion.moderation, { depth: null });
