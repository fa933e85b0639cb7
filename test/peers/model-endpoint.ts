import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** A question as it came: the words of the request, and what stood in its headers. */
export type Question = {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: ChatRequest;
  /** The last message of the user. */
  readonly user: string;
};
type ChatRequest = {
  readonly model?: unknown;
  readonly messages?: readonly { readonly role: string; readonly content: unknown }[];
  readonly tools?: unknown;
  readonly response_format?: { readonly type?: string };
  readonly max_tokens?: unknown;
};

/**
 * How it answers. `says`: that text as the model's answer; `summary`: JSON of the right shape with it; `status`: that
 * status, with `retryAfter` seconds; `hang`: never; `reset`: the connection breaks; `html`: a page; `huge`: an answer
 * without end; `empty`: a completion without choices; `redirect`: elsewhere.
 */
export type Manner =
  | { readonly kind: "says" | "summary"; readonly text: string }
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: number }
  | { readonly kind: "hang" | "reset" | "html" | "huge" | "empty" | "redirect" };

export type ModelEndpoint = {
  /** Such as `http://127.0.0.1:40000/v1`. */
  readonly url: string;
  readonly questions: readonly Question[];
  /** The most that were under way at once. */
  mostAtOnce(): number;
  /** From now on; a function chooses by the question. */
  answer(manner: Manner | ((question: Question) => Manner)): void;
  close(): Promise<void>;
};

/**
 * A local model that speaks OpenAI's chat completions (https://platform.openai.com/docs/api-reference/chat) over a
 * socket, with the tempers of real ones.
 */
export async function startModelEndpoint(): Promise<ModelEndpoint> {
  const questions: Question[] = [];
  let manner: Manner | ((question: Question) => Manner) = { kind: "summary", text: "" };
  let underWay = 0;
  let most = 0;

  const server = createServer(async (request, response) => {
    underWay++;
    most = Math.max(most, underWay);
    response.on("close", () => underWay--);
    const body: ChatRequest = JSON.parse(await textOf(request));
    const content = body.messages?.findLast(({ role }) => role === "user")?.content;
    const question: Question = {
      path: request.url ?? "",
      authorization: request.headers.authorization,
      body,
      user: typeof content === "string" ? content : JSON.stringify(content),
    };
    questions.push(question);
    // A turn of its own, so that questions asked together are seen together.
    setImmediate(() => send(response, typeof manner === "function" ? manner(question) : manner));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();

  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/v1`,
    questions,
    mostAtOnce: () => most,
    answer(next) {
      manner = next;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}

function send(response: ServerResponse, manner: Manner): void {
  switch (manner.kind) {
    case "says":
      completion(response, manner.text);
      return;
    case "summary":
      completion(response, JSON.stringify({ summary: manner.text }));
      return;
    case "status": {
      const retry = manner.retryAfter === undefined ? {} : { "retry-after": String(manner.retryAfter) };
      response.writeHead(manner.status, { "content-type": "application/json", ...retry });
      response.end(
        JSON.stringify({ error: { message: "sk-secret-of-the-endpoint says no", type: "error" } }),
      );
      return;
    }
    case "hang":
      return;
    case "reset":
      response.destroy();
      return;
    case "html":
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<html><body>A captive portal</body></html>");
      return;
    case "empty":
      json(response, { id: "1", object: "chat.completion", created: 0, model: "m", choices: [] });
      return;
    case "redirect":
      response.writeHead(307, { location: "http://127.0.0.1:9/v1/chat/completions" });
      response.end();
      return;
    case "huge": {
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"choices":[{"message":{"content":"');
      const more = () => {
        while (!response.destroyed && response.write("word ".repeat(4_000)));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    }
  }
}

function completion(response: ServerResponse, content: string): void {
  json(response, {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_776_000_000,
    model: "local",
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }],
    usage: { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 },
  });
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
