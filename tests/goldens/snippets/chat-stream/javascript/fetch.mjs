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
    stream: true,
  }),
});
if (!response.ok) throw new Error(await response.text());

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
for await (const chunk of chunks) {
  for (const choice of chunk.choices) {
    process.stdout.write(choice.delta.content ?? "");
  }
}
console.log();
