/** A UTF-16 code unit needs three bytes at the most; two that make one character need four together. */
const MAX_UTF8_BYTES = 3

/**
 * Encodes and decodes base64url (RFC 4648, section 5) in a buffer of its own: a slice of Node's common pool costs, with the
 * making of new pools and their collection, as much as a hash. Bytes that come back are good until the next call.
 */
export class Base64Url {
  #buffer: Buffer = Buffer.alloc(4096)

  encodeText(text: string): string {
    this.#reserve(text.length * MAX_UTF8_BYTES)
    const length = this.#buffer.write(text, 'utf8')
    return this.#buffer.toString('base64url', 0, length)
  }

  decodeText(text: string): string {
    const length = this.#write(text)
    return this.#buffer.toString('utf8', 0, length)
  }

  /**
   * Node's decoder skips what it does not know and takes both alphabets, so the same bytes have many spellings. This takes
   * only the one that an encoder would write, and gives undefined for the others.
   */
  decodeCanonical(text: string): Buffer | undefined {
    const length = this.#write(text)
    return this.#buffer.toString('base64url', 0, length) === text ? this.#buffer.subarray(0, length) : undefined
  }

  #write(text: string): number {
    this.#reserve(text.length)
    return this.#buffer.write(text, 'base64url')
  }

  #reserve(bytes: number): void {
    if (bytes > this.#buffer.length) this.#buffer = Buffer.alloc(bytes)
  }
}
