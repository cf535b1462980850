import { PeerMissingError } from '../errors.ts'

/** Imports an optional package. Throws `ERR_SESSION_PEER_MISSING` if it is not installed, or not in a version that this package knows. */
export async function importPeer<Module>(
  load: () => Promise<Module>,
  name: string,
  versions: string,
  reader: string
): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    throw new PeerMissingError(
      `${reader}() needs the package ${name}, ${versions}, which cannot be imported. Run \`npm install ${name}\`.`,
      { cause }
    )
  }
}
