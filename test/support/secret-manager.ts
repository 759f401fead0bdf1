import { protos } from '@google-cloud/secret-manager';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials, status, type handleUnaryCall } from '@grpc/grpc-js';
import { loopback } from '../../scripts/services/service';

const { AccessSecretVersionRequest, AccessSecretVersionResponse } =
  protos.google.cloud.secretmanager.v1;
type Request = protos.google.cloud.secretmanager.v1.AccessSecretVersionRequest;
type Response = protos.google.cloud.secretmanager.v1.IAccessSecretVersionResponse;

/**
 * Google Secret Manager for as much as reads: versions of secrets, by its own protocol and by its REST
 * interface. The latter wants a token, which the machine's metadata server beside it gives.
 */
export interface SecretManager {
  /** For COMPORTA_SECRET_MANAGER_ENDPOINT. */
  readonly endpoint: string;
  /** For a job: COMPORTA_SECRET_MANAGER and GCE_METADATA_HOST. */
  readonly jobEnvironment: Readonly<Record<string, string>>;
  /** Adds a version, which is the latest then. `secret`: `projects/P/secrets/S`. */
  add(secret: string, value: string): void;
  /** Disables the latest version. */
  disable(secret: string): void;
  /** Whose reading is refused. */
  forbid(secret: string): void;
  /** How many reads were answered, refused ones too. */
  readonly reads: number;
  stop(): void;
}

interface Version {
  readonly value: string;
  enabled: boolean;
}

const TOKEN_PATH = '/computeMetadata/v1/instance/service-accounts/default/token';
const TOKEN = 'token-of-this-machine';

/** google/rpc/code.proto: HTTP mapping. */
const HTTP_STATUS: Partial<Record<status, number>> = {
  [status.NOT_FOUND]: 404,
  [status.PERMISSION_DENIED]: 403,
};

function sendJson(response: ServerResponse, code: number, content: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(content));
}

export async function startSecretManager(): Promise<SecretManager> {
  const secrets = new Map<string, Version[]>();
  const forbidden = new Set<string>();
  let reads = 0;

  const read = (name: string, refuse: (code: status, details: string) => void) => {
    reads += 1;
    const [, secret = '', wanted = ''] = /^(.+)\/versions\/([^/]+)$/.exec(name) ?? [];
    const versions = secrets.get(secret) ?? [];
    const number = wanted === 'latest' ? versions.length : Number(wanted);
    const version = versions[number - 1];
    if (forbidden.has(secret)) return refuse(status.PERMISSION_DENIED, `denied on ${name}`);
    if (version === undefined) return refuse(status.NOT_FOUND, `Secret [${name}] not found`);
    if (!version.enabled) return refuse(status.FAILED_PRECONDITION, `${name} is in DISABLED state`);
    return { name: `${secret}/versions/${number}`, data: Buffer.from(version.value) };
  };
  const access: handleUnaryCall<Request, Response> = ({ request: { name } }, answer) => {
    const found = read(name, (code, details) => answer({ code, details }));
    if (found !== undefined) answer(null, { name: found.name, payload: { data: found.data } });
  };
  const rest = createServer(({ url = '', headers }, response) => {
    if (url === TOKEN_PATH && headers['metadata-flavor'] === 'Google') {
      return sendJson(response, 200, { access_token: TOKEN, token_type: 'Bearer' });
    }
    if (headers.authorization !== `Bearer ${TOKEN}`) return sendJson(response, 401, {});
    const [, name = ''] = /^\/v1\/(.+):access$/.exec(url) ?? [];
    const found = read(name, (code) => sendJson(response, HTTP_STATUS[code] ?? 400, {}));
    if (found === undefined) return;
    sendJson(response, 200, {
      name: found.name,
      payload: { data: found.data.toString('base64') },
    });
  });
  await new Promise<void>((resolve) => rest.listen(0, loopback, resolve));
  const address = `${loopback}:${(rest.address() as AddressInfo).port}`;

  const server = new Server();
  server.addService(
    {
      accessSecretVersion: {
        path: '/google.cloud.secretmanager.v1.SecretManagerService/AccessSecretVersion',
        requestStream: false,
        responseStream: false,
        requestSerialize: (request: Request) =>
          Buffer.from(AccessSecretVersionRequest.encode(request).finish()),
        requestDeserialize: (bytes: Buffer) => AccessSecretVersionRequest.decode(bytes),
        responseSerialize: (response: Response) =>
          Buffer.from(AccessSecretVersionResponse.encode(response).finish()),
        responseDeserialize: (bytes: Buffer) => AccessSecretVersionResponse.decode(bytes),
      },
    },
    { accessSecretVersion: access },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${loopback}:0`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    endpoint: `http://${loopback}:${port}`,
    jobEnvironment: { COMPORTA_SECRET_MANAGER: `http://${address}`, GCE_METADATA_HOST: address },
    add(secret, value) {
      secrets.set(secret, [...(secrets.get(secret) ?? []), { value, enabled: true }]);
    },
    disable(secret) {
      const latest = secrets.get(secret)?.at(-1);
      if (latest !== undefined) latest.enabled = false;
    },
    forbid: (secret) => void forbidden.add(secret),
    get reads() {
      return reads;
    },
    stop() {
      server.forceShutdown();
      rest.closeAllConnections();
      rest.close();
    },
  };
}
