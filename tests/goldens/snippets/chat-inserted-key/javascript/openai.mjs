import OpenAI from "openai";

const apiKey = "wb-example-0123456789";

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
  max_tokens: 64,
});
console.log(completion.choices[0].message.content);
