const apiKey = process.env.WORKBENCH_API_KEY;
if (!apiKey) throw new Error("Set WORKBENCH_API_KEY first");

async function post(route, body) {
  const response = await fetch("http://127.0.0.1:7860/openai/v1/" + route, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Authorization: `Bearer ${apiKey}`,
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return response;
}

async function check(texts) {
  const response = await post("moderations", { model: "llama-guard-3", input: texts });
  const verdict = await response.json();
  for (const { flagged, categories } of verdict.results) {
    if (!flagged) continue;
    throw new Error(`Flagged: ${Object.keys(categories).filter((name) => categories[name])}`);
  }
}

const messages = [
  { role: "system", content: "You are a careful assistant." },
  { role: "user", content: "What's the capital of France?" },
];
await check(messages.at(-1).content);

const response = await post("chat/completions", {
  model: "HuggingFaceTB/SmolLM2-135M-Instruct",
  messages,
  tools: [
    {
      type: "function",
      function: {
        name: "get_weather",
        description: "The weather of a city at this moment.",
        parameters: {
          type: "object",
          properties: { city: { type: "string" } },
          required: ["city"],
        },
      },
    },
  ],
  max_tokens: 64,
  n: 2,
});

const completion = await response.json();

const answers = [];
for (const choice of completion.choices) {
  answers.push(choice.message.content ?? "");
  for (const call of choice.message.tool_calls ?? []) {
    answers.push(call.function.name + call.function.arguments);
  }
}

await check(answers);
console.log(answers.join("\n\n"));
