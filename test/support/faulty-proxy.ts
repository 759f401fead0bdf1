import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { loopback } from '../../scripts/services/service';

/** The way to a server, with faults on demand. What is frozen keeps what it was given till healed. */
export interface FaultyProxy {
  readonly host: string;
  readonly port: number;
  /** Connections that are open through it now. */
  connections(): number;
  /** Stops the next connection that has brought so many bytes from the server, just there. */
  holdAt(bytes: number): Promise<HeldConnection>;
  /** Freezes when all connections together have brought so many bytes from the server from now on. */
  freezeAt(bytes: number): Promise<void>;
  /** Nothing passes any more, not even an end; new connections are taken and get no answer. */
  freeze(): void;
  /** Bytes per second and connection, from the server. */
  slow(rate: number): void;
  /** Cuts every connection, and refuses new ones. */
  refuse(): Promise<void>;
  /** Ends every fault; what was held or frozen goes on. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

/** A connection through which nothing passes until `FaultyProxy.heal`; others are as they were. */
export interface HeldConnection {
  /** Resets it, for both sides. */
  cut(): void;
}

/** Something that is waited at: open, or closed until it is opened. */
class Gate {
  private closed: { readonly opened: Promise<void>; readonly open: () => void } | undefined;

  get passage(): Promise<void> | undefined {
    return this.closed?.opened;
  }

  shut(): void {
    if (this.closed !== undefined) return;
    let open = () => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.closed = { opened, open };
  }

  open(): void {
    this.closed?.open();
    this.closed = undefined;
  }
}

interface Pair {
  readonly gate: Gate;
  readonly sockets: readonly [Socket, Socket];
}

/** Listens on a free port of this machine and leads to another one of it. */
export async function startFaultyProxy(serverPort: number): Promise<FaultyProxy> {
  const pairs = new Set<Pair>();
  const everything = new Gate();
  let rate: number | undefined;
  let freezing: { bytes: number; frozen(): void } | undefined;
  let held: { readonly bytes: number; take(connection: HeldConnection): void } | undefined;

  const pass = async (gate: Gate) => {
    await everything.passage;
    await gate.passage;
  };

  const pump = async (from: Socket, to: Socket, gate: Gate, arrived: (bytes: number) => void) => {
    const closed = new Promise((resolve) => to.once('close', resolve));
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        arrived(chunk.length);
        if (rate !== undefined) await delay((1000 * chunk.length) / rate);
        await pass(gate);
        if (to.destroyed) return;
        if (!to.write(chunk)) await Promise.race([once(to, 'drain'), closed]);
      }
      await pass(gate);
      to.end();
    } catch {
      await pass(gate);
      to.destroy();
    }
  };

  const listener = createServer((client) => {
    const server = connect({ host: loopback, port: serverPort });
    const pair: Pair = { gate: new Gate(), sockets: [client, server] };
    pairs.add(pair);
    // A pump reads an error where it iterates; between two reads nobody else listens.
    for (const socket of pair.sockets) socket.on('error', () => undefined);
    let received = 0;
    const fromServer = pump(server, client, pair.gate, (bytes) => {
      received += bytes;
      if (freezing !== undefined && (freezing.bytes -= bytes) <= 0) {
        everything.shut();
        freezing.frozen();
        freezing = undefined;
      }
      if (held === undefined || received < held.bytes) return;
      pair.gate.shut();
      held.take({ cut: () => cut(pair) });
      held = undefined;
    });
    const fromClient = pump(client, server, pair.gate, () => undefined);
    void Promise.all([fromServer, fromClient]).then(() => pairs.delete(pair));
  });

  const cut = ({ gate, sockets }: Pair) => {
    gate.open();
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const listen = async (port: number) => {
    listener.listen(port, loopback);
    await once(listener, 'listening');
  };
  await listen(0);
  const { port } = listener.address() as AddressInfo;

  const refuse = async () => {
    everything.open();
    const closed = listener.listening ? once(listener, 'close') : undefined;
    if (closed !== undefined) listener.close();
    for (const pair of pairs) cut(pair);
    await closed;
  };

  return {
    host: loopback,
    port,
    connections: () => pairs.size,
    holdAt: (bytes) => new Promise((take) => (held = { bytes, take })),
    freezeAt: (bytes) => new Promise((frozen) => (freezing = { bytes, frozen })),
    freeze: () => everything.shut(),
    slow: (bytes) => (rate = bytes),
    refuse,
    async heal() {
      rate = undefined;
      freezing = undefined;
      everything.open();
      for (const { gate } of pairs) gate.open();
      if (!listener.listening) await listen(port);
    },
    close: refuse,
  };
}
