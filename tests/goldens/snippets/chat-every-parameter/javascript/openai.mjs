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
  temperature: 0.0,
  max_tokens: 64,
  top_p: 0.9,
  top_k: 0,
  stop: ["\n\n", '"""'],
  presence_penalty: 0.0,
  frequency_penalty: -0.5,
  min_p: 0.0,
  repetition_penalty: 1.1,
  seed: 0,
  min_tokens: 0,
  ignore_eos: false,
  logit_bias: { "50256": -100.0, "0": 1.5 },
  n: 2,
  logprobs: true,
  top_logprobs: 0,
  x_effective: true,
  x_timing: true,
});

const answers = [];
for (const choice of completion.choices) {
  answers.push(choice.message.content ?? "");
}
console.dir(completion.x_effective, { depth: null });
console.dir(completion.x_timing, { depth: null });
console.log(answers.join("\n\n"));
