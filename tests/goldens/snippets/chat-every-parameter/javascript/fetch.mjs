const apiKey = process.env.WORKBENCH_API_KEY;
if (!apiKey) throw new Error("Set WORKBENCH_API_KEY first");

const response = await fetch("http://127.0.0.1:7860/openai/v1/chat/completions", {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
    Authorization: `Bearer ${apiKey}`,
  },
  body: JSON.stringify({
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
  }),
});
if (!response.ok) throw new Error(await response.text());

const completion = await response.json();

const answers = [];
for (const choice of completion.choices) {
  answers.push(choice.message.content ?? "");
}
console.dir(completion.x_effective, { depth: null });
console.dir(completion.x_timing, { depth: null });
console.log(answers.join("\n\n"));
