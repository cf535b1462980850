/**
 * Decodes base64url (RFC 4648, section 5) into a buffer of its own: a slice of Node's common pool costs, with the making of
 * new pools and their collection, as much as a hash. What comes back is good until the next call.
 */
export class Base64UrlDecoder {
  #buffer: Buffer = Buffer.alloc(4096)

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
    if (text.length > this.#buffer.length) this.#buffer = Buffer.alloc(text.length)
    return this.#buffer.write(text, 'base64url')
  }
}
