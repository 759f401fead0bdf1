import { once } from 'node:events';
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { loopback } from '../../scripts/services/service';

/** What becomes of one request. */
export type Trouble =
  /** Answered with an error of S3's; the store never hears of it. */
  | { readonly kind: 'refuse'; readonly status: number; readonly code: string }
  /** Answered without a body; the store never hears of it. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
    }
  /** Passed on this many milliseconds late. */
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** The connection ends when half of the body has come; the store never hears of it. */
  | { readonly kind: 'cut' }
  /** Carried out by the store, whose answer is lost with the connection. */
  | { readonly kind: 'loseAnswer' };

export type S3Operation =
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'PutObject'
  | 'Other';

export interface S3Request {
  readonly operation: S3Operation;
  /** Path and query, as sent. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

/** A way to an S3 server, or another storage by HTTP, on which things go wrong as a test says. */
export interface S3Proxy {
  readonly endpoint: string;
  /** Asked for each request; undefined lets it pass. Default: all pass. */
  trouble: (request: S3Request) => Trouble | undefined;
  close(): Promise<void>;
}

/** @param endpoint `http://host:port` of the real server, which verifies the signatures. */
export async function startS3Proxy(endpoint: string): Promise<S3Proxy> {
  const { hostname, port } = new URL(endpoint);

  const pass = (incoming: IncomingMessage, answerTo: ServerResponse | undefined) =>
    new Promise<void>((resolve, reject) => {
      const { method, url, headers } = incoming;
      // With the host that the client signed.
      const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
        answer.once('end', resolve).once('error', reject);
        if (answerTo === undefined) {
          answer.resume();
          return;
        }
        answerTo.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(answerTo);
      });
      onward.once('error', reject);
      incoming.pipe(onward);
    });

  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const trouble = proxy.trouble({
      operation: operationOf(incoming),
      target: incoming.url ?? '',
      headers: incoming.headers,
    });
    switch (trouble?.kind) {
      case 'refuse':
        incoming.resume();
        response.writeHead(trouble.status, { 'content-type': 'application/xml' });
        response.end(`<Error><Code>${trouble.code}</Code><Message>as told</Message></Error>`);
        return;
      case 'answer':
        incoming.resume();
        response.writeHead(trouble.status, trouble.headers);
        response.end();
        return;
      case 'cut':
        await half(incoming);
        incoming.destroy();
        return;
      case 'loseAnswer':
        await pass(incoming, undefined);
        response.destroy();
        return;
      case 'delay':
        await delay(trouble.milliseconds);
        await pass(incoming, response);
        return;
      case undefined:
        await pass(incoming, response);
    }
  };

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => response.destroy());
  });
  server.listen(0, loopback);
  await once(server, 'listening');
  const proxy: S3Proxy = {
    endpoint: `http://${loopback}:${(server.address() as AddressInfo).port}`,
    trouble: () => undefined,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}

/** Resolves when half of the announced body has come. */
async function half(incoming: IncomingMessage): Promise<void> {
  const wanted = Number(incoming.headers['content-length'] ?? 0) / 2;
  let come = 0;
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    come += (chunk as Buffer).length;
    if (come >= wanted) return;
  }
}

/** By method and query (S3 API, "Actions"). */
function operationOf({ method, url }: IncomingMessage): S3Operation {
  const query = new URL(url ?? '/', 'http://s3').searchParams;
  if (method === 'POST' && query.has('uploads')) return 'CreateMultipartUpload';
  if (method === 'POST' && query.has('uploadId')) return 'CompleteMultipartUpload';
  if (method === 'PUT' && query.has('uploadId')) return 'UploadPart';
  if (method === 'DELETE' && query.has('uploadId')) return 'AbortMultipartUpload';
  return method === 'PUT' ? 'PutObject' : 'Other';
}
