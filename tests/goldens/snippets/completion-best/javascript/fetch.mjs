const apiKey = process.env.WORKBENCH_API_KEY;
if (!apiKey) throw new Error("Set WORKBENCH_API_KEY first");

const response = await fetch("http://127.0.0.1:7860/openai/v1/completions", {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
    Authorization: `Bearer ${apiKey}`,
  },
  body: JSON.stringify({
    model: "HuggingFaceTB/SmolLM2-135M-Instruct",
    prompt: "Once upon a time",
    max_tokens: 64,
    n: 2,
    best_of: 3,
  }),
});
if (!response.ok) throw new Error(await response.text());

const completion = await response.json();

const answers = [];
for (const choice of completion.choices) {
  answers.push(choice.text);
}
console.log(answers.join("\n\n"));
