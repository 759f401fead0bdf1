import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net';

/** Takes the bytes of a connection while pg does not. */
export interface Receiver {
  /** The place for the next bytes, never empty; undefined while nothing can be taken. */
  room(): Buffer | undefined;
  /** So many bytes have been put into the room. */
  received(bytes: number): void;
  /** Bytes that came after there was no room; they are delivered again when there is. */
  setAside(bytes: Buffer): void;
}

/** Bytes of one read while pg reads, and of the first one after a pause. */
const FEED_BYTES = 64 * 1024;
/** A read of less than this is the end of an answer, or of a slow server. */
const FLOW_BYTES = 8 * 1024;
/**
 * PostgreSQL sends pieces of 8 KiB. Whoever reads each as it comes wakes up for every one of
 * them, which costs more than decoding what is in it, and the server pays for waking it. So the
 * receive buffer of the kernel is given this time to fill.
 */
const GATHER_MS = 2;

/**
 * The socket of one connection, of which pg makes the connection, the sign-in and ordinary
 * statements, while a receiver may have all bytes in between: read straight into its memory
 * (`onread` of net.Socket), or through the `data` event where TLS lies between.
 */
export class Wire {
  /** The one to give to pg as its stream. */
  readonly socket: Socket;
  private stream: Socket;
  private receiver: Receiver | undefined;
  /** What pg reads with. */
  private listeners: readonly ((chunk: Buffer) => void)[] = [];
  private readonly feed = Buffer.allocUnsafeSlow(FEED_BYTES);
  /** The receiver's room into which the socket reads at present. */
  private lent: Buffer | undefined;
  private gathering: NodeJS.Timeout | undefined;

  constructor(private readonly isEncrypted: boolean) {
    const direct: SocketConstructorOpts & ConnectOpts = {
      onread: {
        buffer: () => (this.lent = this.receiver?.room()) ?? this.feed,
        callback: (bytes) => this.read(bytes),
      },
    };
    this.socket = new Socket(isEncrypted ? {} : direct);
    this.stream = this.socket;
  }

  /** From now on everything goes to the receiver. `stream` is the one that pg reads from. */
  divert(stream: Socket, receiver: Receiver): void {
    this.stream = stream;
    this.receiver = receiver;
    this.listeners = stream.listeners('data') as ((chunk: Buffer) => void)[];
    if (!this.isEncrypted) return;
    stream.removeAllListeners('data');
    stream.on('data', this.onData);
  }

  /** Gives the connection back to pg. */
  release(): void {
    if (this.receiver === undefined) return;
    this.receiver = undefined;
    this.lent = undefined;
    if (this.isEncrypted) {
      this.stream.removeListener('data', this.onData);
      for (const listener of this.listeners) this.stream.on('data', listener);
    }
    this.resume();
  }

  /** Gives pg whole messages that are not for the receiver. */
  passOn(messages: Buffer): void {
    for (const listener of this.listeners) listener.call(this.stream, messages);
  }

  /** Puts bytes into the receiver's room, or aside, and into pg when there is no receiver any more. */
  deliver(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const { receiver } = this;
      const rest = bytes.subarray(at);
      if (receiver === undefined) return this.passOn(Buffer.from(rest));
      const room = receiver.room();
      if (room === undefined) return receiver.setAside(rest);
      const taken = Math.min(room.length, rest.length);
      rest.copy(room, 0, 0, taken);
      at += taken;
      receiver.received(taken);
    }
  }

  /** Reads on after there was no room. */
  resume(): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    this.stream.resume();
  }

  /** Cuts the connection. */
  destroy(): void {
    clearTimeout(this.gathering);
    this.socket.destroy();
  }

  private read(bytes: number): boolean {
    const { receiver, lent } = this;
    if (receiver === undefined) {
      this.socket.emit('data', Buffer.from(this.feed.subarray(0, bytes)));
      return true;
    }
    if (lent === undefined) this.deliver(this.feed.subarray(0, bytes));
    else receiver.received(bytes);
    const hasRoomLeft = bytes < (lent ?? this.feed).length;
    return this.goesOn(hasRoomLeft && bytes >= FLOW_BYTES);
  }

  private readonly onData = (chunk: Buffer): void => {
    this.deliver(chunk);
    // A chunk is one record of TLS here: a wait for each would be a wait for every few kilobytes.
    if (!this.goesOn(false)) this.stream.pause();
  };

  /** Whether to read again at once. */
  private goesOn(mayGather: boolean): boolean {
    const { receiver } = this;
    if (receiver === undefined) return true;
    if (receiver.room() === undefined) return false;
    if (!mayGather) return true;
    this.gathering = setTimeout(() => this.resume(), GATHER_MS);
    return false;
  }
}
