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
    { role: "user", content: "Name a colour." },
    { role: "assistant", content: "Certainly:" },
  ],
  continue_final_message: true,
  max_tokens: 64,
});
console.log(completion.choices[0].message.content);
