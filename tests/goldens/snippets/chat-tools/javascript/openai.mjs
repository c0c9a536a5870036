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
});
const { message } = completion.choices[0];
console.log(message.content);
for (const call of message.tool_calls ?? []) {
  console.log(call.function.name, call.function.arguments);
}
