import { protos } from '@google-cloud/secret-manager';
import { Server, ServerCredentials, status, type handleUnaryCall } from '@grpc/grpc-js';
import { loopback } from '../../scripts/services/service';

const { AccessSecretVersionRequest, AccessSecretVersionResponse } =
  protos.google.cloud.secretmanager.v1;
type Request = protos.google.cloud.secretmanager.v1.AccessSecretVersionRequest;
type Response = protos.google.cloud.secretmanager.v1.IAccessSecretVersionResponse;

/** Google Secret Manager for as much as reads: versions of secrets, spoken by its own protocol. */
export interface SecretManager {
  /** For COMPORTA_SECRET_MANAGER_ENDPOINT. */
  readonly endpoint: string;
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

export async function startSecretManager(): Promise<SecretManager> {
  const secrets = new Map<string, Version[]>();
  const forbidden = new Set<string>();
  let reads = 0;

  const access: handleUnaryCall<Request, Response> = ({ request: { name } }, answer) => {
    reads += 1;
    const [, secret = '', wanted = ''] = /^(.+)\/versions\/([^/]+)$/.exec(name) ?? [];
    const versions = secrets.get(secret) ?? [];
    const number = wanted === 'latest' ? versions.length : Number(wanted);
    const version = versions[number - 1];
    const refuse = (code: status, details: string) => answer({ code, details });
    if (forbidden.has(secret)) return refuse(status.PERMISSION_DENIED, `denied on ${name}`);
    if (version === undefined) return refuse(status.NOT_FOUND, `Secret [${name}] not found`);
    if (!version.enabled) return refuse(status.FAILED_PRECONDITION, `${name} is in DISABLED state`);
    answer(null, {
      name: `${secret}/versions/${number}`,
      payload: { data: Buffer.from(version.value) },
    });
  };

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
    stop: () => server.forceShutdown(),
  };
}
