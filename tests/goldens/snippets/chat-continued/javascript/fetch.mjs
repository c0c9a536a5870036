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
      { role: "user", content: "Name a colour." },
      { role: "assistant", content: "Certainly:" },
    ],
    continue_final_message: true,
    max_tokens: 64,
  }),
});
if (!response.ok) throw new Error(await response.text());

const completion = await response.json();
console.log(completion.choices[0].message.content);
