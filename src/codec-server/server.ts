import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { ComportaError } from '../errors';
import { listen, type HttpListener } from '../http-listener';

export interface CodecServerOptions {
  readonly host: string;
  readonly port: number;
  /** Of the Web UI: `http://localhost:8233`. Browsers of other pages are refused. */
  readonly origins: readonly string[];
  /** What `Authorization: Bearer …` must hold. Undefined: nobody is asked. */
  readonly token?: string;
}

/** Larger than what Temporal takes as a payload (2 MB), with room for several and for base64. */
const LARGEST_BODY = 32 * 1024 * 1024;

/**
 * Encrypts and decrypts payloads for the Web UI and the command line of Temporal, which ask it from
 * the operator's browser: the key never leaves this process, and Temporal never sees what is in a
 * payload. The protocol is that of docs.temporal.io, "Codec Server": POST /encode and /decode.
 */
export async function startCodecServer(
  codec: PayloadCodec,
  options: CodecServerOptions,
): Promise<HttpListener> {
  const server = createServer((request, response) => {
    answer(codec, options, request, response).catch((error: unknown) => {
      // The error's own message names a key at most.
      const isKnown = error instanceof ComportaError;
      const status = isKnown ? 422 : error instanceof BadRequest ? 400 : 500;
      const text = isKnown || error instanceof BadRequest ? error.message : 'unexpected';
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
    });
  });
  return listen(server, options);
}

class BadRequest extends Error {}

async function answer(
  codec: PayloadCodec,
  { origins, token }: CodecServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { origin } = request.headers;
  if (origin !== undefined) {
    if (!origins.includes(origin)) return void response.writeHead(403).end('not this page');
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-headers', 'authorization, content-type, x-namespace');
    response.setHeader('access-control-allow-methods', 'POST, OPTIONS');
    response.setHeader('vary', 'origin');
  }
  if (request.method === 'OPTIONS') return void response.writeHead(204).end();
  const path = (request.url ?? '').split('?')[0] ?? '';
  const verb = /\/(encode|decode)$/.exec(path)?.[1];
  if (verb === undefined || request.method !== 'POST') {
    return void response.writeHead(404).end('there are POST /encode and /decode');
  }
  if (token !== undefined && !isBearer(request.headers.authorization, token)) {
    return void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('no valid token');
  }
  const payloads = payloadsOf(await bodyOf(request));
  const worked = await (verb === 'encode' ? codec.encode(payloads) : codec.decode(payloads));
  const body = JSON.stringify({ payloads: worked.map(toJson) });
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);
}

function isBearer(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header?.replace(/^Bearer /, '') ?? '');
  const wanted = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new BadRequest('the body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Protocol buffers as JSON: bytes are base64 (protobuf.dev, "ProtoJSON Format"). */
interface PayloadJson {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly data?: string;
}

function payloadsOf(body: string): Payload[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw new BadRequest('the body is no JSON');
  }
  const payloads = (parsed as { payloads?: unknown } | null)?.payloads;
  if (!Array.isArray(payloads)) throw new BadRequest('the body has no list of payloads');
  return payloads.map((payload: unknown) => {
    const { metadata = {}, data = '' } = (payload ?? {}) as PayloadJson;
    const isRight = typeof data === 'string' && Object.values(metadata).every(isText);
    if (!isRight) throw new BadRequest('a payload is not as it should be');
    const decoded = Object.entries(metadata).map(([key, value]) => [key, fromBase64(value)]);
    return { metadata: Object.fromEntries(decoded) as Payload['metadata'], data: fromBase64(data) };
  });
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}

function toJson({ metadata, data }: Payload): PayloadJson {
  const base64 = (bytes: Uint8Array | null | undefined) =>
    Buffer.from(bytes ?? []).toString('base64');
  const entries = Object.entries(metadata ?? {}).map(([key, value]) => [key, base64(value)]);
  return { metadata: Object.fromEntries(entries) as Record<string, string>, data: base64(data) };
}
