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
  const response = await post("moderations", { input: texts });
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
  max_tokens: 64,
  stream: true,
});

async function* parse(stream) {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines.filter((line) => line.startsWith("data: {"))) {
      const chunk = JSON.parse(line.slice(6));
      if (chunk.error) throw new Error(chunk.error.message);
      yield chunk;
    }
  }
}

const chunks = parse(response.body);

const answers = [""];
for await (const chunk of chunks) {
  for (const choice of chunk.choices) {
    answers[choice.index] += choice.delta.content ?? "";
  }
}

await check(answers);
console.log(answers.join("\n\n"));
