/** The version of this package: two copies in one application tell each other apart by it. */
export const VERSION = '0.1.0'
