import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** One end of a connection without a network. It keeps the last reply. */
export class Wire extends Duplex {
  reply = ''

  constructor() {
    super({ decodeStrings: false, emitClose: false })
  }

  /** Node.js asks for a socket and uses no more of it than of any stream. */
  asSocket(): Socket {
    return this as unknown as Socket
  }

  override _read(): void {}

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.reply += chunk
    done()
  }

  override _writev(chunks: { chunk: string | Buffer }[], done: () => void): void {
    for (const { chunk } of chunks) this.reply += chunk
    done()
  }
}
