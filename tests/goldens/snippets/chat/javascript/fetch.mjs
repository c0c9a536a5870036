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
    temperature: 0.7,
    max_tokens: 256,
    top_p: 1.0,
    top_k: 40,
    presence_penalty: 0.5,
    frequency_penalty: 0.0,
  }),
});
if (!response.ok) throw new Error(await response.text());

const completion = await response.json();
console.log(completion.choices[0].message.content);
