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
      { role: "user", content: "How is the weather in Paris?", name: "ada" },
      {
        role: "assistant",
        content: "",
        reasoning_content: "A tool knows.",
        tool_calls: [
          {
            id: "call_1",
            type: "function",
            function: { name: "get_weather", arguments: '{"city": "Paris"}' },
          },
        ],
      },
      { role: "tool", content: "18 °C", tool_call_id: "call_1" },
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
          strict: true,
        },
      },
      { type: "function", function: { name: "get_time" } },
    ],
    tool_choice: { type: "function", function: { name: "get_time" } },
    parallel_tool_calls: false,
    chat_template_kwargs: { enable_thinking: false, budget: null },
    max_tokens: 64,
  }),
});
if (!response.ok) throw new Error(await response.text());

const completion = await response.json();
const { message } = completion.choices[0];
console.log(message.content);
for (const call of message.tool_calls ?? []) {
  console.log(call.function.name, call.function.arguments);
}
