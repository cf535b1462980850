// What the suites take from sodium: lengths, and random keys.
const { randomFillSync } = require('node:crypto')

module.exports = {
  crypto_secretbox_KEYBYTES: 32,
  crypto_secretbox_NONCEBYTES: 24,
  crypto_secretbox_MACBYTES: 16,
  crypto_pwhash_SALTBYTES: 16,
  randombytes_buf: randomFillSync
}
