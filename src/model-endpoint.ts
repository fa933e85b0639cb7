import type { LanguageModel } from "ai";

/** Where a model is: any endpoint that speaks OpenAI's protocol, as OpenAI, Ollama, vLLM, llama.cpp and Hugging Face do. */
export type ModelEndpointOptions = {
  /** Such as `http://localhost:11434/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
};

/** Bytes of an answer: a summary has some hundreds, and what is around it some thousands. */
const MOST_BYTES = 512 * 1024;

/**
 * A language model of an endpoint. The SDK is loaded here and not before, so that whoever has no model does not wait
 * for it. Requests go to that host alone: a redirect is a failure, and so is an endless answer.
 */
export async function openLanguageModel(
  { baseUrl, apiKey }: ModelEndpointOptions,
  name: string,
): Promise<LanguageModel> {
  const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
  // Its warnings would go to stderr in a form of their own; what matters comes as an error.
  globalThis.AI_SDK_LOG_WARNINGS = false;
  const endpoint = createOpenAICompatible({
    name: "endpoint",
    baseURL: baseUrl,
    supportsStructuredOutputs: true,
    fetch: cappedFetch,
    ...(apiKey === null ? {} : { apiKey }),
  });
  return endpoint.chatModel(name);
}

async function cappedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, { ...init, redirect: "manual" });
  if (response.body === null) return response;
  let bytes = 0;
  const cap = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > MOST_BYTES) controller.error(new Error("The answer is too long."));
      else controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(cap), { status, statusText, headers });
}
