/** The most bytes of one UTF-16 code unit. A surrogate pair takes four bytes for two units. */
const MAX_UTF8_BYTES = 3

/**
 * Encodes and decodes base64url (RFC 4648, section 5). It reuses one buffer, because a slice of Node's common pool costs as
 * much as a hash, garbage collection included. Bytes that a method returns are valid until the next call.
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
   * Decodes a text only if it is the exact output of the encoder, and returns undefined otherwise. Node's decoder alone skips
   * unknown characters and accepts both alphabets, so that the same bytes would have many spellings.
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
